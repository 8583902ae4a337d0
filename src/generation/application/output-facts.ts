import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { type OutputFacts } from '../domain/condition.js';
import { type StepRun, TERMINAL_STEP_STATES } from '../domain/run.js';

/** What conditions can ask of steps that have come to their end. */
export class ReadOutputFacts {
  constructor(private readonly assets: AssetRepository) {}

  async of(
    tx: Tx,
    steps: readonly StepRun[],
    wanted: ReadonlySet<string>,
  ): Promise<Map<string, OutputFacts>> {
    const facts = new Map<string, OutputFacts>();
    for (const step of steps) {
      if (!wanted.has(step.key) || !TERMINAL_STEP_STATES.includes(step.state)) continue;
      const asset =
        step.outputAssetId === undefined ? undefined : await this.assets.get(tx, step.outputAssetId);
      facts.set(step.key, {
        outcome: step.state,
        width: asset?.width,
        height: asset?.height,
        mediaType: asset?.mediaType,
        chosen: chosenIn(step, steps),
      });
    }
    return facts;
  }
}

/** The step that made what was chosen; of a run that was resumed, too, because it follows from the outputs alone. */
function chosenIn(
  { operation, outputAssetId, plan }: StepRun,
  steps: readonly StepRun[],
): string | undefined {
  if (operation !== 'choose' || outputAssetId === undefined) return undefined;
  return steps.find((step) => step.outputAssetId === outputAssetId && plan?.needs.includes(step.key))?.key;
}
