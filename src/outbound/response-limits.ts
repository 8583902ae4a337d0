import { OutboundError } from './outbound-error.js';

function invalid(detail: string): OutboundError {
  return new OutboundError('upstream_invalid', detail, { mayHaveBeenSent: true });
}

/**
 * Refuses what can be refused before the first byte of the body.
 * @throws OutboundError url_blocked for a redirect, upstream_invalid for an announced size or an encoding
 */
export function checkResponseHead(status: number, headers: Headers, maxResponseBytes: number): void {
  if (status >= 300 && status < 400 && status !== 304) {
    // Following would need the whole check again for an address chosen by somebody else.
    throw new OutboundError('url_blocked', 'the address redirects, and redirects are not followed', {
      mayHaveBeenSent: true,
    });
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw invalid('the answer is compressed although that was not asked for');
  }
  const announced = headers.get('content-length');
  if (announced !== null && Number(announced) > maxResponseBytes) throw tooLarge(maxResponseBytes);
}

export function tooLarge(maxResponseBytes: number): OutboundError {
  return invalid(`the answer is larger than ${maxResponseBytes} bytes`);
}

export interface BodyLimits {
  readonly maxBytes: number;
  readonly toError: (error: unknown) => unknown;
  /** Whether the connection failed: without an announced length the parser takes that for the end of the body. */
  readonly wasCut: () => boolean;
  /** Called exactly once, however the reading ends. */
  readonly close: () => void;
}

/**
 * Passes the body through while counting it. A body that ends before the announced length arrives as an error of
 * the source, because the HTTP parser still expects bytes when the connection closes.
 */
export async function* limitBody(
  source: AsyncIterable<Uint8Array>,
  limits: BodyLimits,
): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0;
  try {
    for await (const chunk of source) {
      receivedBytes += chunk.byteLength;
      if (receivedBytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
      yield chunk;
    }
    if (limits.wasCut()) throw new Error('the connection failed');
  } catch (error) {
    throw limits.toError(error);
  } finally {
    limits.close();
  }
}

/** Reads a whole body into memory; the limit of the request bounds it. */
export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
