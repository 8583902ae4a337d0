import { OutboundError } from '../../../outbound/outbound-error.js';
import { ColophonError } from '../../../shared/errors.js';
import { type FailedStep, type NotAccepted, OutcomeUnknownError } from '../../domain/provider.port.js';
import { UnreadableAnswerError, VendorHttpError } from './send-one.js';

/**
 * Statuses with which a server says "I did not do it". Everything else leaves it open: 5xx may come from a gateway
 * in front of the server that accepted, 408 and 425 are about the connection, 409 says that something exists.
 * 429 is a refusal: a limit was exceeded, and the request was not taken.
 */
const DEFINITE_REFUSALS = new Set([
  400, 401, 402, 403, 404, 405, 406, 410, 413, 414, 415, 422, 429, 431, 451,
]);

export function isDefiniteRefusal(status: number): boolean {
  return DEFINITE_REFUSALS.has(status);
}

export function failed(code: FailedStep['code'], reason: string): FailedStep {
  return { kind: 'failed', code, reason: reason.slice(0, 500) };
}

/** Reads the kind of an error from a vendor's answer: a word, never its text, which may repeat the prompt or a token. */
export type ErrorKind = (body: unknown) => string | undefined;

export function refusal(what: string, error: VendorHttpError, kindOf: ErrorKind): FailedStep {
  const kind = kindOf(error.body);
  const code = error.status === 504 ? 'upstream_timeout' : 'upstream_error';
  const reason = `${error.vendor} ${what} with status ${error.status}${kind === undefined ? '' : ` (${kind})`}`;
  return aboutContent(failed(code, reason), kind);
}

const CONTENT_WORDS = ['moderation_blocked', 'content_policy_violation'];

/** Says of a failure that it is about content, where its kind does: a word, or a word "at" the path of an input. */
export function aboutContent(failure: FailedStep, kind: string | undefined): FailedStep {
  const [word = '', at] = kind?.split(' at ') ?? [];
  if (!CONTENT_WORDS.includes(word)) return failure;
  return { ...failure, contentRefusal: { word, ...(at === undefined ? {} : { at }) } };
}

/**
 * What a failed submit means for the money.
 * @throws OutcomeUnknownError unless it is certain that the vendor did not take the request
 */
export function submitFailure(vendor: string, error: unknown, kindOf: ErrorKind): FailedStep {
  if (error instanceof VendorHttpError && isDefiniteRefusal(error.status))
    return withReason(
      refusal('refused the request', error, kindOf),
      error.status === 429 ? 'rate_limited' : undefined,
    );
  if (error instanceof OutboundError && !error.mayHaveBeenSent) return notSent(error);
  throw new OutcomeUnknownError(`${vendor} may or may not have accepted the request`, { cause: error });
}

function notSent(error: OutboundError): FailedStep {
  const code = error.code === 'upstream_timeout' ? 'upstream_timeout' : 'upstream_error';
  // An address that is not allowed stays so.
  const notAccepted = error.code === 'url_blocked' ? undefined : 'not_sent';
  return withReason(failed(code, `the request was not sent: ${error.message}`), notAccepted);
}

function withReason(failure: FailedStep, notAccepted: NotAccepted | undefined): FailedStep {
  return notAccepted === undefined ? failure : { ...failure, notAccepted };
}

/** Of a request on the way to the model: 429 is a limit, 5xx a failure before the model was asked for. */
function beforeTheModel({ status }: VendorHttpError): NotAccepted | undefined {
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'unavailable' : undefined;
}

/** Handing over an input costs nothing and the model has not been called: always definite. */
export function uploadFailure(error: unknown, kindOf: ErrorKind): FailedStep {
  if (error instanceof VendorHttpError)
    return withReason(refusal('refused an input file', error, kindOf), beforeTheModel(error));
  if (error instanceof UnreadableAnswerError) return failed('upstream_invalid', error.message);
  if (error instanceof OutboundError) {
    const code = error.code === 'url_blocked' ? 'upstream_invalid' : error.code;
    const notAccepted = error.code === 'url_blocked' ? undefined : 'unavailable';
    return withReason(
      failed(code as FailedStep['code'], `an input file could not be uploaded: ${error.message}`),
      notAccepted,
    );
  }
  return failed('upstream_error', 'an input file could not be read');
}

/** Polling costs nothing: whatever went wrong, the worker asks again later. */
export function askAgain(vendor: string, error: unknown): ColophonError {
  if (error instanceof ColophonError) return error;
  if (error instanceof VendorHttpError)
    return new ColophonError('upstream_error', error.message, { cause: error });
  return new ColophonError('upstream_invalid', `${vendor} gave an answer that cannot be read`, {
    cause: error,
  });
}
