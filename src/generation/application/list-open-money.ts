import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { type MicroUsd } from '../../shared/money.js';
import { type ProviderName } from '../domain/provider.port.js';
import { type StepState, TERMINAL_STEP_STATES } from '../domain/run.js';
import { type Providers } from './providers.js';

/** Why something is on the list. */
export type OpenReason =
  /** The answer to the submit was lost: nobody knows whether the vendor has the job. */
  | 'outcome_unknown'
  /** The step has ended, and its reservation has not. Never so, unless somebody changed rows by hand. */
  | 'ended_without_settlement'
  /** Nothing was sent for a day: the run waits for a person. */
  | 'reserved_for_long'
  /** The vendor has had the job for a day. */
  | 'submitted_for_long';

export interface OpenMoney {
  readonly stepRunId: string;
  readonly runId: string;
  readonly stepKey: string;
  readonly provider: ProviderName;
  readonly endpoint: string;
  readonly state: StepState;
  readonly upstreamId: string | undefined;
  readonly reservedMicroUsd: MicroUsd;
  readonly since: Date;
  readonly reason: OpenReason;
}

/** What the vendor says of a job, asked now. */
export type VendorWord =
  | { readonly kind: 'found'; readonly upstreamId: string }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'running' | 'completed' | 'failed' }
  /** Its list cannot be read, it does not answer in time, or there is no key. */
  | { readonly kind: 'no_answer' }
  /** The vendor has no list in which a step could be recognized. */
  | { readonly kind: 'cannot_be_asked' };

const LONG_MS = 24 * 60 * 60 * 1000;
const ASK_TIMEOUT_MS = 10_000;

interface Row {
  readonly id: string;
  readonly run_id: string;
  readonly key: string;
  readonly provider: ProviderName;
  readonly endpoint: string;
  readonly state: StepState;
  readonly upstream_id: string | null;
  readonly reserved_micro_usd: string;
  readonly updated_at: Date;
}

/** Money that waits for a person: steps with unknown outcome, and reservations without end. */
export class ListOpenMoney {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly providers: Providers,
    private readonly clock: Clock,
  ) {}

  /** By step id, from `after` on. */
  async list(organizationId: string, limit: number, after: string | undefined): Promise<OpenMoney[]> {
    const longAgo = new Date(this.clock.now().getTime() - LONG_MS);
    const rows = await this.organizationTx.run(organizationId, (tx) => openRows(tx, limit, after, longAgo));
    return rows.map((row) => ({
      stepRunId: row.id,
      runId: row.run_id,
      stepKey: row.key,
      provider: row.provider,
      endpoint: row.endpoint,
      state: row.state,
      upstreamId: row.upstream_id ?? undefined,
      reservedMicroUsd: BigInt(row.reserved_micro_usd),
      since: row.updated_at,
      reason: reasonOf(row.state),
    }));
  }

  /** Only asks, never sends; what the vendor says changes nothing here. */
  async ask(organizationId: string, open: OpenMoney): Promise<VendorWord> {
    const provider = await this.organizationTx
      .run(organizationId, (tx) => this.providers.get(tx, open.provider))
      .catch(() => undefined);
    if (provider === undefined) return { kind: 'no_answer' };
    const { endpoint, upstreamId, stepRunId } = open;
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    try {
      if (upstreamId !== undefined) {
        const { kind } = await provider.poll({ stepRunId, endpoint, upstreamId }, signal);
        return { kind };
      }
      if (provider.findLost === undefined) return { kind: 'cannot_be_asked' };
      const found = await provider.findLost({ stepRunId, endpoint }, signal);
      return found.kind === 'found' ? found : { kind: 'not_found' };
    } catch {
      return { kind: 'no_answer' };
    }
  }
}

function openRows(tx: Tx, limit: number, after: string | undefined, longAgo: Date): Promise<Row[]> {
  return tx.query<Row>(
    `SELECT s.id, s.run_id, s.key, s.provider, s.endpoint, s.state, s.upstream_id, s.reserved_micro_usd, s.updated_at
       FROM step_run s
      WHERE s.organization_id = $1 AND ($2::uuid IS NULL OR s.id > $2)
        AND (s.state = 'OUTCOME_UNKNOWN' OR (
          (s.state = ANY($4::text[]) OR s.updated_at < $5)
          AND EXISTS (SELECT 1 FROM money_movement m WHERE m.organization_id = $1 AND m.step_run_id = s.id
                         AND m.kind = 'reservation' AND m.amount_micro_usd > 0)
          AND NOT EXISTS (SELECT 1 FROM money_movement m WHERE m.organization_id = $1 AND m.step_run_id = s.id
                             AND m.kind <> 'reservation')))
      ORDER BY s.id LIMIT $3`,
    [tx.organizationId, after ?? null, limit, TERMINAL_STEP_STATES, longAgo],
  );
}

function reasonOf(state: StepState): OpenReason {
  if (state === 'OUTCOME_UNKNOWN') return 'outcome_unknown';
  if (TERMINAL_STEP_STATES.includes(state)) return 'ended_without_settlement';
  return state === 'RESERVED' ? 'reserved_for_long' : 'submitted_for_long';
}
