import { z } from 'zod';
import { type AllowedPrivateHosts } from '../../../outbound/outbound-target.js';
import { type ProviderOutput } from '../../domain/provider.port.js';
import { claims, toOutput, UnusableResultError } from '../vendor/outputs.js';

/** Where fal's models put their files. Each holds one file or a list of them. */
const FILE_FIELDS = ['images', 'image', 'videos', 'video', 'audios', 'audio', 'audio_file'] as const;
/** Of a 3D model there may be several forms; the first of these is what the model is used for. */
const MODEL_FIELDS = ['model_glb', 'model_mesh'] as const;
/** What the gateway hands on beside the files, where the model said it. */
const BESIDE_FIELDS = ['seed', 'timings', 'has_nsfw_concepts', 'prompt'] as const;
const MAX_OUTPUTS = 32;

const File = z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]);
const Files = z.union([File.transform((file) => [file]), z.array(File).max(MAX_OUTPUTS)]);

/**
 * The files that a model's answer names, in order.
 * @param data the JSON of a result
 * @throws UnusableResultError for an unknown shape, a malformed file, an address that must not be fetched
 */
export function outputsOf(data: unknown, allowedPrivateHosts: AllowedPrivateHosts): ProviderOutput[] {
  const fields = z.record(z.string(), z.unknown()).safeParse(data);
  if (!fields.success) throw new UnusableResultError('the result is not a JSON object');
  const outputs = fieldsOfFiles(fields.data).flatMap((field) => {
    const value = fields.data[field];
    const files = Files.safeParse(value);
    if (!files.success)
      throw new UnusableResultError(`the result holds something else than files in "${field}"`);
    return files.data.map((file) => toOutput(file, allowedPrivateHosts));
  });
  if (outputs.length === 0) throw new UnusableResultError('the result names no file');
  if (outputs.length > MAX_OUTPUTS) throw new UnusableResultError('the result names too many files');
  return outputs;
}

function fieldsOfFiles(data: Readonly<Record<string, unknown>>): string[] {
  const isThere = (field: string): boolean => data[field] !== undefined && data[field] !== null;
  return [...FILE_FIELDS.filter(isThere), ...MODEL_FIELDS.filter(isThere).slice(0, 1)];
}

/** How the answer is built, in the words of the registry's fal-results.json: `images[] seed prompt`. */
function shapeOf(data: unknown): string | undefined {
  const fields = z.record(z.string(), z.unknown()).safeParse(data).data ?? {};
  const [file] = fieldsOfFiles(fields);
  if (file === undefined) return undefined;
  const beside = BESIDE_FIELDS.filter((name) => fields[name] !== undefined && fields[name] !== null);
  return [Array.isArray(fields[file]) ? `${file}[]` : file, ...beside].join(' ');
}

/** The header `x-fal-billable-units`: a positive decimal number, else nothing is known. */
export function billedUnitsOf(headers: Headers): number | undefined {
  const text = headers.get('x-fal-billable-units')?.trim() ?? '';
  const units = /^\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : 0;
  return units > 0 ? units : undefined;
}

const ResultFacts = z.object({
  seed: z.number().int().safe().optional().catch(undefined),
  has_nsfw_concepts: z.array(z.boolean()).optional().catch(undefined),
});

/** What fal claims about the work. None of it is verified; all of it is short. */
export function claimsOf(
  data: unknown,
  headers: Headers,
  known: {
    readonly requestId: string;
    readonly endpoint: string;
    readonly inferenceSeconds: number | undefined;
  },
): Record<string, string | number | boolean> {
  const facts = ResultFacts.safeParse(data).data;
  const servedFrom = headers.get('x-fal-served-from');
  return claims({
    requestId: known.requestId,
    endpoint: known.endpoint,
    seed: facts?.seed,
    unsafeContentFlagged: facts?.has_nsfw_concepts?.some((flag) => flag),
    inferenceSeconds: known.inferenceSeconds,
    resultShape: shapeOf(data),
    servedFrom: servedFrom !== null && /^[\x20-\x7e]{1,200}$/.test(servedFrom) ? servedFrom : undefined,
  });
}
