import { z } from 'zod';
import { type BoundedJsonProblem, readCanonicalJson } from '../../shared/bounded-json.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { MAX_ENTRY_BYTES } from './entry-bundle.js';
import { commitment, id, token } from './entry-fields.js';
import {
  ACTOR_KINDS,
  type ActorKind,
  ENTRY_DATA_SCHEMAS,
  type EntryData,
  type EntryType,
  isEntryType,
  SUBJECT_KINDS,
  type SubjectKind,
} from './entry-types.js';
import { type Hash, leafHash } from './merkle.js';
import { TlogError, type TlogErrorCode } from './tlog-error.js';

/** The entries of this program's log: canonical JSON (RFC 8785), at most 65,535 bytes. */

export const ENTRY_VERSION = 1;

interface EntryInputOf<T extends EntryType> {
  readonly type: T;
  /** RFC 3339 in UTC with milliseconds, `2026-11-22T10:00:00.000Z`: the operator's clock. */
  readonly at: string;
  readonly actor: { readonly kind: ActorKind; readonly id: string };
  readonly subject: { readonly kind: SubjectKind; readonly id: string };
  readonly data: EntryData<T>;
  /** Commitments to values that are kept outside the log, by field name; see commitment.ts. */
  readonly sealed?: Readonly<Record<string, string>> | undefined;
}

/** One of the known entries; `type` decides what `data` holds. */
export type EntryInput = { [T in EntryType]: EntryInputOf<T> }[EntryType];

export interface BuiltEntry {
  /** What is stored, hashed and proved. Never serialize the entry a second time. */
  readonly bytes: Buffer;
  readonly leafHash: Hash;
}

/** The parts that every entry has, of known and of future types alike. */
export interface EntryEnvelope {
  readonly v: typeof ENTRY_VERSION;
  readonly type: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly subject: { readonly kind: string; readonly id: string };
  readonly data: Readonly<Record<string, unknown>>;
  readonly sealed?: Readonly<Record<string, string>> | undefined;
}

export interface ParsedEntry {
  readonly entry: EntryEnvelope;
  /**
   * `known`: `data` follows the schema of its type. `unknown_type`: written by a later version of this program.
   * `data_mismatch`: the type is known, but `data` does not follow its schema here.
   */
  readonly schema: 'known' | 'unknown_type' | 'data_mismatch';
  /** Paths in the entry that do not follow the schema; empty when `schema` is `known`. */
  readonly problems: readonly string[];
}

const utcTimestamp = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  // Date.parse takes February 30 and 24:00 for a time of the next day, and refuses what else is no time.
  .refine(
    (text) => new Date(text).getUTCDate() === Number(text.slice(8, 10)),
    'expected RFC 3339 in UTC with milliseconds',
  );

const sealed = z
  .record(token, commitment)
  .refine((fields) => Object.keys(fields).length > 0, 'leave "sealed" out when nothing is sealed');

const envelopeSchema = z.strictObject({
  v: z.literal(ENTRY_VERSION),
  type: z.string().regex(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/),
  at: utcTimestamp,
  actor: z.strictObject({ kind: token, id }),
  subject: z.strictObject({ kind: token, id }),
  data: z.record(z.string(), z.unknown()),
  sealed: sealed.optional(),
});

const writtenEnvelopeSchema = envelopeSchema.extend({
  actor: z.strictObject({ kind: z.enum(ACTOR_KINDS), id }),
  subject: z.strictObject({ kind: z.enum(SUBJECT_KINDS), id }),
  // Its own schema checks it.
  data: z.unknown(),
});

/** Envelope and data of one type in one schema, made when the first entry of this type is. */
const writtenSchemas = new Map<EntryType, z.ZodType>();

function writtenSchemaOf(type: EntryType): z.ZodType {
  const known = writtenSchemas.get(type);
  if (known) return known;
  const schema = writtenEnvelopeSchema.extend({ data: ENTRY_DATA_SCHEMAS[type] });
  writtenSchemas.set(type, schema);
  return schema;
}

/**
 * Validates an entry and gives its canonical bytes and its leaf hash SHA-256(0x00 || bytes).
 * @throws TlogError malformed (naming the fields, never their values), limit_exceeded
 */
export function buildEntry(input: EntryInput): BuiltEntry {
  const schema = isEntryType(input.type) ? writtenSchemaOf(input.type) : writtenEnvelopeSchema;
  const result = schema.safeParse({ v: ENTRY_VERSION, ...input });
  if (!result.success || !isEntryType(input.type)) {
    const problems = [...problemsOf(result, []), ...(isEntryType(input.type) ? [] : [UNKNOWN_TYPE])];
    throw new TlogError('malformed', `not an entry of type ${String(input.type)}: ${problems.join('; ')}`);
  }
  const bytes = canonicalJson(result.data as JsonValue);
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new TlogError('limit_exceeded', `the entry has more than ${MAX_ENTRY_BYTES} bytes`);
  }
  return { bytes, leafHash: leafHash(bytes) };
}

/**
 * Reads an entry as a verifier: its bytes must be the canonical form of a version 1 envelope. A type or a field
 * that this version does not know is reported, not refused, so that old verifiers read new logs.
 * @throws TlogError malformed, limit_exceeded
 */
export function parseEntry(bytes: Uint8Array): ParsedEntry {
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new TlogError('limit_exceeded', `the entry has more than ${MAX_ENTRY_BYTES} bytes`);
  }
  const value = parseCanonicalEntry(bytes);
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success) {
    throw new TlogError('malformed', `not an entry: ${problemsOf(envelope, []).join('; ')}`);
  }
  const entry: EntryEnvelope = envelope.data;
  if (!isEntryType(entry.type)) {
    return { entry, schema: 'unknown_type', problems: [UNKNOWN_TYPE] };
  }
  const problems = [
    ...problemsOf(ENTRY_DATA_SCHEMAS[entry.type].safeParse(entry.data), ['data']),
    ...problemsOf(writtenEnvelopeSchema.safeParse(value), []),
  ];
  return { entry, schema: problems.length === 0 ? 'known' : 'data_mismatch', problems };
}

/** Deeper JSON is not an entry. */
const MAX_DEPTH = 32;

const REFUSALS: Readonly<Record<BoundedJsonProblem, readonly [TlogErrorCode, string]>> = {
  not_utf8: ['malformed', 'the entry is not valid UTF-8'],
  too_deep: ['limit_exceeded', 'the entry is nested too deeply'],
  not_json: ['malformed', 'the entry is not JSON, or has no canonical form'],
  not_canonical: ['malformed', 'the entry is not in the canonical form of RFC 8785'],
};

function parseCanonicalEntry(bytes: Uint8Array): unknown {
  const result = readCanonicalJson(bytes, MAX_DEPTH);
  if (!result.ok) throw new TlogError(...REFUSALS[result.problem]);
  return result.value;
}

const UNKNOWN_TYPE = 'type: not known to this version';

function problemsOf(result: z.ZodSafeParseResult<unknown>, parents: readonly string[]): string[] {
  if (result.success) return [];
  return result.error.issues.map((issue) => `${[...parents, ...issue.path].join('.')}: ${wordsOf(issue)}`);
}

/** zod repeats the names of unknown keys; names come from whoever wrote the entry, so they are bounded here. */
function wordsOf(issue: z.core.$ZodIssue): string {
  return issue.message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
