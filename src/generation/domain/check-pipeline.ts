import { ColophonError } from '../../shared/errors.js';
import { type MediaKind, named } from './media-kind.js';
import { OPERATION_FACTS } from './operation.js';
import {
  inputsOf,
  type InputSource,
  isHuman,
  MAX_STEPS,
  type PipelineDefinition,
  type StepDefinition,
} from './pipeline-definition.js';

/** Steps whose output this step needs, without repetition. */
export function mediaStepsOf(step: StepDefinition): string[] {
  return [
    ...new Set(Object.values(inputsOf(step)).flatMap((source) => ('step' in source ? [source.step] : []))),
  ];
}

/** Steps that must have come to their end before this one begins. */
export function dependenciesOf(step: StepDefinition): string[] {
  const asked = step.when !== undefined && 'step' in step.when ? [step.when.step] : [];
  return [...new Set([...mediaStepsOf(step), ...asked])];
}

/**
 * Checks what a schema cannot: keys are unique, references resolve, no step waits for itself.
 * @throws ColophonError `pipeline_too_large`, `pipeline_invalid`, `pipeline_cyclic`
 */
export function checkPipeline(definition: PipelineDefinition): void {
  if (definition.steps.length > MAX_STEPS) {
    throw new ColophonError(
      'pipeline_too_large',
      `The pipeline has ${definition.steps.length} steps; the limit is ${MAX_STEPS}.`,
    );
  }
  if (definition.steps.every(isHuman))
    throw new ColophonError(
      'pipeline_invalid',
      'No step is done by a model or a program: there is nothing to run.',
    );
  const keys = new Set<string>();
  for (const { key } of definition.steps) {
    if (keys.has(key)) throw new ColophonError('pipeline_invalid', `Two steps have the key "${key}".`);
    keys.add(key);
  }
  for (const step of definition.steps) {
    const twice = Object.keys(step.media ?? {}).find((name) => Object.hasOwn(step.images, name));
    if (twice !== undefined) {
      throw new ColophonError(
        'pipeline_invalid',
        `Step "${step.key}" names "${twice}" twice, among its images and its media.`,
      );
    }
    const missing = dependenciesOf(step).find((dependency) => !keys.has(dependency));
    if (missing !== undefined) {
      throw new ColophonError(
        'pipeline_invalid',
        `Step "${step.key}" takes its image from step "${missing}", which does not exist.`,
      );
    }
  }
  requireFittingKinds(definition);
  for (const step of definition.steps) requireFittingControl(definition, step);
  const cycle = findCycle(definition);
  if (cycle)
    throw new ColophonError('pipeline_cyclic', `These steps wait for each other: ${cycle.join(' -> ')}.`);
}

/** What a step leaves: a person's step hands on what it was given. */
export function kindMadeBy(step: StepDefinition): MediaKind {
  if (!isHuman(step)) return OPERATION_FACTS[step.operation].makes;
  return Object.values(inputsOf(step))[0]?.kind ?? 'image';
}

/** The input that a step hands on when it is passed over: the one named `image`, else the only one. */
export function mainSource(step: StepDefinition): InputSource | undefined {
  const sources = inputsOf(step);
  const all = Object.values(sources);
  return sources.image ?? (all.length === 1 ? all[0] : undefined);
}

/** Lists, conditions and steps of people. */
function requireFittingControl(definition: PipelineDefinition, step: StepDefinition): void {
  const problem =
    itemProblem(step) ?? listProblem(definition, step) ?? humanProblem(step) ?? passProblem(step);
  if (problem !== undefined) throw new ColophonError('pipeline_invalid', `Step "${step.key}" ${problem}.`);
}

function itemProblem(step: StepDefinition): string | undefined {
  if (step.each !== undefined) return undefined;
  const [name] = itemNamesOf(step);
  return name === undefined ? undefined : `takes "${name}" from an item, and has no list ("each")`;
}

