import { type Role } from '../../identity/domain/principal.js';
import { type MicroUsd } from '../../shared/money.js';
import { type Comparison, type ConditionFact } from './condition.js';
import { type OfferedComponent } from './offering.js';
import { type ProviderName } from './provider.port.js';
import { type HumanOperation, type Retry } from './step-control.js';

/** A way to do a step. The first one is that of the definition; the others are its fallbacks, in their order. */
export interface Alternative {
  readonly listingId: string;
  readonly provider: ProviderName;
  readonly endpoint: string;
  readonly components: readonly OfferedComponent[];
  /** Integer micro-USD as text: a plan is stored as JSON. */
  readonly estimateMicroUsd: string;
}

/** A condition on what an earlier step of the run came to. `stepKey`: of an instance. */
export interface PlannedCondition {
  readonly stepKey: string;
  readonly fact: ConditionFact;
  readonly compare: Comparison;
  readonly value: string | number | boolean;
}

/** What is handed on when a condition does not hold. */
export type PassedOn = { readonly stepKey: string } | { readonly assetId: string };

/**
 * What the run does with a step, beside executing it; fixed when the run is accepted. Keys are those of instances.
 * Absent for runs of before there was more than a list of steps.
 */
export interface StepPlan {
  /** Steps whose output this step works on. */
  readonly needs: readonly string[];
  /** Any one of `needs` suffices: a person chooses among what is there. */
  readonly needsAny?: true;
  readonly when?: PlannedCondition;
  /** Its condition on the inputs of the run does not hold. */
  readonly notWanted?: true;
  readonly passOn?: PassedOn;
  readonly onFailure: 'stop' | 'continue';
  readonly retry?: Retry;
  /** Only where there are fallbacks. */
  readonly alternatives?: readonly Alternative[];
  /** Error code with which the way before the present one failed. */
  readonly fallbackReason?: string;
  readonly human?: {
    readonly operation: HumanOperation;
    readonly roles: readonly Role[];
    readonly deadlineMinutes: number;
    /** Shown beside the outputs of `needs`. */
    readonly givenAssetIds: readonly string[];
  };
}

/** Of several ways the dearest is reserved; what is paid is the one that was gone. */
export function estimateInUse({
  plan,
  alternative,
  reservedMicroUsd,
}: {
  readonly plan: StepPlan | undefined;
  readonly alternative: number;
  readonly reservedMicroUsd: MicroUsd;
}): MicroUsd {
  const used = plan?.alternatives?.[alternative];
  return used === undefined ? reservedMicroUsd : BigInt(used.estimateMicroUsd);
}
