import { type ExpandedLineage } from '../expand-lineage.js';
import { planTier, registration } from './agreements.js';
import { commercialUse } from './commercial-use.js';
import { fieldOfUse } from './field-of-use.js';
import { hosting } from './hosting.js';
import { indemnity } from './indemnity.js';
import { inputRights } from './input-rights.js';
import { licenseStatus } from './license-status.js';
import { loraDataset } from './lora.js';
import { litigation, testOutput } from './notes.js';
import { filterOrReview, outputLabel } from './output-duties.js';
import { revenueCap } from './revenue-cap.js';
import { type LineageRule, type ListingRule, type PreparedFacts, type Report } from './rule.js';
import { territory } from './territory.js';
import { unknownListing } from './unknown-listing.js';
import { usageCap } from './usage-cap.js';

/** The order has no meaning: findings are sorted afterwards, and each rule only adds. */
const LISTING_RULES: readonly ListingRule[] = [
  commercialUse,
  licenseStatus,
  territory,
  revenueCap,
  usageCap,
  registration,
  planTier,
  fieldOfUse,
  hosting,
  loraDataset,
  outputLabel,
  filterOrReview,
  litigation,
  testOutput,
];

const LINEAGE_RULES: readonly LineageRule[] = [unknownListing, inputRights, indemnity];

/** All rules over all listings: the conjunction over the lineage. */
export function evaluate(lineage: ExpandedLineage, facts: PreparedFacts, report: Report): void {
  for (const subject of lineage.subjects.values()) {
    for (const rule of LISTING_RULES) rule(subject, facts, report);
  }
  for (const rule of LINEAGE_RULES) rule(lineage, facts, report);
}

/** Whether listings without inputs are allowed; stops at the first rule that says no. */
export function isAllowed(lineage: ExpandedLineage, facts: PreparedFacts): boolean {
  if (lineage.missing.size > 0) return false;
  let allowed = true;
  const report: Report = {
    finding: ({ severity }) => {
      if (severity !== 'note') allowed = false;
    },
  };
  for (const subject of lineage.subjects.values()) {
    for (const rule of LISTING_RULES) {
      rule(subject, facts, report);
      if (!allowed) return false;
    }
  }
  return true;
}
