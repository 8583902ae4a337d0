import { type KeyMode } from '../../identity/domain/api-key.js';
import { ColophonError } from '../../shared/errors.js';
import { type MicroUsd } from '../../shared/money.js';
import { type MediaKind, named } from './media-kind.js';
import {
  type OfferedComponent,
  type Offering,
  type Offerings,
  SANDBOX_LISTING,
  SANDBOX_OPERATIONS,
} from './offering.js';
import { type Operation } from './operation.js';
import {
  checkPipeline,
  dependenciesOf,
  inputsOf,
  type Literal,
  type PipelineDefinition,
  type StepDefinition,
} from './pipeline-definition.js';
import { estimateMicroUsd } from './price.js';
import { type ProviderName } from './provider.port.js';

/** Values by input name; an image input is the id of an asset (UUID). */
export interface RunInputs {
  readonly values: Readonly<Record<string, Literal>>;
  readonly images: Readonly<Record<string, string>>;
  /** Assets that take the place of a step's output, by step key: an uploaded photograph instead of a generated one. */
  readonly substitutes: Readonly<Record<string, string>>;
}

export type MediaSource = (
  { readonly kind: 'step'; readonly stepKey: string } | { readonly kind: 'asset'; readonly assetId: string }
) & {
  /** What must come from there. Absent in what was sealed before there was more than pictures: `image`. */
  readonly media?: MediaKind;
};

export interface ResolvedStep {
  readonly key: string;
  readonly ordinal: number;
  readonly operation: Operation;
  /** What was asked for, and what the clearance is about. */
  readonly listingId: string;
  /** What executes it: a test key's paid steps go to the sandbox. */
  readonly provider: ProviderName;
  readonly endpoint: string;
  readonly parameters: Readonly<Record<string, Literal>>;
  /** Pictures and other media by parameter name. */
  readonly images: Readonly<Record<string, MediaSource>>;
  readonly dependsOn: readonly string[];
  readonly reservedMicroUsd: MicroUsd;
  /** What comes along with the offering: part of the lineage. */
  readonly components: readonly OfferedComponent[];
  /** Set when an asset takes the place of this step. */
  readonly substituteAssetId: string | undefined;
}

/** An offering may be missing for a listing that exists: clearance comes first, and may say no before it matters. */
export interface PlannedStep {
  readonly definition: StepDefinition;
  readonly listingId: string;
  readonly substituteAssetId: string | undefined;
  /** What comes along with the offering that runs it live: LoRAs, encoders, upscalers. */
  readonly components: readonly OfferedComponent[];
}

/**
 * Which listings a run would use. Enough for clearance.
 * @throws ColophonError `pipeline_invalid`, `pipeline_cyclic`, `pipeline_too_large`, `invalid_request`
 */
export function planSteps(
  definition: PipelineDefinition,
  inputs: RunInputs,
  offerings: Offerings,
): PlannedStep[] {
  checkPipeline(definition);
  const keys = new Set(definition.steps.map(({ key }) => key));
  const unknown = Object.keys(inputs.substitutes).find((key) => !keys.has(key));
  if (unknown !== undefined)
    throw new ColophonError('invalid_request', `substitutes: the pipeline has no step "${unknown}"`);
  requireKnownInputs(definition, inputs);
  return definition.steps.map((step) => {
    const listingId = modelOf(step, inputs);
    const { operation, endpoint, key } = step;
    const offering = offerings.find({ listingId, operation, endpoint });
    const components = offering?.components ?? [];
    return { definition: step, listingId, substituteAssetId: inputs.substitutes[key], components };
  });
}

/**
 * Everything that is needed to execute the steps.
 * @throws ColophonError `invalid_request`, `provider_not_configured`, `price_unknown`
 */
export function resolveSteps(
  steps: readonly PlannedStep[],
  inputs: RunInputs,
  mode: KeyMode,
  offerings: Offerings,
): ResolvedStep[] {
  return steps.map((planned, ordinal) => resolveStep(planned, ordinal, inputs, mode, offerings));
}

