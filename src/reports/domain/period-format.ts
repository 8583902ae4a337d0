import { z } from 'zod';

/**
 * The export of a period, format 2: a zip with every entry of the log between two signed states of it, and the entries
 * around it. Format 1 had none of these, so a shorter time could pass for a longer one. See docs/spec/period-export.md.
 */
export const PERIOD_FORMAT = 'colophon-period-export';
export const PERIOD_VERSION = 2;

export const PERIOD_PATHS = {
  index: 'period.json',
  signedIndex: 'period.jws',
  entries: 'entries.ndjson',
  firstCheckpoint: 'log/first-checkpoint',
  lastCheckpoint: 'log/checkpoint',
  newestCheckpoint: 'log/newest-checkpoint',
  before: 'around/before.json',
  beforeProof: 'around/before.tlog-proof',
  after: 'around/after.json',
  afterProof: 'around/after.tlog-proof',
  reportKey: 'around/report-key.json',
  reportKeyProof: 'around/report-key.tlog-proof',
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

const described = {
  format: z.literal(PERIOD_FORMAT),
  reportId: shortText,
  createdAt: z.iso.datetime(),
  product: z.strictObject({ name: shortText, version: shortText }),
  /** The time that was asked for. */
  asked: z.strictObject({ from: z.iso.datetime().optional(), until: z.iso.datetime().optional() }),
  origin: shortText,
  /** Entries [first.size, last.size) are in entries.ndjson, one a line. */
  first: z.strictObject({ size, rootHash: hash, edge: hashes, vkey: shortText.nullable() }),
  last: z.strictObject({ size, rootHash: hash, vkey: shortText }),
  consistencyProof: hashes,
};

export const periodIndexSchema = z.discriminatedUnion('v', [
  z.strictObject({ ...described, v: z.literal(1) }),
  z.strictObject({
    ...described,
    v: z.literal(PERIOD_VERSION),
    /** The newest state when the export was made: the entries around the period are proved under it. */
    newest: z.strictObject({ size, rootHash: hash, vkey: shortText }),
    /** From `last` to `newest`. */
    consistencyToNewest: hashes,
  }),
]);
export type PeriodIndex = z.infer<typeof periodIndexSchema>;
