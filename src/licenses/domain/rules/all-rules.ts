import { frozen } from '../../../shared/frozen.js';
import { type EngineVersion } from '../engine-version.js';
import { type ExpandedLineage, type Subject } from '../expand-lineage.js';
import { type Severity } from '../finding.js';
import { type IndexedListing } from '../listing-index.js';
import { type Purpose } from '../terms.js';
import { planTier, registration } from './agreements.js';
import { attribution } from './attribution.js';
import { commercialUse, outputsByPart } from './commercial-use.js';
import { fieldOfUse } from './field-of-use.js';
import { outputTraining, redistribution } from './further-acts.js';
import { hosting } from './hosting.js';
import { noIndemnity, offeredIndemnity } from './indemnity.js';
import { inputRights } from './input-rights.js';
import { standingStatus, statusByDay } from './license-status.js';
import { loraDataset } from './lora.js';
import { litigation, revocable, testOutput } from './notes.js';
import { filterOrReview, outputLabel } from './output-duties.js';
import { revenueCap } from './revenue-cap.js';
import {
  type LineageRule,
  type ListingRule,
  type PreparedFacts,
  type Report,
  settled,
  type SettledFinding,
  type StandingRule,
} from './rule.js';
import { territory } from './territory.js';
import { trainingDataNote } from './training-data-note.js';
import { unknownListing } from './unknown-listing.js';
import { usageCap } from './usage-cap.js';

// The order has no meaning between rules that find different things: each only adds, and findings are put in order by
// rule afterwards. Of two that find the same, the first speaks first.

const STANDING: readonly StandingRule[] = [
  standingStatus,
  commercialUse,
  noIndemnity,
  trainingDataNote,
  litigation,
  revocable,
  testOutput,
];

const BY_FACTS: readonly ListingRule[] = [
  statusByDay,
  outputsByPart,
  territory,
  revenueCap,
  usageCap,
  registration,
  planTier,
  fieldOfUse,
  hosting,
  loraDataset,
  outputLabel,
  attribution,
  filterOrReview,
  outputTraining,
  redistribution,
  offeredIndemnity,
];

const LINEAGE_RULES: readonly LineageRule[] = [unknownListing, inputRights];

/** What the rules make of one listing for one purpose before any other fact is known. */
interface Outlook {
  readonly standing: readonly SettledFinding[];
  /** Something in `standing` keeps the listing from being allowed, whatever else is stated. */
  readonly isRefused: boolean;
  readonly byFacts: readonly ListingRule[];
}

type Outlooks = WeakMap<IndexedListing, Map<Purpose, Outlook>>;

/** A listing is frozen when it is indexed, so an outlook holds as long as the listing does. */
const OUTLOOKS: Readonly<Record<EngineVersion, Outlooks>> = {
  '2.1.0': new WeakMap(),
  '2.2.0': new WeakMap(),
  '2.3.0': new WeakMap(),
  '2.4.0': new WeakMap(),
  '2.5.0': new WeakMap(),
};

function outlookOf(entry: IndexedListing, purpose: Purpose, version: EngineVersion): Outlook {
  const byPurpose = OUTLOOKS[version].get(entry) ?? new Map<Purpose, Outlook>();
  const known = byPurpose.get(purpose);
  if (known) return known;
  const said = STANDING.flatMap((rule) => rule(entry, purpose, version));
  // Their parts stand in the findings of many decisions.
  const standing = said.map((finding) => frozen(settled(finding, entry)));
  const isRefused = standing.some(({ severity }) => severity !== 'note');
  const byFacts = BY_FACTS.filter(({ concerns }) => concerns(entry));
  const outlook = { standing, isRefused, byFacts };
  OUTLOOKS[version].set(entry, byPurpose.set(purpose, outlook));
  return outlook;
}

/** What a listing says for a purpose whatever else is stated. The same array, frozen, as long as the listing lives. */
export function standingFindings(
  entry: IndexedListing,
  purpose: Purpose,
  version: EngineVersion,
): readonly SettledFinding[] {
  return outlookOf(entry, purpose, version).standing;
}

/** All rules over all listings: the conjunction over the lineage. */
export function evaluate(lineage: ExpandedLineage, facts: PreparedFacts, report: Report): void {
  const { purpose } = facts.facts;
  for (const subject of lineage.subjects) {
    const { standing, byFacts } = outlookOf(subject.entry, purpose, facts.version);
    for (const finding of standing) report.settled(subject, finding);
    for (const { check } of byFacts) check(subject, facts, report, lineage);
  }
  for (const rule of LINEAGE_RULES) rule(lineage, facts, report);
}

/** Whether nothing that is stated beside the purpose could make listings without inputs allowed. */
export function isRefused(
  { subjects, missing }: ExpandedLineage,
  purpose: Purpose,
  version: EngineVersion,
): boolean {
  if (missing.size > 0) return true;
  return subjects.some(({ entry }) => outlookOf(entry, purpose, version).isRefused);
}

/** Whether listings without inputs are allowed; stops at the first rule that says no. */
export function isAllowed(lineage: ExpandedLineage, facts: PreparedFacts): boolean {
  if (lineage.missing.size > 0) return false;
  const { purpose } = facts.facts;
  let allowed = true;
  const judge = ({ severity }: { readonly severity: Severity }): void => {
    if (severity !== 'note') allowed = false;
  };
  const ofSubject = (_subject: Subject, finding: { readonly severity: Severity }): void => {
    judge(finding);
  };
  const report: Report = { finding: judge, prepared: ofSubject, settled: ofSubject };
  for (const subject of lineage.subjects) {
    const outlook = outlookOf(subject.entry, purpose, facts.version);
    if (outlook.isRefused) return false;
    for (const { check } of outlook.byFacts) {
      check(subject, facts, report, lineage);
      if (!allowed) return false;
    }
  }
  return true;
}
