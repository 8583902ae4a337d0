import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { type Answer, Idempotency } from '../../http/idempotency.js';
import {
  decodeCursor,
  type PageQuery,
  pageQuerySchema,
  toPage,
  UUID_SORT_KEY,
} from '../../http/pagination.js';
import { toProblem } from '../../http/problem.filter.js';
import { idOf, invalidRequest } from '../../http/validation.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { RunRepository } from '../adapters/run.repository.js';
import { ceilingView, warningView } from '../application/budget-view.js';
import { CancelRun } from '../application/cancel-run.js';
import { ResumeRun } from '../application/resume-run.js';
import { ReconcileStep } from '../application/reconcile-step.js';
import { StartRun, type StartedRun, type StartRunRequest } from '../application/start-run.js';
import { clearanceView } from '../../licenses/http/clearance-view.js';
import { viewOfRun } from './run-details.js';
import { toInputs } from './run-inputs.js';
import { runView } from './run-view.js';
import { type ReconcileBody, reconcileSchema, type StartRunBody, startRunSchema } from './run.schemas.js';

@ApiTags('Runs')
@ApiBearerAuth()
@Controller('v1/runs')
export class RunController {
  constructor(
    private readonly startRun: StartRun,
    private readonly resumeRun: ResumeRun,
    private readonly cancelRun: CancelRun,
    private readonly reconcileStep: ReconcileStep,
    private readonly runs: RunRepository,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Audited('clearance.decided', 'run.accepted', 'budget.soft_limit_crossed')
  @Allow('runs:create')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Clear the licenses and start a run; 403 with findings when they do not allow it',
  })
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  async start(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: startRunSchema }) body: StartRunBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST /v1/runs', canonicalJson(body as unknown as JsonValue)];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.startRun.start(principal, toRequest(body), idempotent, (started) =>
        present(started, String(reply.request.id)),
      ),
    );
    return this.send(answer, reply);
  }

  private send(answer: Answer, reply: FastifyReply): unknown {
    void reply.status(answer.status);
    if (answer.status >= 400) void reply.type('application/problem+json').header('cache-control', 'no-store');
    return answer.body;
  }

  @Get()
  @Unaudited('States, models, costs and ids of runs. Prompts and other inputs are sealed and not shown.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Runs, newest first' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
  ) {
    const before = decodeCursor(query.cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.runs.list(tx, query.limit + 1, before),
    );
    return toPage(
      rows,
      query.limit,
      ({ id }) => id,
      (run) => runView(run),
    );
  }

  @Get(':id')
  @Unaudited('State, models, costs and ids of a run. Prompts and other inputs are sealed and not shown.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'A run, where it stands, and its first 100 steps' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('run')) id: string) {
    return this.view(organizationId, id);
  }

  @Post(':id/cancel')
  @Audited('run.cancel_requested', 'run.finished')
  @Allow('runs:create')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Send nothing more to a provider; what a provider already has is captured and paid',
  })
  async cancel(@CurrentPrincipal() principal: Principal, @Param('id', idOf('run')) id: string) {
    const { organizationId } = principal;
    await this.organizationTx.run(organizationId, (tx) => this.cancelRun.cancel(tx, id, principal));
    return this.view(organizationId, id);
  }

  @Post(':id/resume')
  @Audited('clearance.decided', 'run.accepted')
  @Allow('runs:create')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Go on with a failed run: a new run that keeps what was made and repeats only what cost nothing',
  })
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  async resume(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('run')) id: string,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST /v1/runs/{id}/resume', id];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.resumeRun.resume(principal, id, idempotent, (started) =>
        present(started, String(reply.request.id)),
      ),
    );
    return this.send(answer, reply);
  }

  @Post(':id/steps/:key/reconcile')
  @Audited('step.reconciled', 'step.failed', 'step.settled', 'run.finished')
  @Allow('runs:reconcile')
  @HttpCode(200)
  @ApiOperation({ summary: 'Tell what happened to a step whose outcome is unknown' })
  async reconcile(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('run')) id: string,
    @Param('key') key: string,
    @Body({ schema: reconcileSchema }) body: ReconcileBody,
  ) {
    await this.organizationTx.run(principal.organizationId, async (tx) => {
      const { mode } = await this.runs.get(tx, id);
      refuseTestKeyOnLive(principal.mode, mode, 'The run');
      const [step] = await this.runs.stepsWithKeys(tx, id, [key]);
      if (!step) throw new ColophonError('not_found', 'The run has no step with this key.');
      const { reason, ...said } = body;
      const { principalId } = principal;
      const reconciliation =
        said.outcome === 'charged' ? { ...said, costMicroUsd: BigInt(said.costMicroUsd) } : said;
      await this.reconcileStep.reconcile(tx, step.id, reconciliation, actorOf(principal), {
        text: reason,
        principalId,
      });
    });
    return this.view(principal.organizationId, id);
  }

  private view(organizationId: string, id: string) {
    return this.organizationTx.run(organizationId, (tx) => viewOfRun(this.runs, tx, id));
  }
}

function toRequest(body: StartRunBody): StartRunRequest {
  const projectId = parsePublicId('project', body.projectId);
  if (projectId === undefined) throw invalidRequest([{ path: 'projectId', message: 'is not a project id' }]);
  const [name = '', versionText] = body.pipeline.split('@');
  const version = versionText === undefined ? undefined : Number(versionText);
  if (version !== undefined && !Number.isSafeInteger(version)) {
    throw new ColophonError(
      'unknown_pipeline',
      'The version of a pipeline is a whole number, e.g. product-shot@1.',
    );
  }
  return {
    projectId,
    useCaseName: body.useCase,
    pipeline: { name, version },
    inputs: toInputs(body),
    facts: body.facts,
    routeChoiceId: body.routeId === undefined ? undefined : parsePublicId('routeChoice', body.routeId),
  };
}

/** What is answered, and stored with the idempotency key. */
function present(started: StartedRun, requestId: string): Answer {
  const clearance = clearanceView(started.clearance);
  if (!('run' in started)) {
    const error = new ColophonError('clearance_denied', denialDetail(started), {
      extensions: { clearanceId: clearance.id, findings: clearance.findings },
    });
    return { status: error.status, body: toProblem(error, requestId) };
  }
  const warnings = [...started.warnings.map(warningView), ...started.ceilingSteps.map(ceilingView)];
  return { status: 202, body: { ...runView(started.run), clearance, warnings } };
}

function denialDetail(started: Pick<StartedRun, 'clearance'>): string {
  const [first] = started.clearance.findings;
  return first ? first.message : 'The licenses do not allow this run.';
}