/** What a step takes from the items of its list. */
export function itemNamesOf(step: StepDefinition): string[] {
  const media = Object.values(inputsOf(step)).flatMap((source) => ('item' in source ? [source.item] : []));
  const asked = step.when !== undefined && 'item' in step.when ? [step.when.item] : [];
  if (isHuman(step)) return [...media, ...asked];
  const model = typeof step.model === 'object' && 'item' in step.model ? [step.model.item] : [];
  const parameters = [step.parameters, ...(step.fallbacks ?? []).map((fallback) => fallback.parameters ?? {})]
    .flatMap((record) => Object.values(record))
    .flatMap((value) => (typeof value === 'object' && 'item' in value ? [value.item] : []));
  return [...media, ...asked, ...model, ...parameters];
}

/** Instances belong together where the list is the same. All instances together only a person can look at. */
function listProblem({ steps }: PipelineDefinition, step: StepDefinition): string | undefined {
  const gathers = step.operation === 'choose' && step.each === undefined;
  const asked = step.when !== undefined && 'step' in step.when ? step.when.step : undefined;
  const other = dependenciesOf(step)
    .map((key) => steps.find((candidate) => candidate.key === key))
    .filter((source) => source?.each !== undefined && source.each.input !== step.each?.input)
    .find((source) => !gathers || source?.key === asked);
  if (other === undefined) return undefined;
  return `needs one output of "${other.key}", which is made once for each item of "${other.each?.input ?? ''}": give it the same list, or choose one first`;
}

function humanProblem(step: StepDefinition): string | undefined {
  if (!isHuman(step)) return undefined;
  const sources = Object.values(inputsOf(step));
  if (sources.length === 0) return 'has nothing for a person to work on: name it in "images" or "media"';
  if (step.operation !== 'choose' && sources.length > 1) return 'can have one file only';
  if (new Set(sources.map(({ kind }) => kind)).size > 1) return 'must have files of one kind';
  return undefined;
}

function passProblem(step: StepDefinition): string | undefined {
  if (step.when?.otherwise !== 'pass') return undefined;
  if (step.operation === 'choose') return 'cannot hand on one of several: nobody has chosen';
  const source = mainSource(step);
  if (source === undefined)
    return 'cannot hand on its input: it has none, or several without one named "image"';
  return source.kind === kindMadeBy(step)
    ? undefined
    : `cannot hand on ${named(source.kind)} in place of ${named(kindMadeBy(step))}`;
}

/** A step that wants a picture cannot work on the video that another step makes. */
function requireFittingKinds(definition: PipelineDefinition): void {
  const makes = new Map(definition.steps.map((step) => [step.key, kindMadeBy(step)]));
  for (const step of definition.steps) {
    for (const [name, source] of Object.entries(inputsOf(step))) {
      const made = 'step' in source ? makes.get(source.step) : undefined;
      if (made === undefined || made === source.kind) continue;
      throw new ColophonError(
        'pipeline_invalid',
        `Step "${step.key}" needs ${named(source.kind)} as "${name}", but "${'step' in source ? source.step : ''}" makes ${named(made)}.`,
      );
    }
  }
}

/** Removes steps that wait for nothing until none is left (Kahn, 1962); what remains contains a cycle. */
function findCycle(definition: PipelineDefinition): string[] | undefined {
  const waiting = new Map(definition.steps.map((step) => [step.key, new Set(dependenciesOf(step))]));
  for (let removed = true; removed;) {
    removed = false;
    for (const [key, dependencies] of waiting) {
      if ([...dependencies].some((dependency) => waiting.has(dependency))) continue;
      waiting.delete(key);
      removed = true;
    }
  }
  const [start] = waiting.keys();
  if (start === undefined) return undefined;
  const path: string[] = [];
  for (let key = start; !path.includes(key);) {
    path.push(key);
    key = [...(waiting.get(key) ?? [])].find((dependency) => waiting.has(dependency)) ?? start;
  }
  return path;
}
