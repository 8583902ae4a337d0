import { OutboundError } from '../../../outbound/outbound-error.js';
import { type FailedStep, OutcomeUnknownError } from '../../domain/provider.port.js';
import { FalHttpError, FalUnreadableAnswerError } from './fal-connection.js';
import { failed, isDefiniteRefusal, refusal } from './fal-refusal.js';

/**
 * What a failed submit means for the money.
 * @throws OutcomeUnknownError unless it is certain that fal did not take the request
 */
export function submitFailure(error: unknown): FailedStep {
  if (error instanceof FalHttpError && isDefiniteRefusal(error.status))
    return refusal('refused the request', error);
  if (error instanceof OutboundError && !error.mayHaveBeenSent) return notSent(error);
  throw new OutcomeUnknownError('fal may or may not have accepted the request', { cause: error });
}

function notSent(error: OutboundError): FailedStep {
  const code = error.code === 'upstream_timeout' ? 'upstream_timeout' : 'upstream_error';
  return failed(code, `the request was not sent: ${error.message}`);
}

/** Uploading costs nothing and the model has not been called: always definite. */
export function uploadFailure(error: unknown): FailedStep {
  if (error instanceof FalHttpError) return refusal('refused an input picture', error);
  if (error instanceof FalUnreadableAnswerError) return failed('upstream_invalid', error.message);
  if (error instanceof OutboundError) {
    const code = error.code === 'url_blocked' ? 'upstream_invalid' : error.code;
    return failed(code as FailedStep['code'], `an input picture could not be uploaded: ${error.message}`);
  }
  return failed('upstream_error', 'an input picture could not be read');
}
