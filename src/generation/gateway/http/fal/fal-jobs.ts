import { type FastifyReply } from 'fastify';
import { askUntil } from '../../../../shared/ask-until.js';
import { ColophonError } from '../../../../shared/errors.js';
import { publicId } from '../../../../shared/ids.js';
import { type GatewayJobs, noJob } from '../../application/gateway-jobs.js';
import { type GatewayModels } from '../../application/gateway-models.js';
import { type WebhookAddresses } from '../../../../webhooks/application/webhook-address.js';
import { falAddresses, falResult, falStatus } from '../../domain/fal-job.js';
import { type GatewayJob, isOver, withoutFileBytes } from '../../domain/gateway-job.js';
import { sandboxValuesOf } from '../../domain/job-input.js';
import { identityOf, rawBodyOf } from '../call-request.js';
import { type CapabilityAddresses } from '../capability-address.js';
import { headersOf, type JobAnswers, type JobCaller, type JsonAnswer, sendJson } from '../job-answers.js';
import { type FilesOfJobs } from '../sent-files.js';
import { ignoredHeaders, readFalCall } from './fal-request.js';
import { type FalJobTarget, type FalTarget } from './fal-target.js';

type Submitting = Extract<FalTarget, { kind: 'run' | 'submit' }>;

/** As often as fal's own client asks. */
const LOOK_EVERY_MS = 500;
/** A message now and then, so that no proxy takes the connection for dead. */
const TELL_EVERY_LOOKS = 20;

/** fal's queue, and its `run`, which is the queue with somebody who waits. */
export class FalJobs {
  constructor(
    private readonly answers: JobAnswers,
    private readonly jobs: GatewayJobs,
    private readonly models: GatewayModels,
    private readonly files: FilesOfJobs,
    private readonly webhooks: WebhookAddresses,
    private readonly addresses: CapabilityAddresses,
    private readonly options: { readonly waitMs: number },
  ) {}

  async submit(caller: JobCaller, { kind, model, webhookUrl }: Submitting): Promise<void> {
    const { owner, request } = caller;
    const { input, parameters, count } = readFalCall(request.body);
    if (webhookUrl !== undefined) await this.webhooks.judge(webhookUrl);
    const operation = this.models.operationOf('fal', model, Object.keys(input.files).length > 0);
    // One proxy address stands for every model, so the model and the webhook are named beside it.
    const identity = identityOf(request, [kind, model, webhookUrl ?? '', rawBodyOf(request)]);
    const sent = (request.body ?? {}) as Record<string, unknown>;
    await this.files.with(
      owner,
      input.files,
      () => undefined,
      ({ files, assets, addresses }) =>
        this.answers.submit(
          caller,
          {
            call: {
              vendor: 'fal',
              place: owner.place,
              operation,
              model,
              parameters,
              sandboxParameters: sandboxValuesOf(parameters),
              files,
              assets,
              addresses,
              count,
            },
            identity,
            request: {
              vendor: 'fal',
              model,
              baseUrl: this.addresses.baseOf(request),
              call: {
                input: withoutFileBytes(sent),
                ...(webhookUrl === undefined ? {} : { webhookUrl }),
              },
              webhookEvents: webhookUrl === undefined ? [] : ['completed'],
            },
            waitMs: kind === 'run' ? this.options.waitMs : 0,
            ignored: ignoredHeaders(request.headers),
          },
          (job) => (kind === 'run' ? this.resultOf(caller, job) : this.accepted(caller, job)),
        ),
    );
  }

  async status(caller: JobCaller, target: FalJobTarget & { readonly logs: boolean }): Promise<void> {
    const job = await this.find(caller, target);
    const body = falStatus(job, this.addressOf(caller, job), target.logs);
    await sendJson(caller.reply, { status: isOver(job) ? 200 : 202, body, headers: requestIdOf(job) });
  }

  async result(caller: JobCaller, target: FalJobTarget): Promise<void> {
    const job = await this.find(caller, target);
    await sendJson(caller.reply, this.resultOf(caller, job), headersOf(job));
  }

