import { type ContentRefusal, placeOfContent } from '../generation/domain/content-refusal.js';
import { ColophonError, type ErrorCode } from '../shared/errors.js';
import { parsePublicId } from '../shared/ids.js';
import { type Problem } from './problem.filter.js';

/** An error in the form that the SDK at the other end reads. */
export interface FormedError {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** In place of ours, where the vendor has another one for the same thing. Never one that an SDK repeats. */
  readonly status?: number;
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
  {
    root: '/gateway/fal/',
    serves:
      'POST run/<model>, POST queue/<model>, GET queue/<owner>/<app>/requests/<id>, .../status and .../status/stream, PUT .../cancel, POST rest/storage/upload/initiate, and proxy',
    form: falError,
  },
  {
    root: '/gateway/replicate/',
    serves:
      'POST predictions, models/{owner}/{name}/predictions, deployments/{owner}/{name}/predictions, predictions/{id}/cancel and files; GET predictions, predictions/{id}, files/{id} and webhooks/default/secret; DELETE files/{id}; below /v1',
    form: replicateError,
  },
];

/** `undefined` where errors are problem+json. */
export function errorFormOf(url: string): ErrorForm | undefined {
  return FORMS.find(({ root }) => url.startsWith(root));
}

/** The gateway passes on what it knows and nothing else: what would go round it has no address. */
export function notServed({ serves }: ErrorForm): ColophonError {
  return new ColophonError('not_served', `The gateway does not pass this on. Served here: ${serves}.`);
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

/** The vendor's own word, and what it is about, where a vendor refused what was asked for or made for its content. */
function contentRefusalOf({ contentRefusal }: Problem): ContentRefusal | undefined {
  return contentRefusal as ContentRefusal | undefined;
}

/** `{"error":{"message","type","param","code"}}`; the SDK obeys `x-should-retry` before it looks at the status. */
function openAiError(problem: Problem): FormedError {
  const refused = contentRefusalOf(problem) !== undefined;
  const usual =
    OPENAI_TYPES[problem.status] ?? (problem.status >= 500 ? 'server_error' : 'invalid_request_error');
  const mayRepeat = PASSING.includes(problem.code) && problem.runId === undefined;
  return {
    ...(refused ? { status: 400 } : {}),
    headers: mayRepeat ? {} : { 'x-should-retry': 'false' },
    body: {
      error: {
        message: messageOf(problem),
        // As OpenAI itself refuses content, which is what programs look for.
        type: refused ? 'image_generation_user_error' : usual,
        param: parameterOf(problem),
        code: refused ? 'moderation_blocked' : problem.code,
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

interface FieldProblem {
  readonly path?: string;
  readonly message?: string;
}

function fieldsOf({ errors }: Problem): readonly FieldProblem[] {
  return Array.isArray(errors) ? (errors as FieldProblem[]) : [];
}

/**
 * fal says what is wrong with an input as a list (`ValidationError.fieldErrors`), with 422, and everything else in a word.
 * Its clients show `message` and nothing else; they repeat 429, 502, 503 and 504.
 */
function falError(problem: Problem): FormedError {
  const { detail } = problem;
  const refused = contentRefusalOf(problem);
  const code = refused?.word ?? problem.code;
  const status = code === 'invalid_request' || code === 'invalid_json' ? 422 : problem.status;
  const message = messageOf(problem);
  const fields = fieldsOf(problem);
  const places = fields.length === 0 ? [{ path: '', message: detail }] : fields;
  const list = places.map(({ path = '', message: text = detail }) => ({
    loc: refused ? placeOfContent(refused) : ['body', ...piecesOf(path)],
    msg: fields.length === 0 ? message : text,
    type: code,
  }));
  const runId = typeof problem.runId === 'string' ? parsePublicId('run', problem.runId) : undefined;
  return {
    status,
    headers: {
      'x-fal-error-type': code,
      ...(runId === undefined ? {} : { 'x-fal-request-id': runId }),
    },
    body: { detail: status === 422 ? list : message, message, error_type: code, colophon: problem },
  };
}

/** As FastAPI, which fal runs on, names a place: members by their names, items of a list by their positions. */
function piecesOf(path: string): (string | number)[] {
  return path === '' ? [] : path.split('.').map((piece) => (/^\d+$/.test(piece) ? Number(piece) : piece));
}

/** `{"title","detail","status"}`; Replicate's clients show the whole body, and repeat 429, and 5xx of readings. */
function replicateError(problem: Problem): FormedError {
  const { code, title } = problem;
  const status = code === 'invalid_request' || code === 'invalid_json' ? 422 : problem.status;
  const fields = fieldsOf(problem).map(({ path = '', message = '' }) => ({
    field: path,
    description: message,
  }));
  return {
    status,
    headers: {},
    body: {
      title,
      detail: messageOf(problem),
      status,
      ...(fields.length === 0 ? {} : { invalid_fields: fields }),
      colophon: problem,
    },
  };
}
