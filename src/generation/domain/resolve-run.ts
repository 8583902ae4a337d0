import { type RunValue, textsIn } from './definition-words.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { ColophonError } from '../../shared/errors.js';
import { type MicroUsd } from '../../shared/money.js';
import { mainSource } from './check-pipeline.js';
import { named } from './media-kind.js';
import {
  type OfferedComponent,
  type Offering,
  type Offerings,
  SANDBOX_LISTING,
  SANDBOX_OPERATIONS,
} from './offering.js';
import { type Operation } from './operation.js';
import {
  inputsOf,
  type InputSource,
  isHuman,
  type ModelStep,
  type StepOperation,
} from './pipeline-definition.js';
import { instancesBefore, instancesOf, type PlannedStep, type UsedListing } from './plan-steps.js';
import { type KnownAssets, MediaAhead } from './media-ahead.js';
import { estimateMicroUsd } from './price.js';
import { type StepExecutor } from './provider.port.js';
import { type MediaSource, type RunInputs } from './run-inputs.js';
import { DEFAULT_ROLES } from './step-control.js';
import { type Alternative, type PassedOn, type StepPlan } from './step-plan.js';

export { type MediaSource, type RunInputs } from './run-inputs.js';

export interface ResolvedStep {
  /** Of the instance. */
  readonly key: string;
  readonly ordinal: number;
  readonly operation: StepOperation;
  /** What was asked for, and what the clearance is about. */
  readonly listingId: string;
  /** What executes it: a test key's paid steps go to the sandbox. */
  readonly provider: StepExecutor;
  readonly endpoint: string;
  readonly parameters: Readonly<Record<string, RunValue>>;
  /** Pictures and other media by parameter name. */
  readonly images: Readonly<Record<string, MediaSource>>;
  readonly dependsOn: readonly string[];
  /** The most that any of its alternatives may cost. */
  readonly reservedMicroUsd: MicroUsd;
  /** What comes along with the offering: part of the lineage. */
  readonly components: readonly OfferedComponent[];
  /** Set when an asset takes the place of this step. */
  readonly substituteAssetId: string | undefined;
  readonly left: PlannedStep['left'];
  readonly plan: StepPlan;
  /** Parameters of the alternatives, in their order; empty where there is one way only. */
  readonly alternativeParameters: readonly Readonly<Record<string, RunValue>>[];
}

/** What is needed to resolve one step. */
interface Resolving {
  readonly all: readonly PlannedStep[];
  readonly inputs: RunInputs;
  readonly mode: KeyMode;
  readonly offerings: Offerings;
}

/** With what is known of the media that go in: the money is reserved by it. */
interface Pricing extends Resolving {
  readonly ahead: MediaAhead;
}

/**
 * Everything that is needed to execute the steps.
 * @param known the assets that the run is given
 * @throws ColophonError `invalid_request`, `provider_not_configured`, `price_unknown`, `pipeline_invalid`
 */
export function resolveSteps(
  steps: readonly PlannedStep[],
  inputs: RunInputs,
  mode: KeyMode,
  offerings: Offerings,
  known: KnownAssets = new Map(),
): ResolvedStep[] {
  const resolving = { all: steps, inputs, mode, offerings };
  const ahead = new MediaAhead({
    planned: steps,
    known,
    sourcesOf: (planned) => Object.values(mediaOf(planned, resolving)),
    waysOf: (planned) =>
      isHuman(planned.definition)
        ? []
        : usedBy(planned.definition, planned).map(({ used, step }) => ({
            provider: executableOffering(step, used.listingId, resolving).provider,
            parameters: parametersOf(step, planned, resolving),
          })),
  });
  return steps.map((planned, ordinal) => resolveStep(planned, ordinal, { ...resolving, ahead }));
}

function resolveStep(planned: PlannedStep, ordinal: number, resolving: Pricing): ResolvedStep {
  const { definition, key, listingId, substituteAssetId, left } = planned;
  const idle = {
    key,
    ordinal,
    operation: definition.operation,
    listingId,
    substituteAssetId,
    left,
    provider: isHuman(definition) ? ('people' as const) : ('studio' as const),
    endpoint: 'none',
    parameters: {},
    images: {},
    dependsOn: [],
    reservedMicroUsd: 0n,
    components: [],
    alternativeParameters: [],
    plan: { needs: [], onFailure: onFailureOf(planned) },
  };
  if (substituteAssetId !== undefined) return idle;
  if (left === 'abandoned') return idle;
  // Passed over from the beginning: what it would have worked on may be an asset, or come from a step.
  if (left === 'not_wanted') return { ...idle, ...passedOver(planned, resolving) };
  const images = mediaOf(planned, resolving);
  const waiting = { images, dependsOn: instancesBefore(planned, resolving.all) };
  if (isHuman(definition)) return { ...idle, ...waiting, plan: planOf(planned, images, resolving) };
  const ways = waysOf(definition, planned, images, resolving);
  const [first] = ways;
  if (first === undefined) throw new Error('a step without a way to do it');
  return {
    ...idle,
    ...waiting,
    provider: first.alternative.provider,
    endpoint: first.alternative.endpoint,
    parameters: first.parameters,
    reservedMicroUsd: ways
      .map(({ estimate }) => estimate)
      .reduce((most, cost) => (cost > most ? cost : most)),
    components: first.alternative.components,
    plan: {
      ...planOf(planned, images, resolving),
      ...(ways.length > 1 ? { alternatives: ways.map(({ alternative }) => alternative) } : {}),
    },
    alternativeParameters: ways.length > 1 ? ways.map(({ parameters }) => parameters) : [],
  };
}

