import { z } from 'zod';

/**
 * The export of a period, format 1: a zip with every entry of the log between two signed states of it. See
 * docs/spec/period-export.md.
 */
export const PERIOD_FORMAT = 'colophon-period-export';

export const PERIOD_PATHS = {
  index: 'period.json',
  signedIndex: 'period.jws',
  entries: 'entries.ndjson',
  firstCheckpoint: 'log/first-checkpoint',
  lastCheckpoint: 'log/checkpoint',
  vkey: 'log/vkey',
  policy: 'log/policy',
  reportAnchors: 'trust/report-ca.pem',
  instructions: 'VERIFY.md',
  certification: 'CERTIFICATION.md',
  sums: 'SHA256SUMS',
} as const;

export const timeStampPath = (number: number): string => `time-stamps/${number}.tst`;

const hash = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64');
const shortText = z.string().min(1).max(512);
/** A tree below 2^53 has no larger edge, and no longer proof. */
const hashes = z.array(hash).max(128);
const size = z.int().nonnegative();

export const periodIndexSchema = z.strictObject({
  format: z.literal(PERIOD_FORMAT),
  v: z.literal(1),
  reportId: shortText,
  createdAt: z.iso.datetime(),
  product: z.strictObject({ name: shortText, version: shortText }),
  /** The time that was asked for; all of its entries are here. */
  asked: z.strictObject({ from: z.iso.datetime().optional(), until: z.iso.datetime().optional() }),
  origin: shortText,
  /** Entries [first.size, last.size) are in entries.ndjson, one a line. */
  first: z.strictObject({ size, rootHash: hash, edge: hashes, vkey: shortText.nullable() }),
  last: z.strictObject({ size, rootHash: hash, vkey: shortText }),
  consistencyProof: hashes,
});
export type PeriodIndex = z.infer<typeof periodIndexSchema>;
