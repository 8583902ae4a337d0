import { type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { sha256Hex } from '../../../shared/bytes.js';
import { ColophonError } from '../../../shared/errors.js';

/** A delivery that fal signed. At least once, in any order: idempotent handling is the receiver's duty. */
export interface FalWebhook {
  readonly requestId: string;
  readonly status: 'OK' | 'ERROR';
  /** The model's answer or its error; validated no further. */
  readonly payload: unknown;
}

export interface SignedDelivery {
  /** Names in lower case, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes as received: a parsed and re-serialized body has another hash. */
  readonly rawBody: Uint8Array;
  readonly nowMs: number;
}

/** The parts of a delivery that its signature covers, checked as far as possible without a key. */
export interface WebhookClaim {
  readonly requestId: string;
  readonly message: Buffer;
  readonly signature: Buffer;
}

const TOLERANCE_SECONDS = 300;
const HEADER_FORMATS = {
  'x-fal-webhook-request-id': /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/,
  'x-fal-webhook-user-id': /^[\x21-\x7e]{1,256}$/,
  'x-fal-webhook-timestamp': /^\d{1,12}$/,
  'x-fal-webhook-signature': /^[0-9a-fA-F]{128}$/,
} as const;

const Body = z.object({
  request_id: z.string(),
  status: z.enum(['OK', 'ERROR']),
  payload: z.unknown().optional(),
});

function badSignature(detail: string): ColophonError {
  return new ColophonError('bad_signature', detail);
}

/**
 * Message = request id, user id, timestamp and hex SHA-256 of the raw body, joined by line feeds, in UTF-8.
 * @throws ColophonError bad_signature for missing, repeated or malformed headers and for a time that is off by
 *   more than 300 s
 */
export function readWebhookClaim({ headers, rawBody, nowMs }: SignedDelivery): WebhookClaim {
  const read = (name: keyof typeof HEADER_FORMATS): string => {
    const value = headers[name];
    if (typeof value !== 'string' || !HEADER_FORMATS[name].test(value)) {
      throw badSignature(`the header ${name} is missing or malformed`);
    }
    return value;
  };
  const requestId = read('x-fal-webhook-request-id');
  const timestamp = read('x-fal-webhook-timestamp');
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw badSignature('the delivery is too old or from the future');
  }
  const lines = [requestId, read('x-fal-webhook-user-id'), timestamp, sha256Hex(rawBody)];
  return {
    requestId,
    message: Buffer.from(lines.join('\n'), 'utf8'),
    signature: Buffer.from(read('x-fal-webhook-signature'), 'hex'),
  };
}

/** Whether any of the Ed25519 keys made the signature (RFC 8032). */
export function isSignedByOneOf(claim: WebhookClaim, keys: readonly KeyObject[]): boolean {
  return keys.some((key) => verify(null, claim.message, key, claim.signature));
}

/**
 * Checks a delivery against given keys. Pure.
 * @throws ColophonError bad_signature; invalid_request when what was signed is not a webhook body
 */
export function verifyFalWebhook(
  delivery: SignedDelivery & { readonly keys: readonly KeyObject[] },
): FalWebhook {
  const claim = readWebhookClaim(delivery);
  if (!isSignedByOneOf(claim, delivery.keys)) throw badSignature('no known key made this signature');
  return readWebhookBody(claim, delivery.rawBody);
}

/** To be called only after the signature has been checked. */
export function readWebhookBody(claim: WebhookClaim, rawBody: Uint8Array): FalWebhook {
  const body = Body.safeParse(parseJson(rawBody));
  if (!body.success) throw new ColophonError('invalid_request', 'the webhook body has an unknown form');
  if (body.data.request_id !== claim.requestId) throw badSignature('header and body name different requests');
  return { requestId: claim.requestId, status: body.data.status, payload: body.data.payload };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
