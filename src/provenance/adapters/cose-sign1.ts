import { X509Certificate } from 'node:crypto';
import { encode } from 'cborg';
import { ColophonError } from '../../shared/errors.js';
import { type CertifiedKey } from '../domain/claim-key.port.js';
import {
  algorithmOfKey,
  COSE_ALGORITHMS,
  signatureHolds,
  signatureSizeBytes,
} from '../domain/signing-algorithm.js';
import { type SignatureTimeStamp, type SignatureTimeStamping } from '../domain/time-stamping.port.js';

/** COSE header labels (RFC 9052, RFC 9360). */
const HEADER_ALG = 1;
const HEADER_X5CHAIN = 33;
/** CBOR tag 18, COSE_Sign1. */
const COSE_SIGN1_TAG = Buffer.from([0xd2]);

/** Room for the first token, whose size nobody knows: authorities send 2 to 7 kB with their certificates. */
const FIRST_TOKEN_BYTES = 8192;
/** Tokens of one authority differ by a few bytes: serial numbers, times, signatures in DER. */
const TOKEN_SLACK_BYTES = 256;

export interface CoseSignature {
  /** Tagged COSE_Sign1, exactly {@link ClaimSignature.sizeBytes} long. */
  readonly cose: Buffer;
  /** `undefined` when none is wanted. */
  readonly timeStamp: SignatureTimeStamp | undefined;
}

/** The token was larger than the room that the asset was laid out for. Lay it out again: there is enough room now. */
export class SignatureRoomError extends Error {
  constructor() {
    super('the time-stamp token does not fit into the reserved room');
    this.name = 'SignatureRoomError';
  }
}

/**
 * The claim signature of C2PA 2.4 section 13.2: a tagged COSE_Sign1 with detached payload, the certificate chain in
 * the protected header, and in the unprotected one a time-stamp token (`sigTst2`) and zero padding.
 *
 * The one place that makes COSE: claims are signed here, and what else wants an `x5chain` signature over bytes of its
 * own (a CAWG identity assertion, `cawg.x509.cose`) uses another instance with another key.
 *
 * We build it ourselves instead of leaving it to the binding: its own time-stamping does not work in every version,
 * and only here can a token be verified before it is used. It is also smaller: the binding reserves 10 kB, this takes
 * as many bytes as it needs (632 with the development certificate and no time-stamp).
 */
export class ClaimSignature {
  private readonly protectedHeader: Uint8Array;
  private readonly leaf: X509Certificate;
  /** Without a token, and without padding: what a token is added to; with empty padding: what needs none. */
  private readonly bytesWithoutToken: { readonly unpadded: number; readonly padded: number };
  /** Bytes kept for the token; learnt from the first one. */
  private tokenRoomBytes = FIRST_TOKEN_BYTES;

  /** @throws ColophonError `signer_unavailable` for a chain that cannot be read or does not fit the algorithm */
  constructor(
    private readonly key: CertifiedKey,
    private readonly timeStamping?: SignatureTimeStamping,
  ) {
    const certificates = parseChain(key.certificateChainPem);
    const [leaf] = certificates;
    if (leaf === undefined)
      throw new ColophonError('signer_unavailable', 'The claim key has no certificate.');
    if (algorithmOfKey(leaf.publicKey) !== key.algorithm)
      throw new ColophonError('signer_unavailable', 'The claim key and its certificate differ in algorithm.');
    this.leaf = leaf;
    const chain = certificates.filter((certificate) => certificate === leaf || !isSelfSigned(certificate));
    const der = chain.map((certificate) => new Uint8Array(certificate.raw));
    this.protectedHeader = encode(
      new Map<number, unknown>([
        [HEADER_ALG, COSE_ALGORITHMS[key.algorithm]],
        // RFC 9360: one certificate is a byte string, several are an array.
        [HEADER_X5CHAIN, der.length === 1 ? der[0] : der],
      ]),
    );
    const signature = new Uint8Array(signatureSizeBytes(key.algorithm, leaf.publicKey));
    this.bytesWithoutToken = {
      unpadded: this.coseOf(signature, undefined, {}).length,
      padded: this.coseOf(signature, undefined, { pad: 0 }).length,
    };
  }

  /**
   * Exact size of what {@link sign} returns, for the `sizeBytes` that is read now. A different size would shift the
   * bytes that the asset hash excludes.
   */
  get sizeBytes(): number {
    const { unpadded, padded } = this.bytesWithoutToken;
    return this.timeStamping === undefined ? padded : unpadded + this.tokenRoomBytes;
  }

  /** SHA-256 of the DER of the signing certificate, lower-case hexadecimal. */
  get certificateSha256(): string {
    return this.leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  }

