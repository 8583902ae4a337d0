import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509';
import { type Fault } from './fault-plan.js';

/** Key kinds that authorities use: ECDSA on two curves, RSA with PKCS #1 v1.5 and with PSS. */
export type KeyKind = 'ecdsa-p256' | 'ecdsa-p384' | 'rsa' | 'rsa-pss';

const ALGORITHMS = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'ecdsa-p384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa: rsa('RSASSA-PKCS1-v1_5'),
  'rsa-pss': rsa('RSA-PSS'),
} as const satisfies Record<KeyKind, unknown>;

function rsa(name: string) {
  return {
    name,
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
    saltLength: 32,
  };
}

const DAY_MS = 86_400_000;
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

interface Holder {
  readonly certificate: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** A signing key of the authority with its certificate and those between it and the root. */
export interface SigningIdentity extends Holder {
  /** The signer's own certificate first; never the root. */
  readonly chain: readonly X509Certificate[];
}

/**
 * The authority's root, intermediate and signing certificates, made at start and thrown away. Certificates for a
 * fault are made when it is first asked for.
 */
export class AuthorityKeys {
  private readonly identities = new Map<string, Promise<SigningIdentity>>();

  private constructor(
    readonly kind: KeyKind,
    private readonly root: Holder,
    private readonly intermediate: Holder,
    /** Not below the root that verifiers are given. */
    private readonly stranger: Holder,
  ) {}

  static async create(kind: KeyKind = 'ecdsa-p256'): Promise<AuthorityKeys> {
    const root = await authority(kind, 'Fake TSA root', undefined, 1);
    const intermediate = await authority(kind, 'Fake TSA intermediate', root, 0);
    // The same names: only the keys are others.
    const stranger = await authority(
      kind,
      'Fake TSA intermediate',
      await authority(kind, 'Fake TSA root'),
      0,
    );
    return new AuthorityKeys(kind, root, intermediate, stranger);
  }

  get rootPem(): string {
    return `${this.root.certificate.toString('pem')}\n`;
  }

  get intermediatePem(): string {
    return `${this.intermediate.certificate.toString('pem')}\n`;
  }

  identity(fault?: Fault): Promise<SigningIdentity> {
    const key = PROFILES.includes(fault ?? '') ? (fault ?? '') : '';
    let identity = this.identities.get(key);
    if (identity === undefined) {
      identity = this.issue(fault);
      this.identities.set(key, identity);
    }
    return identity;
  }

  private async issue(fault?: Fault): Promise<SigningIdentity> {
    if (fault === 'unknown-issuer') return this.leaf(this.stranger, [this.stranger]);
    if (fault === 'issuer-not-ca') {
      const { certificate, keys } = await this.leaf(this.intermediate, []);
      return this.leaf({ certificate, keys }, [{ certificate, keys }, this.intermediate]);
    }
    if (fault === 'path-too-long') {
      const lower = await authority(this.kind, 'Fake TSA lower', this.intermediate);
      return this.leaf(lower, [lower, this.intermediate]);
    }
    return this.leaf(this.intermediate, [this.intermediate], fault);
  }

  private async leaf(issuer: Holder, above: readonly Holder[], fault?: Fault): Promise<SigningIdentity> {
    const keys = await generate(this.kind);
    const begin = Date.now() - (fault === 'expired-certificate' ? 700 * DAY_MS : DAY_MS);
    const certificate = await X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject: [{ O: ['Fake'] }, { CN: ['Fake TSA'] }],
        issuer: issuer.certificate.subjectName,
        notBefore: new Date(begin),
        notAfter: new Date(begin + (fault === 'expired-certificate' ? 365 : 800) * DAY_MS),
        signingAlgorithm: ALGORITHMS[this.kind],
        publicKey: keys.publicKey,
        signingKey: issuer.keys.privateKey,
        extensions: [
          ...leafExtensions(fault),
          await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
          await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey, false, webcrypto),
        ],
      },
      webcrypto,
    );
    return { certificate, keys, chain: [certificate, ...above.map((holder) => holder.certificate)] };
  }
}

const PROFILES: readonly string[] = [
  'wrong-eku',
  'extra-eku',
  'eku-not-critical',
  'expired-certificate',
  'unknown-issuer',
  'issuer-not-ca',
  'path-too-long',
  'critical-extension',
  'no-signing-key-usage',
];

function leafExtensions(fault?: Fault): Extension[] {
  const purposes = {
    'wrong-eku': [CODE_SIGNING],
    'extra-eku': [TIME_STAMPING, CODE_SIGNING],
  } as const satisfies Partial<Record<Fault, readonly string[]>>;
  const usage =
    fault === 'no-signing-key-usage' ? KeyUsageFlags.keyEncipherment : KeyUsageFlags.digitalSignature;
  const eku: readonly string[] =
    fault === 'wrong-eku' || fault === 'extra-eku' ? purposes[fault] : [TIME_STAMPING];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(usage, true),
    new ExtendedKeyUsageExtension([...eku], fault !== 'eku-not-critical'),
    ...(fault === 'critical-extension'
      ? [new Extension('1.3.6.1.4.1.99999.1', true, new Uint8Array([5, 0]))]
      : []),
  ];
}

async function authority(kind: KeyKind, name: string, issuer?: Holder, pathLength?: number): Promise<Holder> {
  const keys = await generate(kind);
  const begin = Date.now() - 3000 * DAY_MS;
  const common = {
    serialNumber: serialNumber(),
    notBefore: new Date(begin),
    notAfter: new Date(begin + 7300 * DAY_MS),
    signingAlgorithm: ALGORITHMS[kind],
    extensions: [
      new BasicConstraintsExtension(true, pathLength, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
    ],
  };
  const subject = [{ O: ['Fake'] }, { CN: [name] }];
  const certificate =
    issuer === undefined
      ? await X509CertificateGenerator.createSelfSigned({ ...common, name: subject, keys }, webcrypto)
      : await X509CertificateGenerator.create(
          {
            ...common,
            subject,
            issuer: issuer.certificate.subjectName,
            publicKey: keys.publicKey,
            signingKey: issuer.keys.privateKey,
          },
          webcrypto,
        );
  return { certificate, keys };
}

function generate(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHMS[kind], true, ['sign', 'verify']);
}

/** 16 random bytes, positive and not starting with zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
