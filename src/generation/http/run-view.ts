import { publicId } from '../../shared/ids.js';
import { type RunProgress } from '../application/progress-of-run.js';
import { type PromptErasure } from '../application/read-run.js';
import { type Run, type StepRun } from '../domain/run.js';

/** Steps that come with a run; of longer runs the others are read by pages. */
export const STEPS_WITH_RUN = 100;

/** Beside the run itself: where it stands, its first steps, and what belongs to it. */
export interface RunDetails {
  readonly steps: readonly StepView[];
  readonly nextCursor: string | null;
  readonly progress: RunProgress;
  readonly resumedBy: string | undefined;
  readonly promptErased: PromptErasure | undefined;
}

export function runView(run: Run, details?: RunDetails) {
  const { id, projectId, clearanceId, resumesRunId } = run;
  return {
    id: publicId('run', id),
    state: run.state,
    mode: run.mode,
    projectId: publicId('project', projectId),
    pipeline: `${run.pipelineName}@${run.pipelineVersion}`,
    clearanceId: publicId('clearance', clearanceId),
    routeId: run.routeChoiceId === undefined ? null : publicId('routeChoice', run.routeChoiceId),
    createdAt: run.createdAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    resumes: resumesRunId === undefined ? null : publicId('run', resumesRunId),
    ...(details === undefined
      ? {}
      : {
          promptErased:
            details.promptErased === undefined
              ? null
              : {
                  erasedAt: details.promptErased.erasedAt.toISOString(),
                  reason: details.promptErased.reason,
                },
          resumedBy: details.resumedBy === undefined ? null : publicId('run', details.resumedBy),
          progress: details.progress,
        }),
    steps: details?.steps ?? [],
    ...(details === undefined ? {} : { stepsNextCursor: details.nextCursor }),
  };
}

export type StepView = ReturnType<typeof stepView>;

/** @param shownAssetIds of a step that waits for a person; UUIDs */
export function stepView(step: StepRun, shownAssetIds: readonly string[] = []) {
  return {
    id: publicId('stepRun', step.id),
    key: step.key,
    operation: step.operation,
    provider: step.provider,
    model: step.listingId,
    state: step.state,
    assetId: step.outputAssetId === undefined ? null : publicId('asset', step.outputAssetId),
    reservedMicroUsd: step.reservedMicroUsd.toString(),
    error: errorOf(step),
    skipReason: step.skipReason ?? null,
    fallback: fallbackOf(step),
    retry: retryOf(step),
    waitsFor: waitsForOf(step, shownAssetIds),
  };
}

function errorOf({ state, errorCode, errorDetail }: StepRun) {
  return state === 'FAILED' && errorCode !== undefined
    ? { code: errorCode, detail: errorDetail ?? '' }
    : null;
}

/** Another model stood in: the one that was asked for, and why it did not do it. */
function fallbackOf({ alternative, plan, listingId }: StepRun) {
  if (alternative === 0) return null;
  return {
    insteadOf: plan?.alternatives?.[0]?.listingId ?? listingId,
    reason: plan?.fallbackReason ?? 'unknown',
  };
}

/** The last try failed for certain, and the next one is due then. */
function retryOf({ state, retryAt, submitAttempts, errorCode }: StepRun) {
  if (state !== 'RESERVED' || retryAt === undefined) return null;
  return { at: retryAt.toISOString(), attempts: submitAttempts, reason: errorCode ?? 'unknown' };
}

function waitsForOf({ state, plan, waitsUntil }: StepRun, shownAssetIds: readonly string[]) {
  if (state !== 'WAITING' || plan?.human === undefined) return null;
  const shown = shownAssetIds.map((id) => publicId('asset', id));
  return { roles: plan.human.roles, until: waitsUntil?.toISOString() ?? null, shown };
}
