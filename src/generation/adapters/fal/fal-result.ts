import { z } from 'zod';
import { parseOutboundUrl, type AllowedPrivateHosts } from '../../../outbound/outbound-target.js';
import { isColophonError } from '../../../shared/errors.js';
import { type ProviderOutput } from '../../domain/provider.port.js';

/** Where fal's models put their files. Each holds one file or a list of them. */
const FILE_FIELDS = ['images', 'image', 'videos', 'video', 'audios', 'audio', 'audio_file'] as const;
const MAX_OUTPUTS = 32;
const DATA_URI = /^data:[a-z]{1,20}\/[a-z0-9.+-]{1,64};base64,/;

/** A result that cannot be used. The reason is for people and holds nothing of the answer. */
export class UnusableResultError extends Error {}

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
  const outputs = FILE_FIELDS.flatMap((field) => {
    const value = fields.data[field];
    if (value === undefined || value === null) return [];
    const files = Files.safeParse(value);
    if (!files.success)
      throw new UnusableResultError(`the result holds something else than files in "${field}"`);
    return files.data.map((file) => toOutput(file, allowedPrivateHosts));
  });
  if (outputs.length === 0) throw new UnusableResultError('the result names no file');
  if (outputs.length > MAX_OUTPUTS) throw new UnusableResultError('the result names too many files');
  return outputs;
}

function toOutput(url: string, allowedPrivateHosts: AllowedPrivateHosts): ProviderOutput {
  if (url.startsWith('data:')) return { kind: 'bytes', bytes: decodeDataUri(url) };
  try {
    parseOutboundUrl(url, allowedPrivateHosts);
  } catch (error) {
    if (!isColophonError(error, 'url_blocked')) throw error;
    throw new UnusableResultError('the result names an address that must not be fetched');
  }
  return { kind: 'url', url };
}

function decodeDataUri(uri: string): Buffer {
  const prefix = DATA_URI.exec(uri)?.[0];
  const base64 = prefix === undefined ? '' : uri.slice(prefix.length);
  const bytes = Buffer.from(base64, 'base64');
  // Node skips what is not base64; a longer text than its bytes account for was not base64.
  if (bytes.byteLength === 0 || Math.ceil(bytes.byteLength / 3) * 4 !== base64.length) {
    throw new UnusableResultError('the result holds a malformed data URI');
  }
  return bytes;
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
  const claims = {
    requestId: known.requestId,
    endpoint: known.endpoint,
    seed: facts?.seed,
    unsafeContentFlagged: facts?.has_nsfw_concepts?.some((flag) => flag),
    inferenceSeconds: known.inferenceSeconds,
    servedFrom: servedFrom !== null && /^[\x20-\x7e]{1,200}$/.test(servedFrom) ? servedFrom : undefined,
  };
  return Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
