import { type FastifyReply, type FastifyRequest } from 'fastify';
import { workHeaders } from '../../../http/problem.filter.js';
import { isColophonError } from '../../../shared/errors.js';
import { publicId } from '../../../shared/ids.js';
import { type GatewayJobs, type JobOwner } from '../application/gateway-jobs.js';
import { type TakeCall } from '../application/take-call.js';
import { type CallIdentity, type GatewayCall } from '../domain/gateway-call.js';
import { type GatewayJob, type JobRequest } from '../domain/gateway-job.js';
import { type HandOver, named } from './hand-over.js';

/** Who waits at the other end, and whose jobs are meant. */
export interface JobCaller {
  readonly owner: JobOwner;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface SubmittedJob {
  readonly call: GatewayCall;
  readonly identity: CallIdentity;
  readonly request: JobRequest;
  /** How long the client wants to wait for the end before it is given an answer; 0: not at all. */
  readonly waitMs: number;
  /** Parameters and headers that were taken and not passed on, named in a header. */
  readonly ignored: readonly string[];
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers a call that submits a job. The job is there before the answer leaves, and the same call finds the same job
 * until the answer has reached its client, whichever process it reaches.
 */
export class JobAnswers {
  constructor(
    private readonly takeCall: TakeCall,
    private readonly jobs: GatewayJobs,
    private readonly handOver: HandOver,
  ) {}

  /**
   * @param answer what the client is told of the job as it stands then; may refuse by throwing
   * @throws ColophonError for every refusal; from the acceptance on it names the run
   */
  async submit(
    { owner, request: http, reply }: JobCaller,
    submitted: SubmittedJob,
    answer: (job: GatewayJob) => JsonAnswer,
  ): Promise<void> {
    const { principal } = owner;
    const { call, identity, request, waitMs, ignored } = submitted;
    await this.handOver.kept(http);
    const requested = await this.takeCall.take(principal, call, identity, (tx, run) =>
      this.jobs.keep(tx, run, request),
    );
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    if (reply.raw.destroyed) gone.abort();
    try {
      const job = await this.jobs.settled(owner, requested.runId, { waitMs, signal: gone.signal });
      if (gone.signal.aborted) return;
      const told = answer(job);
      this.handOver.watch(principal.organizationId, requested, reply);
      await this.handOver.begin(principal.organizationId, requested);
      await sendJson(reply, told, {
        ...headersOf(job),
        ...(ignored.length === 0 ? {} : { 'x-colophon-ignored': ignored.join(',') }),
      });
    } catch (error) {
      if (gone.signal.aborted) return;
      // A definite failure is an answer: after it the same call is a new one. What is open stays open.
      if (isColophonError(error, 'generation_failed')) {
        this.handOver.watch(principal.organizationId, requested, reply);
        await this.handOver.begin(principal.organizationId, requested);
      }
      throw named(requested, error);
    }
  }
}

export async function sendJson(
  reply: FastifyReply,
  { status, body, headers = {} }: JsonAnswer,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await reply
    .status(status)
    .headers({ 'cache-control': 'private, no-store', ...headers, ...more })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body));
}

/** Which run, decision and files an answer about a job is about. */
export function headersOf({ run, assets }: GatewayJob): Record<string, string> {
  return workHeaders({
    runId: publicId('run', run.id),
    clearanceId: publicId('clearance', run.clearanceId),
    assetIds: assets.map(({ id }) => publicId('asset', id)),
  });
}
