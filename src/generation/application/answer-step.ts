import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { readingOf } from '../../assets/domain/asset.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { speaks } from '../../assets/domain/signal-reading.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { mediaKindOf } from '../domain/media-kind.js';
import { type Run, type StepRun } from '../domain/run.js';
import { type HumanOperation } from '../domain/step-control.js';
import { type EndStep } from './end-step.js';

/** What a person says to a step that waits. The words are sealed. */
export type StepAnswer = { readonly comment: string } & (
  | { readonly outcome: 'edited' | 'chosen'; readonly assetId: string }
  | { readonly outcome: 'approved' | 'rejected' }
);

/** Records that one of several assets was chosen: a human contribution, made when it happens. */
export interface RecordSelection {
  record(
    tx: Tx,
    principal: Principal,
    selection: {
      readonly chosen: AssetWithParents;
      readonly shownAssetIds: readonly string[];
      readonly statement: string;
    },
  ): Promise<unknown>;
}

const OPERATION_OF: Readonly<Record<StepAnswer['outcome'], HumanOperation>> = {
  edited: 'wait-for-edit',
  approved: 'wait-for-approval',
  rejected: 'wait-for-approval',
  chosen: 'choose',
};

/** A person answers a step of theirs. One transaction: the answer, its record and what follows for the run. */
export class AnswerStep {
  constructor(
    private readonly runs: RunRepository,
    private readonly assets: AssetRepository,
    private readonly endStep: EndStep,
    private readonly requirePublishing: RequirePublishing,
    private readonly recordSelection: RecordSelection,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws ColophonError `conflict` when nothing waits for this answer, `deadline_passed`, `forbidden`, `wrong_mode`,
   * `four_eyes_required`, `invalid_request`
   */
  async answer(tx: Tx, principal: Principal, runId: string, key: string, answer: StepAnswer): Promise<void> {
    await this.requirePublishing.check(tx);
    const run = await this.runs.lock(tx, runId);
    const [step] = await this.runs.stepsWithKeys(tx, runId, [key]);
    if (step === undefined) throw new ColophonError('not_found', 'The run has no step with this key.');
    this.requireWaiting(principal, run, step, answer);
    const shownAssetIds = await shownBy(this.runs, tx, step);
    const assetId = await this.resultOf(tx, principal, run, { step, answer, shownAssetIds });
    await this.appendEntry.append(tx, {
      type: 'step.answered',
      projectId: run.projectId,
      actor: actorOf(principal),
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: {
        runId: publicId('run', run.id),
        stepKey: step.key,
        outcome: answer.outcome,
        shown: shownAssetIds.map((id) => publicId('asset', id)),
        ...(assetId === undefined ? {} : { assetId: publicId('asset', assetId) }),
      },
      sealed: { comment: { value: answer.comment, subjectId: principal.principalId } },
    });
    if (assetId !== undefined) return this.endStep.answered(tx, run, step, assetId);
    const reason = 'A person did not approve what was shown.';
    return this.endStep.rejected(tx, run, step, { code: 'not_approved', reason });
  }

  private requireWaiting(principal: Principal, run: Run, step: StepRun, { outcome }: StepAnswer): void {
    if (principal.mode !== run.mode)
      throw new ColophonError('wrong_mode', `The run was started with a ${run.mode} key.`);
    if (step.operation !== OPERATION_OF[outcome])
      throw new ColophonError('conflict', `The step is "${step.operation}"; it cannot be "${outcome}".`);
    if (step.state !== 'WAITING')
      throw new ColophonError('conflict', `The step does not wait: it is ${step.state}.`);
    if (step.waitsUntil !== undefined && step.waitsUntil <= this.clock.now())
      throw new ColophonError('deadline_passed', 'The time for an answer is over.');
    const roles = step.plan?.human?.roles ?? [];
    if (!principal.roles.some((role) => roles.includes(role)))
      throw new ColophonError('forbidden', `This step needs one of the roles: ${roles.join(', ')}.`);
  }

  /** The asset that the step hands on; `undefined` when the person said no. */
  private async resultOf(
    tx: Tx,
    principal: Principal,
    run: Run,
    asked: { readonly step: StepRun; readonly answer: StepAnswer; readonly shownAssetIds: readonly string[] },
  ): Promise<string | undefined> {
    const { answer, shownAssetIds } = asked;
    const [first] = shownAssetIds;
    if (first === undefined) throw new Error(`step ${asked.step.id} waits with nothing to show`);
    switch (answer.outcome) {
      case 'edited':
        await this.requireEditOf(tx, run, asked.step, first, answer.assetId);
        return answer.assetId;
      case 'chosen': {
        if (!shownAssetIds.includes(answer.assetId))
          throw new ColophonError('invalid_request', 'assetId: is none of the candidates that were shown');
        const chosen = await this.assets.get(tx, answer.assetId);
        await this.recordSelection.record(tx, principal, {
          chosen,
          shownAssetIds,
          statement: answer.comment,
        });
        return answer.assetId;
      }
      case 'approved':
      case 'rejected':
        await requirePerson(tx, principal, 'decision');
        await this.requireSecondPerson(tx, principal, run, first);
        return answer.outcome === 'approved' ? first : undefined;
    }
  }

  /** Four eyes: neither who started the run nor anybody who made something that the asset descends from. */
  private async requireSecondPerson(
    tx: Tx,
    { principalId }: Principal,
    run: Run,
    assetId: string,
  ): Promise<void> {
    const lineage = await this.assets.lineage(tx, assetId);
    if (run.createdBy !== principalId && !lineage.some(({ createdBy }) => createdBy === principalId)) return;
    throw new ColophonError(
      'four_eyes_required',
      'You started this run, or took part in making what is to be approved.',
    );
  }

  /**
   * A recorded edit of the very asset that was shown. What its file reserves the clearance of this run has not seen, so
   * no model of this run may get it.
   */
  private async requireEditOf(
    tx: Tx,
    run: Run,
    step: StepRun,
    shownAssetId: string,
    assetId: string,
  ): Promise<void> {
    const edits = await this.editsSince(tx, shownAssetId, assetId);
    const [edited] = edits;
    if (edited === undefined || edited.mode !== run.mode)
      throw new ColophonError(
        'invalid_request',
        'assetId: must be an edit of the asset that is shown, recorded with POST /v1/assets/{id}/contributions',
      );
    const shown = await this.assets.get(tx, shownAssetId);
    const isFitting =
      mediaKindOf(edited.mediaType) === mediaKindOf(shown.mediaType) &&
      (!isStillImageType(shown.mediaType) || isStillImageType(edited.mediaType));
    if (!isFitting)
      throw new ColophonError(
        'invalid_request',
        `assetId: ${edited.mediaType} cannot take the place of ${shown.mediaType}`,
      );
    const readings = edits.map(readingOf);
    const isReserved = readings.some((reading) => reading !== undefined && speaks(reading));
    if (isReserved && (await this.runs.isDependedOn(tx, run.id, step.key)))
      throw new ColophonError(
        'conflict',
        'The edited file reserves a use, or holds something that could not be read, and this run was cleared without it. Start a new run with the edited asset as input, which is cleared with it.',
      );
  }

  /** From the edit back to, and without, the asset that was shown; empty when there is no such way. */
  private async editsSince(tx: Tx, shownAssetId: string, assetId: string): Promise<AssetWithParents[]> {
    if (assetId === shownAssetId) return [];
    const byId = new Map((await this.lineageOf(tx, assetId)).map((asset) => [asset.id, asset]));
    const edits: AssetWithParents[] = [];
    for (let id: string | undefined = assetId; id !== shownAssetId;) {
      const asset: AssetWithParents | undefined = id === undefined ? undefined : byId.get(id);
      if (asset?.origin !== 'edit' || edits.length > byId.size) return [];
      edits.push(asset);
      id = asset.parents.find(({ relationship }) => relationship === 'parentOf')?.assetId;
    }
    return edits;
  }

  private async lineageOf(tx: Tx, assetId: string): Promise<AssetWithParents[]> {
    try {
      return await this.assets.lineage(tx, assetId);
    } catch (error) {
      if (error instanceof ColophonError && error.code === 'not_found') return [];
      throw error;
    }
  }
}

/** What a person sees, in the order of the pipeline. */
export async function shownBy(runs: RunRepository, tx: Tx, step: StepRun): Promise<string[]> {
  const needs = step.plan?.needs ?? [];
  const steps = await runs.stepsWithKeys(tx, step.runId, needs);
  const made = needs.flatMap((key) => steps.find((other) => other.key === key)?.outputAssetId ?? []);
  return [...new Set([...made, ...(step.plan?.human?.givenAssetIds ?? [])])];
}
