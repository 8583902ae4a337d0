import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface WebhookDelivery {
  readonly requestId: string;
  readonly atMs: number;
  /** Status of the answer, or why there was none. */
  readonly outcome: number | string;
}

const RETRY_INTERVAL_MS = 200;
/** A minute, as a service on a busy machine may need to start again; fal tries for two hours. */
const MAX_ATTEMPTS = 300;
const ANSWER_TIMEOUT_MS = 15_000;
const USER_ID = 'fake-user';

/** Signs and delivers webhooks as fal does: Ed25519 over four lines, at least once, again until a 2xx. */
export class WebhookSender {
  #keys = generateKeyPairSync('ed25519');
  readonly #forgedKey: KeyObject = generateKeyPairSync('ed25519').privateKey;
  readonly #deliveries: WebhookDelivery[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stopping = new AbortController();

  /** JSON Web Key Set with the public key (RFC 8037). */
  keySet(): { keys: unknown[] } {
    return {
      keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'fake', use: 'sig', alg: 'EdDSA' }],
    };
  }

  /** From now on signs with another key, which only a new fetch of the key set reveals. */
  rotateKey(): void {
    this.#keys = generateKeyPairSync('ed25519');
  }

  deliveries(): readonly WebhookDelivery[] {
    return [...this.#deliveries];
  }

  /** Delivers after a delay and then again until a 2xx. A forged delivery is tried once. */
  schedule(
    url: string,
    requestId: string,
    payload: () => Buffer,
    options: { delayMs: number; forged: boolean },
  ): void {
    const attempt = async (attemptsLeft: number): Promise<void> => {
      const outcome = await this.#deliver(url, requestId, payload(), options.forged);
      this.#deliveries.push({ requestId, atMs: Date.now(), outcome });
      const delivered = typeof outcome === 'number' && outcome >= 200 && outcome < 300;
      if (!delivered && !options.forged && attemptsLeft > 1) {
        this.#later(RETRY_INTERVAL_MS, () => void attempt(attemptsLeft - 1));
      }
    };
    this.#later(options.delayMs, () => void attempt(MAX_ATTEMPTS));
  }

  stop(): void {
    this.#stopping.abort();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Headers and body of one delivery, also for tests that play the network themselves. */
  signedHeaders(
    requestId: string,
    body: Buffer,
    options: { atMs?: number; forged?: boolean } = {},
  ): Record<string, string> {
    const timestamp = String(Math.floor((options.atMs ?? Date.now()) / 1000));
    const bodyHash = createHash('sha256').update(body).digest('hex');
    const message = Buffer.from(`${requestId}\n${USER_ID}\n${timestamp}\n${bodyHash}`);
    const key = options.forged === true ? this.#forgedKey : this.#keys.privateKey;
    return {
      'content-type': 'application/json',
      'x-fal-webhook-request-id': requestId,
      'x-fal-webhook-user-id': USER_ID,
      'x-fal-webhook-timestamp': timestamp,
      'x-fal-webhook-signature': sign(null, message, key).toString('hex'),
    };
  }

  async #deliver(url: string, requestId: string, body: Buffer, forged: boolean): Promise<number | string> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: this.signedHeaders(requestId, body, { forged }),
        body: new Uint8Array(body),
        redirect: 'manual',
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch (error) {
      return error instanceof Error ? error.message : 'failed';
    }
  }

  #later(delayMs: number, work: () => void): void {
    if (this.#stopping.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}
