import { createHash, createPublicKey } from 'node:crypto';
import { statSync } from 'node:fs';
import { type SigningKey } from '../../../domain/claim-key.port.js';
import { algorithmOfKey, DIGESTS, type SigningAlgorithm } from '../../../domain/signing-algorithm.js';
import { formatKeyReference, type Pkcs11Attributes } from '../key-reference.js';
import { signerUnavailable } from '../signer-unavailable.js';
import { type KeyPlace, type OfScheme } from '../signing-key-places.js';
import { type ChildProgram, Pkcs11Process } from './pkcs11-process.js';
import { Pkcs11Failure, type Pkcs11Problem, type Pkcs11Setup, type Pkcs11Task } from './pkcs11-protocol.js';

export interface Pkcs11Settings {
  readonly modulePath: string;
  readonly pinFile: string;
  /** Variables by which the vendor's library finds its own configuration; it gets no others. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default `pkcs11js`, as the operator installed it beside this program. */
  readonly packageName?: string;
  /** Time for one request, the start of the child included. */
  readonly deadlineMs?: number;
  /** Replaces the compiled child program, for tests. */
  readonly child?: ChildProgram;
}

const DEADLINE_MS = 10_000;
/** A token that was pulled and put back, a session that the token has ended: a new child finds it. */
const ATTEMPTS = 2;

const PROBLEMS: Readonly<Record<Pkcs11Problem, string>> = {
  package_missing:
    'PKCS#11 needs the package pkcs11js, which is compiled on your machine: run "npm install --no-save pkcs11js" beside this program (needs a C++ compiler).',
  module_unusable:
    'The PKCS#11 module cannot be used. Check COLOPHON_PKCS11_MODULE and its own configuration.',
  pin_file_unusable:
    'There is no PIN in COLOPHON_PKCS11_PIN_FILE, or others can read the file. It must have mode 0600.',
  pin_refused:
    'The token refused the PIN, and is not asked again before COLOPHON_PKCS11_PIN_FILE changes: it would lock itself.',
  token_missing: 'The token of this key is not present. Connect it, or check the address of the key.',
  key_missing: 'The token holds no such key, or no public key beside it. Check object and id in its address.',
  key_ambiguous: 'Several keys or tokens match this address. Add id= or serial= to it.',
  key_unfit:
    'The key on the token cannot sign claims. Make one on P-256 or P-384, RSA from 2048 bits, or Ed25519.',
  token_failed: 'The token cannot sign at the moment. The output of the service tells why.',
};

/** Keys on a PKCS#11 token: an HSM, a smart card, SoftHSM. */
export class Pkcs11SigningKeys implements KeyPlace<'pkcs11'> {
  private readonly process: Pkcs11Process;
  /** State of the PIN file when its PIN was refused. */
  private refusedPin: string | undefined;

  constructor(private readonly settings: Pkcs11Settings) {
    this.process = new Pkcs11Process(settings.child, settings.environment);
  }

  async open({ attributes }: OfScheme<'pkcs11'>): Promise<SigningKey> {
    const publicKey = await this.ask({ kind: 'describe', key: attributes });
    const algorithm = algorithmOfKey(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }));
    if (algorithm === undefined) throw signerUnavailable(PROBLEMS.key_unfit);
    return {
      reference: formatKeyReference({ scheme: 'pkcs11', attributes }),
      algorithm,
      publicKey,
      sign: (bytes) => this.sign(attributes, algorithm, bytes),
    };
  }

  /** Ends the child. */
  close(): void {
    this.process.close();
  }

  private sign(key: Pkcs11Attributes, algorithm: SigningAlgorithm, bytes: Uint8Array): Promise<Buffer> {
    const digest = DIGESTS[algorithm];
    const input = digest === undefined ? Buffer.from(bytes) : createHash(digest).update(bytes).digest();
    return this.ask({ kind: 'sign', key, algorithm, input: input.toString('base64') });
  }

  private async ask(task: Pkcs11Task): Promise<Buffer> {
    this.refuseKnownPin();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.process.run(this.setup(), task, this.settings.deadlineMs ?? DEADLINE_MS);
      } catch (error) {
        if (!(error instanceof Pkcs11Failure)) throw error;
        if (error.problem === 'pin_refused') this.refusedPin = this.pinFileState();
        // Whatever the child had opened may be stale; the next one begins anew.
        this.process.replace();
        if (error.problem !== 'token_failed' || attempt === ATTEMPTS)
          throw signerUnavailable(PROBLEMS[error.problem], error);
      }
    }
  }

  private setup(): Pkcs11Setup {
    const { modulePath, pinFile, packageName = 'pkcs11js' } = this.settings;
    return { modulePath, pinFile, packageName };
  }

  private refuseKnownPin(): void {
    if (this.refusedPin !== undefined && this.refusedPin === this.pinFileState())
      throw signerUnavailable(PROBLEMS.pin_refused);
  }

  private pinFileState(): string {
    try {
      const { mtimeNs, size, ino } = statSync(this.settings.pinFile, { bigint: true });
      return [mtimeNs, size, ino].join(' ');
    } catch {
      return '';
    }
  }
}
