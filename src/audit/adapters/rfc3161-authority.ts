import { randomBytes } from 'node:crypto';
import { Integer, OctetString } from 'asn1js';
import { AlgorithmIdentifier, MessageImprint, TimeStampReq, TimeStampResp } from 'pkijs';
import { guardedFetch, type OutboundPolicy } from '../../outbound/guarded-fetch.js';
import { OutboundError } from '../../outbound/outbound-error.js';
import { readBody } from '../../outbound/response-limits.js';
import { sha256 } from '../../shared/bytes.js';
import { type Clock } from '../../shared/clock.js';
import { type TimeStampAnswer, type TimeStampAuthority } from '../application/time-stamp-authority.port.js';
import { TlogError } from '../core/tlog-error.js';
import { childrenOf, decodeAsn1, owned, parseCertificatesPem } from '../verify/pki.js';
import { type TimeStampTrust, verifyTimeStampToken } from '../verify/time-stamp-token.js';

const DEADLINE_MS = 10_000;
const MAX_RESPONSE_BYTES = 65_536;
/** A token whose time is further from ours than this is of no use: one of the two clocks is wrong. */
const MAX_CLOCK_DIFFERENCE_MS = 600_000;
/** RFC 3161 section 2.4.1 asks for "a high probability" of being new; 64 bits is what authorities accept. */
const NONCE_BYTES = 8;
const SHA_256 = '2.16.840.1.101.3.4.2.1';
/** PKIStatus values that come with a token: granted, grantedWithMods. */
const GRANTED: readonly number[] = [0, 1];

export interface Rfc3161Settings {
  /** Address for requests over HTTP (RFC 3161 section 3.4). */
  readonly url: string;
  readonly trust: TimeStampTrust;
  readonly clock: Clock;
  /** Name under which tokens are stored; default the host of the address. */
  readonly name?: string;
  readonly outbound?: OutboundPolicy;
  readonly deadlineMs?: number;
}

/** An authority at an HTTP address. What it answers is verified before anybody sees it. */
export class Rfc3161Authority implements TimeStampAuthority {
  readonly name: string;

  /** @throws TlogError when the roots cannot be read: better at start than at the first time-stamp. */
  constructor(private readonly settings: Rfc3161Settings) {
    parseCertificatesPem(settings.trust.rootsPem);
    if (settings.trust.intermediatesPem !== undefined) parseCertificatesPem(settings.trust.intermediatesPem);
    this.name = settings.name ?? new URL(settings.url).host;
  }

  async stamp(message: Uint8Array): Promise<TimeStampAnswer> {
    const nonce = randomBytes(NONCE_BYTES).readBigUInt64BE();
    const answer = await this.exchange(encodeRequest(message, nonce));
    if (!Buffer.isBuffer(answer)) return answer;
    const response = readResponse(answer);
    return response instanceof Uint8Array ? this.verify(response, message, nonce) : response;
  }

  private async exchange(body: Uint8Array): Promise<Buffer | TimeStampAnswer> {
    try {
      const response = await guardedFetch({
        ...this.settings.outbound,
        url: this.settings.url,
        method: 'POST',
        headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
        body,
        maxResponseBytes: MAX_RESPONSE_BYTES,
        deadlineMs: this.settings.deadlineMs ?? DEADLINE_MS,
      });
      if (response.status !== 200) {
        response.discard();
        return {
          outcome: 'unavailable',
          reason: `the authority answered with HTTP status ${response.status}`,
        };
      }
      return await readBody(response.body);
    } catch (error) {
      if (error instanceof OutboundError) return { outcome: 'unavailable', reason: error.message };
      throw error;
    }
  }

  private async verify(token: Uint8Array, message: Uint8Array, nonce: bigint): Promise<TimeStampAnswer> {
    const result = await verifyTimeStampToken({ token, message, nonce, trust: this.settings.trust });
    if (!result.valid) {
      const faults = result.statuses.filter(({ outcome }) => outcome === 'failed');
      return { outcome: 'invalid', reason: faults.map(({ text }) => text).join(' ') };
    }
    const { genTime } = result.stamp;
    const differenceMs = Math.abs(genTime.getTime() - this.settings.clock.now().getTime());
    if (differenceMs > MAX_CLOCK_DIFFERENCE_MS) {
      const reason = `The time ${genTime.toISOString()} of the token is more than 10 minutes from our clock.`;
      return { outcome: 'invalid', reason };
    }
    return { outcome: 'stamped', token, genTime };
  }
}

/** TimeStampReq { version 1, SHA-256 imprint, nonce, certReq TRUE }. */
function encodeRequest(message: Uint8Array, nonce: bigint): Uint8Array {
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA_256 }),
      hashedMessage: new OctetString({ valueHex: owned(sha256(message)) }),
    }),
    nonce: Integer.fromBigInt(nonce),
    certReq: true,
  });
  return new Uint8Array(request.toSchema().toBER());
}

/** The token of a granted response, as the bytes that came; or what the answer means instead. */
function readResponse(body: Uint8Array): Uint8Array | TimeStampAnswer {
  try {
    const response = new TimeStampResp({ schema: decodeAsn1(body, 'the answer') });
    const { status, failInfo } = response.status;
    if (!GRANTED.includes(status)) {
      const named = failInfo === undefined ? [] : failureNames(failInfo.valueBlock.valueHexView);
      const why = named.length === 0 ? '' : ` (${named.join(', ')})`;
      return { outcome: 'refused', reason: `The authority refused with status ${status}${why}.` };
    }
    if (!response.timeStampToken) {
      return { outcome: 'invalid', reason: 'The authority granted the request without a token.' };
    }
    return tokenBytes(body);
  } catch (error) {
    const detail = error instanceof TlogError ? `: ${error.message}` : '';
    return { outcome: 'invalid', reason: `The answer is no time-stamp response${detail}.` };
  }
}

/** PKIFailureInfo of RFC 3161 section 2.4.2, by bit number counted from the first. */
const FAILURES: ReadonlyMap<number, string> = new Map([
  [0, 'unknown algorithm'],
  [2, 'request not permitted or supported'],
  [5, 'request malformed'],
  [14, 'its time source is not available'],
  [15, 'policy not supported'],
  [16, 'extension not supported'],
  [17, 'additional information not available'],
  [25, 'system failure'],
]);

function failureNames(bits: Uint8Array): string[] {
  return [...FAILURES]
    .filter(([number]) => (((bits[number >> 3] ?? 0) >> (7 - (number & 7))) & 1) === 1)
    .map(([, name]) => name);
}

/** TimeStampResp { status, timeStampToken }: the second member, not re-encoded. */
function tokenBytes(body: Uint8Array): Uint8Array {
  const token = childrenOf(decodeAsn1(body, 'the answer'))[1];
  if (token === undefined) throw new TlogError('malformed', 'the answer has no token');
  return owned(token.valueBeforeDecodeView);
}
