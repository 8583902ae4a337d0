import { ColophonError } from '../../shared/errors.js';
import {
  type DigitalSourceType,
  type ManifestPlan,
  type PlannedAction,
  type PlannedAssertion,
  type PlannedIdentity,
  type SigningOrigin,
} from './manifest-plan.js';

/** Predefined actions which a manifest of specification 2.4 may hold; deprecated ones are left out. */
const ALLOWED_ACTIONS: ReadonlySet<string> = new Set(
  [
    'addedText adjustedColor changedSpeed converted created cropped deleted drawing dubbed edited',
    'edited.metadata enhanced filtered mastered mixed opened orientation placed published redacted remixed',
    'removed repackaged resized resized.proportional transcoded translated trimmed unknown',
    'watermarked.bound watermarked.unbound',
  ]
    .join(' ')
    .split(' ')
    .map((name) => `c2pa.${name}`),
);

/** Actions which need no digital source type, because they do not change what is seen. */
const SOURCE_TYPE_OPTIONAL: ReadonlySet<string> = new Set(
  [
    'converted edited.metadata enhanced placed published redacted repackaged resized.proportional',
    'transcoded watermarked.bound watermarked.unbound',
  ]
    .join(' ')
    .split(' ')
    .map((name) => `c2pa.${name}`),
);

/** Actions that speak about component ingredients and must name them. */
export const COMPONENT_ACTIONS: ReadonlySet<string> = new Set(['c2pa.placed', 'c2pa.removed']);

/** Says that something was written into the metadata of the file; added by the signer where it did. */
export const METADATA_ACTION = 'c2pa.edited.metadata';

/** Assertions that the signing adapter itself writes; a caller who could write them could lie about the file. */
const RESERVED_LABELS =
  /^(c2pa\.(actions|ingredient|hash|claim|signature|thumbnail|soft-binding)|cawg\.identity|org\.colophon\.embedded-metadata)(\.|$|_)/;
/** Digital source types which say that a trained model made or changed the work. */
export const TRAINED_SOURCE_TYPES: ReadonlySet<DigitalSourceType | undefined> = new Set([
  'trainedAlgorithmicMedia',
  'compositeWithTrainedAlgorithmicMedia',
] as const);
const LABEL = /^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)+$/;
const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
const MAX_PARTS = 100;
const MAX_TITLE_LENGTH = 1000;
/** The organization and a person. */
const MAX_IDENTITIES = 8;

/**
 * Refuses a plan which would give a manifest that the specification forbids or that says what nobody knows.
 * A refused plan is a mistake in this program, not of a user: hence `internal`.
 *
 * @throws ColophonError `internal`
 */
export function checkManifestPlan(plan: ManifestPlan): void {
  const parents = plan.ingredients.filter((ingredient) => ingredient.relationship === 'parentOf');
  demand(plan.title.length > 0 && plan.title.length <= MAX_TITLE_LENGTH, 'the title is empty or too long');
  demand(parents.length <= 1, 'more than one parentOf ingredient');
  demand(plan.ingredients.length <= MAX_PARTS, 'too many ingredients');
  demand(plan.assertions.length <= MAX_PARTS, 'too many assertions');
  demand(plan.identities.length <= MAX_IDENTITIES, 'too many identities');
  // No action beside the signer's own c2pa.opened is what is true of a file that was only received. Without a parent
  // the rule below asks for c2pa.created.
  demand(plan.actions.length <= MAX_PARTS, 'too many actions');
  plan.actions.forEach((action, index) => {
    checkAction(action, index, parents.length > 0);
  });
  if (parents.length === 0) {
    demand(plan.actions[0]?.action === 'c2pa.created', 'without a parent the first action is c2pa.created');
  }
  const hasComponents = plan.ingredients.some((ingredient) => ingredient.relationship === 'componentOf');
  demand(
    hasComponents || !plan.actions.some((action) => COMPONENT_ACTIONS.has(action.action)),
    'c2pa.placed and c2pa.removed need a componentOf ingredient',
  );
  plan.assertions.forEach(checkAssertion);
  checkDisclosures(plan);
  plan.identities.forEach((identity) => {
    checkIdentity(identity, plan);
  });
}

