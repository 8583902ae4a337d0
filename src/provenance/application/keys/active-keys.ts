import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { type CertifiedKey, type SigningKeys } from '../../domain/claim-key.port.js';
import { certificateStanding, type KeyGeneration, type KeyPurpose } from '../../domain/key-generation.js';
import { type KeyGenerations } from './key-generations.port.js';

export interface ActiveKey {
  readonly generation: KeyGeneration;
  readonly key: CertifiedKey;
}

/** The key that signs reports; see {@link ActiveKeys}. */
export interface ReportKeys {
  /** @throws ColophonError `signer_unavailable` */
  reportKey(): Promise<CertifiedKey>;
}

/**
 * The key that signs now, by the word of the database: asked each time, so that all processes change over with the
 * commit of an activation and nobody has to be told. What is being signed at that moment ends with the key it began with.
 */
export class ActiveKeys implements ReportKeys {
  /** Opened keys by generation. */
  private readonly opened = new Map<string, Promise<CertifiedKey>>();

  constructor(
    private readonly generations: KeyGenerations,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    /** Refuse certificates of the development authority. */
    private readonly production: boolean,
  ) {}

  async reportKey(): Promise<CertifiedKey> {
    return (await this.current('report')).key;
  }

  /** @throws ColophonError `signer_unavailable`, whose message says what to do */
  async current(purpose: KeyPurpose): Promise<ActiveKey> {
    const generation = await this.generations.active(purpose);
    if (generation?.certificate === undefined)
      throw unavailable(
        `No ${purpose} key is active. Certify and activate one: colophon keys csr, import, activate.`,
      );
    if (this.production && generation.development) throw unavailable(DEVELOPMENT_IN_PRODUCTION);
    this.refuseOutsideValidity(generation);
    return { generation, key: await this.open(generation) };
  }

  private refuseOutsideValidity({ purpose, certificate }: KeyGeneration): void {
    if (certificate === undefined) return;
    const standing = certificateStanding(certificate, this.clock.now());
    if (standing === 'expired')
      throw unavailable(
        `The certificate of the ${purpose} key expired on ${certificate.notAfter.toISOString()}. Activate a new key: colophon keys.`,
      );
    if (standing === 'not_yet_valid')
      throw unavailable(
        `The certificate of the ${purpose} key is valid only from ${certificate.notBefore.toISOString()}. Check the clock.`,
      );
  }

  private open(generation: KeyGeneration): Promise<CertifiedKey> {
    const known = this.opened.get(generation.id);
    if (known !== undefined) return known;
    const opening = this.openNow(generation);
    this.opened.set(generation.id, opening);
    // A service that was down at the first signature is asked again at the second one.
    opening.catch(() => this.opened.delete(generation.id));
    return opening;
  }

  private async openNow({
    reference,
    spkiSha256,
    certificate,
    purpose,
  }: KeyGeneration): Promise<CertifiedKey> {
    const key = await this.keys.open(reference);
    if (sha256Hex(key.publicKey) !== spkiSha256)
      throw unavailable(
        `The ${purpose} key is another one than was certified. Put the right one in its place.`,
      );
    if (certificate === undefined) throw unavailable(`The ${purpose} key has no certificate.`);
    return {
      algorithm: key.algorithm,
      certificateChainPem: certificate.chainPem,
      certificateNotBefore: certificate.notBefore,
      certificateNotAfter: certificate.notAfter,
      sign: (bytes) => key.sign(bytes),
    };
  }
}

export const DEVELOPMENT_IN_PRODUCTION =
  'NODE_ENV=production: the active claim key has a certificate of the development authority, which production refuses. ' +
  'Bring a certificate: colophon keys csr, then import what your certification authority issues, then activate it.';

function unavailable(detail: string): ColophonError {
  return new ColophonError('signer_unavailable', detail);
}
