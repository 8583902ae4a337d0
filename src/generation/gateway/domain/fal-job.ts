import { type Asset } from '../../../assets/domain/asset.js';
import { ERROR_CODES } from '../../../shared/errors.js';
import { type ContentRefusal, placeOfContent } from '../../domain/content-refusal.js';
import { type GatewayJob, isOver } from './gateway-job.js';
import { fileNameOf } from './asset-address.js';
import { type BesideFiles, canHold, type FalResultShape, usualShape } from './fal-result-shape.js';

interface FalJobError {
  /** Ours, or the model's own word where it refused the content. */
  readonly code: string;
  readonly message: string;
  /** Of the input that it is about. */
  readonly place?: readonly (string | number)[];
}

export type AddressOf = (asset: Asset) => string;

/**
 * What the model itself answers: its files in the member where it puts them, and beside them what its schema has and the
 * vendor said.
 */
export function falResult(job: GatewayJob, addressOf: AddressOf): Record<string, unknown> {
  const { assets } = job;
  const files = assets.map((asset) => falFile(asset, addressOf(asset)));
  const { member, isList, beside } = shapeFor(job);
  const known = knownBeside(job);
  return {
    [member]: isList ? files : files[0],
    ...Object.fromEntries(
      beside.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]] as const])),
    ),
  };
}

function shapeFor({ assets, steps, resultShape }: GatewayJob): FalResultShape {
  const kind = assets[0]?.kind ?? 'image';
  if (resultShape !== undefined && canHold(resultShape, kind, assets.length)) return resultShape;
  const usual = usualShape(kind, steps[0]?.operation);
  return canHold(usual, kind, assets.length) ? usual : { ...usual, member: `${kind}s`, isList: true };
}

function knownBeside({ steps, call }: GatewayJob): Readonly<Record<BesideFiles, unknown>> {
  const claims = steps[0]?.claims ?? {};
  const prompt = call?.input.prompt;
  return {
    // The model uses the one that it is given; what it drew itself, only the vendor knows.
    seed: [claims.seed, call?.input.seed].find((seed) => typeof seed === 'number'),
    timings: typeof claims.inferenceSeconds === 'number' ? { inference: claims.inferenceSeconds } : undefined,
    has_nsfw_concepts:
      typeof claims.unsafeContentFlagged === 'boolean'
        ? steps.map((step) => step.claims.unsafeContentFlagged === true)
        : undefined,
    prompt: typeof prompt === 'string' ? prompt : undefined,
  };
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
export function falJobError({ standing }: GatewayJob): FalJobError | undefined {
  if (standing.kind === 'canceled') return { code: 'client_cancelled', message: 'The request was canceled.' };
  if (standing.kind !== 'failed') return undefined;
  const { code, message: detail, extensions } = standing.error;
  const message = `${detail} ${ERROR_CODES[code].howToFix}`;
  const refused = extensions?.contentRefusal as ContentRefusal | undefined;
  return refused === undefined
    ? { code, message }
    : { code: refused.word, message, place: placeOfContent(refused) };
}

/** fal's form of an error of a model. */
export function falDetail({ code, message, place = ['body'] }: FalJobError) {
  return [{ loc: place, msg: message, type: code }];
}
