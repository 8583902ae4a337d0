import { type Asset } from '../../../assets/domain/asset.js';
import { ERROR_CODES } from '../../../shared/errors.js';
import { type GatewayJob, isOver } from './gateway-job.js';
import { fileNameOf } from './asset-address.js';

/** Of a result that holds one file. */
const MEMBER_OF_KIND: Readonly<Record<string, string | undefined>> = {
  video: 'video',
  audio: 'audio',
  model3d: 'model_mesh',
};

export type AddressOf = (asset: Asset) => string;

/** Which member of a result holds a file, by what the step did. */
const ALONE_IN_IMAGE: readonly string[] = ['upscale', 'cut-out', 'recolor', 'crop', 'convert'];

/** What fal's models answer: files by their kind, and what the vendor said beside them. */
export function falResult(job: GatewayJob, addressOf: AddressOf): Record<string, unknown> {
  const { assets, steps, call } = job;
  const files = assets.map((asset) => falFile(asset, addressOf(asset)));
  const claims = steps[0]?.claims ?? {};
  const prompt = call?.input.prompt;
  return {
    ...placed(job, files),
    ...(typeof claims.inferenceSeconds === 'number'
      ? { timings: { inference: claims.inferenceSeconds } }
      : {}),
    ...(typeof claims.seed === 'number' ? { seed: claims.seed } : {}),
    ...(typeof claims.unsafeContentFlagged === 'boolean'
      ? { has_nsfw_concepts: steps.map((step) => step.claims.unsafeContentFlagged === true) }
      : {}),
    ...(typeof prompt === 'string' ? { prompt } : {}),
  };
}

function placed({ assets, steps }: GatewayJob, files: readonly unknown[]): Record<string, unknown> {
  const kind = assets[0]?.kind ?? 'image';
  const name = MEMBER_OF_KIND[kind];
  if (name !== undefined) return { [name]: files[0] };
  return ALONE_IN_IMAGE.includes(steps[0]?.operation ?? '') ? { image: files[0] } : { images: files };
}

export function falFile(asset: Asset, url: string): Record<string, unknown> {
  const { mediaType, sizeBytes, width, height } = asset;
  return {
    url,
    content_type: mediaType,
    file_name: fileNameOf(asset),
    file_size: sizeBytes,
    ...(width === undefined || height === undefined ? {} : { width, height }),
  };
}

/** `IN_QUEUE`, `IN_PROGRESS` or `COMPLETED`; a job that failed is completed as well, and says why. */
export function falStatus(job: GatewayJob, address: string, logs: boolean): Record<string, unknown> {
  const { standing, steps, run } = job;
  const error = falJobError(job);
  const seconds = steps[0]?.claims.inferenceSeconds;
  return {
    status: isOver(job) ? 'COMPLETED' : standing.kind === 'queued' ? 'IN_QUEUE' : 'IN_PROGRESS',
    request_id: run.id,
    ...falAddresses(address),
    ...(standing.kind === 'queued' ? { queue_position: 0 } : { logs: logs ? [] : null }),
    ...(isOver(job) ? { metrics: { inference_time: typeof seconds === 'number' ? seconds : null } } : {}),
    ...(error === undefined ? {} : { error: error.message, error_type: error.code }),
  };
}

/** @param address of the job below `queue/` */
export function falAddresses(address: string): Record<string, string> {
  return { response_url: address, status_url: `${address}/status`, cancel_url: `${address}/cancel` };
}

/** Why a job that is over made nothing. */
export function falJobError({
  standing,
}: GatewayJob): { readonly code: string; readonly message: string } | undefined {
  if (standing.kind === 'canceled') return { code: 'client_cancelled', message: 'The request was canceled.' };
  if (standing.kind !== 'failed') return undefined;
  const { code, message } = standing.error;
  return { code, message: `${message} ${ERROR_CODES[code].howToFix}` };
}

/** fal's form of an error of a model. */
export function falDetail(code: string, message: string, path: readonly string[] = []) {
  return [{ loc: ['body', ...path], msg: message, type: code }];
}
