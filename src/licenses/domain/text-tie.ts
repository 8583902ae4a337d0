import { type AppliedCuration, type Correction, curationsInForce, isRead } from './curation.js';
import { type Listing } from './listing.js';
import { type TextReading } from './text-reading.js';

/** By license key, as the organization recorded them. */
export type RecordedReadings = ReadonlyMap<string, readonly TextReading[]>;

/**
 * Whether a kept text is one of this listing: recorded for its license key, or for one that a curation in force gives
 * it; recorded for this very listing; or named by one of its own sources. Any other text may say whatever it likes of
 * other models.
 *
 * @param earlier curations of the listing, oldest first
 */
export function isTextOf(
  sha256: string,
  listing: Listing,
  {
    readings,
    earlier,
    correction,
  }: {
    readonly readings: RecordedReadings;
    readonly earlier: readonly AppliedCuration[];
    readonly correction: Correction;
  },
): boolean {
  if (listing.sources.some(({ textSha256 }) => textSha256 === sha256)) return true;
  const keys = new Set([listing.license.spdxOrRef, ...licenseKeysGiven(earlier)]);
  if (correction.kind === 'license') keys.add(correction.license.spdxOrRef);
  return [...readings.values()]
    .flat()
    .some(
      (reading) =>
        reading.sha256 === sha256 &&
        (reading.listingIds.includes(listing.id) ||
          (reading.listingIds.length === 0 && keys.has(reading.licenseKey))),
    );
}

/** A license that is only quoted gives no key. */
function licenseKeysGiven(earlier: readonly AppliedCuration[]): string[] {
  return curationsInForce(earlier).flatMap(({ correction, evidence }) =>
    correction.kind === 'license' && isRead(evidence) ? [correction.license.spdxOrRef] : [],
  );
}
