import { type Subject } from '../expand-lineage.js';
import { type Severity } from '../finding.js';
import { termsOf } from '../listing-index.js';
import { endsBefore } from './campaign.js';
import { type ListingRule, nameOf, type PreparedFacts, type Report } from './rule.js';

/** A permission holds only as long as the text that was read is the text in force. */
export const licenseStatus: ListingRule = {
  concerns: ({ listing: { license }, termsByKind }) =>
    license.status !== 'current' ||
    license.endsOn !== undefined ||
    license.supersededOn !== undefined ||
    license.conflictingTexts.length > 0 ||
    termsByKind.has('service-end'),
  check: (subject, facts, report) => {
    inForce(subject, facts, report);
    ending(subject, facts, report);
    conflicts(subject, report);
    serviceEnd(subject, facts, report);
  },
};

const OTHER_MODEL = 'Choose another model.';
const READ_AGAIN = 'Have the text in force read and recorded, or choose another model.';

const STATUS_WORDS = {
  superseded: 'the text that was read has been superseded',
  ended: 'the license has ended',
  unverified: 'the license text in force has not been read',
} as const;

function inForce(subject: Subject, { facts }: PreparedFacts, report: Report): void {
  const { license } = subject.entry.listing;
  const { status, supersededOn } = license;
  const { generatedOn } = facts;
  if (supersededOn !== undefined && (status === 'current' || status === 'superseded')) {
    // What was made before the later text came into force is under the text that was read.
    const before = generatedOn !== null && generatedOn < supersededOn;
    const words = `the text that was read was superseded on ${supersededOn}`;
    const day = before
      ? `the models ran before, on ${generatedOn}`
      : 'the day on which the models run is not before it';
    const message = `${words}; ${generatedOn === null ? 'the day on which the models run is not stated' : day}.`;
    say(subject, report, before ? 'note' : 'review', ['generatedOn', generatedOn], message, READ_AGAIN);
    return;
  }
  if (status === 'current') return;
  const ended = status === 'ended';
  const message = `${STATUS_WORDS[status]} (${license.name}, read ${license.dateRead}). ${license.statusReason}`;
  say(
    subject,
    report,
    ended ? 'deny' : 'review',
    ['license.status', status],
    message,
    ended ? OTHER_MODEL : READ_AGAIN,
  );
}

/** A grant with a last day: what is made after it is not covered, and what was made before may not outlive it. */
function ending(subject: Subject, prepared: PreparedFacts, report: Report): void {
  const { facts } = prepared;
  const { endsOn, outputsSurviveEnd = 'unknown' } = subject.entry.listing.license;
  if (endsOn === undefined) return;
  const { generatedOn } = facts;
  if (generatedOn === null) {
    const message = `the license ends on ${endsOn}, and the day on which the models run is not stated.`;
    say(subject, report, 'review', ['generatedOn', null], message, 'State generatedOn.');
  } else if (generatedOn > endsOn) {
    const message = `the license ended on ${endsOn}, before the models run (${generatedOn}).`;
    say(subject, report, 'deny', ['generatedOn', generatedOn], message, OTHER_MODEL);
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
  say(subject, report, certain ? 'deny' : 'review', ['campaignEnd', facts.campaignEnd], message, fix);
}

function conflicts(subject: Subject, report: Report): void {
  for (const { name: other, note, spdxOrRef } of subject.entry.listing.license.conflictingTexts) {
    const message = `another text claims the same model: ${other}. ${note}`;
    const fix = 'Have counsel conclude which text binds and record it, or choose another model.';
    say(subject, report, 'review', ['license.conflictingTexts', spdxOrRef], message, fix);
  }
}

function serviceEnd(subject: Subject, { facts }: PreparedFacts, report: Report): void {
  for (const term of termsOf(subject.entry, 'service-end')) {
    const before = facts.generatedOn !== null && facts.generatedOn.slice(0, term.month.length) < term.month;
    report.finding({
      ruleId: 'license-status',
      severity: before ? 'note' : 'review',
      subject,
      term,
      fact: { name: 'service-end', value: term.month },
      message: `${nameOf(subject)}: the vendor announced the end of this service for ${term.month}.`,
      howToFix: 'Have somebody confirm that the service still exists, or choose another model.',
    });
  }
}

function say(
  subject: Subject,
  report: Report,
  severity: Severity,
  [name, value]: readonly [string, string | null],
  words: string,
  howToFix: string,
): void {
  report.finding({
    ruleId: 'license-status',
    severity,
    subject,
    term: null,
    cited: subject.entry.citedLicense,
    fact: { name, value },
    message: `${nameOf(subject)}: ${words}`,
    howToFix,
  });
}
