import { type EngineVersion, isSince } from '../engine-version.js';
import { type RuleId, type Severity } from '../finding.js';
import { termsOf, type IndexedListing } from '../listing-index.js';
import { type LineageRole } from '../listing.js';
import { type PermissionKind, type Purpose, type Term } from '../terms.js';
import { or, type ThreeValued } from '../three-valued.js';
import { type ListingRule, type PreparedFinding, type StandingRule } from './rule.js';

/** An encoder or a library makes nothing that a viewer sees; only its own use has to be allowed. */
const ROLES_WITHOUT_OUTPUT: ReadonlySet<LineageRole> = new Set(['encoder', 'library']);

interface Question {
  readonly ruleId: RuleId;
  readonly kind: PermissionKind;
  readonly what: string;
}
const WEIGHTS: Question = {
  ruleId: 'commercial-weights',
  kind: 'commercial-use-of-weights',
  what: 'running it',
};
const OUTPUTS: Question = {
  ruleId: 'commercial-outputs',
  kind: 'commercial-use-of-outputs',
  what: 'using its output',
};
const CHANNEL: Question = {
  ruleId: 'commercial-channel',
  kind: 'commercial-use-through-channel',
  what: 'using what the channel returns',
};

/**
 * Who hosts the weights needs the license of the weights; who calls a hosted model needs the channel's terms instead.
 * Both need the right to use the output.
 */
export const commercialUse: StandingRule = (entry, purpose, version) => {
  const { access, roles } = entry.listing;
  const questions = [access === 'api' ? CHANNEL : WEIGHTS, ...(makesOutput(roles) ? [OUTPUTS] : [])];
  // Earlier rules let a report of a permission pass.
  const needsText = isSince('2.3.0', version);
  return questions.flatMap((question) =>
    ask(question, answerFor(entry, question.kind, purpose, version), entry, purpose, needsText),
  );
};

/** What is an encoder or a library by its listing, and makes something here, needs the right to it, too. */
export const outputsByPart: ListingRule = {
  concerns: ({ listing: { roles } }) => !makesOutput(roles),
  check: (subject, { facts, version }, report) => {
    if (!isSince('2.5.0', version) || !makesOutput(subject.parts)) return;
    const { entry } = subject;
    const answer = answerFor(entry, OUTPUTS.kind, facts.purpose, version);
    for (const finding of ask(OUTPUTS, answer, entry, facts.purpose, true)) report.prepared(subject, finding);
  },
};

function makesOutput(roles: readonly LineageRole[]): boolean {
  return !roles.every((role) => ROLES_WITHOUT_OUTPUT.has(role));
}

interface Answer {
  readonly value: ThreeValued;
  readonly term: Term | null;
}

/**
 * The conjunction of all terms of the kind; none is silence, and silence is `unknown`. Of several permissions the one
 * that is least known counts, in whatever order they stand.
 */
export function permission(entry: IndexedListing, kind: PermissionKind, version: EngineVersion): Answer {
  let worst: Answer = { value: 'unknown', term: null };
  let first = true;
  for (const term of termsOf(entry, kind)) {
    // Whatever the catalog says: without a text behind it nobody knows.
    const value = term.verified === 'unverified' ? 'unknown' : term.value;
    const isReport = isSince('2.4.0', version) && value === 'yes' && term.verified === 'secondary';
    if (first || value === 'no' || (worst.value === 'yes' && (value === 'unknown' || isReport)))
      worst = { value, term };
    first = false;
  }
  return worst;
}

function answerFor(
  entry: IndexedListing,
  kind: PermissionKind,
  purpose: Purpose,
  version: EngineVersion,
): Answer {
  const commercial = permission(entry, kind, version);
  if (commercial.value === 'yes' || kind === 'commercial-use-through-channel') return commercial;
  if (purpose === 'commercial' || purpose === 'editorial') return commercial;
  const milder = permission(
    entry,
    purpose === 'internal-evaluation' ? 'evaluation-use' : 'non-commercial-use',
    version,
  );
  // A text that forbids gain and is silent on evaluation has not answered the question.
  const value = milder.term === null ? 'unknown' : or(commercial.value, milder.value);
  return { value, term: milder.term ?? commercial.term };
}

/**
 * A license that is not known to be in force goes to review as a whole. In one that is, a permission that somebody only
 * reports would be the one thing on which an allowance rests without a text.
 */
function reportedSeverity({ listing: { license } }: IndexedListing, needsText: boolean): Severity {
  const isInForce = license.status === 'current' || license.supersededOn !== undefined;
  return needsText && isInForce ? 'review' : 'note';
}

function ask(
  { ruleId, what }: Question,
  { value, term }: Answer,
  entry: IndexedListing,
  purpose: Purpose,
  needsText: boolean,
): PreparedFinding[] {
  const base = { term, fact: { name: 'purpose', value: purpose } };
  const name = entry.label;
  if (value === 'yes') {
    if (term?.verified !== 'secondary') return [];
    const message = `${name}: the permission for ${what} is known from a report of the text, not from the text.`;
    const howToFix = 'Have somebody read the text itself and record where and when.';
    const severity = reportedSeverity(entry, needsText);
    return [{ ...base, ruleId: 'secondary-source', severity, message, howToFix }];
  }
  if (value === 'no') {
    const message = `${name}: ${what} is not allowed for the purpose "${purpose}".`;
    const howToFix =
      'Choose another model, or obtain a license for this use and have it recorded as a listing of its own.';
    return [{ ...base, ruleId, severity: 'deny', message, howToFix }];
  }
  const message = `${name}: it is not known whether ${what} is allowed for the purpose "${purpose}".`;
  const howToFix = 'Have counsel read the terms in force and record the answer, or choose another model.';
  return [{ ...base, ruleId, severity: 'review', message, howToFix }];
}
