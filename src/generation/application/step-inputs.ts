import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type Run, type SealedRunInputs, type SealedStepInputs, type StepRun } from '../domain/run.js';

/** The inputs of a run were erased at the request of the person they came from: its open steps cannot be done. */
function inputsErased(): ColophonError {
  return new ColophonError('inputs_erased', 'The inputs of this run were erased.');
}

/** Opens what a step works on: its parameters, and the assets behind its images. */
export class StepInputs {
  constructor(
    private readonly runs: RunRepository,
    private readonly assets: AssetRepository,
    private readonly vault: SubjectVault,
  ) {}

  /** @throws ColophonError `inputs_erased` */
  async open(tx: Tx, run: Run, step: StepRun): Promise<SealedStepInputs> {
    const opened = await this.vault.decrypt(tx, run.createdBy, run.sealedInputs);
    const inputs = opened === undefined ? undefined : (JSON.parse(opened) as SealedRunInputs)[step.key];
    if (!inputs) throw inputsErased();
    return inputs;
  }

  async images(tx: Tx, run: Run, step: StepRun): Promise<Record<string, Asset>> {
    const { images } = await this.open(tx, run, step);
    const steps = await this.runs.steps(tx, run.id);
    const found: Record<string, Asset> = {};
    for (const [name, source] of Object.entries(images)) {
      const assetId =
        source.kind === 'asset'
          ? source.assetId
          : steps.find(({ key }) => key === source.stepKey)?.outputAssetId;
      if (assetId === undefined)
        throw new Error(`step ${step.key} started before its input "${name}" was there`);
      found[name] = await this.assets.get(tx, assetId);
    }
    return found;
  }
}
