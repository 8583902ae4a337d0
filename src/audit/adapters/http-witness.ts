import { sha256Hex } from '../../shared/bytes.js';
import { guardedFetch, type OutboundPolicy, type OutboundResponse } from '../../outbound/guarded-fetch.js';
import { OutboundError } from '../../outbound/outbound-error.js';
import { readBody } from '../../outbound/response-limits.js';
import {
  type ConnectWitness,
  type ShownCheckpoint,
  type Witness,
  type WitnessAnswer,
} from '../application/witness.port.js';
import {
  type AddCheckpointRequest,
  formatAddCheckpoint,
  MAX_COSIGNATURE_ANSWER_BYTES,
  parseCosignatureAnswer,
  parseTreeSizeAnswer,
  TREE_SIZE_CONTENT_TYPE,
} from '../core/add-checkpoint.js';
import { TlogError } from '../core/tlog-error.js';

export interface HttpWitnessOptions extends OutboundPolicy {
  /** For one submission, from resolving the name to the last byte of the answer. Default 5 s. */
  readonly submissionDeadlineMs?: number;
  /** For reading the last checkpoint back. Default 3 s. */
  readonly monitoringDeadlineMs?: number;
}

const DEFAULT_SUBMISSION_DEADLINE_MS = 5_000;
const DEFAULT_MONITORING_DEADLINE_MS = 3_000;
/** A checkpoint with cosignatures. */
const MAX_CHECKPOINT_ANSWER_BYTES = 131_072;

/** Makes clients for the witnesses of a policy. One without an address is never available. */
export function connectByHttp(options: HttpWitnessOptions = {}): ConnectWitness {
  return ({ url }) => new HttpWitness(url ?? '', options);
}

/** A witness that speaks C2SP tlog-witness v1.0.0. Its submission prefix serves as monitoring prefix as well. */
export class HttpWitness implements Witness {
  readonly #prefix: string;

  constructor(
    url: string,
    private readonly options: HttpWitnessOptions,
  ) {
    this.#prefix = url.replace(/\/+$/, '');
  }

  async addCheckpoint(request: AddCheckpointRequest): Promise<WitnessAnswer> {
    const body = formatAddCheckpoint(request);
    try {
      const response = await guardedFetch({
        ...this.options,
        url: `${this.#prefix}/add-checkpoint`,
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body,
        maxResponseBytes: MAX_COSIGNATURE_ANSWER_BYTES,
        deadlineMs: this.options.submissionDeadlineMs ?? DEFAULT_SUBMISSION_DEADLINE_MS,
      });
      return await readAnswer(response);
    } catch (error) {
      return { kind: 'unavailable', reason: unavailableReason(error) };
    }
  }

  async lastCheckpoint(origin: string): Promise<ShownCheckpoint> {
    try {
      const response = await guardedFetch({
        ...this.options,
        url: `${this.#prefix}/${sha256Hex(origin)}/checkpoint`,
        maxResponseBytes: MAX_CHECKPOINT_ANSWER_BYTES,
        deadlineMs: this.options.monitoringDeadlineMs ?? DEFAULT_MONITORING_DEADLINE_MS,
      });
      if (response.status === 200) return { kind: 'shown', note: await readBody(response.body) };
      response.discard();
      return { kind: 'nothing' };
    } catch (error) {
      if (error instanceof OutboundError) return { kind: 'unavailable' };
      throw error;
    }
  }
}

async function readAnswer(response: OutboundResponse): Promise<WitnessAnswer> {
  if (response.status === 200) {
    return { kind: 'cosigned', signatures: parseCosignatureAnswer(await readBody(response.body)) };
  }
  if (response.status === 409 && isTreeSize(response)) {
    return { kind: 'knows_size', size: parseTreeSizeAnswer(await readBody(response.body)) };
  }
  response.discard();
  if (response.status === 422) return { kind: 'refused_history' };
  return { kind: 'unavailable', reason: refusalReason(response.status) };
}

function isTreeSize({ headers }: OutboundResponse): boolean {
  return headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() === TREE_SIZE_CONTENT_TYPE;
}

/** 400 says nothing about the history: an old size above that of the checkpoint is never sent. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'it refuses the request as malformed (status 400)',
  403: 'it does not accept the signature of this log (status 403): give it the key of the log',
  404: 'it does not know this log (status 404): register the origin and the key of the log there',
  409: 'it answers with status 409 without naming a size',
};

function refusalReason(status: number): string {
  return REFUSALS[status] ?? `it answers with status ${status}`;
}

/** Words without address; what is no fault of the other side is thrown on. */
function unavailableReason(error: unknown): string {
  if (error instanceof OutboundError) return error.message;
  if (error instanceof TlogError) return `its answer cannot be read: ${error.message}`;
  throw error;
}
