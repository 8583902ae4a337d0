import {
  DIGITAL_SOURCE_TYPES,
  type ManifestPlan,
  type PlannedAction,
  type PlannedIngredient,
} from '../domain/manifest-plan.js';
import { COMPONENT_ACTIONS } from '../domain/manifest-rules.js';

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

/**
 * The manifest definition of the C2PA library. It is written out by hand, because its `setIntent` puts the actions
 * among gathered assertions, where specification 2.4 does not allow them.
 */
export function manifestDefinition(options: {
  readonly plan: ManifestPlan;
  readonly mediaType: string;
  readonly claimGenerator: ClaimGenerator;
  readonly actions: readonly PlannedAction[];
  readonly ingredients: readonly LabeledIngredient[];
  readonly openedAt: string;
}): Record<string, unknown> {
  const { plan } = options;
  return {
    title: plan.title,
    format: options.mediaType,
    claim_generator_info: [options.claimGenerator],
    assertions: [
      { label: 'c2pa.actions.v2', created: true, data: actionsAssertion(options) },
      ...plan.assertions.map(({ label, data, kind }) => ({ label, data, created: kind === 'created' })),
    ],
  };
}

function actionsAssertion(options: {
  readonly actions: readonly PlannedAction[];
  readonly ingredients: readonly LabeledIngredient[];
  readonly openedAt: string;
}): Record<string, unknown> {
  const labels = (relationship: PlannedIngredient['relationship']): string[] =>
    options.ingredients
      .filter(({ ingredient }) => ingredient.relationship === relationship)
      .map(({ label }) => label);
  const parents = labels('parentOf');
  const opened = { action: 'c2pa.opened', when: options.openedAt, parameters: { ingredientIds: parents } };
  const planned = options.actions.map((action, index) => {
    if (COMPONENT_ACTIONS.has(action.action)) return actionJson(action, labels('componentOf'));
    // What went into the process belongs to the action that used it: the first one.
    return actionJson(action, index === 0 ? labels('inputTo') : []);
  });
  return { actions: parents.length > 0 ? [opened, ...planned] : planned, allActionsIncluded: true };
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
  const declared = ingredient.digitalSourceType;
  return JSON.stringify({
    label,
    title: ingredient.title,
    relationship: ingredient.relationship,
    ...(declared && { description: `Declared digital source type: ${DIGITAL_SOURCE_TYPES[declared]}` }),
  });
}