  /**
   * @param payload CBOR bytes of the claim
   * @param reservedBytes the {@link sizeBytes} for which the asset was laid out
   * @throws ColophonError `signer_unavailable` when the key fails or its signature does not verify: a key service
   *   that was mixed up is found here and not by the reader of a published picture; `time_stamp_unavailable` when a
   *   required time-stamp cannot be had.
   * @throws SignatureRoomError
   */
  async sign(payload: Uint8Array, reservedBytes = this.sizeBytes): Promise<CoseSignature> {
    // Sig_structure, RFC 9052 section 4.4
    const toBeSigned = encode([
      'Signature1',
      this.protectedHeader,
      new Uint8Array(0),
      new Uint8Array(payload),
    ]);
    const signature = await this.key.sign(toBeSigned);
    if (!signatureHolds(this.key.algorithm, this.leaf.publicKey, toBeSigned, signature)) {
      throw new ColophonError(
        'signer_unavailable',
        'The claim key gave a signature that does not verify with its certificate.',
      );
    }
    const { token, timeStamp } = await this.stamp(signature);
    return { cose: this.padded(signature, token, reservedBytes), timeStamp };
  }

  private async stamp(
    signature: Uint8Array,
  ): Promise<{ token: Uint8Array | undefined; timeStamp: SignatureTimeStamp | undefined }> {
    if (this.timeStamping === undefined) return { token: undefined, timeStamp: undefined };
    const { authority, policy } = this.timeStamping;
    const answer = await authority.stamp(timeStampedBytes(this.protectedHeader, signature));
    if (answer.outcome === 'stamped') {
      const timeStamp = { outcome: 'stamped', authority: authority.name, time: answer.genTime } as const;
      return { token: answer.token, timeStamp };
    }
    if (policy === 'required') {
      throw new ColophonError(
        'time_stamp_unavailable',
        `The signature could not be time-stamped (${answer.outcome}).`,
        { cause: new Error(answer.reason) },
      );
    }
    return {
      token: undefined,
      timeStamp: { outcome: 'missing', authority: authority.name, reason: answer.outcome },
    };
  }

  private padded(signature: Uint8Array, token: Uint8Array | undefined, reservedBytes: number): Buffer {
    if (this.timeStamping === undefined) return this.coseOf(signature, undefined, { pad: 0 });
    if (token !== undefined) this.tokenRoomBytes = token.length + TOKEN_SLACK_BYTES;
    const cose = this.paddedTo(reservedBytes, signature, token);
    if (cose === undefined) throw new SignatureRoomError();
    return cose;
  }

  /**
   * Exactly so many bytes. The head of a byte string grows by a byte or two at 24, 256 and 65,536, so not every size
   * can be met with one of them: `pad2` (C2PA 2.4 section 10.4.4) makes up for it.
   */
  private paddedTo(
    sizeBytes: number,
    signature: Uint8Array,
    token: Uint8Array | undefined,
  ): Buffer | undefined {
    const room = sizeBytes - this.coseOf(signature, token, {}).length;
    for (let pad = room; pad >= Math.max(0, room - 12); pad--) {
      const cose = this.coseOf(signature, token, { pad });
      if (cose.length === sizeBytes) return cose;
    }
    for (let pad2 = 0; pad2 < 12; pad2++) {
      for (let pad = room; pad >= Math.max(0, room - 40); pad--) {
        const cose = this.coseOf(signature, token, { pad, pad2 });
        if (cose.length === sizeBytes) return cose;
      }
    }
    return undefined;
  }

  private coseOf(
    signature: Uint8Array,
    token: Uint8Array | undefined,
    padding: { readonly pad?: number; readonly pad2?: number },
  ): Buffer {
    const unprotected = {
      ...(token !== undefined && { sigTst2: { tstTokens: [{ val: new Uint8Array(token) }] } }),
      ...(padding.pad !== undefined && { pad: new Uint8Array(padding.pad) }),
      ...(padding.pad2 !== undefined && { pad2: new Uint8Array(padding.pad2) }),
    };
    const body = encode([this.protectedHeader, unprotected, null, new Uint8Array(signature)]);
    return Buffer.concat([COSE_SIGN1_TAG, body]);
  }
}

/**
 * What the authority stamps: the ToBeSigned value of RFC 8152 section 4.4 with the context `CounterSignature` (C2PA 2.4
 * section 10.3.2.5.3). Its payload, for `sigTst2`, is the CBOR byte string of the signature (section 10.3.2.5.2).
 */
export function timeStampedBytes(protectedHeader: Uint8Array, signature: Uint8Array): Uint8Array {
  return encode(['CounterSignature', protectedHeader, new Uint8Array(0), encode(new Uint8Array(signature))]);
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function parseChain(pem: string): X509Certificate[] {
  try {
    return (pem.match(PEM_CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
  } catch (cause) {
    throw new ColophonError('signer_unavailable', 'The certificate chain of the claim key is malformed.', {
      cause,
    });
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}
