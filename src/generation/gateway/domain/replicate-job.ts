import { ERROR_CODES } from '../../../shared/errors.js';
import { publicId } from '../../../shared/ids.js';
import { type AddressOf } from './fal-job.js';
import { type GatewayJob } from './gateway-job.js';

export type ReplicateStatus = 'starting' | 'processing' | 'succeeded' | 'failed' | 'canceled';

/** A prediction of Replicate. */
export function prediction(job: GatewayJob, addressOf: AddressOf): Record<string, unknown> {
  const { run, call } = job;
  const { createdAt, finishedAt } = run;
  return {
    id: idOfPrediction(run.id),
    ...modelOf(job),
    input: call?.input ?? {},
    logs: '',
    output: job.standing.kind === 'succeeded' ? outputOf(job, addressOf) : null,
    error: errorOf(job),
    status: statusOf(job),
    source: 'api',
    data_removed: call === undefined,
    created_at: createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    completed_at: finishedAt?.toISOString() ?? null,
    metrics: metricsOf(job),
    urls: urlsOf(job),
  };
}

const DEPLOYMENT = /^deployments\//;

/** As Replicate says it: of a deployment what runs behind it, with its name beside. */
function modelOf({ model: named, steps, deployed }: GatewayJob): Record<string, string> {
  const claimed = steps[0]?.claims ?? {};
  const isDeployment = DEPLOYMENT.test(named);
  const name = named.replace(DEPLOYMENT, '');
  const [model = '', version = 'hidden'] = name.split(':');
  return {
    model: typeof claimed.model === 'string' ? claimed.model : (deployed?.model ?? model),
    version: typeof claimed.version === 'string' ? claimed.version : (deployed?.version ?? version),
    ...(isDeployment ? { deployment: name } : {}),
  };
}

function metricsOf({ run: { createdAt, finishedAt }, steps }: GatewayJob): Record<string, number> {
  const known = steps
    .map(({ claims }) => claims.predictSeconds)
    .filter((seconds) => typeof seconds === 'number');
  return {
    ...(known.length === steps.length ? { predict_time: known.reduce((sum, one) => sum + one, 0) } : {}),
    ...(finishedAt === undefined ? {} : { total_time: (finishedAt.getTime() - createdAt.getTime()) / 1000 }),
  };
}

export function idOfPrediction(runId: string): string {
  return publicId('run', runId);
}

export function statusOf({ standing }: Pick<GatewayJob, 'standing'>): ReplicateStatus {
  const { kind } = standing;
  if (kind === 'queued') return 'starting';
  return kind === 'running' ? 'processing' : kind;
}

/** Below `/v1` of the use case. */
export function replicateRoot({
  baseUrl,
  run,
  useCase,
}: Pick<GatewayJob, 'baseUrl' | 'run' | 'useCase'>): string {
  return `${baseUrl}/gateway/replicate/p/${publicId('project', run.projectId)}/${useCase}/v1`;
}

function urlsOf(job: GatewayJob): Record<string, string> {
  const address = `${replicateRoot(job)}/predictions/${idOfPrediction(job.run.id)}`;
  // No `stream`: nothing is written piece by piece here.
  return { get: address, cancel: `${address}/cancel` };
}

/**
 * A list, or one address: as the model itself answered. The sandbox does not know the models, so it answers with a list,
 * as most models that make pictures do.
 */
export function outputOf({ assets, steps }: GatewayJob, addressOf: AddressOf): string | string[] {
  const addresses = assets.map(addressOf);
  const [first] = addresses;
  return steps.length === 1 && first !== undefined && steps[0]?.claims.outputIsList === false
    ? first
    : addresses;
}

function errorOf({ standing }: GatewayJob): string | null {
  if (standing.kind !== 'failed') return null;
  const { code, message } = standing.error;
  return `${message} ${ERROR_CODES[code].howToFix} (${code})`;
}
