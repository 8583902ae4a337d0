import { createHmac, randomUUID } from 'node:crypto';
import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { askUntil } from '../../../shared/ask-until.js';
import { ColophonError } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import { type CallIdentity } from '../domain/gateway-call.js';

/** The right to make the run of a request, and to be the only one who does. */
export interface Claim {
  readonly requestId: string;
  readonly token: string;
}

/** A request that has become a run. */
export interface RequestedRun {
  readonly requestId: string;
  /** UUID. */
  readonly runId: string;
  /** It was accepted just now, so it has not ended. */
  readonly isNew?: boolean;
}

export type Entered =
  { readonly kind: 'claimed'; readonly claim: Claim } | ({ readonly kind: 'joined' } & RequestedRun);

/** Another process took over the claim and may have made the run: nothing of ours may be kept. */
export class ClaimLostError extends Error {
  constructor() {
    super('the claim to a request of the gateway was taken over');
    this.name = 'ClaimLostError';
  }
}

/** After this time without a run the process that held the claim is taken for dead. */
const CLAIM_SECONDS = 120;
/** How long the last bytes of an answer may take to be handed to the network, and to arrive. */
const HAND_OVER_SECONDS = 60;
/** Longer than it takes until nothing speaks against an arrival (http/arrival.ts), where the process still lives. */
const WAIT_FOR_ARRIVAL_MS = 4_000;
/** An answer that nobody came for, and a lost outcome, is kept for the same request this long; after it, it is a new one. */
const UNDELIVERED_HOURS = 24;
/** An SDK gives up long before this, so what it sends again is not older. */
const RETRY_MINUTES = 60;
/** How long we wait for a twin that is being accepted; then the caller is told to come again. */
const WAIT_FOR_TWIN = { timeoutMs: 150_000, stepMs: 25, longestStepMs: 250 } as const;

interface RequestRow {
  id: string;
  request_mac: Buffer;
  run_id: string | null;
  handing_over: boolean;
  expired: boolean;
  claim_ended: boolean;
}

/**
 * Which call became which run, in the database, so that it holds across processes and crashes. SDKs repeat calls by
 * themselves and send no idempotency key; a repetition must find the run of the first (ADR 0026):
 *
 * - with an Idempotency-Key: the same key is the same request for ever;
 * - without: a twin of a request that is not answered yet joins it; after the answer has arrived the same call is a new
 *   wish, unless the SDK says that it repeats, or nobody knows what became of the first: then a second may be a second
 *   charge, so the call finds the first.
 */
export class GatewayRequests {
  constructor(
    private readonly organizationTx: OrganizationTx,
    /** A secret of this installation: a bare hash of a body would let a short prompt be found by trying. */
    private readonly macKey: Uint8Array,
  ) {}

  /**
   * The claim to make the run, or the run that is there already. Waits while a twin is being accepted, and a moment
   * while it may still show that its answer arrived.
   * @throws ColophonError `idempotency_key_reused`, `idempotency_in_flight`
   */
  async enter(principal: Principal, identity: CallIdentity): Promise<Entered> {
    const showsUntil = performance.now() + WAIT_FOR_ARRIVAL_MS;
    const enterNow = () =>
      this.organizationTx.run(principal.organizationId, (tx) =>
        this.enterWithin(tx, principal, identity, performance.now() < showsUntil),
      );
    const entered = await askUntil(enterNow, (answer) => answer !== undefined, WAIT_FOR_TWIN);
    if (entered !== undefined) return entered;
    throw new ColophonError('idempotency_in_flight', 'The same request is being worked on.');
  }

  /**
   * The same without waiting. Where the run is accepted in this very transaction, nobody else ever sees the claim: a twin
   * waits for the commit, and a crash leaves nothing to wait for.
   * @param mayShow whether there is still time for an earlier answer to show that it arrived
   * @returns `undefined` where there is something to wait for
   * @throws ColophonError `idempotency_key_reused`
   */
  async enterWithin(
    tx: Tx,
    principal: Principal,
    identity: CallIdentity,
    mayShow: boolean,
  ): Promise<Entered | undefined> {
    const macs = this.macsOf(principal, identity);
    const mayReplay = identity.isRetry && !macs.isKeyed;
    const earlier = mayReplay ? await latestRun(tx, macs.slot) : undefined;
    const found = earlier ?? (macs.isKeyed ? undefined : await openRun(tx, macs.slot));
    if (found) return found;
    return (await claimFree(tx, macs)) ?? (await this.joinOrTakeOver(tx, macs, mayShow && !identity.isRetry));
  }

