import type pg from 'pg';
import { isSatisfiedByKeys } from '../core/policy-quorum.js';
import { NO_QUORUM, type WitnessPolicy, witnessKeyName } from '../core/witness-policy.js';

/** How it stands with one witness or one time-stamp authority, over all logs. */
export interface PartyStatus {
  readonly kind: 'witness' | 'time_stamp';
  readonly name: string;
  /** Logs for which the last attempt failed. */
  readonly failingLogs: number;
  readonly lastSuccessAt: Date | undefined;
}

export interface AnchoringOverview {
  readonly logs: number;
  /** Entries that wait for their index, over all logs. */
  readonly pendingEntries: number;
  /** Logs with a checkpoint older than the grace that does not meet the witness policy, nor does a later one. */
  readonly logsWithUnmetPolicy: number;
  /** So long a checkpoint may wait for its witnesses before its log counts as one with an unmet policy. */
  readonly graceSeconds: number;
  /** Logs that are not signed any more, because a witness of the policy knows another history. */
  readonly logsInConflict: number;
  readonly parties: readonly PartyStatus[];
}

interface StateRow {
  organization_id: string;
  kind: 'witness' | 'time_stamp';
  name: string;
  size: string;
  failures: number;
  in_conflict: boolean;
  succeeded_at: Date | null;
}

/** So many rounds may a checkpoint wait for its witnesses before the policy counts as unmet. */
const GRACE_ROUNDS = 12;

/** A look over all logs, for readiness and metrics. It names no organization. */
export class AnchoringStatus {
  constructor(
    /** Connections of the sequencer's role. */
    private readonly pool: pg.Pool,
    private readonly policy: WitnessPolicy,
    private readonly anchorIntervalMs: number,
  ) {}

  async overview(): Promise<AnchoringOverview> {
    const { rows: logs } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM audit_log WHERE size > 0',
    );
    const { rows: states } = await this.pool.query<StateRow>(
      `SELECT organization_id, kind, name, size, failures, conflict IS NOT NULL AS in_conflict, succeeded_at
         FROM audit_anchor_state`,
    );
    const { rows: pending } = await this.pool.query<{ count: string }>('SELECT count(*) FROM audit_pending');
    return {
      logs: logs.length,
      pendingEntries: Number(pending[0]?.count ?? 0),
      logsWithUnmetPolicy: await this.countUnmet(
        logs.map(({ organization_id }) => organization_id),
        states,
      ),
      logsInConflict: this.countConflicts(states),
      graceSeconds: this.graceSeconds,
      parties: partiesOf(states),
    };
  }

  private get graceSeconds(): number {
    return (GRACE_ROUNDS * this.anchorIntervalMs) / 1000;
  }

  private countConflicts(states: readonly StateRow[]): number {
    const known = new Set(this.policy.witnesses.map(witnessKeyName));
    const conflicting = states.filter(({ name, in_conflict }) => in_conflict && known.has(name));
    return new Set(conflicting.map(({ organization_id }) => organization_id)).size;
  }

  private async countUnmet(organizationIds: readonly string[], states: readonly StateRow[]): Promise<number> {
    if (this.policy.quorum === NO_QUORUM) return 0;
    const confirmed = organizationIds.map((id) =>
      this.witnessedSize(
        states.filter(({ organization_id, kind }) => organization_id === id && kind === 'witness'),
      ),
    );
    const { rows } = await this.pool.query<{ count: string }>(
      `SELECT count(*) FROM unnest($1::uuid[], $2::bigint[]) AS l(organization_id, witnessed)
        WHERE EXISTS (SELECT 1 FROM audit_checkpoint c
          WHERE c.organization_id = l.organization_id AND c.size > l.witnessed
            AND c.signed_at < now() - make_interval(secs => $3))`,
      [organizationIds, confirmed, this.graceSeconds],
    );
    return Number(rows[0]?.count ?? 0);
  }

  /** The largest size that enough witnesses have confirmed. */
  private witnessedSize(states: readonly StateRow[]): number {
    const sizes = states.map(({ size }) => Number(size)).sort((a, b) => b - a);
    const met = sizes.find((size) =>
      isSatisfiedByKeys(
        this.policy,
        states.filter((state) => Number(state.size) >= size).map(({ name }) => name),
      ),
    );
    return met ?? 0;
  }
}

function partiesOf(states: readonly StateRow[]): PartyStatus[] {
  const byParty = new Map<string, StateRow[]>();
  for (const state of states) {
    const key = `${state.kind} ${state.name}`;
    byParty.set(key, [...(byParty.get(key) ?? []), state]);
  }
  return [...byParty.values()].map((rows) => ({
    kind: rows[0]?.kind ?? 'witness',
    name: rows[0]?.name ?? '',
    failingLogs: rows.filter(({ failures }) => failures > 0).length,
    lastSuccessAt: rows
      .flatMap(({ succeeded_at }) => (succeeded_at ? [succeeded_at] : []))
      .sort((a, b) => b.getTime() - a.getTime())[0],
  }));
}

/** One sentence on how the logs are anchored outside of this installation. */
export function describeAnchoring(overview: AnchoringOverview, policy: WitnessPolicy): string {
  const witnesses = overview.parties.filter(({ kind }) => kind === 'witness');
  const authorities = overview.parties.filter(({ kind }) => kind === 'time_stamp');
  if (policy.witnesses.length === 0 && authorities.length === 0)
    return 'no witness and no time-stamp authority is configured: nobody outside has seen these logs';
  const parts = [
    policy.witnesses.length === 0
      ? 'no witness is configured'
      : overview.logsWithUnmetPolicy === 0
        ? `the witness policy is met for all logs, apart from what was signed in the last ${overview.graceSeconds} s`
        : `the witness policy is not met for ${overview.logsWithUnmetPolicy} of ${overview.logs} logs`,
    ...[...witnesses, ...authorities]
      .filter(({ failingLogs }) => failingLogs > 0)
      .map(
        ({ name, failingLogs }) => `${name} fails for ${failingLogs} ${failingLogs === 1 ? 'log' : 'logs'}`,
      ),
  ];
  return parts.join('; ');
}
