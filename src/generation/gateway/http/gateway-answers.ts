import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import {
  type AssetContent,
  type ReadAsset,
  type RecordedAsset,
} from '../../../assets/application/read-asset.js';
import { type Asset } from '../../../assets/domain/asset.js';
import { workHeaders } from '../../../http/problem.filter.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type ColophonError, isColophonError } from '../../../shared/errors.js';
import { publicId } from '../../../shared/ids.js';
import { type ContentRefusal } from '../../domain/content-refusal.js';
import { type AwaitRun, type FinishedRun } from '../application/await-run.js';
import { type RequestedRun } from '../application/gateway-requests.js';
import { type TakeCall } from '../application/take-call.js';
import { type CallIdentity, type GatewayCall } from '../domain/gateway-call.js';
import { type AnswerBody, beforeLast, bytesOf, lengthOf } from './answer-body.js';
import { type HandOver, named } from './hand-over.js';

/** Who waits at the other end. */
export interface Caller {
  readonly principal: Principal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A run that has made what was asked for, with its files in the order of the request. */
export interface MadeRun extends FinishedRun {
  readonly assets: readonly Asset[];
}

export interface AnsweredCall {
  readonly call: GatewayCall;
  readonly identity: CallIdentity;
  /** Parameters that were taken and not passed on, named in a header: nothing is dropped in silence. */
  readonly ignored?: readonly string[];
  readonly render: (made: MadeRun) => AnswerBody;
  /** Where the vendor answers a refusal of content with 200; absent: it is an error. */
  readonly renderRefusal?: (refusal: ContentRefusal, runId: string) => AnswerBody;
}

interface Sending {
  readonly made: MadeRun;
  /** Its assets, in the same order. */
  readonly recorded: readonly RecordedAsset[];
  readonly body: AnswerBody;
  readonly ignored: readonly string[];
}

/**
 * Answers a call that waits: takes it, waits for its run, and sends the signed files. A client that goes away ends
 * nothing but the waiting; the run goes on, and the same call finds it again.
 */
export class GatewayAnswers {
  constructor(
    private readonly takeCall: TakeCall,
    private readonly awaitRun: AwaitRun,
    private readonly readAsset: ReadAsset,
    private readonly handOver: HandOver,
  ) {}

  /** @throws ColophonError for every refusal; from the acceptance on it names the run */
  async answer(caller: Caller, answered: AnsweredCall): Promise<void> {
    const { call, identity, ignored = [], render } = answered;
    await this.handOver.kept(caller.request);
    const requested = await this.takeCall.take(caller.principal, call, identity);
    const gone = new AbortController();
    caller.reply.raw.once('close', () => gone.abort());
    if (caller.reply.raw.destroyed) gone.abort();
    try {
      const finished = await this.awaitRun.end(caller.principal.organizationId, requested, gone.signal);
      // Nobody is there: nothing is read, so that no reading is written down.
      if (gone.signal.aborted) return;
      const { organizationId } = caller.principal;
      const recorded = await this.readAsset.recordedAssets(organizationId, finished.assetIds);
      const made = { ...finished, assets: recorded.map(({ asset }) => asset) };
      await this.send(caller, requested, { made, recorded, body: render(made), ignored });
    } catch (error) {
      if (gone.signal.aborted) return;
      const refusal = refusalOf(error, requested, answered);
      if (refusal) return await this.sendRefusal(caller, requested, refusal);
      throw await this.named(caller, requested, error);
    }
  }

  /** A definite failure, which closes the request like any answer. */
  private async sendRefusal(
    { principal, reply }: Caller,
    requested: RequestedRun,
    { error, body }: Refusal,
  ): Promise<void> {
    this.handOver.watch(principal.organizationId, requested, reply);
    await this.handOver.begin(principal.organizationId, requested);
    await reply
      .status(200)
      .headers({ 'cache-control': 'no-store', ...workHeaders(error.extensions) })
      .type(body.contentType)
      .send(Readable.from(bytesOf(body.parts, []), { objectMode: false }));
  }

  private async send(
    { principal, reply }: Caller,
    requested: RequestedRun,
    { made, recorded, body, ignored }: Sending,
  ): Promise<void> {
    const wanted = new Set(body.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.base64Of])));
    const contents: (AssetContent | undefined)[] = [];
    try {
      // Every reading is in the log before the first byte of the answer.
      for (const [position, asset] of recorded.entries())
        contents.push(
          wanted.has(position)
            ? await this.readAsset.content({ principal, sendsBody: true }, asset)
            : undefined,
        );
    } catch (error) {
      closeAll(contents);
      throw error;
    }
    const files = contents.map((content) => content?.body);
    const bytes = beforeLast(bytesOf(body.parts, files), () =>
      this.handOver.begin(principal.organizationId, requested),
    );
    this.handOver.watch(principal.organizationId, requested, reply);
    reply.raw.once('close', () => closeAll(contents));
    const sizes = made.assets.map(({ sizeBytes }) => sizeBytes);
    await reply
      .status(200)
      .headers({
        'content-type': body.contentType,
        'content-length': String(lengthOf(body.parts, sizes)),
        'cache-control': 'private, no-store',
        ...headersOf(made),
        ...(ignored.length === 0 ? {} : { 'x-colophon-ignored': ignored.join(',') }),
      })
      .send(Readable.from(bytes, { objectMode: false }));
  }

  /**
   * What went wrong after the acceptance names the run. A definite failure is an answer, so the same call is a new one
   * after it; where the outcome is open, the same call finds the same run.
   */
  private async named(
    { principal, reply }: Caller,
    requested: RequestedRun,
    error: unknown,
  ): Promise<unknown> {
    if (isColophonError(error, 'generation_failed')) {
      this.handOver.watch(principal.organizationId, requested, reply);
      await this.handOver.begin(principal.organizationId, requested);
    }
    return named(requested, error);
  }
}

interface Refusal {
  readonly error: ColophonError;
  readonly body: AnswerBody;
}

function refusalOf(
  error: unknown,
  { runId }: RequestedRun,
  { renderRefusal }: AnsweredCall,
): Refusal | undefined {
  if (renderRefusal === undefined || !isColophonError(error, 'generation_failed')) return undefined;
  const refusal = error.extensions.contentRefusal as ContentRefusal | undefined;
  return refusal && { error, body: renderRefusal(refusal, runId) };
}

function headersOf({ run, assetIds }: FinishedRun): Record<string, string> {
  return workHeaders({
    runId: publicId('run', run.id),
    clearanceId: publicId('clearance', run.clearanceId),
    assetIds: assetIds.map((id) => publicId('asset', id)),
  });
}

function closeAll(contents: readonly (AssetContent | undefined)[]): void {
  for (const content of contents) content?.body?.destroy();
}
