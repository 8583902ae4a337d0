import { type OrganizationTx, type Tx } from '../database/organization-tx.js';
import { type Principal } from '../identity/domain/principal.js';
import { sha256 } from '../shared/bytes.js';
import { type Clock } from '../shared/clock.js';
import { ColophonError, isColophonError } from '../shared/errors.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Given to the use case: it stores the answer in the same transaction as its effect. */
export interface IdempotentRequest {
  /**
   * Call exactly once, inside the transaction that has the effect. A crash before it leaves nothing done and the
   * key free again after its lock; a crash after it leaves the effect and the answer together.
   */
  complete(tx: Tx, answer: Answer): Promise<void>;
}

interface KeyRow {
  request_sha256: Buffer;
  state: 'in_flight' | 'completed';
  response_status: number | null;
  response_body: string | null;
}

/** After this time without an answer the process that held the key is taken for dead. */
const LOCK_MS = 60_000;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;

/**
 * Idempotency-Key, after draft-ietf-httpapi-idempotency-key-header-07: 400 when missing, 409 while the first request
 * is in flight, 422 when reused for another request, and the first answer again afterwards.
 */
export class Idempotency {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly clock: Clock,
  ) {}

  /**
   * @param request.fingerprint what makes this request this request: route and body, or their hashes
   * @param work throws for a refused request (the key is free again), or completes `IdempotentRequest` and returns
   */
  async run(
    request: { principal: Principal; key: string | undefined; fingerprint: readonly (string | Uint8Array)[] },
    work: (idempotent: IdempotentRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const key = validKey(request.key);
    const { organizationId, principalId } = request.principal;
    const requestSha256 = sha256(principalId, ...request.fingerprint.flatMap((part) => ['\0', part]));
    const earlier = await this.begin(organizationId, key, requestSha256);
    if (earlier) return earlier;
    try {
      return await work({
        complete: async (tx, answer) => {
          const completed = await tx.query(
            `UPDATE idempotency_key SET state = 'completed', response_status = $3, response_body = $4
              WHERE organization_id = $1 AND key = $2 AND state = 'in_flight' RETURNING key`,
            [organizationId, key, answer.status, JSON.stringify(answer.body)],
          );
          // We took longer than LOCK_MS, a retry took over and was faster: its effect counts, ours is rolled back.
          if (completed.length === 0) throw inFlight();
        },
      });
    } catch (error) {
      // Nothing was done: the caller may correct the request and use the key again. When the outcome of our own
      // commit is unclear the key stays locked until LOCK_MS, so that a retry finds out instead of doing it twice.
      if (isColophonError(error) && error.status < 500) await this.free(organizationId, key);
      throw error;
    }
  }

  private async begin(
    organizationId: string,
    key: string,
    requestSha256: Buffer,
  ): Promise<Answer | undefined> {
    const now = this.clock.now();
    return this.organizationTx.run(organizationId, async (tx) => {
      const claimed = await tx.query(
        `INSERT INTO idempotency_key (organization_id, key, request_sha256, state, locked_until, created_at)
         VALUES ($1, $2, $3, 'in_flight', $4, $5)
         ON CONFLICT (organization_id, key) DO UPDATE SET locked_until = excluded.locked_until
          WHERE idempotency_key.state = 'in_flight' AND idempotency_key.locked_until < $5
            AND idempotency_key.request_sha256 = excluded.request_sha256
         RETURNING key`,
        [organizationId, key, requestSha256, new Date(now.getTime() + LOCK_MS), now],
      );
      if (claimed.length > 0) return undefined;
      const [row] = await tx.query<KeyRow>(
        `SELECT request_sha256, state, response_status, response_body FROM idempotency_key
          WHERE organization_id = $1 AND key = $2`,
        [organizationId, key],
      );
      if (row && !row.request_sha256.equals(requestSha256)) {
        throw new ColophonError(
          'idempotency_key_reused',
          'This Idempotency-Key was used for a different request.',
        );
      }
      if (row?.state === 'completed' && row.response_status !== null && row.response_body !== null) {
        return { status: row.response_status, body: JSON.parse(row.response_body) as unknown };
      }
      throw inFlight();
    });
  }

  private async free(organizationId: string, key: string): Promise<void> {
    await this.organizationTx.run(organizationId, (tx) =>
      tx.query(
        `DELETE FROM idempotency_key WHERE organization_id = $1 AND key = $2 AND state = 'in_flight'`,
        [organizationId, key],
      ),
    );
  }
}

function inFlight(): ColophonError {
  return new ColophonError(
    'idempotency_in_flight',
    'A request with this Idempotency-Key is being worked on.',
  );
}

function validKey(key: string | undefined): string {
  if (key === undefined) {
    throw new ColophonError(
      'idempotency_key_required',
      'This request can spend or sign, so it needs an Idempotency-Key.',
    );
  }
  if (!PRINTABLE_ASCII.test(key)) {
    throw new ColophonError(
      'invalid_idempotency_key',
      'The Idempotency-Key is empty, too long or not printable ASCII.',
    );
  }
  return key;
}
