import { DIGITAL_SOURCE_TYPES, type ManifestPlan, type PlannedAction } from '../domain/manifest-plan.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { type FoundIngredient } from './found-ingredients.js';

export interface Expected {
  readonly plan: ManifestPlan;
  readonly actions: readonly PlannedAction[];
  readonly ingredients: readonly FoundIngredient[];
  readonly manifestLabel: string;
  readonly manifestSha256: string;
  readonly claimSha256: string;
}

/**
 * Compares a signed file, as read back from disk, with what was to be signed.
 * @returns the first difference in words, or `undefined` when there is none
 */
export function readBackDifference(actual: MediaVerification, expected: Expected): string | undefined {
  const { chain } = actual;
  const checks: readonly (readonly [boolean, string])[] = [
    [actual.verdict === 'intact_and_trusted', `it reads as ${actual.verdict}`],
    [chain?.manifestLabel === expected.manifestLabel, 'another manifest is active'],
    [actual.manifestSha256 === expected.manifestSha256, 'the embedded manifest store differs'],
    [actual.claimSha256 === expected.claimSha256, 'the embedded claim differs'],
    [chain?.title === expected.plan.title, 'the title differs'],
    [sameJson(actualActions(actual), expectedActions(expected)), 'the actions differ'],
    [sameJson(actualIngredients(actual), expectedIngredients(expected)), 'the ingredients differ'],
    [sameJson(actualAssertions(actual), expectedAssertions(expected)), 'the assertions differ'],
  ];
  return checks.find(([holds]) => !holds)?.[1];
}

function sameJson(left: readonly unknown[], right: readonly unknown[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function actualActions({ chain }: MediaVerification): unknown[] {
  return (chain?.actions ?? []).map((action) => [
    action.action,
    action.digitalSourceType ?? null,
    action.attributedTo,
  ]);
}

function expectedActions({ actions, ingredients }: Expected): unknown[] {
  const planned = actions.map(({ action, digitalSourceType }) => [
    action,
    digitalSourceType === undefined ? null : DIGITAL_SOURCE_TYPES[digitalSourceType],
    'created',
  ]);
  const hasParent = ingredients.some(({ ingredient }) => ingredient.relationship === 'parentOf');
  return hasParent ? [['c2pa.opened', null, 'created'], ...planned] : planned;
}

function actualIngredients({ chain }: MediaVerification): unknown[] {
  return (chain?.ingredients ?? []).map((node) => [
    node.title,
    node.relationship,
    node.manifestLabel !== undefined,
  ]);
}

function expectedIngredients({ ingredients }: Expected): unknown[] {
  return ingredients.map(({ ingredient, hasManifest }) => [
    ingredient.title,
    ingredient.relationship,
    hasManifest,
  ]);
}

/** Order within the manifest is the library's: created before gathered. */
function actualAssertions({ chain }: MediaVerification): string[] {
  return (chain?.assertions ?? []).map(({ label, attributedTo }) => `${attributedTo} ${label}`).sort();
}

function expectedAssertions({ plan }: Expected): string[] {
  return plan.assertions.map(({ label, kind }) => `${kind} ${label}`).sort();
}
