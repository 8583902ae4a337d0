import { type AssetParent } from '../../assets/domain/asset.js';
import {
  type DescribedIngredient,
  type DigitalSourceType,
  type FileIngredient,
  type ManifestPlan,
  type PlannedAction,
  type PlannedAssertion,
} from '../../provenance/domain/manifest-plan.js';
import { type ManifestContext } from '../../provenance/domain/manifest-settings.js';
import {
  aiDisclosure,
  modelIngredient,
  type PromptCommitment,
  promptIngredient,
  type RequestedModel,
} from '../../provenance/domain/model-statements.js';
import { namedAs, type Naming } from '../../provenance/domain/named-actor.js';
import { type AncestorSourceType, pictureSourceType } from '../../provenance/domain/picture-source-type.js';
import {
  type ClearanceReference,
  type EntryReference,
  recordAssertion,
} from '../../provenance/domain/record-assertion.js';
import {
  embeddedMetadata,
  metadataAssertion,
  type PictureStatement,
  trainingMiningAssertion,
} from '../../provenance/domain/rights-statements.js';
import { publicId } from '../../shared/ids.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import { mainImageOf, type Operation } from './operation.js';
import { machineOperation, type Run, type StepRun } from './run.js';

export interface StepImage {
  readonly assetId: string;
  readonly path: string;
  readonly mediaType: string;
  readonly title: string;
  /** How the image and everything behind it came to be. */
  readonly sourceTypes: readonly AncestorSourceType[];
  /** Whether a file behind it reserves a use, or could not be read. */
  readonly reserves: boolean;
}

export interface StepManifest {
  readonly plan: ManifestPlan;
  readonly digitalSourceType: DigitalSourceType | undefined;
  readonly parents: readonly AssetParent[];
}

/** Everything that the manifest of a step's output says. */
export interface StepFacts {
  readonly run: Run;
  readonly step: StepRun;
  /** Whether a trained model runs behind the step's offering. */
  readonly trainedModel: boolean;
  readonly images: Readonly<Record<string, StepImage>>;
  readonly isFinal: boolean;
  readonly context: ManifestContext;
  readonly clearance: ClearanceReference;
  /** The entry that was committed before the request was sent. */
  readonly submitted: EntryReference | undefined;
  /** As cleared; the first one is that of the step, the others come along with it. */
  readonly models: readonly RequestedModel[];
  /** `undefined` for a step without a prompt. */
  readonly prompt: PromptCommitment | undefined;
  /** Only where the project wants the writer of the prompt to be named. */
  readonly promptWriter: string | undefined;
  readonly organization: Naming | undefined;
  readonly now: Date;
}

interface What {
  readonly action: string;
  readonly digitalSourceType: DigitalSourceType | undefined;
  readonly description: string;
}

const CREATED_BY_A_PROGRAM: What = {
  action: 'c2pa.created',
  digitalSourceType: 'algorithmicMedia',
  description: 'Made by a program',
};

/** C2PA 2.4, actions and digital source types for work without a trained model. A plain resize has no source type. */
const DETERMINISTIC: Record<Operation, What> = {
  generate: {
    action: 'c2pa.created',
    digitalSourceType: 'algorithmicMedia',
    description: 'Rendered by a program',
  },
  'cut-out': {
    action: 'c2pa.edited',
    digitalSourceType: 'algorithmicallyEnhanced',
    description: 'Background removed',
  },
  upscale: { action: 'c2pa.resized.proportional', digitalSourceType: undefined, description: 'Enlarged' },
  recolor: {
    action: 'c2pa.adjustedColor',
    digitalSourceType: 'algorithmicallyEnhanced',
    description: 'Recolored',
  },
  crop: { action: 'c2pa.cropped', digitalSourceType: 'algorithmicallyEnhanced', description: 'Cropped' },
  convert: {
    action: 'c2pa.transcoded',
    digitalSourceType: undefined,
    description: 'Converted to another format',
  },
  edit: {
    action: 'c2pa.edited',
    digitalSourceType: 'algorithmicallyEnhanced',
    description: 'Changed by a program',
  },
  'generate-video': CREATED_BY_A_PROGRAM,
  animate: CREATED_BY_A_PROGRAM,
  speak: CREATED_BY_A_PROGRAM,
  'compose-music': CREATED_BY_A_PROGRAM,
  'generate-3d': CREATED_BY_A_PROGRAM,
};

/** What the manifest of a step's output says: what we know as created, what the provider claims as gathered. */
export function stepManifest(facts: StepFacts): StepManifest {
  const { step, images, isFinal, now } = facts;
  const isTrained = usesTrainedModel(facts);
  const mainImage = mainImageOf(machineOperation(step), Object.keys(images));
  const isParent = (name: string) => name === mainImage;
  const what = whatHappened(step, isTrained, Object.keys(images).some(isParent));
  const action: PlannedAction = { ...what, when: now.toISOString(), softwareAgent: agentOf(step) };
  const files = Object.entries(images).map(([name, image]) => fileIngredient(isParent(name), image));
  const statement = pictureStatement(facts, what, isTrained);
  const assertions = assertionsOf(facts, statement, isTrained);
  return {
    plan: {
      title: statement.title,
      actions: [action],
      // The bytes came back from one request of ours: whatever made them is that one action.
      allActionsIncluded: true,
      ingredients: [...files.map(({ ingredient }) => ingredient), ...describedIngredients(facts, isTrained)],
      assertions,
      identities: facts.organization ? [namedAs(facts.organization, ['cawg.producer'], assertions)] : [],
      embeddedMetadata: embeddedMetadata(statement),
      thumbnail: isFinal,
    },
    digitalSourceType: what.digitalSourceType,
    parents: files.map(({ assetId, ingredient }) => ({ assetId, relationship: ingredient.relationship })),
  };
}

