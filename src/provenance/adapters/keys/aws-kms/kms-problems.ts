import { isColophonError } from '../../../../shared/errors.js';
import { signerUnavailable } from '../signer-unavailable.js';

/** Errors of the service by name, with what the operator can do. */
const PROBLEMS: Readonly<Record<string, string>> = {
  DisabledException: 'The key in AWS KMS is disabled. Enable it, or activate another key (colophon keys).',
  KMSInvalidStateException:
    'The key in AWS KMS is pending deletion or has no key material. Cancel the deletion, or activate another key.',
  NotFoundException: 'There is no such key in this AWS account and region. Check the address of the key.',
  AccessDeniedException: 'AWS KMS refuses. Allow kms:Sign and kms:GetPublicKey on this key to this service.',
  InvalidKeyUsageException:
    'The key in AWS KMS does not sign with this algorithm. Make one with usage SIGN_VERIFY.',
  KeyUnavailableException: 'The key in AWS KMS is not available at the moment. Try again.',
  ThrottlingException: 'AWS KMS throttles. Wait, or raise the quota of this account.',
  LimitExceededException: 'AWS KMS throttles. Wait, or raise the quota of this account.',
  CredentialsProviderError:
    'There are no AWS credentials here. Give this service a role that may use the key.',
  ExpiredTokenException: 'The AWS credentials of this service have expired. Renew them.',
  UnrecognizedClientException: 'AWS does not know the credentials of this service. Renew them.',
  InvalidSignatureException: 'AWS refuses the signature of the request. Check credentials and clock.',
};

const PASSING: readonly string[] = [
  'ThrottlingException',
  'LimitExceededException',
  'KeyUnavailableException',
  'DependencyTimeoutException',
  'KMSInternalException',
];

export function isPassingKmsError(error: unknown): boolean {
  return PASSING.includes(nameOf(error)) || statusOf(error) >= 500 || isLostConnection(error);
}

/** A refused address, or an answer that is too large, stays so. */
function isLostConnection(error: unknown): boolean {
  return isColophonError(error, 'upstream_error') || isColophonError(error, 'upstream_timeout');
}

/** What is thrown for whatever the client threw. */
export function kmsProblem(error: unknown): Error {
  if (isColophonError(error, 'signer_unavailable')) return error;
  const known = PROBLEMS[nameOf(error)];
  if (known !== undefined) return signerUnavailable(known, error);
  if (isLostConnection(error) || statusOf(error) >= 500 || nameOf(error) === 'TimeoutError')
    return signerUnavailable(
      'AWS KMS does not answer. What waits for a signature is held until it does.',
      error,
    );
  return signerUnavailable('AWS KMS cannot be used. The output of the service tells why.', error);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number {
  const metadata = (error as { $metadata?: { httpStatusCode?: unknown } } | null)?.$metadata;
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : 0;
}
