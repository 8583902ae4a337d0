import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { guardedFetch, type OutboundRequest } from '../../../outbound/guarded-fetch.js';
import { parseOutboundUrl } from '../../../outbound/outbound-target.js';
import { readBody } from '../../../outbound/response-limits.js';
import { type ProviderInput } from '../../domain/provider.port.js';
import { UnreadableAnswerError, VendorHttpError } from '../vendor/send-one.js';
import { type FalConnection, falUrl } from './fal-connection.js';

const INITIATE_URL = 'https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3';
const INITIATE_PARTS_URL = 'https://rest.fal.ai/storage/upload/initiate-multipart?storage_type=fal-cdn-v3';
/** Above this fal's own client sends a file in parts of this size. */
const MAX_WHOLE_BYTES = 90 * 1024 * 1024;
const PART_BYTES = 10 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024;
/** fal deletes input and output files after this time; a run has fetched them long before. */
export const FILE_LIFETIME_SECONDS = 3600;

const InitiateAnswer = z.object({ upload_url: z.string().max(8192), file_url: z.string().max(8192) });
const PartAnswer = z.object({ etag: z.string().max(1024) });

/** `deadlineMs` is for one request: for the whole file, or for each part of it. */
type Limits = { readonly deadlineMs: number; readonly signal: AbortSignal };

/**
 * Puts one input file into fal's storage and returns its address for the model. Costs nothing, so it may be repeated.
 *
 * Always an upload, never a data URI in the request: fal keeps request payloads for 30 days, an uploaded file only
 * for the hour that we ask for. The file name is the content hash, not the name a person gave.
 * @throws OutboundError, VendorHttpError, UnreadableAnswerError
 */
export async function uploadFile(
  connection: FalConnection,
  file: ProviderInput,
  limits: Limits,
): Promise<string> {
  const { size } = await stat(file.path);
  const inParts = size > MAX_WHOLE_BYTES;
  const { upload_url: uploadUrl, file_url: fileUrl } = await initiate(
    connection,
    file,
    inParts ? INITIATE_PARTS_URL : INITIATE_URL,
    limits,
  );
  // Both addresses were chosen by the other side.
  parseOutboundUrl(fileUrl, connection.outbound.allowedPrivateHosts ?? []);
  if (inParts) await putParts(connection, file, { uploadUrl, sizeBytes: size }, limits);
  // No credentials: the address itself is the permission.
  else await put(connection, file, uploadUrl, { first: 0, sizeBytes: size }, limits);
  return fileUrl;
}

/** One after the other, read from the disk as they leave: `{upload_url}/{number}`, then `{upload_url}/complete`. */
async function putParts(
  connection: FalConnection,
  file: ProviderInput,
  { uploadUrl, sizeBytes }: { readonly uploadUrl: string; readonly sizeBytes: number },
  limits: Limits,
): Promise<void> {
  const below = (last: string): string => {
    const url = new URL(parseOutboundUrl(uploadUrl, connection.outbound.allowedPrivateHosts ?? []).url.href);
    url.pathname = `${url.pathname}/${last}`;
    return url.href;
  };
  const parts: { partNumber: number; etag: string }[] = [];
  for (let first = 0; first < sizeBytes; first += PART_BYTES) {
    const partNumber = parts.length + 1;
    const part = { first, sizeBytes: Math.min(PART_BYTES, sizeBytes - first) };
    const answer = PartAnswer.safeParse(
      parseJson(await put(connection, file, below(String(partNumber)), part, limits)),
    );
    if (!answer.success) throw new UnreadableAnswerError('fal');
    parts.push({ partNumber, etag: answer.data.etag });
  }
  await exchange({
    ...connection.outbound,
    ...limits,
    url: below('complete'),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ parts }),
    maxResponseBytes: MAX_ANSWER_BYTES,
  });
}

async function put(
  connection: FalConnection,
  file: ProviderInput,
  url: string,
  { first, sizeBytes }: { readonly first: number; readonly sizeBytes: number },
  limits: Limits,
): Promise<Buffer> {
  const content = createReadStream(file.path, { start: first, end: first + sizeBytes - 1 });
  try {
    return await exchange({
      ...connection.outbound,
      ...limits,
      url,
      method: 'PUT',
      headers: { 'content-type': file.mediaType, 'content-length': String(sizeBytes) },
      body: content,
      maxResponseBytes: MAX_ANSWER_BYTES,
    });
  } finally {
    content.destroy();
  }
}

async function initiate(
  connection: FalConnection,
  file: ProviderInput,
  url: string,
  limits: Limits,
): Promise<z.output<typeof InitiateAnswer>> {
  const bytes = await exchange({
    ...connection.outbound,
    ...limits,
    url: falUrl(url, connection.baseUrlOverride),
    method: 'POST',
    headers: {
      authorization: `Key ${connection.credentials}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'x-fal-object-lifecycle': JSON.stringify({ expiration_duration_seconds: FILE_LIFETIME_SECONDS }),
    },
    body: JSON.stringify({ content_type: file.mediaType, file_name: file.sha256 }),
    maxResponseBytes: MAX_ANSWER_BYTES,
  });
  const answer = InitiateAnswer.safeParse(parseJson(bytes));
  if (!answer.success) throw new UnreadableAnswerError('fal');
  return answer.data;
}

async function exchange(request: OutboundRequest): Promise<Buffer> {
  const response = await guardedFetch(request);
  const bytes = await readBody(response.body);
  if (response.status < 200 || response.status > 299)
    throw new VendorHttpError('fal', response.status, parseJson(bytes));
  return bytes;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