  /** In the transaction that accepts the run. @throws ClaimLostError: roll back */
  async accept(tx: Tx, { requestId, token }: Claim, runId: string): Promise<void> {
    const accepted = await tx.query(
      `UPDATE gateway_request SET run_id = $4
        WHERE organization_id = $1 AND id = $2 AND claim_token = $3 AND run_id IS NULL RETURNING id`,
      [tx.organizationId, requestId, token, runId],
    );
    if (accepted.length === 0) throw new ClaimLostError();
  }

  /** Nothing was accepted: the same request may be made again, and is then decided anew. */
  async leave(tx: Tx, { requestId, token }: Claim): Promise<void> {
    await tx.query(
      'DELETE FROM gateway_request WHERE organization_id = $1 AND id = $2 AND claim_token = $3 AND run_id IS NULL RETURNING id',
      [tx.organizationId, requestId, token],
    );
  }

  /**
   * Before the last byte of an answer leaves. Whoever has read the answer and asks the same again finds either this or
   * `handedOver`; a crash between them makes the answer undelivered again, so it is repeated and not charged twice, and
   * so does a call on another connection while nothing has shown yet.
   */
  async handingOver(organizationId: string, requestId: string): Promise<void> {
    await this.organizationTx.runAtOnce(organizationId, (tx) =>
      tx.query(
        `UPDATE gateway_request SET handing_over_until = now() + make_interval(secs => $3)
          WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL RETURNING id`,
        [organizationId, requestId, HAND_OVER_SECONDS],
      ),
    );
  }

  /** The client has all of it, as far as can be known. */
  async handedOver(organizationId: string, requestId: string): Promise<void> {
    await this.organizationTx.runAtOnce(organizationId, (tx) =>
      tx.query(
        `UPDATE gateway_request SET closed_at = now()
          WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL RETURNING id`,
        [organizationId, requestId],
      ),
    );
  }

  /**
   * The connection broke before it arrived: the same request gets the same answer. This may show after it was taken for
   * handed over; then it holds unless the same was asked for and made anew meanwhile.
   */
  async notHandedOver(organizationId: string, requestId: string): Promise<void> {
    await this.organizationTx.runAtOnce(organizationId, (tx) =>
      tx.query(
        `UPDATE gateway_request q SET handing_over_until = NULL, closed_at = NULL
          WHERE organization_id = $1 AND id = $2 AND NOT EXISTS (
            SELECT 1 FROM gateway_request newer
             WHERE newer.organization_id = q.organization_id AND newer.slot_mac = q.slot_mac
               AND newer.id <> q.id AND newer.created_at >= q.created_at)
         RETURNING id`,
        [organizationId, requestId],
      ),
    );
  }

  private async joinOrTakeOver(tx: Tx, macs: Macs, mayShow: boolean): Promise<Entered | undefined> {
    const [row] = await tx.query<RequestRow>(
      `SELECT id, request_mac, run_id,
              coalesce(handing_over_until > now(), false) AS handing_over,
              created_at < now() - make_interval(hours => $3) AS expired,
              claimed_until < now() AS claim_ended
         FROM gateway_request
        WHERE organization_id = $1 AND slot_mac = $2 AND (is_keyed OR closed_at IS NULL) FOR UPDATE`,
      [tx.organizationId, macs.slot, UNDELIVERED_HOURS],
    );
    if (!row) return undefined;
    if (!row.request_mac.equals(macs.request)) {
      throw new ColophonError(
        'idempotency_key_reused',
        'This Idempotency-Key was used for a different request.',
      );
    }
    if (row.run_id === null) return row.claim_ended ? takeOver(tx, row.id) : undefined;
    if (!macs.isKeyed && row.expired) {
      await tx.query(
        'UPDATE gateway_request SET closed_at = now() WHERE organization_id = $1 AND id = $2 RETURNING id',
        [tx.organizationId, row.id],
      );
      return undefined;
    }
    // The caller may have read the answer to the end already: then this is a new wish, and that shows in a moment. When
    // it does not, the answer may be lost: giving it again costs nothing, making another would be charged.
    if (row.handing_over && !macs.isKeyed && mayShow) return undefined;
    return { kind: 'joined', requestId: row.id, runId: row.run_id };
  }

