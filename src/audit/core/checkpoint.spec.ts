import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, codeOfAsync } from '../../../test/vectors/tlog/refusal.js';
import { goldenLeaves, readGolden } from '../../../test/vectors/tlog/vectors.js';
import {
  type CheckpointTrust,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from './checkpoint.js';
import { CompactRange } from './compact-range.js';
import { cosignatureSigner, verifierFromVkey } from './cosignature.js';
import { emptyRoot, leafHash } from './merkle.js';
import { COSIGNATURE_V1, ed25519Signer, ED25519, generatePrivateKey, parsePrivateKey } from './note-key.js';
import { signNote } from './signed-note.js';
import { formatTlogProof, MAX_TLOG_PROOF_BYTES, parseTlogProof, verifyTlogProof } from './tlog-proof.js';

const golden = readGolden();
const origin = golden.log.name;
const log = verifierFromVkey(golden.log.vkey);
const witness = verifierFromVkey(golden.cosignerVkey);
const signer = ed25519Signer(parsePrivateKey(golden.log.skey));
const trust: CheckpointTrust = { origin, log, witnesses: [witness] };
const root = CompactRange.empty().append(goldenLeaves(0, 3)).root();
const root64 = Buffer.from(root).toString('base64');

describe('checkpoints', () => {
  it('opens those that Go signed and cosigned', () => {
    for (const { size, root: rootText, note } of golden.checkpoints) {
      const { checkpoint, cosignatures } = openCheckpoint(Buffer.from(note), trust);
      expect(checkpoint).toMatchObject({ origin, size, extensions: [] });
      expect(Buffer.from(checkpoint.root).toString('base64')).toBe(rootText);
      expect(cosignatures).toMatchObject([{ name: witness.name }]);
      expect(formatCheckpoint(checkpoint)).toBe(note.slice(0, note.lastIndexOf('\n\n') + 1));
    }
  });

  it('has exactly three lines when written here', async () => {
    expect(formatCheckpoint({ origin, size: 3, root })).toBe(`${origin}\n3\n${root64}\n`);
    const opened = openCheckpoint(await signCheckpoint({ origin, size: 3, root }, [signer]), trust);
    expect(opened.cosignatures).toEqual([]);
    for (const bad of [
      { origin: 'a b', size: 3, root },
      { origin: 'a\nb', size: 3, root },
      { origin: '', size: 3, root },
      { origin, size: -1, root },
      { origin, size: 2 ** 53, root },
      { origin, size: 3, root: root.subarray(1) },
      { origin, size: 0, root },
    ]) {
      expect(['malformed', 'out_of_range']).toContain(codeOf(() => formatCheckpoint(bad)));
    }
  });

  it('keeps extension lines of other logs without giving them a meaning', () => {
    const parsed = parseCheckpoint(`${origin}\n3\n${root64}\nextra one\nextra two\n`);
    expect(parsed).toMatchObject({ size: 3, extensions: ['extra one', 'extra two'] });
  });

  const bodies: [string, string, string][] = [
    ['size 2^63', `${origin}\n9223372036854775808\n${root64}\n`, 'limit_exceeded'],
    ['size 2^53', `${origin}\n9007199254740992\n${root64}\n`, 'limit_exceeded'],
    ['a size of 100,000 digits', `${origin}\n${'9'.repeat(100_000)}\n${root64}\n`, 'limit_exceeded'],
    ['leading zeros', `${origin}\n03\n${root64}\n`, 'malformed'],
    ['a sign', `${origin}\n+3\n${root64}\n`, 'malformed'],
    ['minus zero', `${origin}\n-0\n${root64}\n`, 'malformed'],
    ['an exponent', `${origin}\n1e3\n${root64}\n`, 'malformed'],
    ['hexadecimal', `${origin}\n0x3\n${root64}\n`, 'malformed'],
    ['digits of another script', `${origin}\n\u0663\n${root64}\n`, 'malformed'],
    ['an empty size', `${origin}\n\n${root64}\n`, 'malformed'],
    ['an empty origin', `\n3\n${root64}\n`, 'malformed'],
    ['a short root', `${origin}\n3\n${Buffer.from(root.subarray(1)).toString('base64')}\n`, 'malformed'],
    ['a root without padding', `${origin}\n3\n${root64.replace('=', '')}\n`, 'malformed'],
    ['a root with stray bits', `${origin}\n3\n${'A'.repeat(42)}B=\n`, 'malformed'],
    ['two lines', `${origin}\n3\n`, 'malformed'],
    ['an empty extension line', `${origin}\n3\n${root64}\n\n`, 'malformed'],
    ['no final newline', `${origin}\n3\n${root64}`, 'malformed'],
    ['an empty tree with a root of its own', `${origin}\n0\n${root64}\n`, 'malformed'],
  ];
  it.each(bodies)('refuses %s, signed or not', async (_what, body, code) => {
    expect(codeOf(() => parseCheckpoint(body))).toBe(code);
    if (!body.endsWith('\n')) return;
    const signed = await signNote(body, [signer]);
    expect(codeOf(() => openCheckpoint(signed, trust))).toBe(code);
  });

  it('refuses another origin, also when the right key signed it', async () => {
    const signed = await signNote(`other.example/log\n3\n${root64}\n`, [signer]);
    expect(codeOf(() => openCheckpoint(signed, trust))).toBe('wrong_origin');
  });

  it('refuses another key with the right name, and a checkpoint that only a witness signed', async () => {
    const impostor = ed25519Signer(generatePrivateKey(origin, ED25519));
    const forged = await signCheckpoint({ origin, size: 3, root }, [impostor]);
    expect(codeOf(() => openCheckpoint(forged, trust))).toBe('unknown_key');
    const witnessKey = { ...parsePrivateKey(golden.witness.skey), type: COSIGNATURE_V1 } as const;
    const cosigned = await signCheckpoint({ origin, size: 3, root }, [
      impostor,
      cosignatureSigner(witnessKey, () => 1_700_000_000),
    ]);
    expect(codeOf(() => openCheckpoint(cosigned, trust))).toBe('unknown_key');
  });
});

describe('proof files', () => {
  const vector = golden.inclusion.find(({ size, index }) => size === 70_000 && index > 1);
  const checkpoint = Buffer.from(golden.checkpoints.at(-1)?.note ?? '');
  const decode = (text: string): Buffer => Buffer.from(text, 'base64');
  const leaf = decode(vector?.leaf ?? '');
  const proof = { index: vector?.index ?? 0, hashes: (vector?.proof ?? []).map(decode), checkpoint };
  const file = formatTlogProof(proof).toString();

  it('reads back, with and without extra data, and verifies', () => {
    expect(file.startsWith(`c2sp.org/tlog-proof@v1\nindex ${proof.index}\n`)).toBe(true);
    expect(parseTlogProof(Buffer.from(file))).toEqual(proof);
    const extra = Buffer.from('context');
    expect(parseTlogProof(formatTlogProof({ ...proof, extra }))).toEqual({ ...proof, extra });
    expect(verifyTlogProof(proof, leaf, trust).checkpoint.size).toBe(70_000);
  });

  it('proves the only entry of a log with no hash at all', async () => {
    const only = goldenLeaves(0, 1)[0] as Uint8Array;
    const signed = await signCheckpoint({ origin, size: 1, root: only }, [signer]);
    const alone = parseTlogProof(formatTlogProof({ index: 0, hashes: [], checkpoint: signed }));
    expect(verifyTlogProof(alone, only, trust).checkpoint.size).toBe(1);
  });

  it('refuses another entry, index, key, origin and proofs of the wrong length', () => {
    const refused = (change: object, other: Partial<CheckpointTrust> = {}, hash: Uint8Array = leaf): string =>
      codeOf(() => verifyTlogProof({ ...proof, ...change }, hash, { ...trust, ...other }));
    expect(refused({}, {}, leafHash(Buffer.from('forged')))).toBe('proof_mismatch');
    expect(refused({ index: proof.index + 1 })).toMatch(/^proof_/);
    expect(refused({ index: 70_000 })).toBe('out_of_range');
    expect(refused({ hashes: proof.hashes.slice(1) })).toBe('proof_length');
    expect(refused({ hashes: [...proof.hashes, emptyRoot()] })).toBe('proof_length');
    expect(refused({ hashes: [] })).toBe('proof_length');
    expect(refused({}, { origin: 'other.example' })).toBe('wrong_origin');
    expect(refused({}, { log: verifierFromVkey(golden.witness.vkey), witnesses: [] })).toBe('unknown_key');
    expect(refused({ checkpoint: Buffer.from('') })).toBe('malformed');
  });

  const hashLine = Buffer.from(proof.hashes[0] ?? []).toString('base64');
  const files: [string, string][] = [
    ['nothing', ''],
    ['another header', file.replace('@v1', '@v2')],
    ['no index line', file.replace(/index .*\n/, '')],
    ['an index with leading zeros', file.replace('index ', 'index 0')],
    ['an index of 2^63', file.replace(/index .*\n/, 'index 9223372036854775808\n')],
    ['a hash that is not canonical base64', file.replace(hashLine, hashLine.replace('=', ''))],
    ['a hash of 31 bytes', file.replace(hashLine, Buffer.alloc(31).toString('base64'))],
    ['a carriage return', file.replace('\n', '\r\n')],
    ['an extra line after the index', file.replace(/(index .*\n)/, '$1extra AAAA\n')],
    ['two extra lines', file.replace('\n', '\nextra AAAA\nextra AAAA\n')],
    ['64 hashes', file.replace(hashLine, Array.from({ length: 64 }, () => hashLine).join('\n'))],
    ['10,000 hashes', file.replace(hashLine, Array.from({ length: 10_000 }, () => hashLine).join('\n'))],
    ['no blank line', file.replaceAll('\n\n', '\n')],
  ];
  it.each(files)('refuses %s', (_what, text) => {
    expect(['malformed', 'limit_exceeded']).toContain(codeOf(() => parseTlogProof(Buffer.from(text))));
  });

  it('refuses bytes after the checkpoint, and files that are too large to read', () => {
    const trailing = parseTlogProof(Buffer.from(`${file}x`));
    expect(codeOf(() => verifyTlogProof(trailing, leaf, trust))).toBe('malformed');
    expect(codeOf(() => parseTlogProof(Buffer.alloc(MAX_TLOG_PROOF_BYTES + 1)))).toBe('limit_exceeded');
    expect(codeOf(() => formatTlogProof({ ...proof, hashes: [Buffer.alloc(31)] }))).toBe('malformed');
    expect(codeOf(() => formatTlogProof({ ...proof, index: -1 }))).toBe('out_of_range');
  });

  it('never throws anything but its own error, whatever the bytes', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .tuple(fc.nat(file.length), fc.string({ unit: 'binary', maxLength: 3 }))
        .map(([at, insert]) => Buffer.from(file.slice(0, at) + insert + file.slice(at + insert.length))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (value) => {
        await codeOfAsync(() => Promise.resolve(verifyTlogProof(parseTlogProof(value), leaf, trust)));
      }),
    );
  });
});
