import { type KeyMode } from '../../identity/domain/api-key.js';
import { type MicroUsd } from '../../shared/money.js';
import { type MediaSource } from './resolve-run.js';
import { type OfferedComponent } from './offering.js';
import { type Operation } from './operation.js';
import { type Literal } from './pipeline-definition.js';
import { type Preparation, type ProviderName } from './provider.port.js';
import { type Usage } from './usage.js';

export const RUN_STATES = [
  'WAITING_FOR_WAIVER',
  'RUNNING',
  'NEEDS_RECONCILIATION',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/**
 * The step ledger. Each state is committed before the next thing is done:
 * RESERVED     money is reserved; nothing was sent
 * SUBMITTING   the request is about to be sent, or was: a crash in here leaves the outcome open
 * SUBMITTED    the provider has the job, and we know its id
 * CAPTURED     the original bytes are in the store, and we know their hash
 * SUCCEEDED    the asset is signed, in the log, and paid for
 * OUTCOME_UNKNOWN  a crash or a lost answer at a provider that charges: waits for a webhook or a person
 */
export const STEP_STATES = [
  'RESERVED',
  'SUBMITTING',
  'SUBMITTED',
  'CAPTURED',
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'CANCELED',
  'OUTCOME_UNKNOWN',
] as const;
export type StepState = (typeof STEP_STATES)[number];

export const TERMINAL_RUN_STATES: readonly RunState[] = ['SUCCEEDED', 'FAILED', 'CANCELED'];
/** Has an output, or never will. OUTCOME_UNKNOWN is not terminal: it is waiting. */
export const TERMINAL_STEP_STATES: readonly StepState[] = ['SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED'];

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
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
}

export interface StepRun {
  readonly id: string;
  readonly runId: string;
  readonly key: string;
  readonly ordinal: number;
  readonly operation: Operation;
  readonly provider: ProviderName;
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
}

/** The part of a resolved step that may hold personal data; kept sealed in the run. */
export interface SealedStepInputs {
  readonly parameters: Readonly<Record<string, Literal>>;
  /** Pictures and other media by parameter name. */
  readonly images: Readonly<Record<string, MediaSource>>;
  /** 32 random bytes, base64url: the request hash in the log is salted, so that a prompt cannot be guessed from it. */
  readonly salt: string;
}

/** What is sealed in {@link Run.sealedInputs}: by step key. */
export type SealedRunInputs = Readonly<Record<string, SealedStepInputs>>;
