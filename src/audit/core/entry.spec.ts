import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sha256 } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { commitTo, newSalt, opensCommitment, seal } from './commitment.js';
import { buildEntry, type EntryInput, parseEntry } from './entry.js';
import { MAX_ENTRY_BYTES } from './entry-bundle.js';
import { ENTRY_DATA_SCHEMAS } from './entry-types.js';
import { exampleEntries, signedAsset } from '../../../test/vectors/tlog/entry-examples.js';
import { codeOf } from '../../../test/vectors/tlog/refusal.js';

const built = buildEntry(signedAsset);
const envelope = JSON.parse(built.bytes.toString()) as Record<string, JsonValue>;

describe('buildEntry', () => {
  it('writes the canonical bytes that the specification shows', () => {
    const entry = buildEntry({
      type: 'asset.released',
      at: '2026-11-22T10:00:00.000Z',
      actor: { kind: 'api_key', id: 'key_1' },
      subject: { kind: 'asset', id: 'ast_1' },
      data: { sha256: 'ab'.repeat(32), assetId: 'ast_1' },
    });
    expect(entry.bytes.toString()).toBe(
      '{"actor":{"id":"key_1","kind":"api_key"},"at":"2026-11-22T10:00:00.000Z",' +
        `"data":{"assetId":"ast_1","sha256":"${'ab'.repeat(32)}"},` +
        '"subject":{"id":"ast_1","kind":"asset"},"type":"asset.released","v":1}',
    );
    expect(Buffer.from(entry.leafHash)).toEqual(sha256(Uint8Array.of(0), entry.bytes));
  });

  it('has an example of every type, and each reads back as known', () => {
    expect(Object.keys(exampleEntries).sort()).toEqual(Object.keys(ENTRY_DATA_SCHEMAS).sort());
    for (const example of Object.values(exampleEntries)) {
      const { bytes } = buildEntry(example);
      expect(parseEntry(bytes)).toMatchObject({
        schema: 'known',
        problems: [],
        entry: { type: example.type },
      });
    }
  });

  it('leaves out what is undefined, so that no field is ever null or empty by accident', () => {
    const bytes = buildEntry({ ...signedAsset, sealed: undefined }).bytes.toString();
    expect(bytes).not.toContain('sealed');
  });

  const refused: [string, Record<string, unknown>][] = [
    ['an unknown type', { type: 'asset.deleted' }],
    ['a type from the prototype', { type: 'constructor' }],
    ['a time without milliseconds', { at: '2026-11-22T10:00:00Z' }],
    ['a day that does not exist', { at: '2026-02-30T10:00:00.000Z' }],
    ['an e-mail address as actor', { actor: { kind: 'user', id: 'ada@example.com' } }],
    ['an actor of another kind', { actor: { kind: 'root', id: 'x' } }],
    ['a field beside the envelope', { comment: 'hello' }],
    ['a field beside the data', { data: { ...signedAsset.data, prompt: 'a red shoe' } }],
    ['a hash in upper case', { data: { ...signedAsset.data, sha256: 'AB'.repeat(32) } }],
    ['a size that is not an integer', { data: { ...signedAsset.data, sizeBytes: 1.5 } }],
    ['a plain value as commitment', { sealed: { prompt: 'a red shoe' } }],
    ['a commitment with stray bits', { sealed: { prompt: 'A'.repeat(42) + 'B' } }],
    ['an empty list of sealed values', { sealed: {} }],
  ];
  it.each(refused)('refuses %s', (_what, change) => {
    expect(codeOf(() => buildEntry({ ...signedAsset, ...change }))).toBe('malformed');
  });

  it('refuses names that would display as something else', () => {
    for (const name of ['', 'a\nb', 'invoice\u202egnp.exe', '\ud800', 'x'.repeat(201)]) {
      const entry = { ...exampleEntries['project.created'], data: { name } } as EntryInput;
      expect(codeOf(() => buildEntry(entry))).toBe('malformed');
    }
  });

  it('never repeats a value in its error', () => {
    const secret = 'a secret prompt';
    const change = {
      sealed: { prompt: secret },
      at: secret,
      data: { ...signedAsset.data, mediaType: secret },
    };
    expect(() => buildEntry({ ...signedAsset, ...change })).toThrow(/^(?!.*secret)/s);
  });
});

