import { termsOf } from '../listing-index.js';
import { type ListingRule, nameOf } from './rule.js';

/** A permission holds only as long as the text that was read is the text in force. */
export const licenseStatus: ListingRule = (subject, _facts, report) => {
  const { license } = subject.entry.listing;
  const name = nameOf(subject);
  if (license.status !== 'current') {
    const ended = license.status === 'ended';
    report.finding({
      ruleId: 'license-status',
      severity: ended ? 'deny' : 'review',
      subject,
      term: null,
      fact: { name: 'license.status', value: license.status },
      message: `${name}: ${STATUS_WORDS[license.status]} (${license.name}, read ${license.dateRead}). ${license.statusReason}`,
      howToFix: ended
        ? 'Choose another model.'
        : 'Have the text in force read and recorded, or choose another model.',
    });
  }
  for (const { name: other, note, spdxOrRef } of license.conflictingTexts) {
    report.finding({
      ruleId: 'license-status',
      severity: 'review',
      subject,
      term: null,
      fact: { name: 'license.conflictingTexts', value: spdxOrRef },
      message: `${name}: another text claims the same model: ${other}. ${note}`,
      howToFix: 'Have counsel conclude which text binds and record it, or choose another model.',
    });
  }
  for (const term of termsOf(subject.entry, 'service-end')) {
    report.finding({
      ruleId: 'license-status',
      severity: 'review',
      subject,
      term,
      fact: { name: 'service-end', value: term.month },
      message: `${name}: the vendor announced the end of this service for ${term.month}.`,
      howToFix: 'Have somebody confirm that the service still exists, or choose another model.',
    });
  }
};

const STATUS_WORDS = {
  superseded: 'the text that was read has been superseded',
  ended: 'the license has ended',
  unverified: 'the license text in force has not been read',
} as const;
