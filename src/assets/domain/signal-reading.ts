import { z } from 'zod';
import { type PlannedAssertion } from '../../provenance/domain/manifest-plan.js';
import { fileSignalSchema, SIGNAL_PLACES } from '../../licenses/domain/file-signals.js';

/** What this program read in a file when it came in: what the file reserves, and where nobody could look. */
export const signalReadingSchema = z.strictObject({
  signals: z.array(fileSignalSchema).max(40),
  unreadPlaces: z.array(z.enum(SIGNAL_PLACES)).max(SIGNAL_PLACES.length),
});
export type SignalReading = z.infer<typeof signalReadingSchema>;

/** Of a file that came in before anything was read in files: what it reserves is unknown, never "nothing". */
export const NEVER_READ: SignalReading = { signals: [], unreadPlaces: [...SIGNAL_PLACES] };

const OWN_ASSERTION_LABEL = 'org.colophon.file-signals';

/**
 * What a file reserves, for the manifest of the signed file: conversions drop XMP, so a file that comes back to us, or
 * to another installation, would say nothing otherwise. Gathered, because the rights holder said it and not we.
 */
export function signalAssertions({ signals, unreadPlaces }: SignalReading): PlannedAssertion[] {
  const restricting = signals.filter(({ use }) => use !== 'allowed');
  if (restricting.length === 0 && unreadPlaces.length === 0) return [];
  const stated = restricting.map(({ constraint, ...signal }) => ({
    ...signal,
    ...(constraint === null ? {} : { constraint }),
  }));
  return [{ label: OWN_ASSERTION_LABEL, kind: 'gathered', data: { signals: stated, unreadPlaces } }];
}

/** Reads in a separate process: what it parses was written by strangers. */
export interface FileSignalReader {
  /**
   * @throws ColophonError `payload_too_large`, `rate_limited`, `unsupported_media`, `media_corrupt`,
   *   `manifest_malformed`: a file that cannot be looked at is not taken in
   */
  read(file: { readonly path: string; readonly mediaType: string }): Promise<SignalReading>;
}

/** The part of a reading that the log says. Conditions are words of strangers, which may name people: they stay out. */
export function loggedReading({ signals, unreadPlaces }: SignalReading) {
  return {
    fileSignals: signals.map(({ origin, act, use, constraint, manifestBroken }) => ({
      origin,
      act,
      use,
      ...(use === 'constrained' ? { conditionStated: constraint !== null } : {}),
      ...(manifestBroken === undefined ? {} : { manifestBroken }),
    })),
    unreadPlaces,
  };
}

/** Whether a file reserves something, or holds what could not be read. */
export function speaks({ signals, unreadPlaces }: SignalReading): boolean {
  return unreadPlaces.length > 0 || signals.some(({ use }) => use !== 'allowed');
}
