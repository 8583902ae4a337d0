import { publicId } from '../../shared/ids.js';
import { type Run, type StepRun } from '../domain/run.js';

export function runView(run: Run, steps: readonly StepRun[] = []) {
  return {
    id: publicId('run', run.id),
    state: run.state,
    mode: run.mode,
    projectId: publicId('project', run.projectId),
    pipeline: `${run.pipelineName}@${run.pipelineVersion}`,
    clearanceId: publicId('clearance', run.clearanceId),
    createdAt: run.createdAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    steps: steps.map(stepView),
  };
}

function stepView(step: StepRun) {
  return {
    id: publicId('stepRun', step.id),
    key: step.key,
    operation: step.operation,
    provider: step.provider,
    model: step.listingId,
    state: step.state,
    assetId: step.outputAssetId === undefined ? null : publicId('asset', step.outputAssetId),
    reservedMicroUsd: step.reservedMicroUsd.toString(),
    error: step.errorCode === undefined ? null : { code: step.errorCode, detail: step.errorDetail ?? '' },
  };
}