function pictureStatement(facts: StepFacts, what: What, isTrained: boolean): PictureStatement {
  const { run, step, images, context, models, promptWriter } = facts;
  const [model] = models;
  return {
    title: `${run.pipelineName} ${step.key}`,
    organization: context.organizationName,
    settings: context.settings,
    sourceType: pictureSourceType(
      what.digitalSourceType ?? 'unchanged',
      Object.values(images).flatMap(({ sourceTypes }) => sourceTypes),
    ),
    aiSystem: isTrained && model ? { name: model.name, version: model.revision } : undefined,
    promptWriter: isTrained ? promptWriter : undefined,
    productionId: publicId('stepRun', step.id),
  };
}

function fileIngredient(
  isParent: boolean,
  { assetId, path, mediaType, title }: StepImage,
): { assetId: string; ingredient: FileIngredient } {
  const relationship = isParent ? 'parentOf' : 'inputTo';
  return { assetId, ingredient: { path, mediaType, title, relationship, digitalSourceType: undefined } };
}

function describedIngredients({ models, prompt }: StepFacts, isTrained: boolean): DescribedIngredient[] {
  return [...(isTrained ? models.map(modelIngredient) : []), ...(prompt ? [promptIngredient(prompt)] : [])];
}

/** The sandbox plays any model and runs none. */
function usesTrainedModel({ step, trainedModel }: StepFacts): boolean {
  return step.provider !== 'sandbox' && trainedModel;
}

function whatHappened(step: StepRun, isTrained: boolean, changesAnImage: boolean): What {
  if (!isTrained) return byProgram(machineOperation(step), changesAnImage);
  return changesAnImage
    ? {
        action: 'c2pa.edited',
        digitalSourceType: 'compositeWithTrainedAlgorithmicMedia',
        description: 'Changed by a generative model',
      }
    : {
        action: 'c2pa.created',
        digitalSourceType: 'trainedAlgorithmicMedia',
        description: 'Generated by a model',
      };
}

/** A program may change a picture where it usually makes one, and the other way round: what it was given decides. */
function byProgram(operation: Operation, changesAnImage: boolean): What {
  const usual = DETERMINISTIC[operation];
  if ((usual.action === 'c2pa.created') !== changesAnImage) return usual;
  return changesAnImage ? DETERMINISTIC.edit : CREATED_BY_A_PROGRAM;
}

/** Who did it, as far as we know it ourselves. Which model a vendor really ran is the vendor's claim. */
function agentOf(step: StepRun): { name: string; version: string } {
  if (step.provider === 'sandbox')
    return { name: `${PRODUCT_NAME} sandbox (no AI, for tests)`, version: PRODUCT_VERSION };
  if (step.provider === 'studio') return { name: `${PRODUCT_NAME} studio`, version: PRODUCT_VERSION };
  return { name: `${step.endpoint} via ${step.provider}`, version: 'as reported by the provider' };
}

function assertionsOf(facts: StepFacts, statement: PictureStatement, isTrained: boolean): PlannedAssertion[] {
  const { run, step, context, clearance, submitted, models, prompt, images } = facts;
  const [model] = models;
  return [
    recordAssertion({
      log: context.logOrigin,
      mode: run.mode,
      run: publicId('run', run.id),
      step: publicId('stepRun', step.id),
      listing: step.listingId,
      clearance,
      submitted,
      fallback: fallbackOf(step),
    }),
    ...(isTrained && model ? [aiDisclosure(model, prompt !== undefined)] : []),
    ...trainingMiningAssertion(
      context.settings,
      Object.values(images).some(({ reserves }) => reserves),
    ),
    metadataAssertion(statement),
    ...preparationOf(step),
    ...providerClaims(step),
  ];
}

/** Which model was asked for, where another one stood in. */
function fallbackOf({ plan, alternative }: StepRun) {
  const asked = plan?.alternatives?.[0];
  if (asked === undefined || alternative === 0) return undefined;
  return { insteadOf: asked.listingId, reason: plan?.fallbackReason ?? 'unknown' };
}

/** The signed bytes are not what the provider sent: what was done to them is our own knowledge. */
function preparationOf({ preparation }: StepRun): PlannedAssertion[] {
  if (preparation === undefined) return [];
  const { kind, receivedSha256, removed, added } = preparation;
  return [
    {
      label: 'org.colophon.preparation',
      kind: 'created',
      data: { kind, receivedSha256, removed: [...removed], ...(added && { added: [...added] }) },
    },
  ];
}

function providerClaims({ provider, claims }: StepRun): PlannedAssertion[] {
  if (Object.keys(claims).length === 0) return [];
  return [{ label: 'org.colophon.provider-claims', kind: 'gathered', data: { provider, ...claims } }];
}
