import { X509Certificate } from 'node:crypto';
import { ColophonError } from '../../../shared/errors.js';
import { type Clock } from '../../../shared/clock.js';
import { type KeyGeneration } from '../../domain/key-generation.js';
import { signatureHolds } from '../../domain/signing-algorithm.js';
import { type ActiveKey } from './active-keys.js';

/**
 * No claim: what is signed as a claim begins with a CBOR array of "Signature1" (RFC 9052 section 4.4), so this signature
 * can never pass for one.
 */
const PROOF = Buffer.from('Colophon asks whether this key can sign.');

export interface SigningProbeLimits {
  /** A proof counts for so long. Each costs a request to the key service. */
  readonly goodForMs: number;
  /** A failure counts for so long: a service that is back is noticed soon. */
  readonly badForMs: number;
  /** How long whoever asks waits. The request itself goes on, and nobody else begins another one. */
  readonly deadlineMs: number;
}

const DEFAULT_LIMITS: SigningProbeLimits = { goodForMs: 60_000, badForMs: 10_000, deadlineMs: 3_000 };

type Outcome = { readonly atMs: number; readonly generationId: string | undefined } & (
  { readonly proved: KeyGeneration } | { readonly failed: Error }
);

/**
 * Whether a claim could be signed now: the active key is made to sign, and its signature is verified with its
 * certificate. Asked by a public address, so an answer is kept for a while and questions never pile up.
 */
export class SigningProbe {
  private last: Outcome | undefined;
  private asking: Promise<Outcome> | undefined;

  constructor(
    private readonly activeClaimKey: () => Promise<ActiveKey>,
    private readonly clock: Clock,
    private readonly limits: SigningProbeLimits = DEFAULT_LIMITS,
  ) {}

  /**
   * @param generationId the key that is active by the database: an answer about another one is none
   * @returns the key that signed
   * @throws ColophonError `signer_unavailable`, whose message says what to do
   */
  async prove(generationId: string): Promise<KeyGeneration> {
    const known = this.last;
    const outcome = known !== undefined && this.isFresh(known, generationId) ? known : await this.inTime();
    if ('failed' in outcome) throw outcome.failed;
    return outcome.proved;
  }

  private isFresh(outcome: Outcome, generationId: string): boolean {
    const ageMs = this.clock.now().getTime() - outcome.atMs;
    if ('failed' in outcome) return ageMs >= 0 && ageMs < this.limits.badForMs;
    return outcome.generationId === generationId && ageMs >= 0 && ageMs < this.limits.goodForMs;
  }

  private async inTime(): Promise<Outcome> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(unavailable('The key service has not answered in time.')),
        this.limits.deadlineMs,
      );
    });
    try {
      return await Promise.race([this.asking, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async ask(): Promise<Outcome> {
    const outcome = await this.sign();
    this.last = outcome;
    return outcome;
  }

  private async sign(): Promise<Outcome> {
    const at = () => this.clock.now().getTime();
    try {
      const { generation, key } = await this.activeClaimKey();
      const { publicKey } = new X509Certificate(key.certificateChainPem);
      const holds = signatureHolds(key.algorithm, publicKey, PROOF, await key.sign(PROOF));
      const generationId = generation.id;
      return holds
        ? { atMs: at(), generationId, proved: generation }
        : { atMs: at(), generationId, failed: unavailable('The key gives signatures that do not verify.') };
    } catch (error) {
      // Only words that are meant for everybody are passed on: the answer is public.
      const failed = error instanceof ColophonError ? error : unavailable('The claim key cannot sign.');
      return { atMs: at(), generationId: undefined, failed };
    }
  }
}

function unavailable(detail: string): ColophonError {
  return new ColophonError('signer_unavailable', detail);
}