/** C2PA 2.4 section 18.28: not without a trained model, and a trained model is not passed over in silence. */
function checkDisclosures({ assertions, actions }: ManifestPlan): void {
  const disclosures = assertions.filter(({ label }) => label === 'c2pa.ai-disclosure');
  const usesModel = actions.some(({ digitalSourceType }) => TRAINED_SOURCE_TYPES.has(digitalSourceType));
  demand(disclosures.length === 0 || usesModel, 'c2pa.ai-disclosure without a trained model');
}

function checkIdentity({ roles, references }: PlannedIdentity, { assertions }: ManifestPlan): void {
  demand(roles.length > 0, 'an identity without a role');
  const known = references.every((label) => assertions.some((assertion) => assertion.label === label));
  demand(known, 'an identity refers to an assertion that is not in the manifest');
}

function checkAction(action: PlannedAction, index: number, hasParent: boolean): void {
  demand(ALLOWED_ACTIONS.has(action.action), `action ${action.action} is not one of the specification`);
  demand(
    action.action !== 'c2pa.opened' && action.action !== METADATA_ACTION,
    `${action.action} is added by the signer`,
  );
  if (action.action === 'c2pa.created') {
    demand(index === 0 && !hasParent, 'c2pa.created comes first, and only where there is no parent');
  }
  demand(
    action.digitalSourceType !== undefined || SOURCE_TYPE_OPTIONAL.has(action.action),
    `action ${action.action} needs a digital source type`,
  );
  demand(RFC3339_UTC.test(action.when), `action ${action.action} has no RFC 3339 time in UTC`);
}

function checkAssertion(assertion: PlannedAssertion): void {
  demand(LABEL.test(assertion.label), `assertion label ${assertion.label} has no namespace`);
  demand(!RESERVED_LABELS.test(assertion.label), `assertion ${assertion.label} is written by the signer`);
}

/** How the manifest begins: nothing was there before, a planned parent, or a source that had its own manifest. */
export type Opening = 'nothing' | 'planned_parent' | 'source_manifest';

/**
 * The actions in the order in which they are written, without the leading `c2pa.opened`.
 *
 * A source that arrived with its own manifest is opened, not created, and a manifest holds at most one of both;
 * so a planned `c2pa.created` gives way. What it said about the source type must not be lost where we know it
 * ourselves: a vendor's manifest that calls a generated picture a photograph would otherwise win. For bytes captured
 * from a provider it therefore becomes `c2pa.edited` with the same source type. For received bytes the declaration
 * is the uploader's word against the manifest's; it is not repeated as our knowledge.
 */
export function actionsAfterOpening(
  plan: ManifestPlan,
  opening: Opening,
  originKind: SigningOrigin['kind'],
): readonly PlannedAction[] {
  const [first, ...rest] = plan.actions;
  if (opening !== 'source_manifest' || first?.action !== 'c2pa.created') return plan.actions;
  return originKind === 'captured_from_provider' ? [{ ...first, action: 'c2pa.edited' }, ...rest] : rest;
}

/** Metadata is written before signing, and behind the action with which every manifest begins. */
export function withMetadataAction(
  actions: readonly PlannedAction[],
  opening: Opening,
  metadataAction: PlannedAction | undefined,
): readonly PlannedAction[] {
  if (metadataAction === undefined) return actions;
  const begins = opening === 'nothing' ? 1 : 0;
  return [...actions.slice(0, begins), metadataAction, ...actions.slice(begins)];
}

function demand(condition: boolean, problem: string): void {
  if (!condition) throw new ColophonError('internal', `The manifest plan is not allowed: ${problem}.`);
}