interface Way {
  readonly alternative: Alternative;
  readonly parameters: Record<string, RunValue>;
  readonly estimate: MicroUsd;
}

/** The way of the definition, and its fallbacks: one of them at most is ever paid, because only a certain failure leads to the next. */
function waysOf(
  definition: ModelStep,
  planned: PlannedStep,
  images: Readonly<Record<string, MediaSource>>,
  resolving: Pricing,
): Way[] {
  const ways = usedBy(definition, planned).map(({ used, step }): Way => {
    const offering = executableOffering(step, used.listingId, resolving);
    const parameters = parametersOf(step, planned, resolving);
    const estimate = estimateOf(offering, step, used.listingId, parameters, images, resolving.ahead);
    const { provider, endpoint } = offering;
    // What is played with a test key has none of them in it; the clearance is asked about them all the same.
    const components = provider === 'sandbox' ? [] : used.components;
    const alternative = { listingId: used.listingId, provider, endpoint, components };
    return { alternative: { ...alternative, estimateMicroUsd: estimate.toString() }, parameters, estimate };
  });
  // This server knows a job by the id of the step: it would find the failed one again.
  if (ways.filter(({ alternative }) => alternative.provider === 'comfyui').length > 1)
    throw new ColophonError(
      'pipeline_invalid',
      `Step "${definition.key}": a workflow of ComfyUI cannot stand in for another one.`,
    );
  return ways;
}

/** Which listing runs a step, with the definition as it is for that one. */
function usedBy(
  definition: ModelStep,
  planned: Pick<PlannedStep, 'listingId' | 'components' | 'fallbacks'>,
): { readonly used: UsedListing; readonly step: ModelStep }[] {
  const fallbacks = (definition.fallbacks ?? []).map(({ model, endpoint, parameters }, index) => ({
    used: planned.fallbacks[index] ?? { listingId: model, components: [] },
    step: { ...definition, model, endpoint, parameters: parameters ?? definition.parameters },
  }));
  return [{ used: planned, step: definition }, ...fallbacks];
}

function estimateOf(
  { price }: Offering,
  { operation }: ModelStep,
  listingId: string,
  parameters: Readonly<Record<string, RunValue>>,
  images: Readonly<Record<string, MediaSource>>,
  ahead: MediaAhead,
): MicroUsd {
  if (!price) {
    throw new ColophonError(
      'price_unknown',
      `The price of ${listingId} is not known, so it cannot be reserved.`,
    );
  }
  if (price.family === 'free' || price.family === 'ceiling') return estimateMicroUsd(price, parameters);
  const inputs = Object.values(images).map((source) => ahead.factsOf(source));
  return estimateMicroUsd(price, parameters, { operation, inputs });
}

function onFailureOf({ definition }: PlannedStep): StepPlan['onFailure'] {
  return definition.onFailure ?? (definition.each === undefined ? 'stop' : 'continue');
}

function planOf(
  planned: PlannedStep,
  images: Readonly<Record<string, MediaSource>>,
  { all }: Resolving,
): StepPlan {
  const { definition } = planned;
  const { when } = definition;
  const sources = Object.values(images);
  const condition =
    when !== undefined && 'step' in when
      ? {
          stepKey: instancesOf(planned, when.step, all)[0] ?? when.step,
          fact: when.fact,
          compare: when.compare,
          value: when.value,
        }
      : undefined;
  return {
    needs: [...new Set(sources.flatMap((source) => (source.kind === 'step' ? [source.stepKey] : [])))],
    onFailure: onFailureOf(planned),
    ...(condition === undefined ? {} : { when: condition }),
    ...(condition !== undefined && when?.otherwise === 'pass' ? passedOn(planned, images) : {}),
    ...(!isHuman(definition) && definition.retry ? { retry: definition.retry } : {}),
    ...(definition.operation === 'choose' ? { needsAny: true as const } : {}),
    ...(isHuman(definition)
      ? {
          human: {
            operation: definition.operation,
            roles: definition.roles ?? [...DEFAULT_ROLES[definition.operation]],
            deadlineMinutes: definition.deadlineMinutes,
            givenAssetIds: sources.flatMap((source) => (source.kind === 'asset' ? [source.assetId] : [])),
          },
        }
      : {}),
  };
}

