import {
  DIGITAL_SOURCE_TYPES,
  type DigitalSourceType,
  isFileIngredient,
  type ManifestPlan,
  type PlannedAction,
  type PlannedAssertion,
  type PlannedIngredient,
} from '../domain/manifest-plan.js';
import { COMPONENT_ACTIONS, METADATA_ACTION } from '../domain/manifest-rules.js';

/** An ingredient with the name by which actions of the same manifest point to it. */
export interface LabeledIngredient {
  readonly label: string;
  readonly ingredient: PlannedIngredient;
}

export interface ClaimGenerator {
  readonly name: string;
  readonly version: string;
  /** Version of the C2PA specification that the manifest follows. */
  readonly specVersion: string;
}

/** Namespace of the identifiers that this program writes into ingredients. */
const IDENTIFIER_PREFIX = 'org.colophon.';
/** An ingredient of which only a description is here has no media type of its own. */
const NO_BYTES_MEDIA_TYPE = 'application/octet-stream';

export interface DefinitionParts {
  readonly plan: ManifestPlan;
  readonly mediaType: string;
  readonly claimGenerator: ClaimGenerator;
  readonly actions: readonly PlannedAction[];
  readonly ingredients: readonly LabeledIngredient[];
  readonly openedAt: string;
  /** Those that the signer adds itself. */
  readonly ownAssertions: readonly PlannedAssertion[];
  /** What holds the place of each identity assertion, in their order. */
  readonly identityPlaceholders: readonly Record<string, unknown>[];
  /** By which name the builder knows the thumbnail, JPEG; `undefined`: there is none. */
  readonly thumbnailIdentifier: string | undefined;
}

/**
 * The manifest definition of the C2PA library. It is written out by hand, because its `setIntent` puts the actions
 * among gathered assertions, where specification 2.4 does not allow them.
 */
export function manifestDefinition(parts: DefinitionParts): Record<string, unknown> {
  const { plan, ownAssertions, identityPlaceholders } = parts;
  return {
    title: plan.title,
    format: parts.mediaType,
    claim_generator_info: [parts.claimGenerator],
    ...(parts.thumbnailIdentifier !== undefined && {
      thumbnail: { format: 'image/jpeg', identifier: parts.thumbnailIdentifier },
    }),
    assertions: [
      { label: 'c2pa.actions.v2', created: true, data: actionsAssertion(parts) },
      ...[...plan.assertions, ...ownAssertions].map(({ label, data, kind, encoding }) => ({
        label,
        data,
        created: kind === 'created',
        ...(encoding === 'json' && { kind: 'Json' }),
      })),
      // A named actor speaks for itself, not the claim generator for it: gathered.
      ...identityPlaceholders.map((data) => ({ label: 'cawg.identity', data, created: false })),
    ],
  };
}

function actionsAssertion(parts: DefinitionParts): Record<string, unknown> {
  const labels = (relationship: PlannedIngredient['relationship']): string[] =>
    parts.ingredients
      .filter(({ ingredient }) => ingredient.relationship === relationship)
      .map(({ label }) => label);
  const parents = labels('parentOf');
  const opened = { action: 'c2pa.opened', when: parts.openedAt, parameters: { ingredientIds: parents } };
  // What went into the process belongs to the action that used it: the first one that changed or made the picture.
  const user = parts.actions.findIndex(({ action }) => action !== METADATA_ACTION);
  const planned = parts.actions.map((action, index) => {
    if (COMPONENT_ACTIONS.has(action.action)) return actionJson(action, labels('componentOf'));
    return actionJson(action, index === user ? labels('inputTo') : []);
  });
  return {
    actions: parents.length > 0 ? [opened, ...planned] : planned,
    allActionsIncluded: parts.plan.allActionsIncluded,
  };
}

function actionJson(action: PlannedAction, ingredientIds: readonly string[]): Record<string, unknown> {
  return {
    action: action.action,
    when: action.when,
    softwareAgent: action.softwareAgent,
    description: action.description,
    ...(action.digitalSourceType && { digitalSourceType: DIGITAL_SOURCE_TYPES[action.digitalSourceType] }),
    ...(ingredientIds.length > 0 && { parameters: { ingredientIds } }),
  };
}

export function ingredientJson({ label, ingredient }: LabeledIngredient): string {
  const { title, relationship } = ingredient;
  if (isFileIngredient(ingredient)) {
    const description = declaredSourceType(ingredient.digitalSourceType);
    return JSON.stringify({ label, title, relationship, ...(description && { description }) });
  }
  return JSON.stringify({
    label,
    title,
    relationship,
    format: NO_BYTES_MEDIA_TYPE,
    description: ingredient.description,
    data_types: [{ type: ingredient.dataType }],
    metadata: ingredientMetadata(ingredient.identifiers),
  });
}

/** The sentence in which an ingredient without a manifest carries what somebody declared of it. */
export function declaredSourceType(declared: DigitalSourceType | undefined): string | undefined {
  return declared && `Declared digital source type: ${DIGITAL_SOURCE_TYPES[declared]}`;
}

export function ingredientMetadata(identifiers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(identifiers).map(([name, value]) => [`${IDENTIFIER_PREFIX}${name}`, value]),
  );
}
