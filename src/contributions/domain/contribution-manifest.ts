import {
  isMakingRead,
  signalAssertions,
  type SignalReading,
  statedSourceType,
} from '../../assets/domain/signal-reading.js';
import {
  type DigitalSourceType,
  type ManifestPlan,
  type NamedActorRole,
} from '../../provenance/domain/manifest-plan.js';
import { type ManifestContext } from '../../provenance/domain/manifest-settings.js';
import { namedAs, type Naming } from '../../provenance/domain/named-actor.js';
import { type AncestorSourceType, pictureSourceType } from '../../provenance/domain/picture-source-type.js';
import { recordAssertion } from '../../provenance/domain/record-assertion.js';
import {
  embeddedMetadata,
  metadataAssertion,
  trainingMiningAssertion,
} from '../../provenance/domain/rights-statements.js';
import { type ManifestedIngredient, sidecarAssertions } from '../../provenance/domain/sidecar-ingredients.js';
import {
  type CaptureKind,
  type ContributionAction,
  type ContributionBasis,
  HUMAN_EDITS,
  MANIFEST_ACTION,
} from './contribution.js';

export interface ContributionFacts {
  /** Public ids. */
  readonly assetId: string;
  readonly parentId: string;
  readonly mode: string;
  readonly title: string;
  readonly parent: Omit<ManifestedIngredient, 'relationship'> & {
    readonly path: string;
    readonly mediaType: string;
  };
  readonly actionType: ContributionAction;
  readonly basis: ContributionBasis;
  readonly capture: CaptureKind;
  readonly tool: { readonly name: string; readonly version: string };
  readonly signalReading: SignalReading;
  /** How the parent and everything behind it came to be. */
  readonly sourceTypes: readonly AncestorSourceType[];
  readonly parentReserves: boolean;
  readonly context: ManifestContext;
  /** Absent where the organization has no credential by which it could be named. */
  readonly organization: Naming | undefined;
  /** Only when the person or the project asked for the name to stand in the file. */
  readonly contributor: Naming | undefined;
  readonly now: Date;
}

/**
 * The manifest of a person's new version. The act is declared: that these are all acts nobody here can know, so
 * `allActionsIncluded` is false.
 */
export function contributionManifest(facts: ContributionFacts): ManifestPlan {
  const { title, context, signalReading, parent } = facts;
  const stated = statedSourceType(signalReading);
  const own = sourceTypeOfEdit(stated);
  const statement = {
    title,
    organization: context.organizationName,
    settings: context.settings,
    sourceType: pictureSourceType(own, [...facts.sourceTypes, ...saidByFile(signalReading)]),
    aiSystem: undefined,
    promptWriter: undefined,
    productionId: facts.assetId,
  };
  const reserves =
    facts.parentReserves || signalReading.signals.length > 0 || signalReading.unreadPlaces.length > 0;
  const assertions = [
    recordAssertion({
      log: context.logOrigin,
      mode: facts.mode,
      asset: facts.assetId,
      parent: facts.parentId,
    }),
    {
      label: 'org.colophon.contribution',
      // The person declares it; we know only that the picture changed and who sent it.
      kind: 'gathered' as const,
      data: { actionType: facts.actionType, basis: facts.basis, capture: facts.capture },
    },
    ...trainingMiningAssertion(context.settings, reserves),
    metadataAssertion(statement),
    ...sidecarAssertions([{ ...parent, relationship: 'parentOf' }]),
    ...signalAssertions(signalReading),
  ];
  return {
    title,
    actions: [
      {
        action: MANIFEST_ACTION[facts.actionType],
        digitalSourceType: own,
        when: facts.now.toISOString(),
        softwareAgent: facts.tool,
        description:
          stated === undefined
            ? 'Edited by a person'
            : 'Sent by a person; the file says that a generative model made or changed it',
      },
    ],
    allActionsIncluded: false,
    ingredients: [
      {
        path: parent.path,
        mediaType: parent.mediaType,
        title: parent.title,
        relationship: 'parentOf',
        digitalSourceType: undefined,
      },
    ],
    assertions,
    identities: whoIsNamed(facts).map(([naming, roles]) => namedAs(naming, roles, assertions)),
    embeddedMetadata: embeddedMetadata(statement),
    thumbnail: true,
  };
}

/**
 * Of the edit itself. A file that says that a model made or changed it is not passed off as the work of a person: what the
 * sender says of it stands beside.
 *
 * @param stated by the file, and not by its parent
 */
export function sourceTypeOfEdit(stated: DigitalSourceType | undefined): DigitalSourceType {
  return stated === undefined ? HUMAN_EDITS : 'compositeWithTrainedAlgorithmicMedia';
}

/**
 * What the file says of itself counts for the whole picture like what an ancestor is, whoever said it first. Where that
 * cannot be read, it is unknown.
 */
function saidByFile(reading: SignalReading): AncestorSourceType[] {
  const says =
    reading.sourceStatements === undefined ? [] : (['compositeWithTrainedAlgorithmicMedia'] as const);
  return [...says, ...(isMakingRead(reading) ? [] : (['unknown'] as const))];
}

/** As long as the person is not named, the edit was made in the name of the organization. */
function whoIsNamed({ organization, contributor }: ContributionFacts): [Naming, NamedActorRole[]][] {
  const producer: NamedActorRole[] =
    contributor === undefined ? ['cawg.producer', 'cawg.editor'] : ['cawg.producer'];
  return [
    ...(organization ? [[organization, producer] as [Naming, NamedActorRole[]]] : []),
    ...(contributor ? [[contributor, ['cawg.editor']] as [Naming, NamedActorRole[]]] : []),
  ];
}
