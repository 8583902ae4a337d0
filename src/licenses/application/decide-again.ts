import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { rolesOf, useOf } from './ask-policies.js';
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
    const named = await readClearance(tx, clearanceId);
    const rootId = named.renews ?? named.id;
    await lockDecisions(tx, rootId);
    const standing = await this.standing.of(tx, rootId);
    if (standing.kind !== 'reopened') {
      throw new ColophonError(
        'conflict',
        'Nothing that this decision rests on has changed, and no policy is stricter. Ask for a new clearance with POST /v1/clearances.',
      );
    }
    const { input, policies, createdBy } = standing.last;
    const use = useOf(standing.last);
    // As it was asked: whoever decides again must not lend their own roles to it.
    const roles = policies?.question.roles ?? (await rolesOf(tx, createdBy));
    const asked = { roles, use, matches: policies?.matches };
    const decided = await this.decideClearance.decide(tx, input.lineage, input.facts, asked);
    const clearance = await this.decideClearance.record(tx, principal, decided, { renews: rootId, use });
    return { rootId, clearance, holds: (await this.standing.of(tx, rootId)).kind === 'holds' };
  }
}
