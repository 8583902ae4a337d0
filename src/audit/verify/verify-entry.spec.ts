import { beforeAll, describe, expect, it } from '@jest/globals';
import { signedAsset } from '../../../test/vectors/tlog/entry-examples.js';
import { MemoryLog, readGolden } from '../../../test/vectors/tlog/vectors.js';
import { type CheckpointTrust, signCheckpoint } from '../core/checkpoint.js';
import { seal } from '../core/commitment.js';
import { cosignatureSigner, verifierFromVkey } from '../core/cosignature.js';
import { buildEntry } from '../core/entry.js';
import { COSIGNATURE_V1, ed25519Signer, parsePrivateKey } from '../core/note-key.js';
import { inclusionProofFromTiles } from '../core/tile-reading.js';
import { formatTlogProof } from '../core/tlog-proof.js';
import { type EntryEvidence, type EntryVerification, verifyEntry } from './verify-entry.js';

const golden = readGolden();
const trust: CheckpointTrust = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };
const witnesses = [verifierFromVkey(golden.cosignerVkey)];
const prompt = seal('a red shoe on a beach');
const person = seal('Ada');
const entry = buildEntry({
  ...signedAsset,
  sealed: { prompt: prompt.commitment, person: person.commitment },
}).bytes;

let evidence: EntryEvidence;
beforeAll(async () => {
  const log = new MemoryLog();
  await log.appendGolden(300);
  await log.append([entry]);
  await log.appendGolden(10);
  const { size } = log.range;
  const { proof } = await inclusionProofFromTiles(log, 300, size, log.range.root());
  const witnessKey = { ...parsePrivateKey(golden.witness.skey), type: COSIGNATURE_V1 } as const;
  const checkpoint = await signCheckpoint({ origin: trust.origin, size, root: log.range.root() }, [
    ed25519Signer(parsePrivateKey(golden.log.skey)),
    cosignatureSigner(witnessKey, () => 1_795_000_000),
  ]);
  evidence = { entry, proof: formatTlogProof({ index: 300, hashes: proof, checkpoint }) };
});

const outcomes = ({ statuses }: EntryVerification): Record<string, string> =>
  Object.fromEntries(statuses.map(({ subject, field, outcome }) => [field ?? subject, outcome]));

describe('verifyEntry', () => {
  it('says what is proved and what no log can prove', () => {
    const result = verifyEntry(
      { ...evidence, openings: { prompt: prompt.opening } },
      { ...trust, witnesses },
    );
    expect(result).toMatchObject({ ok: true, index: 300, treeSize: 311, entry: { type: 'asset.signed' } });
    expect(outcomes(result)).toEqual({
      entry: 'proved',
      checkpoint: 'proved',
      inclusion: 'proved',
      prompt: 'proved',
      person: 'not_proved',
      witnesses: 'proved',
      time: 'not_proved',
      truth: 'not_proved',
    });
    expect(result.statuses.find(({ subject }) => subject === 'witnesses')?.text).toContain('2026-11-18T');
  });

  it('verifies alike after every opening was erased, and without witnesses', () => {
    const result = verifyEntry(evidence, trust);
    expect(result.ok).toBe(true);
    expect(outcomes(result)).toMatchObject({
      prompt: 'not_proved',
      person: 'not_proved',
      witnesses: 'not_proved',
    });
  });

  it('fails for a value that was not sealed, and never shows values in its texts', () => {
    const wrong = { ...prompt.opening, value: 'a blue shoe on a beach' };
    const result = verifyEntry({ ...evidence, openings: { prompt: wrong, seed: person.opening } }, trust);
    expect(result.ok).toBe(false);
    expect(outcomes(result)).toMatchObject({ inclusion: 'proved', prompt: 'failed', seed: 'failed' });
    expect(JSON.stringify(result.statuses)).not.toContain('blue shoe');
    const short = { salt: new Uint8Array(3), value: '' };
    expect(outcomes(verifyEntry({ ...evidence, openings: { prompt: short } }, trust))).toMatchObject({
      prompt: 'failed',
    });
  });

  it('finds every changed byte of the entry', () => {
    for (let at = 0; at < entry.length; at++) {
      const changed = Buffer.from(entry);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const result = verifyEntry({ ...evidence, entry: changed }, trust);
      expect(result.ok).toBe(false);
      expect(outcomes(result)).toMatchObject({ inclusion: 'failed' });
    }
  });

  it('finds every changed byte of what the proof file proves', () => {
    // A signature by an unknown witness may change: nobody relies on it.
    const end = Buffer.from(evidence.proof).indexOf('\u2014 witness');
    for (let at = 0; at < end; at++) {
      const proof = Buffer.from(evidence.proof);
      proof[at] = (proof[at] ?? 0) ^ 1;
      expect(verifyEntry({ ...evidence, proof }, trust).ok).toBe(false);
    }
  });

  it('collects all faults instead of stopping at the first', () => {
    const bad = { entry: Buffer.from('{}'), proof: evidence.proof, openings: { prompt: prompt.opening } };
    expect(outcomes(verifyEntry(bad, { ...trust, origin: 'other.example' }))).toEqual({
      entry: 'failed',
      checkpoint: 'failed',
      prompt: 'failed',
      time: 'not_proved',
      truth: 'not_proved',
    });
    expect(outcomes(verifyEntry({ ...bad, proof: Buffer.alloc(0) }, trust))).toMatchObject({
      proof: 'failed',
    });
  });
});
