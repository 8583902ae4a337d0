import { type DatasetManifest } from './dataset-manifest.js';
import { type EngineVersion, isSince } from './engine-version.js';
import { type ExpandedLineage, type Subject } from './expand-lineage.js';
import { type INDEMNITY_VOIDED_BY, type ListingId } from './listing.js';
import { type LineageInput } from './lineage.js';
import { type RunFacts } from './run-facts.js';
import { not, or, type ThreeValued } from './three-valued.js';

export type IndemnityVoid = (typeof INDEMNITY_VOIDED_BY)[number];
/** Why it is not known whether a vendor's indemnity holds. */
export type IndemnityOpen = IndemnityVoid | 'offer-not-known' | 'terms-in-force-not-read';

/**
 * Whether a vendor stands behind what came out of its model, at the end of this lineage. `none`: the vendor offers
 * none. A policy that demands an indemnity reads these instead of the findings.
 */
export interface IndemnityStatus {
  readonly listingId: ListingId;
  readonly result: 'intact' | 'lost' | 'unknown' | 'none';
  /** For `lost`: every reason, sorted. */
  readonly lostBecause: readonly IndemnityVoid[];
  /** For `unknown` and beside `lost`: what nobody has stated, sorted. */
  readonly open: readonly IndemnityOpen[];
}

/**
 * An indemnity belongs to an output as the vendor returned it. What happens afterwards in the lineage can end it, so it
 * is computed over the whole lineage and never per model. Ordered by listing id; tools without a model have none.
 */
export function indemnityOf(
  lineage: ExpandedLineage,
  facts: RunFacts,
  version: EngineVersion,
): readonly IndemnityStatus[] {
  const statuses: IndemnityStatus[] = [];
  for (const subject of lineage.subjects) {
    const { access, indemnity } = subject.entry.listing;
    if (access === 'code' && indemnity.offered !== 'yes') continue;
    statuses.push(statusOf(subject, lineage, facts, version));
  }
  return statuses;
}

// Members of a status stand in the order of their names, which outcome-json.ts relies on.

const NOTHING: readonly never[] = [];
const OFFER_NOT_KNOWN: readonly IndemnityOpen[] = ['offer-not-known'];

/** The status where none is offered, or nobody knows whether one is: whatever the lineage and the facts. */
export function notOffered(listingId: ListingId, offered: 'no' | 'unknown'): IndemnityStatus {
  return offered === 'no'
    ? { listingId, lostBecause: NOTHING, open: NOTHING, result: 'none' }
    : { listingId, lostBecause: NOTHING, open: OFFER_NOT_KNOWN, result: 'unknown' };
}

export function statusOf(
  subject: Subject,
  lineage: ExpandedLineage,
  facts: RunFacts,
  version: EngineVersion,
): IndemnityStatus {
  const { id: listingId, indemnity, license } = subject.entry.listing;
  if (indemnity.offered !== 'yes') return notOffered(listingId, indemnity.offered);
  const lostBecause: IndemnityVoid[] = [];
  const open: IndemnityOpen[] = [];
  for (const cause of indemnity.voidedBy) {
    const happened = HAPPENED[cause](subject, lineage, facts, version);
    if (happened === 'yes') lostBecause.push(cause);
    else if (happened === 'unknown') open.push(cause);
  }
  if (indemnity.verified !== 'primary' || license.status !== 'current') open.push('terms-in-force-not-read');
  const result = lostBecause.length > 0 ? 'lost' : open.length > 0 ? 'unknown' : 'intact';
  return { listingId, lostBecause: inOrder(lostBecause), open: inOrder(open), result };
}

function inOrder<Cause extends IndemnityOpen>(causes: Cause[]): readonly Cause[] {
  return causes.length < 2 ? causes : causes.sort();
}

type Question = (
  subject: Subject,
  lineage: ExpandedLineage,
  facts: RunFacts,
  version: EngineVersion,
) => ThreeValued;

/** A contract that covers this very feature answers what the public terms leave open. */
const notCoveredByContract: Question = ({ entry }, _lineage, { agreements }) =>
  agreements.some(({ kind, listingId }) => kind === 'indemnity' && listingId === entry.listing.id)
    ? 'no'
    : 'unknown';

const HAPPENED: Readonly<Record<IndemnityVoid, Question>> = {
  'output-modified': modified,
  'combined-with-other-products': combinedWithOthers,
  'safety-disabled': (_subject, _lineage, { safetyFeaturesOn }) => not(safetyFeaturesOn),
  'input-without-right': (_subject, { inputs }) => inputs.map(withoutRight).reduce<ThreeValued>(or, 'no'),
  'trademark-use': (_subject, _lineage, { trademarkUse }) => trademarkUse,
  'known-infringement': (_subject, _lineage, { infringementNotice }) => infringementNotice,
  'fine-tuned-on-unlicensed-data': tunedOnUnlicensedData,
  'preview-version': notCoveredByContract,
  'not-reviewed-by-vendor': notCoveredByContract,
  'third-party-offering': notCoveredByContract,
  'contract-does-not-link': notCoveredByContract,
};

/** By a person, or by a model or tool of somebody else that comes after it. */
function modified(
  subject: Subject,
  lineage: ExpandedLineage,
  { editsPlanned }: RunFacts,
  version: EngineVersion,
): ThreeValued {
  return isSince('2.3.0', version) ? or(editsPlanned, combinedWithOthers(subject, lineage)) : editsPlanned;
}

/** Any listing of another vendor changes or joins the output; of a listing without terms nobody knows the vendor. */
function combinedWithOthers({ entry }: Subject, { subjects, missing }: ExpandedLineage): ThreeValued {
  let answer: ThreeValued = missing.size > 0 ? 'unknown' : 'no';
  for (const other of subjects) {
    if (other.entry.listing.vendor === entry.listing.vendor) continue;
    if (other.used === 'yes') return 'yes';
    answer = 'unknown';
  }
  return answer;
}

function withoutRight({ rightsBasis, aiInput }: LineageInput): ThreeValued {
  const basis = rightsBasis === 'none' ? 'yes' : rightsBasis === 'unknown' ? 'unknown' : 'no';
  return or(basis, not(aiInput));
}

function tunedOnUnlicensedData(
  { entry }: Subject,
  { subjects }: ExpandedLineage,
  _facts: RunFacts,
  version: EngineVersion,
): ThreeValued {
  let answer: ThreeValued = 'no';
  const madeFrom = new Set([entry.listing.id]);
  // What was tuned on a tuned model was tuned on the first one, too.
  for (let known = 0; known < madeFrom.size;) {
    known = madeFrom.size;
    for (const { entry: other } of subjects) {
      const { id, base, datasetManifest } = other.listing;
      if (base === null || !madeFrom.has(base.listingId) || madeFrom.has(id)) continue;
      const isDirect = base.listingId === entry.listing.id;
      if (!isDirect && !isSince('2.3.0', version)) continue;
      madeFrom.add(id);
      answer = or(answer, hasUnlicensedImages(datasetManifest));
    }
  }
  return answer;
}

function hasUnlicensedImages(manifest: DatasetManifest | undefined): ThreeValued {
  if (manifest === undefined) return 'unknown';
  const covered = manifest.rights.reduce((sum, { images }) => sum + images, 0);
  const groups = manifest.rights.map(({ basis, trainingAllowed }): ThreeValued =>
    basis === 'none' ? 'yes' : basis === 'unknown' ? 'unknown' : not(trainingAllowed),
  );
  return groups.reduce<ThreeValued>(or, covered < manifest.images ? 'unknown' : 'no');
}