function resolveStep(
  planned: PlannedStep,
  ordinal: number,
  inputs: RunInputs,
  mode: KeyMode,
  offerings: Offerings,
): ResolvedStep {
  const { definition, listingId, substituteAssetId } = planned;
  const identity = {
    key: definition.key,
    ordinal,
    operation: definition.operation,
    listingId,
    substituteAssetId,
  };
  if (substituteAssetId !== undefined) {
    return {
      ...identity,
      provider: 'studio',
      endpoint: 'none',
      parameters: {},
      images: {},
      dependsOn: [],
      reservedMicroUsd: 0n,
      components: [],
    };
  }
  const offering = executableOffering(definition, listingId, mode, offerings);
  const parameters = parametersOf(definition, inputs);
  if (!offering.price) {
    throw new ColophonError(
      'price_unknown',
      `The price of ${listingId} is not known, so it cannot be reserved.`,
    );
  }
  const images = mediaOf(definition, inputs);
  const pictures = Object.values(images).filter(({ media }) => media === 'image').length;
  return {
    ...identity,
    provider: offering.provider,
    endpoint: offering.endpoint,
    parameters,
    images,
    dependsOn: dependenciesOf(definition),
    reservedMicroUsd: estimateMicroUsd(offering.price, parameters, pictures),
    // What is played with a test key has none of them in it; the clearance is asked about them all the same.
    components: offering.provider === 'sandbox' ? [] : planned.components,
  };
}

function executableOffering(
  step: StepDefinition,
  listingId: string,
  mode: KeyMode,
  offerings: Offerings,
): Offering {
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

function modelOf(step: StepDefinition, inputs: RunInputs): string {
  if (typeof step.model === 'string') return step.model;
  const given = inputs.values[step.model.input];
  if (given === undefined) return step.model.default;
  if (typeof given !== 'string')
    throw new ColophonError('invalid_request', `inputs.${step.model.input}: must name a model listing`);
  return given;
}

function parametersOf(step: StepDefinition, inputs: RunInputs): Record<string, Literal> {
  const resolved: Record<string, Literal> = {};
  for (const [name, value] of Object.entries(step.parameters)) {
    if (typeof value !== 'object' || Array.isArray(value)) {
      resolved[name] = value;
      continue;
    }
    const given = inputs.values[value.input] ?? value.default;
    if (given !== undefined) resolved[name] = given;
    else if (!value.optional)
      throw new ColophonError('invalid_request', `inputs.${value.input}: is required by step "${step.key}"`);
  }
  return resolved;
}

/**
 * Every text that the steps would hand to a provider, with the inputs of the run put in: prompts, negative prompts,
 * words to be set. Which parameter is which is the vendor's matter, so none is left out.
 */
export function textsOf(
  steps: readonly PlannedStep[],
  inputs: RunInputs,
): { stepKey: string; text: string }[] {
  return steps.flatMap(({ definition, substituteAssetId }) => {
    if (substituteAssetId !== undefined) return [];
    const values = Object.values(definition.parameters).map((value) =>
      typeof value !== 'object' || Array.isArray(value)
        ? value
        : (inputs.values[value.input] ?? value.default),
    );
    const texts = values.flat().filter((value): value is string => typeof value === 'string');
    return [...new Set(texts)].map((text) => ({ stepKey: definition.key, text }));
  });
}

function mediaOf(step: StepDefinition, inputs: RunInputs): Record<string, MediaSource> {
  const resolved: Record<string, MediaSource> = {};
  for (const [name, source] of Object.entries(inputsOf(step))) {
    const media = source.kind;
    if ('step' in source) {
      resolved[name] = { kind: 'step', stepKey: source.step, media };
      continue;
    }
    const assetId = inputs.images[source.input];
    if (assetId === undefined) {
      throw new ColophonError(
        'invalid_request',
        `inputs.${source.input}: an asset id is required by step "${step.key}"; it must be ${named(media)}`,
      );
    }
    resolved[name] = { kind: 'asset', assetId, media };
  }
  return resolved;
}

/** A misspelled input must not be ignored silently: the run would cost money and be wrong. */
function requireKnownInputs(definition: PipelineDefinition, inputs: RunInputs): void {
  const known = new Set<string>();
  for (const step of definition.steps) {
    if (typeof step.model === 'object') known.add(step.model.input);
    for (const value of Object.values(step.parameters)) {
      if (typeof value === 'object' && !Array.isArray(value)) known.add(value.input);
    }
    for (const source of Object.values(inputsOf(step))) if ('input' in source) known.add(source.input);
  }
  const unknown = [...Object.keys(inputs.values), ...Object.keys(inputs.images)].find(
    (name) => !known.has(name),
  );
  if (unknown !== undefined) {
    throw new ColophonError('invalid_request', `inputs.${unknown}: the pipeline has no such input`, {
      extensions: { knownInputs: [...known].sort() },
    });
  }
}
