import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import {
  DIGITAL_SOURCE_TYPES,
  isFileIngredient,
  type ManifestPlan,
  type PlannedAction,
  type PlannedAssertion,
} from '../domain/manifest-plan.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { type FoundIngredient } from './found-ingredients.js';
import { declaredSourceType, ingredientMetadata } from './manifest-definition.js';

export interface Expected {
  readonly plan: ManifestPlan;
  readonly actions: readonly PlannedAction[];
  readonly ingredients: readonly FoundIngredient[];
  /** Those that the signer added itself. */
  readonly ownAssertions: readonly PlannedAssertion[];
  /** SHA-256 of the certificates of the planned identities, in their order. */
  readonly identityCertificates: readonly string[];
  /** The XMP packet that was written into the file; `undefined` when none was. */
  readonly packet: Buffer | undefined;
  readonly manifestLabel: string;
  readonly manifestSha256: string;
  readonly claimSha256: string;
}

/** A signed file as it was found on the disk. */
export interface ReadBack extends MediaVerification {
  /** Looked for only where one was written. */
  readonly packet: Buffer | undefined;
}

/**
 * Compares a signed file, as read back from disk, with what was to be signed.
 * @returns the first difference in words, or `undefined` when there is none
 */
export function readBackDifference(actual: ReadBack, expected: Expected): string | undefined {
  const { chain } = actual;
  const { plan } = expected;
  const checks: readonly (readonly [boolean, string])[] = [
    [actual.verdict === 'intact_and_trusted', `it reads as ${actual.verdict}`],
    [chain?.manifestLabel === expected.manifestLabel, 'another manifest is active'],
    [actual.manifestSha256 === expected.manifestSha256, 'the embedded manifest store differs'],
    [actual.claimSha256 === expected.claimSha256, 'the embedded claim differs'],
    [chain?.title === plan.title, 'the title differs'],
    [chain?.allActionsIncluded === plan.allActionsIncluded, 'whether all actions are included differs'],
    [sameJson(actualActions(actual), expectedActions(expected)), 'the actions differ'],
    [sameJson(actualIngredients(actual), expectedIngredients(expected)), 'the ingredients differ'],
    [sameJson(actualAssertions(actual), expectedAssertions(expected)), 'the assertions differ'],
    [sameJson(actualIdentities(actual), expectedIdentities(expected)), 'the named actors differ'],
    [samePacket(actual.packet, expected.packet), 'the metadata in the file differs'],
  ];
  return checks.find(([holds]) => !holds)?.[1];
}

function samePacket(actual: Buffer | undefined, expected: Buffer | undefined): boolean {
  return expected === undefined || actual?.equals(expected) === true;
}

function sameJson(left: readonly unknown[], right: readonly unknown[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function actualActions({ chain }: MediaVerification): unknown[] {
  return (chain?.actions ?? []).map((action) => [
    action.action,
    action.digitalSourceType ?? null,
    action.description ?? null,
    action.softwareAgent ?? null,
    action.attributedTo,
  ]);
}

function expectedActions({ actions, ingredients }: Expected): unknown[] {
  const planned = actions.map(({ action, digitalSourceType, description, softwareAgent }) => [
    action,
    digitalSourceType === undefined ? null : DIGITAL_SOURCE_TYPES[digitalSourceType],
    description,
    `${softwareAgent.name} ${softwareAgent.version}`,
    'created',
  ]);
  const hasParent = ingredients.some(({ ingredient }) => ingredient.relationship === 'parentOf');
  return hasParent ? [['c2pa.opened', null, null, null, 'created'], ...planned] : planned;
}

function actualIngredients({ chain }: MediaVerification): unknown[] {
  return (chain?.ingredients ?? []).map((node) => [
    node.title,
    node.relationship,
    node.manifestLabel !== undefined,
    node.description ?? null,
    node.dataTypes,
    canonicalJson((node.metadata ?? {}) as JsonValue),
  ]);
}

function expectedIngredients({ ingredients }: Expected): unknown[] {
  return ingredients.map(({ ingredient, hasManifest }) => {
    const isFile = isFileIngredient(ingredient);
    return [
      ingredient.title,
      ingredient.relationship,
      hasManifest,
      (isFile ? declaredSourceType(ingredient.digitalSourceType) : ingredient.description) ?? null,
      isFile ? [] : [ingredient.dataType],
      canonicalJson(isFile ? {} : ingredientMetadata(ingredient.identifiers)),
    ];
  });
}

/** Order within the manifest is the library's: created before gathered. */
function actualAssertions({ chain }: MediaVerification): string[] {
  return (chain?.assertions ?? [])
    .map(
      ({ label, attributedTo, data }) =>
        `${attributedTo} ${label} ${canonicalJson(data as JsonValue).toString()}`,
    )
    .sort();
}

function expectedAssertions({ plan, ownAssertions }: Expected): string[] {
  return [...plan.assertions, ...ownAssertions]
    .map(({ label, kind, data }) => `${kind} ${label} ${canonicalJson(data as JsonValue).toString()}`)
    .sort();
}

function actualIdentities({ chain }: MediaVerification): unknown[] {
  return (chain?.identities ?? []).map(({ state, trustedBy, roles, certificateSha256 }) => [
    state,
    trustedBy !== undefined,
    roles,
    certificateSha256,
  ]);
}

/** An imported certificate may be on no list that we know; the one that we signed with must be the one that is there. */
function expectedIdentities({ plan, identityCertificates }: Expected): unknown[] {
  return plan.identities.map(({ roles, isTrustedHere }, i) => [
    'valid',
    isTrustedHere,
    roles,
    identityCertificates[i],
  ]);
}
