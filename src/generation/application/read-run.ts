import { RemovedContent } from '../../assets/application/removed-content.js';
import { ReadErasures } from '../../audit/application/read-erasures.js';
import { type Tx } from '../../database/organization-tx.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type Run, type StepRun, type StepState } from '../domain/run.js';
import { shownBy } from './answer-step.js';
import { progressOfRun, type RunProgress } from './progress-of-run.js';

export interface ShownStep {
  readonly step: StepRun;
  /** Of a step that waits for a person: the assets that they see. */
  readonly shownAssetIds: readonly string[];
}

export interface StepPage {
  readonly steps: readonly ShownStep[];
  /** Ordinal after which the next page begins. */
  readonly next: number | undefined;
}

/** When and why the prompt and the other sealed inputs of a run went; the words are those of dossiers. */
export interface PromptErasure {
  readonly erasedAt: Date;
  /** `retention_ended` also where a rule of retention took them. */
  readonly reason: string;
}

export interface ReadRun {
  readonly run: Run;
  readonly promptErased: PromptErasure | undefined;
  readonly progress: RunProgress;
  readonly resumedBy: string | undefined;
  readonly page: StepPage;
}

/** A run with its first steps; however many it has, the answer stays small. */
export async function readRun(runs: RunRepository, tx: Tx, runId: string, limit: number): Promise<ReadRun> {
  const run = await runs.get(tx, runId);
  return {
    run,
    promptErased: await promptErasure(tx, run),
    progress: await progressOfRun(tx, runId),
    resumedBy: await runs.resumedBy(tx, runId),
    page: await readSteps(runs, tx, runId, { limit, afterOrdinal: -1, state: undefined }),
  };
}

/** The first of the two: what came later found nothing. */
async function promptErasure(tx: Tx, run: Run): Promise<PromptErasure | undefined> {
  const removed = (await new RemovedContent().of(tx, 'prompts', [run.id])).get(run.id);
  const erased = await new ReadErasures().ofValue(tx, run.createdBy, run.createdAt);
  if (removed === undefined || (erased !== undefined && erased.erasedAt < removed.removedAt)) return erased;
  return { erasedAt: removed.removedAt, reason: 'retention_ended' };
}

export async function readSteps(
  runs: RunRepository,
  tx: Tx,
  runId: string,
  page: { readonly limit: number; readonly afterOrdinal: number; readonly state: StepState | undefined },
): Promise<StepPage> {
  const found = await runs.stepsAfter(tx, runId, { ...page, limit: page.limit + 1 });
  const steps: ShownStep[] = [];
  for (const step of found.slice(0, page.limit)) {
    const isWaiting = step.state === 'WAITING';
    steps.push({ step, shownAssetIds: isWaiting ? await shownBy(runs, tx, step) : [] });
  }
  return { steps, next: found.length > page.limit ? steps.at(-1)?.step.ordinal : undefined };
}
