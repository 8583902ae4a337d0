import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { askUntil } from '../../shared/ask-until.js';
import { ColophonError } from '../../shared/errors.js';
import {
  type AnchoredCheckpoints,
  type TimeStamp,
  type WitnessedCheckpoint,
} from './anchored-checkpoints.js';
import { type FollowPublication, type LoggedEntry, type ReadLog } from './read-log.js';

/**
 * How far an entry has come. `pending`: committed, without an index. `integrated`: has its index. `checkpointed`: under
 * a published signed tree head. `witnessed`: under one that meets the operator's witness policy. `time_stamped`: under
 * one that carries a time-stamp. The last two do not need each other.
 */
export const ENTRY_STATES = ['pending', 'integrated', 'checkpointed', 'witnessed', 'time_stamped'] as const;
export type EntryState = (typeof ENTRY_STATES)[number];

export interface EntryProgress {
  readonly reached: readonly EntryState[];
  readonly checkpoint: { readonly size: number; readonly signedAt: Date } | undefined;
  readonly witnessed: WitnessedCheckpoint | undefined;
  readonly timeStamp: TimeStamp | undefined;
}

const WAIT_STEP_MS = 50;

/** Tells how far entries have come, and waits until they are there. */
export class EntryStates {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly log: ReadLog,
    private readonly anchored: AnchoredCheckpoints,
    private readonly follow: FollowPublication,
  ) {}

  async of(organizationId: string, entry: LoggedEntry): Promise<EntryProgress> {
    const { index } = entry;
    if (index === undefined)
      return { reached: ['pending'], checkpoint: undefined, witnessed: undefined, timeStamp: undefined };
    const published = await this.log.publishedSize(organizationId);
    return this.organizationTx.run(organizationId, async (tx) => {
      const covered = index < published;
      const checkpoint = covered ? await firstCheckpoint(tx, index) : undefined;
      const witnessed = covered ? await this.anchored.firstWitnessed(tx, index) : undefined;
      const timeStamp = covered ? await this.anchored.firstTimeStamp(tx, index) : undefined;
      const reached: EntryState[] = ['pending', 'integrated'];
      if (checkpoint) reached.push('checkpointed');
      if (witnessed) reached.push('witnessed');
      if (timeStamp) reached.push('time_stamped');
      return { reached, checkpoint, witnessed, timeStamp };
    });
  }

  /**
   * Reads an entry again and again until it has reached a state or the time is over; which of the two, the answer's
   * `progress.reached` tells.
   *
   * @param find reads the entry: it may get its index meanwhile
   */
  async waitFor(
    organizationId: string,
    find: () => Promise<LoggedEntry>,
    state: EntryState,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ entry: LoggedEntry; progress: EntryProgress }> {
    return askUntil(
      async () => {
        const entry = await find();
        return { entry, progress: await this.of(organizationId, entry) };
      },
      ({ progress }) => progress.reached.includes(state),
      {
        timeoutMs,
        stepMs: WAIT_STEP_MS,
        signal,
        follow: (changed) => this.follow(organizationId, changed),
      },
    );
  }
}

async function firstCheckpoint(tx: Tx, index: number): Promise<{ size: number; signedAt: Date } | undefined> {
  const [row] = await tx.query<{ size: string; signed_at: Date }>(
    `SELECT size, signed_at FROM audit_checkpoint
      WHERE organization_id = $1 AND size > $2 ORDER BY size LIMIT 1`,
    [tx.organizationId, index],
  );
  return row && { size: Number(row.size), signedAt: row.signed_at };
}

/** The state that an entry is waited for. @throws ColophonError `invalid_request` */
export function parseEntryState(text: string): EntryState {
  const state = ENTRY_STATES.find((known) => known === text);
  if (state === undefined)
    throw new ColophonError('invalid_request', `A state is one of: ${ENTRY_STATES.join(', ')}.`);
  return state;
}
