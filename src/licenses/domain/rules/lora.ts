import { type DatasetManifest, type ImageGroup } from '../dataset-manifest.js';
import { type EngineVersion, isSince } from '../engine-version.js';
import { type Subject } from '../expand-lineage.js';
import { type FactValue, type Severity } from '../finding.js';
import { type LineageRole } from '../listing.js';
import { type IndexedListing } from '../listing-index.js';
import { type Expiry } from '../rights.js';
import { endsBefore } from './campaign.js';
import { type ListingRule, nameOf, type PreparedFacts, type Report } from './rule.js';

type Say = (severity: Severity, fact: readonly [string, FactValue], words: string, fix: string) => void;

/** A LoRA or fine-tune inherits the terms of its base and adds the rights in its own training images. */
export const loraDataset: ListingRule = {
  // Any listing may be used as a LoRA.
  concerns: () => true,
  check: (subject, facts, report) => {
    const { base, datasetManifestSha256: sha256, datasetManifest: manifest } = subject.entry.listing;
    const say = sayAbout(subject, report);
    if (
      base?.relation === 'merge' &&
      isSince('2.2.0', facts.version) &&
      !namesOthers(subject.entry, facts.version)
    ) {
      const words = 'it is merged from several models, and only one of them is named.';
      say(
        'review',
        ['base', base.listingId],
        words,
        'Record the other models as components that are always used.',
      );
    }
    const asLora = isSince('2.5.0', facts.version) && subject.parts.includes('lora');
    if (!asLora && !isTuned(subject.entry)) return;
    if (base === null) {
      const words = 'its base model is not stated, so the terms it inherits are not known.';
      say('review', ['base', null], words, 'Record the base model of the LoRA.');
    }
    if (sha256 === null) {
      const words = 'it has no dataset manifest, so nobody knows on whose images it was trained.';
      const fix = 'Record the training images with their hashes, rights and releases, or leave the LoRA out.';
      say('review', ['datasetManifestSha256', null], words, fix);
    } else if (manifest === undefined) {
      const words = 'its dataset manifest is recorded by hash only, so what it says of rights is not known.';
      say(
        'review',
        ['datasetManifest', null],
        words,
        'Record the rights and releases that the manifest names.',
      );
    } else {
      images(manifest, facts, say);
      people(manifest, facts, say);
      if (isSince('2.3.0', facts.version)) unreleased(manifest, facts, say);
    }
  },
};

/** Trained by somebody on images of their own. */
function isTuned({ listing: { roles, base } }: IndexedListing): boolean {
  return roles.includes('lora') || base?.relation === 'adapter' || base?.relation === 'finetune';
}

/** What a model brings along beside what it is: merged into none, unless the merge is one of these itself. */
const ACCESSORIES: ReadonlySet<LineageRole> = new Set(['encoder', 'autoencoder', 'library', 'channel']);

/** Another model that can have been merged into it: one of its own kind, or a LoRA. */
function namesOthers({ listing }: IndexedListing, version: EngineVersion): boolean {
  const { id, base, components, roles } = listing;
  const always = components.filter(({ use }) => use === 'always');
  if (!isSince('2.5.0', version)) return always.length > 0;
  const models = roles.filter((role) => !ACCESSORIES.has(role));
  const kinds = models.length > 0 ? models.map(kindOf) : roles;
  return always.some(
    ({ role, listingId }) =>
      listingId !== id && listingId !== base?.listingId && (role === 'lora' || kinds.includes(kindOf(role))),
  );
}

/** The same weights make pictures and change them. */
function kindOf(role: LineageRole): LineageRole {
  return role === 'editor' ? 'generator' : role;
}

function sayAbout(subject: Subject, report: Report): Say {
  return (severity, [name, value], words, howToFix) => {
    const message = `${nameOf(subject)}: ${words}`;
    report.finding({
      ruleId: 'lora-dataset',
      severity,
      subject,
      term: null,
      fact: { name, value },
      message,
      howToFix,
    });
  };
}

const REPLACE = 'Train again without these images, or obtain the right and record it.';