/** A condition on the inputs that does not hold: the step waits for what it hands on, if it hands on anything. */
function passedOver(planned: PlannedStep, resolving: Resolving): Pick<ResolvedStep, 'dependsOn' | 'plan'> {
  const none = { needs: [], onFailure: onFailureOf(planned), notWanted: true as const };
  if (planned.definition.when?.otherwise !== 'pass') return { dependsOn: [], plan: none };
  const { passOn } = passedOn(planned, mediaOf(planned, resolving));
  const dependsOn = passOn !== undefined && 'stepKey' in passOn ? [passOn.stepKey] : [];
  return { dependsOn, plan: passOn === undefined ? none : { ...none, needs: dependsOn, passOn } };
}

function passedOn(
  { definition }: PlannedStep,
  images: Readonly<Record<string, MediaSource>>,
): { readonly passOn?: PassedOn } {
  const main = mainSource(definition);
  const name = Object.entries(inputsOf(definition)).find(([, source]) => sameSource(source, main))?.[0];
  const source = name === undefined ? undefined : images[name];
  if (source === undefined) return {};
  return { passOn: source.kind === 'step' ? { stepKey: source.stepKey } : { assetId: source.assetId } };
}

function sameSource(one: InputSource, other: InputSource | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function executableOffering(step: ModelStep, listingId: string, { mode, offerings }: Resolving): Offering {
  const { operation, endpoint } = step;
  const offering = offerings.find({ listingId, operation, endpoint });
  if (mode === 'test' && isPlayable(operation) && offering?.provider !== 'studio') {
    const sandbox = offerings.find({ listingId: SANDBOX_LISTING, operation });
    if (sandbox) return sandbox;
  }
  if (!offering) {
    throw new ColophonError(
      'provider_not_configured',
      `Step "${step.key}": no configured provider can do "${operation}" with ${listingId}.`,
    );
  }
  if (mode === 'live' && offering.provider === 'sandbox') {
    throw new ColophonError('wrong_mode', `Step "${step.key}": the sandbox works with test keys only.`);
  }
  return offering;
}

function isPlayable(operation: Operation): boolean {
  return SANDBOX_OPERATIONS.some((played) => played === operation);
}

function parametersOf(
  step: ModelStep,
  planned: PlannedStep,
  { inputs }: Resolving,
): Record<string, RunValue> {
  const resolved: Record<string, RunValue> = {};
  for (const [name, value] of Object.entries(step.parameters)) {
    if (typeof value !== 'object' || Array.isArray(value)) {
      resolved[name] = value;
      continue;
    }
    const given =
      ('input' in value ? inputs.values[value.input] : planned.item?.values[value.item]) ?? value.default;
    if (given !== undefined) resolved[name] = given;
    else if (!value.optional)
      throw new ColophonError(
        'invalid_request',
        `${placeOf(planned, value)}: is required by step "${step.key}"`,
      );
  }
  return resolved;
}

function placeOf(
  { definition, instance = 1 }: PlannedStep,
  reference: { readonly input: string } | { readonly item: string },
): string {
  if ('input' in reference) return `inputs.${reference.input}`;
  return `inputs.${definition.each?.input ?? ''}.${instance - 1}.${reference.item}`;
}

/**
 * Every text that the steps would hand to a provider, with the inputs of the run put in: prompts, negative prompts,
 * words to be set. Which parameter is which is the vendor's matter, so none is left out.
 */
export function textsOf(
  steps: readonly PlannedStep[],
  inputs: RunInputs,
): { stepKey: string; text: string }[] {
  const found = new Map<string, { stepKey: string; text: string }>();
  for (const { definition, substituteAssetId, left, item } of steps) {
    if (substituteAssetId !== undefined || left !== undefined || isHuman(definition)) continue;
    const records = [
      definition.parameters,
      ...(definition.fallbacks ?? []).map(({ parameters }) => parameters ?? {}),
    ];
    for (const value of records.flatMap((record) => Object.values(record))) {
      const literal =
        typeof value !== 'object' || Array.isArray(value)
          ? value
          : (('input' in value ? inputs.values[value.input] : item?.values[value.item]) ?? value.default);
      for (const text of textsIn(literal))
        found.set(`${definition.key} ${text}`, { stepKey: definition.key, text });
    }
  }
  return [...found.values()];
}

function mediaOf(planned: PlannedStep, { all, inputs }: Resolving): Record<string, MediaSource> {
  const { definition, item } = planned;
  const resolved: Record<string, MediaSource> = {};
  for (const [name, source] of Object.entries(inputsOf(definition))) {
    const media = source.kind;
    if ('step' in source) {
      const keys = instancesOf(planned, source.step, all);
      for (const stepKey of keys)
        // Candidates of a list are told apart by the instances that make them.
        resolved[keys.length > 1 ? stepKey : name] = { kind: 'step', stepKey, media };
      continue;
    }
    const assetId = 'input' in source ? inputs.images[source.input] : item?.images[source.item];
    if (assetId === undefined) {
      throw new ColophonError(
        'invalid_request',
        `${placeOf(planned, source)}: an asset id is required by step "${definition.key}"; it must be ${named(media)}`,
      );
    }
    resolved[name] = { kind: 'asset', assetId, media };
  }
  return resolved;
}
