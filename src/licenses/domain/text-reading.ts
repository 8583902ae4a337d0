import { type Listing } from './listing.js';

/** Somebody read a text of a license on a day. */
export interface TextReading {
  readonly licenseKey: string;
  readonly sha256: string;
  /** Empty: it is the text of every listing under this key. */
  readonly listingIds: readonly string[];
  readonly readOn: string;
  /** First day on which the text was in force; null when the text does not say. */
  readonly inForceSince: string | null;
  /** A person says that the terms of the listings were read from this very text. */
  readonly termsReadFromThis: boolean;
}

export function concerns(reading: TextReading, { id, license }: Listing): boolean {
  if (reading.licenseKey !== license.spdxOrRef) return false;
  return reading.listingIds.length === 0 || reading.listingIds.includes(id);
}

/**
 * A listing whose terms were read from another text than the last one that somebody has seen is not in force as it
 * stands: its license is `superseded` until a person reads the new text and records a curation of the license.
 * Where it is not known from which text the terms were read, any text is another one, unless a person says otherwise.
 *
 * @param readings those that concern the listing, oldest first
 */
export function withReadings(listing: Listing, readings: readonly TextReading[]): Listing {
  const last = readings.at(-1);
  if (last === undefined) return listing;
  const { license } = listing;
  const baseline = readings.findLast(({ termsReadFromThis }) => termsReadFromThis)?.sha256 ?? null;
  const readFrom = license.textSha256 ?? baseline;
  if (readFrom === last.sha256) {
    return license.textSha256 === null
      ? { ...listing, license: { ...license, textSha256: readFrom } }
      : listing;
  }
  if (license.status === 'ended') return listing;
  const statusReason = `Another text (SHA-256 ${last.sha256}) was read on ${last.readOn}; the terms were read from an earlier one.`;
  const { supersededOn: before, ...withoutDay } = license;
  const since = earlier(before, supersededOn(readings, readFrom));
  return {
    ...listing,
    license: {
      ...withoutDay,
      status: 'superseded',
      statusReason,
      ...(since === undefined ? {} : { supersededOn: since }),
    },
  };
}

/**
 * The first day of the first text that came after the one that was read. Absent when one of them has no such day:
 * then nobody knows which text bound when.
 */
function supersededOn(readings: readonly TextReading[], readFrom: string | null): string | undefined {
  const later = readings.slice(readings.findLastIndex(({ sha256 }) => sha256 === readFrom) + 1);
  const days = later.map(({ inForceSince }) => inForceSince);
  if (days.length === 0 || days.includes(null)) return undefined;
  return [...days].sort()[0] ?? undefined;
}

/**
 * The listing may know of a later text, too. Where one of the later texts has no day, nobody knows since when the text
 * that was read does not bind.
 */
function earlier(known: string | undefined, read: string | undefined): string | undefined {
  if (read === undefined) return undefined;
  return known !== undefined && known < read ? known : read;
}
