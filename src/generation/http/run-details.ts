import { type Tx } from '../../database/organization-tx.js';
import { encodeCursor } from '../../http/pagination.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { readRun } from '../application/read-run.js';
import { runView, stepView, STEPS_WITH_RUN } from './run-view.js';

export async function viewOfRun(runs: RunRepository, tx: Tx, id: string) {
  const { run, page, ...details } = await readRun(runs, tx, id, STEPS_WITH_RUN);
  const steps = page.steps.map(({ step, shownAssetIds }) => stepView(step, shownAssetIds));
  return runView(run, { ...details, steps, nextCursor: stepsCursor(page.next) });
}

export function stepsCursor(next: number | undefined): string | null {
  return next === undefined ? null : encodeCursor(String(next));
}
