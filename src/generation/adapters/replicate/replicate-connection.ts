import Replicate from 'replicate';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { type CallLimits, sendOne, type VendorAnswer } from '../vendor/send-one.js';

/** How Replicate is reached and in whose name. */
export interface ReplicateConnection {
  readonly token: string;
  readonly outbound: OutboundPolicy;
  /** Another origin that speaks Replicate's protocol, with `/v1`. */
  readonly baseUrl?: string;
}

/** One request; the client's own repetitions (POST too, after a transport error) do not get through. */
export function askReplicate(
  { token, outbound, baseUrl }: ReplicateConnection,
  limits: CallLimits,
  send: (client: Replicate) => Promise<unknown>,
): Promise<VendorAnswer> {
  return sendOne('replicate', outbound, limits, (fetchOnce) =>
    send(
      new Replicate({
        auth: token,
        fetch: fetchOnce,
        useFileOutput: false,
        ...(baseUrl === undefined ? {} : { baseUrl }),
      }),
    ),
  );
}
