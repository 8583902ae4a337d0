import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  createDevelopmentAuthority,
  issueDevelopmentCertificate,
} from '../../../provenance/adapters/development-authority.js';
import { signInBackground } from '../../../provenance/adapters/keys/file/file-signing-keys.js';
import { type CertifiedKey } from '../../../provenance/domain/claim-key.port.js';
import { type SigningAlgorithm } from '../../../provenance/domain/signing-algorithm.js';
import { type SignatureTimeStamping } from '../../../provenance/domain/time-stamping.port.js';
import { type Clock } from '../../../shared/clock.js';
import { openReportSigner } from '../../adapters/signing/report-key-signer.js';
import { type ReportSigner } from '../../domain/report-signature.js';

const YEAR_MS = 31_536_000_000;

/** A report key of its own authority, as an installation has one. */
export class ReportSigning {
  private constructor(
    readonly key: CertifiedKey,
    readonly anchorsPem: string,
    private readonly clock: Clock,
  ) {}

  static async create(at: Date, algorithm: SigningAlgorithm = 'es256'): Promise<ReportSigning> {
    const clock: Clock = { now: () => at };
    const { caCertificatePem, caKeyPem } = await createDevelopmentAuthority({ clock });
    const privateKey = generate(algorithm);
    const publicKey = createPublicKey(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    const certificateChainPem = await issueDevelopmentCertificate({
      purpose: 'report',
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      caCertificatePem,
      caKeyPem,
      clock,
    });
    const key: CertifiedKey = {
      algorithm,
      certificateChainPem,
      certificateNotBefore: at,
      certificateNotAfter: new Date(at.getTime() + YEAR_MS),
      sign: (bytes) => signInBackground(algorithm, privateKey, bytes),
    };
    return new ReportSigning(key, caCertificatePem, clock);
  }

  /** The entry by which the log of an installation names its key, as far as it is about the key. */
  async activation() {
    const { certificateSha256 } = (await this.signer()).identity;
    const { algorithm, certificateNotBefore, certificateNotAfter } = this.key;
    return {
      type: 'report_key.activated' as const,
      subject: { kind: 'signing_key' as const, id: certificateSha256 },
      data: {
        ...{ certificateSha256, algorithm, spkiSha256: '0'.repeat(64), chain: ['AAAA'] },
        notBefore: certificateNotBefore.toISOString(),
        notAfter: certificateNotAfter.toISOString(),
      },
    };
  }

  signer(timeStamping?: SignatureTimeStamping): Promise<ReportSigner> {
    return openReportSigner({ reportKey: () => Promise.resolve(this.key) }, timeStamping, this.clock);
  }
}

function generate(algorithm: SigningAlgorithm): KeyObject {
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (algorithm === 'ps256') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: algorithm === 'es256' ? 'P-256' : 'P-384' }).privateKey;
}
