import { type DecisionResult } from './engine.js';
import { type CitedTerm, type Finding, type Obligation } from './finding.js';
import { type ListingId } from './listing.js';
import { type Outlook, type RecordedOutlook, type StandingWords } from './listing-outlook.js';

type Said = Pick<
  DecisionResult,
  'decision' | 'findings' | 'obligations' | 'indemnity' | 'engineVersion' | 'termsSha256' | 'inputSha256'
>;

/**
 * A finding in the words of its listing's outlook: the one with the number `said`. Words that the decision changed (a
 * way out was added, or "if this is used" before it) stand here and take the place of the outlook's.
 */
type ReferringFinding = Omit<Finding, keyof StandingWords> &
  Partial<Pick<Finding, 'howToFix' | 'message'>> & { readonly listingId: ListingId; readonly said: number };

/** A finding that depends on facts, too, and cites the term of its listing's outlook with the number `cites`. */
type CitingFinding = Omit<Finding, 'term'> & { readonly cites: number; readonly listingId: ListingId };

/** The obligation of its listing's outlook with the number `said`, word by word. */
interface ReferringObligation {
  readonly listingId: ListingId;
  readonly said: number;
}

/** What a decision says, as it is stored: whole, or by reference to what its listings say anyway. */
export type StoredOutcome<Outcome extends Pick<Said, 'findings' | 'obligations'> = Said> = Omit<
  Outcome,
  'findings' | 'obligations'
> & {
  readonly findings: readonly (Finding | ReferringFinding | CitingFinding)[];
  readonly obligations: readonly (Obligation | ReferringObligation)[];
};

/**
 * Canonical JSON (RFC 8785) of an outcome that refers to outlooks: a quarter of its full length, or less. Members are
 * written in the order of their names, as those of findings and obligations are (outcome-json.ts).
 * @param policies canonical JSON of the policies that were asked
 */
export function storedOutcomeJson(
  said: Said,
  outlooks: readonly Outlook[],
  policies: string | undefined,
): string {
  const { decision, engineVersion, findings, indemnity, inputSha256, obligations, termsSha256 } = said;
  const byListing = new Map(outlooks.map((outlook) => [outlook.listingId, outlook]));
  const outcome: StoredOutcome = {
    decision,
    engineVersion,
    findings: findings.map((finding) => referringFinding(finding, byListing)),
    indemnity,
    inputSha256,
    obligations: obligations.map((obligation) => referringObligation(obligation, byListing)),
    termsSha256,
  };
  const text = JSON.stringify(outcome);
  if (policies === undefined) return text;
  const end = `"termsSha256":${JSON.stringify(termsSha256)}}`;
  return `${text.slice(0, -end.length)}"policies":${policies},${end}`;
}

type ByListing<Found> = ReadonlyMap<ListingId, Found>;

/** Found by identity: whatever is not the outlook's own is written out, so that nothing is lost by not finding it. */
function referringFinding(
  finding: Finding,
  outlooks: ByListing<Outlook>,
): Finding | ReferringFinding | CitingFinding {
  const { alternatives, fact, howToFix, listingId, message, ruleId, severity, stepKeys, term, via } = finding;
  if (listingId === null) return finding;
  const outlook = outlooks.get(listingId);
  if (outlook === undefined) return finding;
  const said = outlook.standing.findIndex(
    (words) => words.fact === fact && words.ruleId === ruleId && words.cited === term,
  );
  const words = outlook.standing[said];
  if (words === undefined) {
    const cites = term === null ? -1 : outlook.cited.indexOf(term);
    if (cites < 0) return finding;
    return { alternatives, cites, fact, howToFix, listingId, message, ruleId, severity, stepKeys, via };
  }
  return {
    alternatives,
    ...(howToFix === words.howToFix ? {} : { howToFix }),
    listingId,
    ...(message === words.message ? {} : { message }),
    said,
    severity,
    stepKeys,
    via,
  };
}

function referringObligation(
  obligation: Obligation,
  outlooks: ByListing<Outlook>,
): Obligation | ReferringObligation {
  const { listingId } = obligation;
  if (listingId === null) return obligation;
  const said = outlooks.get(listingId)?.obligations.indexOf(obligation) ?? -1;
  return said < 0 ? obligation : { listingId, said };
}

/**
 * What a decision says, in full, from what is stored of it.
 * @throws RangeError when an outlook that it refers to is not there, or says nothing under that number
 */
export function fullOutcome<Outcome extends Pick<Said, 'findings' | 'obligations'>>(
  stored: StoredOutcome<Outcome>,
  outlooks: ByListing<RecordedOutlook>,
): Omit<Outcome, 'findings' | 'obligations'> & Pick<Said, 'findings' | 'obligations'> {
  return {
    ...stored,
    findings: stored.findings.map((finding) => {
      if ('said' in finding)
        return fullFinding(finding, found(finding, finding.said, outlooks.get(finding.listingId)?.findings));
      return 'cites' in finding
        ? withTerm(finding, found(finding, finding.cites, outlooks.get(finding.listingId)?.terms))
        : finding;
    }),
    obligations: stored.obligations.map((obligation) =>
      'said' in obligation
        ? found(obligation, obligation.said, outlooks.get(obligation.listingId)?.obligations)
        : obligation,
    ),
  };
}

function fullFinding(referring: ReferringFinding, words: StandingWords): Finding {
  const { alternatives, howToFix, listingId, message, severity, stepKeys, via } = referring;
  return {
    alternatives,
    fact: words.fact,
    howToFix: howToFix ?? words.howToFix,
    listingId,
    message: message ?? words.message,
    ruleId: words.ruleId,
    severity,
    stepKeys,
    term: words.term,
    via,
  };
}

function withTerm(citing: CitingFinding, term: CitedTerm): Finding {
  const { alternatives, fact, howToFix, listingId, message, ruleId, severity, stepKeys, via } = citing;
  return { alternatives, fact, howToFix, listingId, message, ruleId, severity, stepKeys, term, via };
}

function found<Words>(
  { listingId }: { readonly listingId: ListingId },
  at: number,
  all: readonly Words[] | undefined,
): Words {
  const words = all?.[at];
  if (words === undefined)
    throw new RangeError(`a stored decision refers to words of ${listingId} that are not there (${at})`);
  return words;
}
