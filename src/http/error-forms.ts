import { ColophonError, type ErrorCode } from '../shared/errors.js';
import { type Problem } from './problem.filter.js';

/** An error in the form that the SDK at the other end reads. */
export interface FormedError {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** How errors look at one root of the gateway. Ours is inside of it whole, for whoever wants more than the message. */
interface ErrorForm {
  readonly root: string;
  /** What is served there, for whoever asks for something else. */
  readonly serves: string;
  readonly form: (problem: Problem) => FormedError;
}

/** Nothing was accepted, and the same request may be welcome in a moment. Everything else an SDK must not repeat. */
const PASSING: readonly ErrorCode[] = [
  'rate_limited',
  'idempotency_in_flight',
  'audit_unavailable',
  'signer_unavailable',
  'time_stamp_unavailable',
  'storage_unavailable',
];

const FORMS: readonly ErrorForm[] = [
  {
    root: '/gateway/openai/',
    serves: 'POST images/generations, POST images/edits, GET models and GET models/{model} below /v1',
    form: openAiError,
  },
  {
    root: '/gateway/gemini/',
    serves:
      'POST models/{model}:generateContent and :streamGenerateContent, GET models and GET models/{model} below /v1 and /v1beta',
    form: geminiError,
  },
];

/** `undefined` where errors are problem+json. */
export function errorFormOf(url: string): ErrorForm | undefined {
  return FORMS.find(({ root }) => url.startsWith(root));
}

/** The gateway passes on what it knows and nothing else: what would go round it has no address. */
export function notServed({ serves }: ErrorForm): ColophonError {
  return new ColophonError('not_found', `The gateway does not pass this on. Served here: ${serves}.`);
}

/** A stack trace shows the message and nothing else, so it says what to do as well. */
function messageOf({ detail, howToFix }: Problem): string {
  return `${detail} ${howToFix}`;
}

const OPENAI_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** `{"error":{"message","type","param","code"}}`; the SDK obeys `x-should-retry` before it looks at the status. */
function openAiError(problem: Problem): FormedError {
  const type =
    OPENAI_TYPES[problem.status] ?? (problem.status >= 500 ? 'server_error' : 'invalid_request_error');
  const mayRepeat = PASSING.includes(problem.code) && problem.runId === undefined;
  return {
    headers: mayRepeat ? {} : { 'x-should-retry': 'false' },
    body: {
      error: {
        message: messageOf(problem),
        type,
        param: parameterOf(problem),
        code: problem.code,
        colophon: problem,
      },
    },
  };
}

function parameterOf({ errors }: Problem): string | null {
  const [first] = (Array.isArray(errors) ? errors : []) as { path?: string }[];
  return first?.path ?? null;
}

const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  409: 'ABORTED',
  422: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

/** `{"error":{"code","message","status","details"}}` (google.rpc.Status); `reason` is our code. */
function geminiError(problem: Problem): FormedError {
  const { status: code, code: reason } = problem;
  const status = GOOGLE_STATUS[code] ?? (code >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT');
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'colophon' };
  const details = [info, { '@type': 'urn:colophon:problem', ...problem }];
  return { headers: {}, body: { error: { code, message: messageOf(problem), status, details } } };
}
