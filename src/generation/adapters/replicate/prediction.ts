import { z } from 'zod';
import { type AllowedPrivateHosts } from '../../../outbound/outbound-target.js';
import { type CompletedStep, type FailedStep, type RunningStep } from '../../domain/provider.port.js';
import { readUsage, type Usage } from '../../domain/usage.js';
import { claims, toOutput, UnusableResultError } from '../vendor/outputs.js';
import { failed } from '../vendor/refusal.js';
import { type DeployedModel, isOf, isPredictionId, type ReplicateEndpoint } from './replicate-endpoint.js';

const MAX_OUTPUTS = 32;
const shortText = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/)
  .optional()
  .catch(undefined);
const reading = z.number().optional().catch(undefined);

export const Prediction = z.object({
  id: z.string().refine(isPredictionId),
  status: z.enum(['starting', 'processing', 'succeeded', 'failed', 'canceled', 'aborted']),
  model: shortText,
  version: shortText,
  output: z.unknown().optional(),
  data_removed: z.boolean().optional().catch(undefined),
  metrics: z
    .object({
      predict_time: reading,
      total_time: reading,
      image_count: reading,
      video_output_duration_seconds: reading,
    })
    .optional()
    .catch(undefined),
});
export type Prediction = z.output<typeof Prediction>;

const Files = z.union([z.string().transform((file) => [file]), z.array(z.string()).min(1).max(MAX_OUTPUTS)]);

/** What a prediction says of a step. */
export function stateOf(
  prediction: Prediction,
  endpoint: ReplicateEndpoint,
  deployed: DeployedModel | undefined,
  allowedPrivateHosts: AllowedPrivateHosts,
): CompletedStep | RunningStep | FailedStep {
  switch (prediction.status) {
    case 'starting':
    case 'processing':
      return { kind: 'running', progress: undefined };
    case 'succeeded':
      return isOf(endpoint, prediction, deployed)
        ? completed(prediction, allowedPrivateHosts)
        : ofAnotherModel(endpoint, prediction);
    case 'failed':
      return billedFailure(prediction, 'the prediction failed on replicate');
    case 'canceled':
      return billedFailure(prediction, 'the prediction was canceled on replicate');
    // Its deadline passed before it started: never run, never billed.
    case 'aborted':
      return failed('upstream_timeout', 'the prediction was not started in time on replicate');
  }
}

/** The work of a model that was not cleared is not signed. It was done all the same, and will be on the bill. */
function ofAnotherModel({ kind }: ReplicateEndpoint, prediction: Prediction): FailedStep {
  const isUnnamed = prediction.model === undefined || prediction.version === undefined;
  const where = kind === 'deployment' ? 'the deployment' : 'replicate';
  const what = isUnnamed
    ? 'did not say which model it ran'
    : 'ran another model than the one that was cleared';
  const failure = failed('upstream_invalid', `model mismatch: ${where} ${what}`);
  const usage = usageOf(prediction);
  return { ...failure, mayBeBilled: true, ...(usage === undefined ? {} : { usage }) };
}

/** Models that are billed by time are billed for failures too; what ran says so by its time. */
function billedFailure(prediction: Prediction, reason: string): FailedStep {
  const usage = usageOf(prediction);
  const failure = failed('upstream_error', reason);
  return usage === undefined ? failure : { ...failure, mayBeBilled: true, usage };
}

function completed(
  prediction: Prediction,
  allowedPrivateHosts: AllowedPrivateHosts,
): CompletedStep | FailedStep {
  // Outputs live for an hour.
  if (prediction.data_removed === true)
    return failed('upstream_invalid', 'replicate has deleted the output of the prediction');
  const files = Files.safeParse(prediction.output);
  if (!files.success) return failed('upstream_invalid', 'the prediction has no files as its output');
  try {
    return {
      kind: 'completed',
      outputs: files.data.map((file) => toOutput(file, allowedPrivateHosts)),
      usage: usageOf(prediction),
      claims: claims({
        predictionId: prediction.id,
        model: prediction.model,
        version: prediction.version,
        predictSeconds: prediction.metrics?.predict_time,
        // Client code counts on the one or on the other, and only the model's answer tells which.
        outputIsList: Array.isArray(prediction.output),
      }),
    };
  } catch (error) {
    if (error instanceof UnusableResultError) return failed('upstream_invalid', error.message);
    throw error;
  }
}

function usageOf({ metrics }: Prediction): Usage | undefined {
  return readUsage({
    image: metrics?.image_count,
    'output-second': metrics?.video_output_duration_seconds,
    'compute-second': metrics?.predict_time,
  });
}
