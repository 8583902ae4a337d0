import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { type Clearance, type DecideClearance } from './decide-clearance.js';
import { type ClearanceStanding } from './clearance-standing.js';
import { lockDecisions, readClearance } from './read-clearance.js';

export interface Renewal {
  /** The first decision: runs point to it. */
  readonly rootId: string;
  readonly clearance: Clearance;
  /** Whether what waits for it may go on. */
  readonly holds: boolean;
}

/** Makes a decision anew, with the same lineage and facts and the registry of today, in the place of the old one. */
export class DecideAgain {
  constructor(
    private readonly decideClearance: DecideClearance,
    private readonly standing: ClearanceStanding,
  ) {}

  /** @throws ColophonError `not_found`; `conflict` for a decision that still holds or was denied */
  async decide(tx: Tx, principal: Principal, clearanceId: string): Promise<Renewal> {
    const asked = await readClearance(tx, clearanceId);
    const rootId = asked.renews ?? asked.id;
    await lockDecisions(tx, rootId);
    const standing = await this.standing.of(tx, rootId);
    if (standing.kind !== 'reopened') {
      throw new ColophonError(
        'conflict',
        'Nothing that this decision rests on has changed. Ask for a new clearance with POST /v1/clearances.',
      );
    }
    const { lineage, facts } = standing.last.input;
    const decided = await this.decideClearance.decide(tx, lineage, facts);
    const { projectId, useCaseId } = standing.last;
    const use = projectId === null || useCaseId === null ? {} : { use: { projectId, useCaseId } };
    const clearance = await this.decideClearance.record(tx, principal, decided, { renews: rootId, ...use });
    return { rootId, clearance, holds: (await this.standing.of(tx, rootId)).kind === 'holds' };
  }
}
