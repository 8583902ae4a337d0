import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type Lineage, type LineageInput } from '../domain/lineage.js';
import { type ListingId } from '../domain/listing.js';
import { type MatrixQuestion } from '../domain/matrix.js';
import { type PipelineLineage } from './pipeline-lineage.js';

/** One way of making the work: a lineage of its own, or the common one with other models. */
export interface AskedAlternative {
  readonly name: string;
  readonly models: Readonly<Record<string, ListingId>>;
  readonly lineage?: Lineage | undefined;
}

/** What the alternatives change. */
export interface CommonBase {
  readonly pipeline?: string | undefined;
  readonly lineage?: Lineage | undefined;
}

/** @throws ColophonError `unknown_pipeline`, `invalid_request` */
export async function alternativesOf(
  tx: Tx,
  pipelines: PipelineLineage,
  { pipeline, lineage: base }: CommonBase,
  asked: readonly AskedAlternative[],
): Promise<MatrixQuestion['alternatives']> {
  const alternatives: { name: string; lineage: Lineage }[] = [];
  for (const { name, models, lineage } of asked) {
    if (lineage !== undefined) alternatives.push({ name, lineage });
    else if (pipeline !== undefined)
      alternatives.push({ name, lineage: await pipelines.of(tx, { pipeline, models }) });
    else if (base !== undefined) alternatives.push({ name, lineage: withModels(base, models, name) });
  }
  return alternatives;
}

/** The model of a step is what the step has as its only component; where it has several, nobody knows which is meant. */
function withModels(base: Lineage, models: AskedAlternative['models'], alternative: string): Lineage {
  for (const stepKey of Object.keys(models)) {
    const count = base.components.filter((component) => component.stepKey === stepKey).length;
    if (count === 1) continue;
    const why =
      count === 0
        ? 'the lineage has no such step'
        : 'the step has several components; give this alternative a lineage of its own';
    throw new ColophonError('invalid_request', `alternative "${alternative}", step "${stepKey}": ${why}`);
  }
  const components = base.components.map((component) => {
    const listingId = models[component.stepKey];
    if (listingId === undefined || listingId === component.listingId) return component;
    // Options belong to the model that was replaced.
    return { listingId, role: component.role, stepKey: component.stepKey };
  });
  return { ...base, components, inputs: base.inputs.map((input) => followModels(input, base, components)) };
}

/** A picture that goes into a step goes into the model that takes the place of the old one there. */
function followModels(input: LineageInput, base: Lineage, components: Lineage['components']): LineageInput {
  if (input.goesInto === undefined) return input;
  const goesInto = new Set<ListingId>();
  for (const [at, { listingId }] of base.components.entries()) {
    const now = components[at];
    // Which of several steps with the old model was meant is not said: it may be each of them.
    if (now !== undefined && input.goesInto.includes(listingId)) goesInto.add(now.listingId);
  }
  return { ...input, goesInto: [...goesInto] };
}
