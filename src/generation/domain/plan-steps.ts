import { ColophonError } from '../../shared/errors.js';
import { checkPipeline, dependenciesOf, itemNamesOf } from './check-pipeline.js';
import { holds } from './condition.js';
import { definitionKeyOf, instanceKey } from './definition-words.js';
import { type OfferedComponent, type Offerings } from './offering.js';
import {
  inputsOf,
  isHuman,
  type ModelStep,
  type PipelineDefinition,
  type StepDefinition,
} from './pipeline-definition.js';
import { type RunInputs, type RunItem } from './run-inputs.js';
import { MAX_INSTANCES } from './step-control.js';

/** The listing of a step that a person does. */
export const NO_LISTING = 'none';

/** A listing with what comes along with the offering that runs it live: LoRAs, encoders, upscalers. */
export interface UsedListing {
  readonly listingId: string;
  readonly components: readonly OfferedComponent[];
}

/**
 * One instance of a step. An offering may be missing for a listing that exists: clearance comes first, and may say no
 * before it matters.
 */
export interface PlannedStep extends UsedListing {
  readonly definition: StepDefinition;
  readonly key: string;
  /** From 1; `undefined` for a step that is run once. */
  readonly instance: number | undefined;
  readonly item: RunItem | undefined;
  readonly substituteAssetId: string | undefined;
  readonly fallbacks: readonly UsedListing[];
  /**
   * `not_wanted`: its condition on the inputs does not hold. `abandoned`: given up from the beginning. In both cases
   * nothing is cleared, reserved or sent for it.
   */
  readonly left: 'not_wanted' | 'abandoned' | undefined;
}

/**
 * Which listings a run would use, with every fallback. Enough for clearance.
 * @throws ColophonError `pipeline_invalid`, `pipeline_cyclic`, `pipeline_too_large`, `invalid_request`
 */
export function planSteps(
  definition: PipelineDefinition,
  inputs: RunInputs,
  offerings: Offerings,
): PlannedStep[] {
  checkPipeline(definition);
  requireKnownInputs(definition, inputs);
  requireFewInstances(definition, inputs);
  const planned = definition.steps.flatMap((step) => {
    if (step.each === undefined) return [planStep(step, undefined, undefined, inputs, offerings)];
    return itemsOf(step.each.input, inputs).map((item, index) =>
      planStep(step, index + 1, item, inputs, offerings),
    );
  });
  requireKnownSubstitutes(planned, inputs);
  return planned;
}

/** The instance of another step that belongs to this one; of a list that this one gathers, all of them. */
export function instancesOf(
  { definition, instance }: Pick<PlannedStep, 'definition' | 'instance'>,
  otherKey: string,
  all: readonly Pick<PlannedStep, 'definition' | 'instance' | 'key'>[],
): string[] {
  return all
    .filter(({ definition: other }) => other.key === otherKey)
    .filter(
      (other) => other.instance === undefined || definition.each === undefined || other.instance === instance,
    )
    .map(({ key }) => key);
}

/** What a step waits for, as instances. */
export function instancesBefore(step: PlannedStep, all: readonly PlannedStep[]): string[] {
  return dependenciesOf(step.definition).flatMap((key) => instancesOf(step, key, all));
}

function planStep(
  step: StepDefinition,
  instance: number | undefined,
  item: RunItem | undefined,
  inputs: RunInputs,
  offerings: Offerings,
): PlannedStep {
  const key = instanceKey(step.key, instance);
  const common = {
    definition: step,
    key,
    instance,
    item,
    substituteAssetId: inputs.substitutes[key],
    left: leftOut(step, key, item, inputs),
  };
  if (isHuman(step)) return { ...common, listingId: NO_LISTING, components: [], fallbacks: [] };
  const { operation, endpoint } = step;
  const used = (listingId: string, by: string | undefined): UsedListing => ({
    listingId,
    components: offerings.find({ listingId, operation, endpoint: by })?.components ?? [],
  });
  return {
    ...common,
    ...used(modelOf(step, item, inputs), endpoint),
    fallbacks: (step.fallbacks ?? []).map((fallback) => used(fallback.model, fallback.endpoint)),
  };
}

function leftOut(
  { when }: StepDefinition,
  key: string,
  item: RunItem | undefined,
  inputs: RunInputs,
): PlannedStep['left'] {
  if (inputs.abandoned?.includes(key) === true) return 'abandoned';
  if (when === undefined || 'step' in when) return undefined;
  const found = 'input' in when ? inputs.values[when.input] : item?.values[when.item];
  return holds(found, when.compare, when.value) ? undefined : 'not_wanted';
}

