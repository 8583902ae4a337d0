import { ColophonError } from '../../../../shared/errors.js';
import { parsePublicId } from '../../../../shared/ids.js';
import { type GatewayJobs, type JobOwner, type JobPage, noJob } from '../../application/gateway-jobs.js';
import { type GatewayModels } from '../../application/gateway-models.js';
import { type WebhookAddresses } from '../../../../webhooks/application/webhook-address.js';
import { type GatewayJob, isOver, withoutFileBytes } from '../../domain/gateway-job.js';
import { sandboxValuesOf } from '../../domain/job-input.js';
import { idOfPrediction, prediction, replicateRoot } from '../../domain/replicate-job.js';
import { identityOf, rawBodyOf } from '../call-request.js';
import { type CapabilityAddresses } from '../capability-address.js';
import { headersOf, type JobAnswers, type JobCaller, sendJson } from '../job-answers.js';
import { type FilesOfJobs } from '../sent-files.js';
import { fileIdIn } from './replicate-file.js';
import { type PredictionCall, readPredictionCall, waitMsOf } from './replicate-request.js';

/** As Replicate's own. */
const PAGE = 100;

/** Predictions of Replicate. */
export class Predictions {
  constructor(
    private readonly answers: JobAnswers,
    private readonly jobs: GatewayJobs,
    private readonly models: GatewayModels,
    private readonly files: FilesOfJobs,
    private readonly webhooks: WebhookAddresses,
    private readonly addresses: CapabilityAddresses,
  ) {}

  /** What is said under an address that leads to a use case. @throws ColophonError `not_found` */
  requirePlace(owner: JobOwner): Promise<void> {
    return this.jobs.requirePlace(owner);
  }

  /** @param named the model in the address; `undefined`: the body names a version */
  async create(caller: JobCaller, named: string | undefined): Promise<void> {
    const { request } = caller;
    const asked = readPredictionCall(request.body, request.headers);
    const model = named ?? this.modelOf(asked.version);
    if (asked.webhookUrl !== undefined) await this.webhooks.judge(asked.webhookUrl);
    const { owner } = caller;
    await this.files.with(owner, asked.input.files, fileIdIn, ({ files, assets, addresses }) => {
      const hasFiles = Object.keys(asked.input.files).length > 0;
      const operation = this.models.operationOf('replicate', model, hasFiles);
      return this.answers.submit(
        caller,
        {
          call: {
            vendor: 'replicate',
            place: owner.place,
            operation,
            model,
            parameters: asked.parameters,
            sandboxParameters: sandboxValuesOf(asked.parameters),
            files,
            assets,
            addresses,
            count: asked.count,
          },
          identity: identityOf(request, [rawBodyOf(request)]),
          request: this.requestOf(caller, model, asked),
          waitMs: waitMsOf(request.headers.prefer),
          ignored: asked.ignored,
        },
        (job) => ({ status: 201, body: this.created(caller, job) }),
      );
    });
  }

  async get(caller: JobCaller, id: string): Promise<void> {
    const job = await this.jobs.get(caller.owner, runIdOf(id));
    await sendJson(caller.reply, { status: 200, body: this.view(caller, job) }, headersOf(job));
  }

  /** What is over stays as it is, and is answered with the same. */
  async cancel(caller: JobCaller, id: string): Promise<void> {
    const { job } = await this.jobs.cancel(caller.owner, runIdOf(id));
    await sendJson(caller.reply, { status: 200, body: this.view(caller, job) }, headersOf(job));
  }

  /** @param cursor of an address that an earlier page gave: a prediction, with a dash before it for what is newer */
  async list(caller: JobCaller, cursor: unknown): Promise<void> {
    const page = pageAt(cursor);
    const jobs = await this.jobs.list(caller.owner, PAGE + 1, page);
    const isOnward = page.newerThan === undefined;
    // One more than a page was asked for: at the end to which the list goes on.
    const shown = jobs.length <= PAGE ? jobs : isOnward ? jobs.slice(0, PAGE) : jobs.slice(1);
    const first = shown[0];
    const last = shown.at(-1);
    const isMore = jobs.length > PAGE;
    const address = (job: GatewayJob | undefined, isThere: boolean, mark: string): string | null =>
      job === undefined || !isThere
        ? null
        : `${replicateRoot(this.here(caller, job))}/predictions?cursor=${mark}${idOfPrediction(job.run.id)}`;
    const body = {
      previous: address(first, isOnward ? page.olderThan !== undefined : isMore, '-'),
      next: address(last, isOnward ? isMore : true, ''),
      results: shown.map((job) => this.view(caller, job)),
    };
    await sendJson(caller.reply, { status: 200, body });
  }

  /** A version alone is looked up by its hash among the models that are known. */
  private modelOf(version: string | undefined): string {
    if (version === undefined)
      throw new ColophonError('invalid_request', 'version: is missing', {
        extensions: { errors: [{ path: 'version', message: 'is missing' }] },
      });
    if (!/^[0-9a-f]{64}$/.test(version)) return version;
    const found = [...this.models.known('replicate').keys()].filter((name) => name.endsWith(`:${version}`));
    return found.length === 1 && found[0] !== undefined ? found[0] : version;
  }

  private requestOf({ request }: JobCaller, model: string, asked: PredictionCall) {
    const { webhookUrl, webhookEvents } = asked;
    return {
      vendor: 'replicate' as const,
      model,
      baseUrl: this.addresses.baseOf(request),
      call: {
        input: withoutFileBytes(asked.sentInput),
        ...(webhookUrl === undefined ? {} : { webhookUrl }),
      },
      webhookEvents,
    };
  }

  /** Replicate's client takes every status but `starting` for the end. */
  private created(caller: JobCaller, job: GatewayJob): Record<string, unknown> {
    const view = this.view(caller, job);
    return isOver(job) ? view : { ...view, status: 'starting' };
  }

  private view(caller: JobCaller, job: GatewayJob): Record<string, unknown> {
    const { request, owner } = caller;
    return prediction(this.here(caller, job), (asset) => this.addresses.of(request, owner.principal, asset));
  }

  /** With addresses as this caller reached us. */
  private here({ request }: JobCaller, job: GatewayJob): GatewayJob {
    return { ...job, baseUrl: this.addresses.baseOf(request) };
  }
}

function pageAt(cursor: unknown): JobPage {
  if (cursor === undefined) return {};
  const [, mark, id = ''] = /^(-?)(run_[0-9a-f]{32})$/.exec(typeof cursor === 'string' ? cursor : '') ?? [];
  const runId = parsePublicId('run', id);
  if (runId === undefined)
    throw new ColophonError('invalid_cursor', 'The cursor is not one of an earlier page.');
  return mark === '-' ? { newerThan: runId } : { olderThan: runId };
}

function runIdOf(id: string): string {
  const runId = parsePublicId('run', id);
  if (runId === undefined) throw noJob();
  return runId;
}
