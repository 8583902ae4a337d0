import { GoogleGenAI } from '@google/genai';
import { z } from 'zod';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { type CallLimits, sendOne, type VendorAnswer } from '../vendor/send-one.js';

/** How the Gemini API is reached and in whose name. */
export interface GoogleConnection {
  readonly apiKey: string;
  readonly outbound: OutboundPolicy;
  /** Another origin that speaks its protocol, without a version. */
  readonly baseUrl?: string;
}

const BASE_URL = 'https://generativelanguage.googleapis.com';

export function baseUrlOf({ baseUrl = BASE_URL }: GoogleConnection): string {
  return baseUrl.replace(/\/+$/, '');
}

/** One request through the official client, told everything that it would else read from the environment. */
export function askGoogle(
  connection: GoogleConnection,
  limits: CallLimits,
  send: (client: GoogleGenAI) => Promise<unknown>,
): Promise<VendorAnswer> {
  return sendOne('google', connection.outbound, limits, (fetchOnce) =>
    send(
      new GoogleGenAI({
        apiKey: connection.apiKey,
        vertexai: false,
        httpOptions: {
          baseUrl: baseUrlOf(connection),
          fetch: fetchOnce,
          retryOptions: { attempts: 1 },
        },
      }),
    ),
  );
}

/** The status word of an error, e.g. `INVALID_ARGUMENT`; never its message. */
export function googleErrorKind(body: unknown): string | undefined {
  const word = z.object({ error: z.object({ status: z.string().regex(/^[A-Z_]{1,64}$/) }) });
  const parsed = word.safeParse(body);
  return parsed.success ? parsed.data.error.status : undefined;
}
