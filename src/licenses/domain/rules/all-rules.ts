import { type ExpandedLineage } from '../expand-lineage.js';
import { type Severity } from '../finding.js';
import { type IndexedListing } from '../listing-index.js';
import { planTier, registration } from './agreements.js';
import { attribution } from './attribution.js';
import { commercialUse } from './commercial-use.js';
import { fieldOfUse } from './field-of-use.js';
import { outputTraining, redistribution } from './further-acts.js';
import { hosting } from './hosting.js';
import { indemnityNotes } from './indemnity.js';
import { inputRights } from './input-rights.js';
import { licenseStatus } from './license-status.js';
import { loraDataset } from './lora.js';
import { litigation, revocable, testOutput } from './notes.js';
import { filterOrReview, outputLabel } from './output-duties.js';
import { revenueCap } from './revenue-cap.js';
import { type LineageRule, type ListingRule, type PreparedFacts, type Report } from './rule.js';
import { territory } from './territory.js';
import { trainingDataNote } from './training-data-note.js';
import { unknownListing } from './unknown-listing.js';
import { usageCap } from './usage-cap.js';

/** The order has no meaning: each rule only adds, and findings are put in order by rule afterwards. */
const DECIDING: readonly ListingRule[] = [
  licenseStatus,
  commercialUse,
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
];

/** Rules that only ever inform. */
const INFORMING: readonly ListingRule[] = [trainingDataNote, litigation, revocable, testOutput];

const LINEAGE_RULES: readonly LineageRule[] = [unknownListing, inputRights, indemnityNotes];

interface Concerning {
  readonly deciding: readonly ListingRule[];
  readonly informing: readonly ListingRule[];
}

/** A listing never changes, so which rules concern it is found once. */
const CONCERNING = new WeakMap<IndexedListing, Concerning>();

function rulesFor(entry: IndexedListing): Concerning {
  const known = CONCERNING.get(entry);
  if (known) return known;
  const concerned = ({ concerns }: ListingRule) => concerns(entry);
  const rules = { deciding: DECIDING.filter(concerned), informing: INFORMING.filter(concerned) };
  CONCERNING.set(entry, rules);
  return rules;
}

/** All rules over all listings: the conjunction over the lineage. */
export function evaluate(lineage: ExpandedLineage, facts: PreparedFacts, report: Report): void {
  for (const subject of lineage.subjects.values()) {
    const { deciding, informing } = rulesFor(subject.entry);
    for (const { check } of deciding) check(subject, facts, report);
    for (const { check } of informing) check(subject, facts, report);
  }
  for (const rule of LINEAGE_RULES) rule(lineage, facts, report);
}

/** Whether listings without inputs are allowed; stops at the first rule that says no. */
export function isAllowed(lineage: ExpandedLineage, facts: PreparedFacts): boolean {
  if (lineage.missing.size > 0) return false;
  let allowed = true;
  const judge = ({ severity }: { readonly severity: Severity }): void => {
    if (severity !== 'note') allowed = false;
  };
  const report: Report = { finding: judge, prepared: (_subject, finding) => judge(finding) };
  for (const subject of lineage.subjects.values()) {
    for (const { check } of rulesFor(subject.entry).deciding) {
      check(subject, facts, report);
      if (!allowed) return false;
    }
  }
  return true;
}
