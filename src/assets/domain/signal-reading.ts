import { z } from 'zod';
import { type DigitalSourceType, type PlannedAssertion } from '../../provenance/domain/manifest-plan.js';
import {
  GENERATIVE_TERMS,
  MAX_LABEL_CHARACTERS,
  MAX_SOURCE_STATEMENTS,
  MAX_SYSTEM_CHARACTERS,
  MAX_VERSION_LABELS,
  SOURCE_STATEMENT_PLACES,
} from '../../provenance/domain/source-statement.js';
import { fileSignalSchema, SIGNAL_PLACES } from '../../licenses/domain/file-signals.js';

/** A generative model made or changed it, says the file itself. Words of strangers. */
const sourceStatementSchema = z.strictObject({
  place: z.enum(SOURCE_STATEMENT_PLACES),
  term: z.enum(GENERATIVE_TERMS),
  system: z
    .string()
    .max(2 * MAX_SYSTEM_CHARACTERS)
    .nullable(),
  manifestLabel: z.string().max(MAX_LABEL_CHARACTERS).nullable(),
  /** The file that it is a version of says the same: it was said before, and not of what the sender did. */
  isOfParent: z.literal(true).exactOptional(),
});
export type SourceStatement = z.infer<typeof sourceStatementSchema>;

/** What this program read in a file when it came in: what it reserves and says of its making, and where nobody could look. */
export const signalReadingSchema = z.strictObject({
  signals: z.array(fileSignalSchema).max(40),
  unreadPlaces: z.array(z.enum(SIGNAL_PLACES)).max(SIGNAL_PLACES.length),
  /** Absent where it says nothing of generative models, and where nobody looked for it. */
  sourceStatements: z.array(sourceStatementSchema).min(1).max(MAX_SOURCE_STATEMENTS).exactOptional(),
});
export type SignalReading = z.infer<typeof signalReadingSchema>;

/** What is read in a file and kept beside it only as far as it is used when it comes in. */
export const receivedReadingSchema = z.strictObject({
  reading: signalReadingSchema,
  /** Labels of the manifest in the file and of what it is a version of, the nearest first. */
  versionLabels: z.array(z.string().max(MAX_LABEL_CHARACTERS)).max(MAX_VERSION_LABELS),
});
export type ReceivedReading = z.infer<typeof receivedReadingSchema>;

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
  read(file: { readonly path: string; readonly mediaType: string }): Promise<ReceivedReading>;
}

/** The part of a reading that the log says. Conditions are words of strangers, which may name people: they stay out. */
export function loggedReading({ signals, unreadPlaces, sourceStatements }: SignalReading) {
  return {
    fileSignals: signals.map(({ origin, act, use, constraint, manifestBroken }) => ({
      origin,
      act,
      use,
      ...(use === 'constrained' ? { conditionStated: constraint !== null } : {}),
      ...(manifestBroken === undefined ? {} : { manifestBroken }),
    })),
    unreadPlaces,
    ...(sourceStatements === undefined
      ? {}
      : {
          sourceStatements: sourceStatements.map(({ place, term, isOfParent = false }) => ({
            place,
            term,
            isOfParent,
          })),
        }),
  };
}

/**
 * What a file says of itself, with a mark on what its parent says as well: an editor keeps that in the file, and it is no
 * word on what the sender did. A stronger word, or another program, is a new one.
 */
export function withoutParents(reading: SignalReading, ofParent: SignalReading): SignalReading {
  const { sourceStatements, ...rest } = reading;
  if (sourceStatements === undefined) return reading;
  const known = ofParent.sourceStatements ?? [];
  const marked = sourceStatements.map((statement): SourceStatement => {
    const isKnown = known.some((other) => isSaidBy(other, statement));
    return isKnown ? { ...statement, isOfParent: true } : statement;
  });
  return { ...rest, sourceStatements: marked };
}

function isSaidBy(parent: SourceStatement, statement: SourceStatement): boolean {
  if (parent.place !== statement.place || (isWhole(statement) && !isWhole(parent))) return false;
  if (statement.place === 'c2pa') return parent.manifestLabel === statement.manifestLabel;
  return statement.system === null || statement.system === parent.system;
}

function isWhole({ term }: SourceStatement): boolean {
  return term === 'trainedAlgorithmicMedia' || term === 'trainedAlgorithmicData';
}

/**
 * The digital source type that a file gives itself, beyond what the file it is a version of says; `undefined` where it
 * says nothing of generative models. What it says of anything else is nobody's knowledge here.
 */
export function statedSourceType({ sourceStatements = [] }: SignalReading): DigitalSourceType | undefined {
  const own = sourceStatements.filter(({ isOfParent }) => isOfParent !== true);
  if (own.length === 0) return undefined;
  return own.some(isWhole) ? 'trainedAlgorithmicMedia' : 'compositeWithTrainedAlgorithmicMedia';
}

/** Whether the places in which a file says how it was made were read to their end. */
export function isMakingRead({ unreadPlaces }: SignalReading): boolean {
  return !unreadPlaces.includes('c2pa') && !unreadPlaces.includes('xmp');
}

/** Whether a file reserves something, or holds what could not be read. */
export function speaks({ signals, unreadPlaces }: SignalReading): boolean {
  return unreadPlaces.length > 0 || signals.some(({ use }) => use !== 'allowed');
}
