import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { guardedFetch } from '../../../outbound/guarded-fetch.js';
import { readBody } from '../../../outbound/response-limits.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { type FalConnection, falUrl } from './fal-connection.js';
import {
  type FalWebhook,
  isSignedByOneOf,
  readWebhookBody,
  readWebhookClaim,
  type SignedDelivery,
} from './fal-webhook.js';

const KEY_SET_URL = 'https://rest.fal.ai/.well-known/jwks.json';
const MAX_KEY_SET_BYTES = 64 * 1024;
const FETCH_DEADLINE_MS = 10_000;
/** fal asks not to keep the key set longer. */
const MAX_AGE_MS = 24 * 3600 * 1000;
/** An unknown signature may mean a new key, or an attacker who wants us to fetch all day. */
const MIN_FETCH_INTERVAL_MS = 60_000;

const KeySet = z.object({ keys: z.array(z.unknown()).max(32) });
/** RFC 8037: an Ed25519 public key is 32 bytes, 43 characters in base64url. */
const Ed25519Key = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[\w-]{43}$/),
});

/** Checks webhooks with fal's current keys, which it fetches and keeps. One instance per process. */
export class FalWebhookVerifier {
  #keys: readonly KeyObject[] = [];
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(
    private readonly connection: Pick<FalConnection, 'outbound' | 'baseUrlOverride'>,
    private readonly clock: Clock,
  ) {}

  /**
   * Formal errors are refused before any key is looked at, so that garbage never causes a fetch.
   * @throws ColophonError bad_signature, invalid_request; upstream_error and the like while there is no key that
   *   is fresh enough: nothing is accepted then, and fal delivers again
   */
  async verify(delivery: Pick<SignedDelivery, 'headers' | 'rawBody'>): Promise<FalWebhook> {
    const claim = readWebhookClaim({ ...delivery, nowMs: this.clock.now().getTime() });
    if (this.#ageMs() > MAX_AGE_MS) await this.#fetchKeys();
    if (!isSignedByOneOf(claim, this.#keys)) {
      await this.#fetchKeys();
      if (!isSignedByOneOf(claim, this.#keys)) {
        throw new ColophonError('bad_signature', 'no known key made this signature');
      }
    }
    return readWebhookBody(claim, delivery.rawBody);
  }

  #ageMs(): number {
    return this.clock.now().getTime() - this.#fetchedAtMs;
  }

  /** At most one fetch at a time and one a minute, successful or not. */
  async #fetchKeys(): Promise<void> {
    const nowMs = this.clock.now().getTime();
    if (this.#fetching === undefined && nowMs - this.#triedAtMs >= MIN_FETCH_INTERVAL_MS) {
      this.#triedAtMs = nowMs;
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
    if (this.#ageMs() > MAX_AGE_MS)
      throw new ColophonError('upstream_error', 'the keys of fal are not available');
  }

  async #fetch(): Promise<void> {
    const response = await guardedFetch({
      ...this.connection.outbound,
      url: falUrl(KEY_SET_URL, this.connection.baseUrlOverride),
      maxResponseBytes: MAX_KEY_SET_BYTES,
      deadlineMs: FETCH_DEADLINE_MS,
    });
    const bytes = await readBody(response.body);
    if (response.status !== 200)
      throw new ColophonError('upstream_error', 'the keys of fal are not available');
    this.#keys = parseKeySet(bytes.toString('utf8'));
    this.#fetchedAtMs = this.clock.now().getTime();
  }
}

/** Keys of another type are skipped: a set may hold more than one algorithm. */
function parseKeySet(text: string): KeyObject[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ColophonError('upstream_invalid', 'the key set of fal is not JSON', { cause: error });
  }
  const set = KeySet.safeParse(parsed);
  const keys = (set.data?.keys ?? []).flatMap((key) => {
    const { data } = Ed25519Key.safeParse(key);
    return data === undefined ? [] : [createPublicKey({ key: { ...data }, format: 'jwk' })];
  });
  if (keys.length === 0)
    throw new ColophonError('upstream_invalid', 'the key set of fal holds no usable key');
  return keys;
}
