import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type Answer, type IdempotentRequest } from '../../http/idempotency.js';
import { type Principal } from '../../identity/domain/principal.js';
import { readLastDecision } from '../../licenses/application/read-clearance.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { resumptionOf } from '../domain/resumption.js';
import { type Run } from '../domain/run.js';
import { type PresentStartedRun, type StartedRun, type StartRun } from './start-run.js';
import { type StepInputs } from './step-inputs.js';

/**
 * Goes on with a run that failed: a new run of the same pipeline with the same inputs, in which what was made stands in
 * for the steps that made it. It is cleared and reserved like any other; steps that may have been paid are not repeated.
 */
export class ResumeRun {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly stepInputs: StepInputs,
    private readonly startRun: StartRun,
  ) {}

  /** @throws ColophonError `run_not_resumable`, `forbidden`, `inputs_erased`, and everything that starting one throws */
  async resume(
    principal: Principal,
    runId: string,
    idempotent: IdempotentRequest,
    present: PresentStartedRun,
  ): Promise<Answer> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const answer = present(await this.goOn(tx, principal, await this.runs.lock(tx, runId)));
      await idempotent.complete(tx, answer);
      return answer;
    });
  }

  private async goOn(tx: Tx, principal: Principal, run: Run): Promise<StartedRun> {
    await this.requireResumable(tx, principal, run);
    const { inputs, useCaseName } = await this.stepInputs.request(tx, run);
    const released = await releasedSteps(tx, run.id);
    const ended = (await this.runs.steps(tx, run.id)).map((step) => ({
      ...step,
      released: released.has(step.id),
    }));
    const { substitutes, abandoned, triedAgain } = resumptionOf(ended);
    if (triedAgain.length === 0)
      throw new ColophonError(
        'run_not_resumable',
        'Every step that failed may have been paid, so none of them is done again by itself.',
      );
    const { facts } = (await readLastDecision(tx, run.clearanceId)).input;
    return this.startRun.startWithin(tx, principal, {
      projectId: run.projectId,
      useCaseName,
      pipeline: { name: run.pipelineName, version: run.pipelineVersion },
      inputs: { ...inputs, substitutes, abandoned },
      facts,
      resumesRunId: run.id,
    });
  }

  private async requireResumable(tx: Tx, principal: Principal, run: Run): Promise<void> {
    if (principal.mode !== run.mode)
      throw new ColophonError('wrong_mode', `The run was started with a ${run.mode} key.`);
    // What was typed in belongs to this person, and is sealed under their key.
    if (principal.principalId !== run.createdBy)
      throw new ColophonError('forbidden', 'Only who started a run can go on with it.');
    if (run.state !== 'FAILED' && run.state !== 'PARTIALLY_SUCCEEDED')
      throw new ColophonError('run_not_resumable', `The run is ${run.state}.`);
    const other = await this.runs.resumedBy(tx, run.id);
    if (other !== undefined)
      throw new ColophonError(
        'run_not_resumable',
        `${publicId('run', other)} goes on with this run already.`,
      );
  }
}

/** Steps whose reservation was given back. */
async function releasedSteps(tx: Tx, runId: string): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(
    `SELECT s.id FROM step_run s JOIN money_movement m ON m.organization_id = s.organization_id AND m.step_run_id = s.id
      WHERE s.organization_id = $1 AND s.run_id = $2 AND m.kind = 'release'`,
    [tx.organizationId, runId],
  );
  return new Set(rows.map(({ id }) => id));
}
