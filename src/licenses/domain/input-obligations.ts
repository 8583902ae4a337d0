import { type EngineVersion, isSince } from './engine-version.js';
import { type ExpandedLineage } from './expand-lineage.js';
import { type Obligation } from './finding.js';
import { type LineageInput } from './lineage.js';
import { type IndexedListing } from './listing-index.js';

// Members in the order of their names, which outcome-json.ts relies on.

/**
 * What is owed because of what went in, and because of rights that have a last day: the decision looked at the campaign
 * that was stated, and whoever shows the work longer has to know when to stop. In the order of listings and inputs.
 */
export function obligationsOfInputs(
  { subjects, inputs }: ExpandedLineage,
  version: EngineVersion,
): readonly Obligation[] {
  const owed = new Map<string, Obligation>();
  const add = (obligation: Obligation): void => {
    owed.set(obligation.text, obligation);
  };
  for (const { entry } of subjects) {
    const ending = endOfLicense(entry);
    if (ending !== undefined) add(ending);
  }
  for (const input of inputs) {
    const name = input.assetId === undefined ? 'an input' : `input ${input.assetId}`;
    for (const [what, day] of lastDays(input)) add(stopBefore(`the ${what} (${name})`, day));
    const credit = creditOf(input, name, version);
    if (credit !== undefined) add(credit);
  }
  return [...owed.values()];
}

function stopBefore(what: string, day: string): Obligation {
  const text = `Stop showing the work after ${day}, or have it renewed before: ${what} ends.`;
  return { due: 'always', kind: 'stop-before', listingId: null, term: null, text, until: day };
}

function endOfLicense({ listing, label, citedLicense }: IndexedListing): Obligation | undefined {
  const { endsOn, outputsSurviveEnd = 'unknown' } = listing.license;
  if (endsOn === undefined || outputsSurviveEnd === 'yes') return undefined;
  const stop = stopBefore(`the license of ${label}`, endsOn);
  return { ...stop, listingId: listing.id, term: citedLicense };
}

function lastDays({ expiresAt, releases }: LineageInput): (readonly [string, string])[] {
  const days = [
    ['right to use it', expiresAt] as const,
    ...releases.map((release) => [`release ${release.reference}`, release.expiresAt] as const),
  ];
  return days.flatMap(([what, day]) => (day === null || day === 'unknown' ? [] : [[what, day] as const]));
}

function creditOf(
  { rightsBasis, creativeCommons }: LineageInput,
  name: string,
  version: EngineVersion,
): Obligation | undefined {
  const counts = rightsBasis === 'creative-commons' || isSince('2.5.0', version);
  if (!counts || creativeCommons?.includes('-BY') !== true) return undefined;
  const text = `Name the author, the source and the license (${creativeCommons}) of ${name}, and say that it was changed.`;
  return { due: 'on-publication', kind: 'attribution', listingId: null, term: null, text };
}
