import { guardedFetch, type OutboundPolicy } from '../../outbound/guarded-fetch.js';
import { OutboundError } from '../../outbound/outbound-error.js';
import { type Attempt } from '../domain/delivery-schedule.js';

const DEADLINE_MS = 15_000;
/** What the other side answers is not read; this much may come before the connection is closed. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** One attempt to tell somebody something. Nothing of what the other side says is kept but the status. */
export async function postWebhook(
  outbound: OutboundPolicy,
  message: {
    readonly url: string;
    readonly body: string | Uint8Array;
    readonly headers: Readonly<Record<string, string>>;
  },
): Promise<Attempt> {
  try {
    const response = await guardedFetch({
      ...outbound,
      url: message.url,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...message.headers },
      body: message.body,
      maxResponseBytes: MAX_ANSWER_BYTES,
      deadlineMs: DEADLINE_MS,
    });
    response.discard();
    return { status: response.status };
  } catch (error) {
    if (error instanceof OutboundError) return { error: error.code };
    throw error;
  }
}
