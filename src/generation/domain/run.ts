import { type KeyMode } from '../../identity/domain/api-key.js';
import { type MicroUsd } from '../../shared/money.js';
import { type MediaSource, type RunInputs } from './run-inputs.js';
import { type OfferedComponent } from './offering.js';
import { type RunValue } from './definition-words.js';
import { type Operation } from './operation.js';
import { isHumanOperation, type StepOperation } from './pipeline-definition.js';
import { type Preparation, type StepExecutor } from './provider.port.js';
import { type RunState, type StepState } from './run-states.js';
import { type SkipReason } from './run-moves.js';
import { type StepPlan } from './step-plan.js';
import { type Usage } from './usage.js';

export {
  GOING_RUN_STATES,
  RUN_STATES,
  type RunState,
  STEP_STATES,
  type StepState,
  TERMINAL_RUN_STATES,
  TERMINAL_STEP_STATES,
} from './run-states.js';

export interface Run {
  readonly id: string;
  readonly projectId: string;
  readonly useCaseId: string;
  readonly pipelineName: string;
  readonly pipelineVersion: number;
  /** JWE of the run's inputs under the key of `createdBy`: prompts are personal data. */
  readonly sealedInputs: string;
  readonly mode: KeyMode;
  readonly state: RunState;
  readonly clearanceId: string;
  readonly cancelRequestedAt: Date | undefined;
  readonly createdBy: string;
  /** The key that the run is charged to. */
  readonly apiKeyId?: string | undefined;
  /** The recorded choice (POST /v1/routes) by which its model was picked. */
  readonly routeChoiceId?: string | undefined;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  /** The failed run that this one goes on with. */
  readonly resumesRunId: string | undefined;
}

export interface StepRun {
  readonly id: string;
  readonly runId: string;
  readonly key: string;
  readonly ordinal: number;
  readonly operation: StepOperation;
  readonly provider: StepExecutor;
  readonly listingId: string;
  readonly endpoint: string;
  readonly dependsOn: readonly string[];
  readonly state: StepState;
  readonly reservedMicroUsd: MicroUsd;
  readonly requestSha256: string | undefined;
  readonly upstreamId: string | undefined;
  readonly progress: number | undefined;
  readonly originalSha256: string | undefined;
  readonly originalMediaType: string | undefined;
  readonly usage: Usage | undefined;
  /** What was done to the received bytes before they were captured. */
  readonly preparation: Preparation | undefined;
  readonly claims: Readonly<Record<string, string | number | boolean>>;
  readonly components: readonly OfferedComponent[];
  readonly outputAssetId: string | undefined;
  readonly errorCode: string | undefined;
  readonly errorDetail: string | undefined;
  readonly updatedAt: Date;
  readonly plan: StepPlan | undefined;
  /** Which of `plan.alternatives` is in use; `listingId`, `provider` and `endpoint` are those of it. */
  readonly alternative: number;
  /** Requests that were begun for the alternative in use. */
  readonly submitAttempts: number;
  /** Not sent again before this time. */
  readonly retryAt: Date | undefined;
  /** A person has time until then. */
  readonly waitsUntil: Date | undefined;
  /** Jobs of earlier attempts, which ended in a certain failure: news about them is no news about this step. */
  readonly formerUpstreamIds: readonly string[];
  /** Why the step has no output of its own. */
  readonly skipReason: SkipReason | 'substituted' | 'failed_before' | undefined;
}

/** @throws Error for a step that a person does: no provider ever gets one. */
export function machineOperation({ id, operation }: Pick<StepRun, 'id' | 'operation'>): Operation {
  if (isHumanOperation(operation)) throw new Error(`the step ${id} is not done by a machine`);
  return operation;
}

/** The part of a resolved step that may hold personal data; kept sealed in the run. */
export interface SealedStepInputs {
  readonly parameters: Readonly<Record<string, RunValue>>;
  /** Pictures and other media by parameter name. */
  readonly images: Readonly<Record<string, MediaSource>>;
  /** 32 random bytes, base64url: the request hash in the log is salted, so that a prompt cannot be guessed from it. */
  readonly salt: string;
  /** Parameters of the alternatives that have their own, by their number. */
  readonly alternatives?: Readonly<Record<string, Readonly<Record<string, RunValue>>>>;
}

/** What the run was asked for, kept for a resumption. */
export interface SealedRequest {
  readonly inputs: RunInputs;
  readonly useCaseName: string;
}

/** What is sealed in {@link Run.sealedInputs}. Before version 2 it was `steps` alone, without `v`. */
export interface SealedRunInputs {
  readonly v: 2;
  /** By key of the instance. */
  readonly steps: Readonly<Record<string, SealedStepInputs>>;
  readonly request: SealedRequest;
}
