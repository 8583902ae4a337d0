import { z } from 'zod';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { askReplicate, type ReplicateConnection } from './replicate-connection.js';

const Secret = z.object({ key: z.string().regex(/^whsec_[A-Za-z0-9+/=_-]{8,256}$/) });
const FETCH_DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_AGE_MS = 24 * 3600 * 1000;
/** A wrong signature may mean a new secret, or an attacker who wants us to ask all day. */
const MIN_FETCH_INTERVAL_MS = 60_000;
const MAX_KEPT = 1000;

interface Kept {
  readonly secret: string | undefined;
  readonly triedAtMs: number;
}

/** The signing secret of each account, asked for with its token and kept in memory. One instance per process. */
export class ReplicateWebhookSecrets {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly connection: Omit<ReplicateConnection, 'token'>,
    private readonly clock: Clock,
  ) {}

  /**
   * @param fresh after a signature did not verify: the secret may have been changed
   * @throws ColophonError `bad_signature` when the account shows none now
   */
  async secretOf(token: string, { fresh = false } = {}): Promise<string> {
    const nowMs = this.clock.now().getTime();
    const slot = sha256Hex(token);
    const known = this.kept.get(slot);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : nowMs - known.triedAtMs;
    if (
      known !== undefined &&
      ageMs < (fresh || known.secret === undefined ? MIN_FETCH_INTERVAL_MS : MAX_AGE_MS)
    )
      return required(known.secret);
    if (this.kept.size >= MAX_KEPT) this.kept.clear();
    const secret = await this.fetch(token);
    this.kept.set(slot, { secret: secret ?? known?.secret, triedAtMs: nowMs });
    return required(secret ?? known?.secret);
  }

  private async fetch(token: string): Promise<string | undefined> {
    const limits = {
      deadlineMs: FETCH_DEADLINE_MS,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal: new AbortController().signal,
    };
    try {
      const answer = await askReplicate({ ...this.connection, token }, limits, (client) =>
        client.webhooks.default.secret.get(),
      );
      return Secret.parse(answer.data).key;
    } catch {
      return undefined;
    }
  }
}

function required(secret: string | undefined): string {
  if (secret === undefined)
    throw new ColophonError('bad_signature', 'no signing secret can be had to check it');
  return secret;
}
