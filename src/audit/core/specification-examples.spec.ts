import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readGolden } from '../../../test/vectors/tlog/vectors.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { commitTo } from './commitment.js';
import { verifierFromVkey } from './cosignature.js';
import { parseEntry } from './entry.js';
import { encodeBundle } from './entry-bundle.js';
import { leafHash, nodeHash } from './merkle.js';
import { verifyConsistency } from './merkle-proof.js';
import { isSatisfied } from './policy-quorum.js';
import { parseNote } from './signed-note.js';
import { tilePath } from './tiles.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.js';
import { parseWitnessPolicy } from './witness-policy.js';

/** The worked examples of docs/spec/audit-log.md, computed anew: an outsider tests a verifier with them. */

const page = readFileSync(new URL('../../../docs/spec/audit-log.md', import.meta.url), 'utf8');
const golden = readGolden();
const blocks = [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
const blockWith = (text: string): string => blocks.find((block) => block.includes(text)) ?? '';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const entries = [0, 1, 2].map((i) => Buffer.from(`entry ${i}`));
const [leaf0, leaf1, leaf2] = entries.map(leafHash) as [Uint8Array, Uint8Array, Uint8Array];
const root = nodeHash(nodeHash(leaf0, leaf1), leaf2);
const checkpoint = Buffer.from(blockWith('\u2014 log.example/golden TkFSI'));
const log = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };

describe('the examples of the specification', () => {
  it('are entries with the leaf hash that stands beside them', () => {
    const bytes = Buffer.from(blockWith('"type":"asset.released","v":1}').trimEnd());
    expect(parseEntry(bytes)).toMatchObject({ schema: 'known' });
    expect(page).toContain(`These ${bytes.length} bytes are an entry`);
    expect(page).toContain(`\`${hex(leafHash(bytes))}\``);
  });

  it('are hashes, bundles and paths', () => {
    for (const hash of [leaf0, leaf1, leaf2, nodeHash(leaf0, leaf1), root]) expect(page).toContain(hex(hash));
    expect(page).toContain(`${Buffer.from(root).toString('base64')} (base64)`);
    expect(page).toContain(hex(encodeBundle(entries)));
    for (const index of [5, 1067, 1_234_067]) {
      const name = tilePath({ level: 0, index, width: 256 }).slice('tile/0/'.length);
      expect(page).toContain(`${index} -> \`${name}\``);
    }
  });

  it('are a checkpoint that opens with the keys shown, and its cosignature in parts', () => {
    expect(page).toContain(`${golden.log.vkey}\n${golden.cosignerVkey}\n`);
    const witness = verifierFromVkey(golden.cosignerVkey);
    const opened = openCheckpoint(checkpoint, { ...log, witnesses: [witness] });
    expect(opened.checkpoint).toMatchObject({ size: 3 });
    expect(hex(opened.checkpoint.root)).toBe(hex(root));
    const [, cosignature] = parseNote(checkpoint).signatures;
    const bytes = hex(cosignature?.signature ?? Buffer.alloc(0));
    expect(page).toContain(`\`${cosignature?.keyId.toString(16)}\``);
    expect(page).toContain(`\`${bytes.slice(0, 16)}\``);
    expect(page).toContain(`\`${bytes.slice(16, 24)}...${bytes.slice(-6)}\``);
    const message = blockWith('cosignature/v1\ntime 1795374514\n');
    expect(page).toContain(`the ${Buffer.byteLength(message)} bytes`);
    expect(opened.cosignatures).toMatchObject([{ timestampSeconds: 1_795_374_514 }]);
    expect(message.endsWith(opened.text)).toBe(true);
  });

  it('are proofs of inclusion and of consistency that hold', () => {
    const file = Buffer.concat([Buffer.from(blockWith('index 1\n')), checkpoint]);
    const proof = parseTlogProof(file);
    expect(verifyTlogProof(proof, leaf1, log).checkpoint.size).toBe(3);
    expect(formatTlogProof(proof)).toEqual(file);
    const newRoot = parseCheckpoint(parseNote(checkpoint).text).root;
    const two = { oldSize: 2, oldRoot: nodeHash(leaf0, leaf1), newSize: 3, newRoot };
    expect(() => verifyConsistency(two, [leaf2])).not.toThrow();
    const one = { oldSize: 1, oldRoot: leaf0, newSize: 3, newRoot };
    expect(() => verifyConsistency(one, [leaf1, leaf2])).not.toThrow();
  });

  it('are a policy that its witness meets, and an opening that fits the entry', () => {
    const policy = parseWitnessPolicy(Buffer.from(blockWith('quorum outside')));
    expect([isSatisfied(policy, ['w1']), isSatisfied(policy, [])]).toEqual([true, false]);
    const { salt, value } = JSON.parse(blockWith('"salt":"AAEC')) as { salt: string; value: string };
    const commitment = commitTo({ salt: Buffer.from(salt, 'base64url'), value });
    expect(blockWith('"type":"asset.released","v":1}')).toContain(`"comment":"${commitment}"`);
  });
});