  private macsOf(principal: Principal, { idempotencyKey, fingerprint }: CallIdentity): Macs {
    const { principalId, keyId } = principal;
    const request = this.mac(['request', keyId, ...fingerprint]);
    if (idempotencyKey === undefined) return { request, slot: request, isKeyed: false };
    return { request, slot: this.mac(['key', principalId, idempotencyKey]), isKeyed: true };
  }

  /** Each part is preceded by its length, so that no two lists of parts make the same bytes. */
  private mac(parts: readonly (string | Uint8Array)[]): Buffer {
    const mac = createHmac('sha256', this.macKey);
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(bytes.byteLength));
      mac.update(length).update(bytes);
    }
    return mac.digest();
  }
}

interface Macs {
  readonly slot: Buffer;
  readonly request: Buffer;
  readonly isKeyed: boolean;
}

async function claimFree(tx: Tx, { slot, request, isKeyed }: Macs): Promise<Entered | undefined> {
  const claim = { requestId: newId(), token: randomUUID() };
  const inserted = await tx.query(
    `INSERT INTO gateway_request
       (organization_id, id, slot_mac, request_mac, is_keyed, claim_token, claimed_until, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7), now())
     ON CONFLICT (organization_id, slot_mac) WHERE is_keyed OR closed_at IS NULL DO NOTHING RETURNING id`,
    [tx.organizationId, claim.requestId, slot, request, isKeyed, claim.token, CLAIM_SECONDS],
  );
  return inserted.length === 0 ? undefined : { kind: 'claimed', claim };
}

async function takeOver(tx: Tx, requestId: string): Promise<Entered> {
  const claim = { requestId, token: randomUUID() };
  await tx.query(
    `UPDATE gateway_request SET claim_token = $3, claimed_until = now() + make_interval(secs => $4)
      WHERE organization_id = $1 AND id = $2 RETURNING id`,
    [tx.organizationId, requestId, claim.token, CLAIM_SECONDS],
  );
  return { kind: 'claimed', claim };
}

/** The run of the same call of which nobody knows yet whether the provider has it, answered or not. */
async function openRun(tx: Tx, slot: Buffer): Promise<Entered | undefined> {
  const [row] = await tx.query<{ id: string; run_id: string }>(
    `SELECT q.id, q.run_id FROM gateway_request q
       JOIN run r ON r.organization_id = q.organization_id AND r.id = q.run_id
      WHERE q.organization_id = $1 AND q.slot_mac = $2 AND q.created_at > now() - make_interval(hours => $3)
        AND r.state = 'NEEDS_RECONCILIATION'
      ORDER BY q.created_at DESC LIMIT 1`,
    [tx.organizationId, slot, UNDELIVERED_HOURS],
  );
  return row && { kind: 'joined', requestId: row.id, runId: row.run_id };
}

/** What the same call became last, answered or not. */
async function latestRun(tx: Tx, slot: Buffer): Promise<Entered | undefined> {
  const [row] = await tx.query<{ id: string; run_id: string | null }>(
    `SELECT id, run_id FROM gateway_request
      WHERE organization_id = $1 AND slot_mac = $2 AND created_at > now() - make_interval(mins => $3)
      ORDER BY created_at DESC LIMIT 1`,
    [tx.organizationId, slot, RETRY_MINUTES],
  );
  return row && row.run_id !== null ? { kind: 'joined', requestId: row.id, runId: row.run_id } : undefined;
}
