import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import {
  type Run,
  type SealedRequest,
  type SealedRunInputs,
  type SealedStepInputs,
  type StepRun,
} from '../domain/run.js';

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
    const inputs = (await this.sealed(tx, run))?.steps[step.key];
    if (!inputs) throw inputsErased();
    const parameters = inputs.alternatives?.[String(step.alternative)] ?? inputs.parameters;
    return { ...inputs, parameters };
  }

  /**
   * What the run was asked for.
   * @throws ColophonError `inputs_erased`; `conflict` for a run of before it was kept
   */
  async request(tx: Tx, run: Run): Promise<SealedRequest> {
    const sealed = await this.sealed(tx, run);
    if (sealed === undefined) throw inputsErased();
    if (sealed.request === undefined)
      throw new ColophonError(
        'conflict',
        'The run was accepted by an older version, which kept too little of it.',
      );
    return sealed.request;
  }

  private async sealed(
    tx: Tx,
    run: Run,
  ): Promise<(Pick<SealedRunInputs, 'steps'> & Partial<Pick<SealedRunInputs, 'request'>>) | undefined> {
    const opened = await this.vault.decrypt(tx, run.createdBy, run.sealedInputs);
    if (opened === undefined) return undefined;
    const sealed = JSON.parse(opened) as SealedRunInputs | Record<string, SealedStepInputs>;
    return isCurrent(sealed) ? sealed : { steps: sealed };
  }

  /** @param inputs of the step, opened */
  async images(
    tx: Tx,
    run: Run,
    step: StepRun,
    { images }: SealedStepInputs,
  ): Promise<Record<string, Asset>> {
    const keys = Object.values(images).flatMap((source) => (source.kind === 'step' ? [source.stepKey] : []));
    const steps = await this.runs.stepsWithKeys(tx, run.id, keys);
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

/** Of before version 2, every value is the inputs of a step. */
function isCurrent(sealed: SealedRunInputs | Record<string, SealedStepInputs>): sealed is SealedRunInputs {
  return sealed.v === 2;
}
