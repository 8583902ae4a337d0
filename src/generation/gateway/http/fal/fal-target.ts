import { ColophonError } from '../../../../shared/errors.js';

/** The three hosts of fal that a client addresses; each is a folder here. */
export type FalHost = 'run' | 'queue' | 'rest';

/** What a client wants of fal. Whatever is not among these is refused. */
export type FalTarget =
  | { readonly kind: 'run' | 'submit'; readonly model: string; readonly webhookUrl: string | undefined }
  | ({ readonly kind: 'status' | 'stream-status'; readonly logs: boolean } & FalJobTarget)
  | ({ readonly kind: 'result' | 'cancel' } & FalJobTarget)
  | { readonly kind: 'initiate-upload'; readonly inParts: boolean };

export interface FalJobTarget {
  /** Owner and app: clients drop the rest of a model's name when they ask for its jobs. */
  readonly app: string;
  /** Of our own run (UUID). */
  readonly requestId: string;
}

/** A path below one of the hosts, with its query. */
export interface FalAddress {
  readonly host: FalHost;
  /** Without a leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

const PART = '[A-Za-z0-9](?:[A-Za-z0-9_-]|\\.(?!\\.)){0,63}';
const MODEL = new RegExp(`^${PART}(?:/${PART}){1,5}$`);
const JOB = new RegExp(
  `^(${PART}/${PART})(?:/${PART}){0,4}/requests/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/status|/status/stream|/cancel|/response)?$`,
);
/** They run several models behind one name. */
const COMPOSED = /^(?:workflows|comfy)\//;

const HOSTS: Readonly<Record<string, FalHost>> = {
  'https://fal.run': 'run',
  'https://queue.fal.run': 'queue',
  'https://rest.fal.ai': 'rest',
  'https://rest.alpha.fal.ai': 'rest',
};

/**
 * The header `x-fal-target-url` of fal's proxy protocol. The address is read, never fetched: only hosts of fal, only
 * https, without port and credentials.
 * @throws ColophonError `gateway_unsupported`
 */
export function readTargetUrl(header: string | string[] | undefined): FalAddress {
  const text = typeof header === 'string' && header.length <= 4096 ? header : '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url === undefined ? undefined : HOSTS[url.origin];
  if (url === undefined || host === undefined || url.username !== '' || url.password !== '')
    throw refused(
      'The header x-fal-target-url must hold an https address of fal.run, queue.fal.run or rest.fal.ai',
    );
  return { host, path: url.pathname.slice(1), query: url.searchParams };
}

/**
 * What an address asks for.
 * @throws ColophonError `gateway_unsupported` with the reason, `not_found`
 */
export function readFalTarget(method: string, { host, path, query }: FalAddress): FalTarget {
  const cut = path.replace(/\/$/, '');
  if (host === 'rest') return restTarget(method, cut);
  if (COMPOSED.test(cut))
    throw refused(
      'Workflows run several models behind one name, so they are not passed on. POST /v1/pipelines/import takes one apart into steps that are cleared one by one',
    );
  const job = host === 'queue' ? JOB.exec(cut) : null;
  if (job) return jobTarget(method, job, query);
  if (method !== 'POST')
    throw refused(
      'A job is submitted with POST: what stands in an address is written down by every proxy on the way',
    );
  if (/\/stream$/.test(cut))
    throw refused(
      'fal.stream gives out pictures piece by piece, before they are signed. Use subscribe: it tells the progress',
    );
  if (/\/realtime$/.test(cut)) throw refused(REALTIME);
  if (!MODEL.test(cut)) throw unknownAddress();
  const webhooks = query.getAll('fal_webhook');
  if (webhooks.length > 1 || [...query.keys()].some((name) => name !== 'fal_webhook'))
    throw refused('The address of a job takes fal_webhook, once, and nothing else');
  if (host === 'run' && webhooks.length > 0) throw refused('fal_webhook is for jobs of the queue');
  return { kind: host === 'run' ? 'run' : 'submit', model: cut, webhookUrl: webhooks[0] };
}

const REALTIME =
  'Realtime connections lead to fal itself, past the record, so no token is given out for them';

function restTarget(method: string, path: string): FalTarget {
  if (method === 'POST' && path === 'storage/upload/initiate')
    return { kind: 'initiate-upload', inParts: false };
  if (method === 'POST' && path === 'storage/upload/initiate-multipart')
    return { kind: 'initiate-upload', inParts: true };
  if (path === 'storage/auth/token')
    throw refused(
      "No token for fal's file store is given out: files are sent to this service (storage/upload/initiate)",
    );
  if (path === 'tokens') throw refused(REALTIME);
  throw unknownAddress();
}

function jobTarget(
  method: string,
  [, app = '', requestId = '', what]: RegExpExecArray,
  query: URLSearchParams,
): FalTarget {
  const job = { app, requestId };
  if (what === '/cancel') {
    if (method === 'PUT') return { kind: 'cancel', ...job };
    throw unknownAddress();
  }
  if (method !== 'GET') throw unknownAddress();
  const logs = ['1', 'true'].includes(query.get('logs') ?? '');
  if (what === '/status') return { kind: 'status', ...job, logs };
  if (what === '/status/stream') return { kind: 'stream-status', ...job, logs };
  return { kind: 'result', ...job };
}

function refused(reason: string): ColophonError {
  return new ColophonError('gateway_unsupported', `${reason}.`);
}

function unknownAddress(): ColophonError {
  return new ColophonError(
    'not_served',
    'The gateway does not pass this on. Served here: run/<model>, queue/<model> and its requests, rest/storage/upload/initiate and initiate-multipart.',
  );
}