describe('parseEntry', () => {
  it('reads types of the future and says so', () => {
    const future = canonicalJson({ ...envelope, type: 'asset.withdrawn', data: { reason: 'request' } });
    expect(parseEntry(future)).toMatchObject({ schema: 'unknown_type', entry: { type: 'asset.withdrawn' } });
  });

  it('reads known types with data of the future and names the fields', () => {
    const bytes = canonicalJson({
      ...envelope,
      data: { ...signedAsset.data, extra: 1 } as unknown as JsonValue,
    });
    const parsed = parseEntry(bytes);
    expect(parsed.schema).toBe('data_mismatch');
    expect(parsed.problems.join()).toContain('data');
  });

  const text = built.bytes.toString();
  const spellings: [string, string][] = [
    ['white space', text.replace(':', ': ')],
    ['a trailing newline', `${text}\n`],
    ['a byte order mark', `\ufeff${text}`],
    ['an escape that is not needed', text.replace('api_key', '\\u0061pi_key')],
    ['another number form', text.replace('"v":1', '"v":1.0')],
    ['a duplicate key', text.replace('"v":1', '"v":1,"v":1')],
    ['another key order', JSON.stringify({ v: 1, ...envelope })],
    ['bytes after the value', `${text}{}`],
    ['half a value', text.slice(0, -1)],
    ['a list', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['a later version', text.replace('"v":1', '"v":2')],
  ];
  it.each(spellings)('refuses %s', (_what, spelling) => {
    expect(codeOf(() => parseEntry(Buffer.from(spelling)))).toBe('malformed');
  });

  it('refuses invalid UTF-8, oversize and deep nesting without hanging', () => {
    expect(codeOf(() => parseEntry(Uint8Array.of(0x22, 0xff, 0x22)))).toBe('malformed');
    expect(codeOf(() => parseEntry(Buffer.alloc(MAX_ENTRY_BYTES + 1, 0x20)))).toBe('limit_exceeded');
    expect(codeOf(() => parseEntry(Buffer.alloc(MAX_ENTRY_BYTES, '[')))).toBe('limit_exceeded');
    expect(codeOf(() => parseEntry(Buffer.alloc(MAX_ENTRY_BYTES, '"\\')))).toBe('malformed');
    expect(codeOf(() => parseEntry(Buffer.from('{"__proto__":{"v":1}}')))).toBe('malformed');
  });

  it('refuses every other byte string: what it reads is what buildEntry writes', () => {
    fc.assert(
      fc.property(fc.nat(built.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const bytes = Buffer.from(built.bytes);
        bytes[position] = (bytes[position] ?? 0) ^ change;
        try {
          // A changed byte may give another valid entry, never the same one.
          expect(canonicalJson(parseEntry(bytes).entry as unknown as JsonValue)).toEqual(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: 'TlogError' });
        }
      }),
    );
  });

  it('never throws anything but its own error, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json().map((json) => Buffer.from(json)),
          fc.uint8Array(),
        ),
        (bytes) => {
          expect(['malformed', 'limit_exceeded']).toContain(codeOf(() => parseEntry(bytes)));
        },
      ),
    );
  });
});

describe('commitments', () => {
  it('is base64url(SHA-256(salt || value))', () => {
    // Computed with Python: base64.urlsafe_b64encode(hashlib.sha256(bytes([7]) * 32 + b"a red shoe").digest())
    const commitment = commitTo({ salt: Buffer.alloc(32, 7), value: 'a red shoe' });
    expect(commitment).toBe('HPo3-6pTp5jMXWwhtws71oaGRGCSjGb269lMP3-X7Q0');
  });

  it('opens with its own value and salt only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (value, other) => {
        const { commitment, opening } = seal(value);
        expect(opensCommitment(opening, commitment)).toBe(true);
        expect(opensCommitment({ ...opening, value: other }, commitment)).toBe(other === value);
        expect(opensCommitment({ ...opening, salt: newSalt() }, commitment)).toBe(false);
      }),
    );
  });

  it('refuses other spellings of a commitment, other salts and text without UTF-8 form', () => {
    const { commitment, opening } = seal('value');
    for (const spelling of [
      `${commitment}=`,
      ` ${commitment}`,
      commitment.slice(1),
      '',
      'x'.repeat(100_000),
    ]) {
      expect(opensCommitment(opening, spelling)).toBe(false);
    }
    expect(codeOf(() => commitTo({ salt: Buffer.alloc(31), value: '' }))).toBe('malformed');
    expect(codeOf(() => commitTo({ salt: opening.salt, value: '\ud800' }))).toBe('malformed');
  });
});
