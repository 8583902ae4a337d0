import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { type RunState, type StepState } from '../domain/run.js';

/** What a client that follows a run gets told. No prompt, no personal data. */
export type RunEvent =
  | { readonly type: 'run'; readonly state: RunState }
  | {
      readonly type: 'step';
      readonly stepKey: string;
      readonly state: StepState;
      readonly assetId?: string;
      readonly errorCode?: string;
      readonly progress?: number;
      readonly costMicroUsd?: string;
    };

export interface StoredRunEvent {
  readonly ordinal: string;
  readonly at: Date;
  readonly event: RunEvent;
}

export type RunEventListener = (tx: Tx, runId: string, event: RunEvent) => Promise<void>;

export const MAX_EVENTS_PER_READ = 500;

/** Events lie in the database, so that any process can tell them and a client can resume after the last one it saw. */
export class RunEvents {
  private readonly followers = new Map<string, Set<(event: RunEvent) => void>>();

  constructor(
    private readonly clock: Clock,
    /** Told of each event in its transaction. */
    private readonly listener: RunEventListener = () => Promise.resolve(),
  ) {}

  async add(tx: Tx, runId: string, event: RunEvent): Promise<void> {
    tx.send('INSERT INTO run_event (organization_id, run_id, at, event) VALUES ($1, $2, $3, $4)', [
      tx.organizationId,
      runId,
      this.clock.now(),
      JSON.stringify(event),
    ]);
    await this.listener(tx, runId, event);
    tx.afterCommit(() => this.followers.get(runId)?.forEach((changed) => changed(event)));
  }

  /**
   * Calls `changed` for each event that is committed in this process. A hint that saves waiting, and no more: events of
   * other processes are found by asking for them. @returns stops it
   */
  follow(runId: string, changed: (event: RunEvent) => void): () => void {
    const followers = this.followers.get(runId) ?? new Set();
    this.followers.set(runId, followers.add(changed));
    return () => {
      followers.delete(changed);
      if (followers.size === 0 && this.followers.get(runId) === followers) this.followers.delete(runId);
    };
  }

  async after(tx: Tx, runId: string, ordinal: string): Promise<StoredRunEvent[]> {
    const rows = await tx.query<{ ordinal: string; at: Date; event: string }>(
      `SELECT ordinal, at, event FROM run_event
        WHERE organization_id = $1 AND run_id = $2 AND ordinal > $3 ORDER BY ordinal LIMIT ${MAX_EVENTS_PER_READ}`,
      [tx.organizationId, runId, ordinal],
    );
    return rows.map((row) => ({
      ordinal: row.ordinal,
      at: row.at,
      event: JSON.parse(row.event) as RunEvent,
    }));
  }
}