  async cancel(caller: JobCaller, target: FalJobTarget): Promise<void> {
    const job = await this.find(caller, target);
    const { wasOver } = await this.jobs.cancel(caller.owner, job.run.id);
    const body = { status: wasOver ? 'ALREADY_COMPLETED' : 'CANCELLATION_REQUESTED' };
    await sendJson(caller.reply, { status: wasOver ? 400 : 202, body, headers: requestIdOf(job) });
  }

  /** Each change of the status as a message of its own, until the end. */
  async streamStatus(caller: JobCaller, target: FalJobTarget & { readonly logs: boolean }): Promise<void> {
    const { raw } = caller.reply;
    let job = await this.find(caller, target);
    startStream(caller.reply, job);
    let told = '';
    let looks = 0;
    const tell = () => {
      const message = JSON.stringify(falStatus(job, this.addressOf(caller, job), target.logs));
      if (message !== told || looks % TELL_EVERY_LOOKS === 0) raw.write(`data: ${message}\n\n`);
      told = message;
    };
    const lookAndTell = async () => {
      if (looks++ > 0) job = (await this.lookAgain(caller, target)) ?? job;
      tell();
      return job;
    };
    const wait = { timeoutMs: this.options.waitMs, stepMs: LOOK_EVERY_MS };
    try {
      await askUntil(lookAndTell, (last) => isOver(last) || raw.destroyed, wait);
    } finally {
      // Also when the job cannot be read any more: nobody is left waiting on an open stream.
      raw.end();
    }
  }

  /** `undefined` while the database is away: that is no change, and the client asks for the result after the end. */
  private async lookAgain(caller: JobCaller, target: FalJobTarget): Promise<GatewayJob | undefined> {
    try {
      return await this.find(caller, target);
    } catch (error) {
      if (error instanceof ColophonError && error.status === 503) return undefined;
      throw error;
    }
  }

  private accepted(caller: JobCaller, job: GatewayJob): JsonAnswer {
    const address = this.addressOf(caller, job);
    const body = {
      status: 'IN_QUEUE',
      request_id: job.run.id,
      gateway_request_id: job.run.id,
      ...falAddresses(address),
      queue_position: 0,
    };
    return { status: 200, body, headers: requestIdOf(job) };
  }

  /** @throws ColophonError why there is no result, or not yet */
  private resultOf({ request, owner }: JobCaller, job: GatewayJob): JsonAnswer {
    const { standing, run } = job;
    const extensions = {
      runId: publicId('run', run.id),
      clearanceId: publicId('clearance', run.clearanceId),
    };
    switch (standing.kind) {
      case 'succeeded': {
        const body = falResult(job, (asset) => this.addresses.of(request, owner.principal, asset));
        return { status: 200, body, headers: requestIdOf(job) };
      }
      case 'failed':
        throw standing.error;
      case 'canceled':
        throw new ColophonError('generation_failed', 'The request was canceled.', { extensions });
      case 'queued':
      case 'running':
        throw new ColophonError('run_unfinished', 'The request is still in progress.', { extensions });
    }
  }

  private async find({ owner }: JobCaller, { app, requestId }: FalJobTarget): Promise<GatewayJob> {
    const job = await this.jobs.get(owner, requestId);
    if (appOf(job.model) !== app) throw noJob();
    return job;
  }

  private addressOf({ request, owner }: JobCaller, { run, model, useCase }: GatewayJob): string {
    const project = publicId('project', owner.place.projectId);
    const root = `${this.addresses.baseOf(request)}/gateway/fal/p/${project}/${useCase}`;
    return `${root}/queue/${appOf(model)}/requests/${run.id}`;
  }
}

function appOf(model: string): string {
  return model.split('/').slice(0, 2).join('/');
}

function requestIdOf({ run }: GatewayJob): Record<string, string> {
  return { 'x-fal-request-id': run.id };
}

function startStream(reply: FastifyReply, job: GatewayJob): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    ...requestIdOf(job),
  });
}
