import { type IncomingHttpHeaders } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { ColophonError } from '../../../shared/errors.js';
import { isPredictionId } from './replicate-endpoint.js';

const HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
const HEADER = /^[\x20-\x7e]{1,1024}$/;
const Body = z.object({ id: z.string().refine(isPredictionId) });

/**
 * Checks a delivery with the account's signing secret (Standard Webhooks): HMAC-SHA256 over id, time and raw body,
 * compared in constant time, not older and not newer than 300 s. The vendor's own helper checks neither.
 * @param secret `whsec_` and base64
 * @throws ColophonError `bad_signature`; `invalid_request` when what was signed names no prediction
 */
export function verifyReplicateWebhook(
  secret: string,
  delivery: { readonly headers: IncomingHttpHeaders; readonly rawBody: Buffer },
): { readonly predictionId: string } {
  const headers: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = delivery.headers[name];
    if (typeof value !== 'string' || !HEADER.test(value))
      throw new ColophonError('bad_signature', `the header ${name} is missing or malformed`);
    headers[name] = value;
  }
  // Text that is not UTF-8 would be signed over other bytes than were received.
  const text = delivery.rawBody.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(delivery.rawBody))
    throw new ColophonError('bad_signature', 'the body is not UTF-8');
  try {
    new Webhook(secret).verify(text, headers, { jsonParse: false });
  } catch (cause) {
    throw new ColophonError('bad_signature', 'the signature, or its time, does not verify', { cause });
  }
  const body = Body.safeParse(parseJson(text));
  if (!body.success) throw new ColophonError('invalid_request', 'the webhook body names no prediction');
  return { predictionId: body.data.id };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
