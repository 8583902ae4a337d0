import { type Severity } from '../finding.js';
import { type IndexedListing, termsOf } from '../listing-index.js';
import { endsBefore } from './campaign.js';
import { type ListingRule, type PreparedFacts, type PreparedFinding, type StandingRule } from './rule.js';

type Say = (finding: PreparedFinding) => void;

// A permission holds only as long as the text that was read is the text in force.

/** Where no day matters, the status is the same for every run. */
export const standingStatus: StandingRule = (entry) => {
  const said: PreparedFinding[] = [];
  if (hasDays(entry)) return said;
  const say: Say = (finding) => said.push(finding);
  notInForce(entry, say);
  conflicts(entry, say);
  return said;
};

export const statusByDay: ListingRule = {
  concerns: hasDays,
  check: (subject, facts, report) => {
    const { entry } = subject;
    const say: Say = (finding) => {
      report.prepared(subject, finding);
    };
    inForce(entry, facts, say);
    ending(entry, facts, say);
    conflicts(entry, say);
    serviceEnd(entry, facts, say);
  },
};

function hasDays({ listing: { license }, termsByKind }: IndexedListing): boolean {
  return license.endsOn !== undefined || license.supersededOn !== undefined || termsByKind.has('service-end');
}

const OTHER_MODEL = 'Choose another model.';
const READ_AGAIN = 'Have the text in force read and recorded, or choose another model.';

const STATUS_WORDS = {
  superseded: 'the text that was read has been superseded',
  ended: 'the license has ended',
  unverified: 'the license text in force has not been read',
} as const;

function inForce(entry: IndexedListing, { facts }: PreparedFacts, say: Say): void {
  const { status, supersededOn } = entry.listing.license;
  const { generatedOn } = facts;
  if (supersededOn === undefined || (status !== 'current' && status !== 'superseded')) {
    notInForce(entry, say);
    return;
  }
  // What was made before the later text came into force is under the text that was read.
  const before = generatedOn !== null && generatedOn < supersededOn;
  const words = `the text that was read was superseded on ${supersededOn}`;
  const day = before
    ? `the models ran before, on ${generatedOn}`
    : 'the day on which the models run is not before it';
  const message = `${words}; ${generatedOn === null ? 'the day on which the models run is not stated' : day}.`;
  say(about(entry, before ? 'note' : 'review', ['generatedOn', generatedOn], message, READ_AGAIN));
}

function notInForce(entry: IndexedListing, say: Say): void {
  const { dateRead, name, status, statusReason } = entry.listing.license;
  if (status === 'current') return;
  const message = `${STATUS_WORDS[status]} (${name}, read ${dateRead}). ${statusReason}`;
  const [severity, fix] =
    status === 'ended' ? (['deny', OTHER_MODEL] as const) : (['review', READ_AGAIN] as const);
  say(about(entry, severity, ['license.status', status], message, fix));
}

/** A grant with a last day: what is made after it is not covered, and what was made before may not outlive it. */
function ending(entry: IndexedListing, prepared: PreparedFacts, say: Say): void {
  const { facts } = prepared;
  const { endsOn, outputsSurviveEnd = 'unknown' } = entry.listing.license;
  if (endsOn === undefined) return;
  const { generatedOn } = facts;
  if (generatedOn === null) {
    const message = `the license ends on ${endsOn}, and the day on which the models run is not stated.`;
    say(about(entry, 'review', ['generatedOn', null], message, 'State generatedOn.'));
  } else if (generatedOn > endsOn) {
    const message = `the license ended on ${endsOn}, before the models run (${generatedOn}).`;
    say(about(entry, 'deny', ['generatedOn', generatedOn], message, OTHER_MODEL));
  }
  const outlived = endsBefore(endsOn, prepared);
  if (outlived === 'no' || outputsSurviveEnd === 'yes') return;
  const certain = outlived === 'yes' && outputsSurviveEnd === 'no';
  const message =
    `the license ends on ${endsOn}, ` +
    (certain
      ? 'before the campaign does, and so does the use of outputs.'
      : 'and the campaign may outlive it.');
  const fix = 'End the campaign earlier, or have counsel say whether outputs may be used after the end.';
  say(about(entry, certain ? 'deny' : 'review', ['campaignEnd', facts.campaignEnd], message, fix));
}

function conflicts(entry: IndexedListing, say: Say): void {
  for (const { name: other, note, spdxOrRef } of entry.listing.license.conflictingTexts) {
    const message = `another text claims the same model: ${other}. ${note}`;
    const fix = 'Have counsel conclude which text binds and record it, or choose another model.';
    say(about(entry, 'review', ['license.conflictingTexts', spdxOrRef], message, fix));
  }
}

function serviceEnd(entry: IndexedListing, { facts }: PreparedFacts, say: Say): void {
  for (const term of termsOf(entry, 'service-end')) {
    const before = facts.generatedOn !== null && facts.generatedOn.slice(0, term.month.length) < term.month;
    say({
      ruleId: 'license-status',
      severity: before ? 'note' : 'review',
      term,
      fact: { name: 'service-end', value: term.month },
      message: `${entry.label}: the vendor announced the end of this service for ${term.month}.`,
      howToFix: 'Have somebody confirm that the service still exists, or choose another model.',
    });
  }
}

function about(
  entry: IndexedListing,
  severity: Severity,
  [name, value]: readonly [string, string | null],
  words: string,
  howToFix: string,
): PreparedFinding {
  return {
    ruleId: 'license-status',
    severity,
    term: null,
    cited: entry.citedLicense,
    fact: { name, value },
    message: `${entry.label}: ${words}`,
    howToFix,
  };
}
