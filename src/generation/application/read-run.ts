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

export interface ReadRun {
  readonly run: Run;
  readonly progress: RunProgress;
  readonly resumedBy: string | undefined;
  readonly page: StepPage;
}

/** A run with its first steps; however many it has, the answer stays small. */
export async function readRun(runs: RunRepository, tx: Tx, runId: string, limit: number): Promise<ReadRun> {
  const run = await runs.get(tx, runId);
  return {
    run,
    progress: await progressOfRun(tx, runId),
    resumedBy: await runs.resumedBy(tx, runId),
    page: await readSteps(runs, tx, runId, { limit, afterOrdinal: -1, state: undefined }),
  };
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