function images({ images: total, rights }: DatasetManifest, facts: PreparedFacts, say: Say): void {
  const covered = rights.reduce((sum, group) => sum + group.images, 0);
  if (covered < total) {
    const words = `${String(total - covered)} of ${String(total)} training images have no right recorded.`;
    say('review', ['datasetManifest.images', total], words, REPLACE);
  }
  if (covered > total && isSince('2.5.0', facts.version)) {
    // Counted twice, some of the images may have no right at all.
    const words = `it has ${String(total)} training images, and rights in ${String(covered)} of them are recorded.`;
    const fix = 'Record each image in one group of rights, and how many there are.';
    say('review', ['datasetManifest.images', total], words, fix);
  }
  for (const group of rights) imageGroup(group, facts, say);
}

function imageGroup(
  { basis, images: count, trainingAllowed, expiresAt }: ImageGroup,
  facts: PreparedFacts,
  say: Say,
): void {
  const which = `${String(count)} training images (${basis})`;
  if (basis === 'none') say('deny', ['rightsBasis', basis], `there is no right to ${which}.`, REPLACE);
  else if (basis === 'unknown')
    say('review', ['rightsBasis', basis], `the right to ${which} is not known.`, REPLACE);
  if (trainingAllowed === 'no') {
    say('deny', ['trainingAllowed', 'no'], `the right to ${which} does not cover training.`, REPLACE);
  } else if (trainingAllowed === 'unknown') {
    const words = `it is not known whether the right to ${which} covers training.`;
    say('review', ['trainingAllowed', 'unknown'], words, REPLACE);
  }
  if (endsBefore(expiresAt, facts) !== 'no') {
    // Whether a trained adapter outlives the right in what it learnt from is for counsel.
    const words = `the right to ${which} ends or may end before the campaign does (${dateWords(expiresAt)}).`;
    say('review', ['expiresAt', expiresAt], words, 'End the campaign earlier, or extend the right.');
  }
}

function people({ releases }: DatasetManifest, facts: PreparedFacts, say: Say): void {
  for (const { reference, coversDigitalReplica: covers, expiresAt, territory } of releases) {
    if (covers !== 'yes') {
      const known = covers === 'no';
      const words = known
        ? `the release ${reference} does not cover a digital replica.`
        : `it is not known whether the release ${reference} covers a digital replica.`;
      say(known ? 'deny' : 'review', ['coversDigitalReplica', covers], words, REPLACE);
    }
    if (isSince('2.3.0', facts.version)) places(reference, territory, facts, say);
    const ends = endsBefore(expiresAt, facts);
    if (ends === 'no') continue;
    const words = `the release ${reference} ends or may end before the campaign does (${dateWords(expiresAt)}).`;
    const fix = 'End the campaign earlier, extend the release, or state campaignEnd.';
    say(ends === 'yes' ? 'deny' : 'review', ['expiresAt', expiresAt], words, fix);
  }
}

/** What a model makes of a person is shown where the work is. */
function places(
  reference: string,
  territory: DatasetManifest['releases'][number]['territory'] = 'worldwide',
  { audience }: PreparedFacts,
  say: Say,
): void {
  if (territory === 'worldwide') return;
  if (territory === 'unknown') {
    const words = `the countries of the release ${reference} are not known.`;
    say('review', ['territory', territory], words, 'Record the countries that it covers.');
    return;
  }
  const outside =
    audience === 'worldwide' ? ['worldwide'] : audience.filter((country) => !territory.includes(country));
  if (outside.length === 0) return;
  const words = `the release ${reference} does not cover the audience: ${[...outside].sort().join(', ')}.`;
  say('deny', ['territory', [...territory].sort()], words, 'Narrow the audience, or extend the release.');
}

/** A model that learnt people can make new pictures of them. */
function unreleased(
  { releases, showsPeople = 'unknown' }: DatasetManifest,
  { gainful }: PreparedFacts,
  say: Say,
): void {
  if (showsPeople === 'no' || releases.length > 0 || !gainful) return;
  const known = showsPeople === 'yes';
  say(
    'review',
    ['datasetManifest.showsPeople', showsPeople],
    known
      ? 'its training images show people, and no release of anybody is recorded.'
      : 'it is not known whether its training images show people, and no release of anybody is recorded.',
    known
      ? 'Record the releases of the people shown, or train again without these images.'
      : 'Record whether the training images show people, with their releases.',
  );
}

function dateWords(expiresAt: Expiry): string {
  return expiresAt === null || expiresAt === 'unknown' ? 'the day is not known' : expiresAt;
}