function itemsOf(input: string, inputs: RunInputs): readonly RunItem[] {
  const items = inputs.lists?.[input];
  if (items === undefined || items.length === 0) throw listWanted(input);
  return items;
}

function listWanted(input: string): ColophonError {
  return new ColophonError(
    'invalid_request',
    `inputs.${input}: a list of items is required, with at least one: [{ ... }]`,
  );
}

function modelOf({ model }: ModelStep, item: RunItem | undefined, inputs: RunInputs): string {
  if (typeof model === 'string') return model;
  const [given, name] =
    'input' in model
      ? [inputs.values[model.input], `inputs.${model.input}`]
      : [item?.values[model.item], `item.${model.item}`];
  if (given === undefined) return model.default;
  if (typeof given !== 'string')
    throw new ColophonError('invalid_request', `${name}: must name a model listing`);
  return given;
}

/** Counted before anything is made of it. */
function requireFewInstances({ steps }: PipelineDefinition, { lists }: RunInputs): void {
  const count = steps.reduce(
    (sum, { each }) => sum + (each === undefined ? 1 : (lists?.[each.input]?.length ?? 0)),
    0,
  );
  if (count <= MAX_INSTANCES) return;
  throw new ColophonError(
    'pipeline_too_large',
    `The run would have ${count} steps, each item of a list counted; the limit is ${MAX_INSTANCES}. Give it shorter lists.`,
  );
}

function requireKnownSubstitutes(planned: readonly PlannedStep[], { substitutes }: RunInputs): void {
  const keys = new Set(planned.map(({ key }) => key));
  const unknown = Object.keys(substitutes).find((key) => !keys.has(key));
  if (unknown === undefined) return;
  const isList = planned.some(({ key }) => definitionKeyOf(key) === unknown);
  throw new ColophonError(
    'invalid_request',
    isList
      ? `substitutes: "${unknown}" is run once for each item of a list; name one of them, e.g. "${unknown}.1"`
      : `substitutes: the pipeline has no step "${unknown}"`,
  );
}

/** A misspelled input must not be ignored silently: the run would cost money and be wrong. */
function requireKnownInputs({ steps }: PipelineDefinition, inputs: RunInputs): void {
  const known = new Set(steps.flatMap(inputNamesOf));
  const lists = new Set(steps.flatMap(({ each }) => (each === undefined ? [] : [each.input])));
  const unknown =
    [...Object.keys(inputs.values), ...Object.keys(inputs.images)].find((name) => !known.has(name)) ??
    Object.keys(inputs.lists ?? {}).find((name) => !lists.has(name));
  if (unknown !== undefined) {
    if (lists.has(unknown)) throw listWanted(unknown);
    throw new ColophonError('invalid_request', `inputs.${unknown}: the pipeline has no such input`, {
      extensions: { knownInputs: [...new Set([...known, ...lists])].sort() },
    });
  }
  for (const list of lists) requireKnownItems(list, steps, inputs.lists?.[list] ?? []);
}

function requireKnownItems(list: string, steps: readonly StepDefinition[], items: readonly RunItem[]): void {
  const known = new Set(steps.filter(({ each }) => each?.input === list).flatMap(itemNamesOf));
  for (const [index, item] of items.entries()) {
    const unknown = [...Object.keys(item.values), ...Object.keys(item.images)].find(
      (name) => !known.has(name),
    );
    if (unknown === undefined) continue;
    throw new ColophonError('invalid_request', `inputs.${list}.${index}.${unknown}: no step takes it`, {
      extensions: { knownInputs: [...known].sort() },
    });
  }
}

function inputNamesOf(step: StepDefinition): string[] {
  const media = Object.values(inputsOf(step)).flatMap((source) => ('input' in source ? [source.input] : []));
  const asked = step.when !== undefined && 'input' in step.when ? [step.when.input] : [];
  if (isHuman(step)) return [...media, ...asked];
  const model = typeof step.model === 'object' && 'input' in step.model ? [step.model.input] : [];
  const parameters = [step.parameters, ...(step.fallbacks ?? []).map((fallback) => fallback.parameters ?? {})]
    .flatMap((record) => Object.values(record))
    .flatMap((value) => (typeof value === 'object' && 'input' in value ? [value.input] : []));
  return [...media, ...asked, ...model, ...parameters];
}
