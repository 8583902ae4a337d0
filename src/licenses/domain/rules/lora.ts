import { type ListingRule, nameOf } from './rule.js';

/** A LoRA inherits the terms of its base and adds the rights in its own training images. */
export const loraDataset: ListingRule = (subject, _facts, report) => {
  const { roles, base, datasetManifestSha256 } = subject.entry.listing;
  if (!subject.roles.has('lora') && !roles.includes('lora')) return;
  if (base === null) {
    report.finding({
      ruleId: 'lora-dataset',
      severity: 'review',
      subject,
      term: null,
      fact: { name: 'base', value: null },
      message: `${nameOf(subject)}: its base model is not stated, so the terms it inherits are not known.`,
      howToFix: 'Record the base model of the LoRA.',
    });
  }
  if (datasetManifestSha256 !== null) return;
  report.finding({
    ruleId: 'lora-dataset',
    severity: 'review',
    subject,
    term: null,
    fact: { name: 'datasetManifestSha256', value: null },
    message: `${nameOf(subject)}: it has no dataset manifest, so nobody knows on whose images it was trained.`,
    howToFix: 'Record the training images with their hashes, rights and releases, or leave the LoRA out.',
  });
};
