import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { guardedFetch, type OutboundRequest } from '../../../outbound/guarded-fetch.js';
import { OutboundError } from '../../../outbound/outbound-error.js';
import { parseOutboundUrl } from '../../../outbound/outbound-target.js';
import { readBody } from '../../../outbound/response-limits.js';
import { type ProviderInput } from '../../domain/provider.port.js';
import { UnreadableAnswerError, VendorHttpError } from '../vendor/send-one.js';
import { type FalConnection, falUrl } from './fal-connection.js';

const INITIATE_URL = 'https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3';
/** Above this fal wants the upload in parts. */
const MAX_UPLOAD_BYTES = 90 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024;
/** fal deletes input and output files after this time; a run has fetched them long before. */
export const FILE_LIFETIME_SECONDS = 3600;

const InitiateAnswer = z.object({ upload_url: z.string().max(8192), file_url: z.string().max(8192) });

/**
 * Puts one input picture into fal's storage and returns its address for the model. Costs nothing, so it may be
 * repeated.
 *
 * Always an upload, never a data URI in the request: fal keeps request payloads for 30 days, an uploaded file only
 * for the hour that we ask for. The file name is the content hash, not the name a person gave.
 * @throws OutboundError, VendorHttpError, UnreadableAnswerError
 */
export async function uploadImage(
  connection: FalConnection,
  image: ProviderInput,
  limits: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const { size } = await stat(image.path);
  if (size > MAX_UPLOAD_BYTES) {
    throw new OutboundError('upstream_error', 'an input picture is larger than fal takes in one piece', {
      mayHaveBeenSent: false,
    });
  }
  const { upload_url: uploadUrl, file_url: fileUrl } = await initiate(connection, image, limits);
  // Both addresses were chosen by the other side.
  parseOutboundUrl(fileUrl, connection.outbound.allowedPrivateHosts ?? []);
  const content = createReadStream(image.path);
  try {
    await exchange({
      ...connection.outbound,
      ...limits,
      url: uploadUrl,
      method: 'PUT',
      // No credentials: the address itself is the permission.
      headers: { 'content-type': image.mediaType, 'content-length': String(size) },
      body: content,
      maxResponseBytes: MAX_ANSWER_BYTES,
    });
  } finally {
    content.destroy();
  }
  return fileUrl;
}

async function initiate(
  connection: FalConnection,
  image: ProviderInput,
  limits: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<z.output<typeof InitiateAnswer>> {
  const bytes = await exchange({
    ...connection.outbound,
    ...limits,
    url: falUrl(INITIATE_URL, connection.baseUrlOverride),
    method: 'POST',
    headers: {
      authorization: `Key ${connection.credentials}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'x-fal-object-lifecycle': JSON.stringify({ expiration_duration_seconds: FILE_LIFETIME_SECONDS }),
    },
    body: JSON.stringify({ content_type: image.mediaType, file_name: image.sha256 }),
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
