import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { type RunFacts } from '../domain/run-facts.js';
import { originsOf, rolesOfAsker, useOf } from './ask-policies.js';
import { type Clearance, type DecideClearance } from './decide-clearance.js';
import { type ClearanceStanding } from './clearance-standing.js';
import { lockDecisions, readClearance } from './read-clearance.js';
import { type RequireLiveKey } from './require-live-key.js';
import { type WorkBehindClearances } from './work-behind-clearances.js';

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
    private readonly work: WorkBehindClearances,
    private readonly requireLiveKey: RequireLiveKey,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`; `wrong_mode`; `conflict` for a decision that still holds or was denied */
  async decide(tx: Tx, principal: Principal, clearanceId: string): Promise<Renewal> {
    const named = await readClearance(tx, clearanceId);
    const rootId = named.renews ?? named.id;
    await lockDecisions(tx, rootId);
    await this.requireLiveKey.check(tx, principal.mode, rootId);
    const isUnfinished = await this.work.isUnfinished(tx, rootId);
    const standing = await (isUnfinished
      ? this.standing.ofUnfinished(tx, rootId)
      : this.standing.of(tx, rootId));
    if (standing.kind !== 'reopened') {
      throw new ColophonError(
        'conflict',
        'Nothing that this decision rests on has changed, no policy is stricter, and nothing has ended since. Ask for a new clearance with POST /v1/clearances.',
      );
    }
    const { input, policies } = standing.last;
    const facts = isUnfinished ? this.factsNow(input.facts) : input.facts;
    const use = useOf(standing.last);
    // As it was asked: whoever decides again must not lend their own roles to it.
    const roles = policies?.question.roles ?? (await rolesOfAsker(tx, standing.last));
    const asked = { roles, use, matches: policies?.matches, originProjectIds: originsOf(standing.last) };
    const decided = await this.decideClearance.decide(tx, input.lineage, facts, asked);
    const clearance = await this.decideClearance.record(tx, principal, decided, { renews: rootId, use });
    return { rootId, clearance, holds: (await this.standing.of(tx, rootId)).kind === 'holds' };
  }

  /** What is not made yet is made today or later, and a text that is in force by then counts for it. */
  private factsNow(facts: RunFacts): RunFacts {
    return { ...facts, generatedOn: this.clock.now().toISOString().slice(0, 10) };
  }
}
