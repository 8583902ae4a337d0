import { createHmac } from 'node:crypto';
import { type OrganizationTx, type Tx } from '../database/organization-tx.js';
import { type Principal } from '../identity/domain/principal.js';
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
  request_mac: Buffer;
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
    /** A secret of this installation: a bare hash of a body would let a short prompt be found by trying. */
    private readonly macKey: Uint8Array,
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
    const requestMac = this.macOf(principalId, request.fingerprint);
    const earlier = await this.begin(organizationId, key, requestMac);
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

  private macOf(principalId: string, fingerprint: readonly (string | Uint8Array)[]): Buffer {
    const mac = createHmac('sha256', this.macKey).update(principalId);
    for (const part of fingerprint) mac.update('\0').update(part);
    return mac.digest();
  }

  private async begin(organizationId: string, key: string, requestMac: Buffer): Promise<Answer | undefined> {
    const now = this.clock.now();
    return this.organizationTx.run(organizationId, async (tx) => {
      const claimed = await tx.query(
        `INSERT INTO idempotency_key (organization_id, key, request_mac, state, locked_until, created_at)
         VALUES ($1, $2, $3, 'in_flight', $4, $5)
         ON CONFLICT (organization_id, key) DO UPDATE SET locked_until = excluded.locked_until
          WHERE idempotency_key.state = 'in_flight' AND idempotency_key.locked_until < $5
            AND idempotency_key.request_mac = excluded.request_mac
         RETURNING key`,
        [organizationId, key, requestMac, new Date(now.getTime() + LOCK_MS), now],
      );
      if (claimed.length > 0) return undefined;
      const [row] = await tx.query<KeyRow>(
        `SELECT request_mac, state, response_status, response_body FROM idempotency_key
          WHERE organization_id = $1 AND key = $2`,
        [organizationId, key],
      );
      if (row && !row.request_mac.equals(requestMac)) {
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
