import { beforeAll, describe, expect, it } from '@jest/globals';
import { signedAsset } from '../../../test/vectors/tlog/entry-examples.js';
import { MemoryLog, readGolden, readVector } from '../../../test/vectors/tlog/vectors.js';
import { type CheckpointTrust, signCheckpoint } from '../core/checkpoint.js';
import { seal } from '../core/commitment.js';
import { cosignatureSigner, verifierFromVkey } from '../core/cosignature.js';
import { buildEntry } from '../core/entry.js';
import { COSIGNATURE_V1, ed25519Signer, parsePrivateKey } from '../core/note-key.js';
import { inclusionProofFromTiles } from '../core/tile-reading.js';
import { formatTlogProof } from '../core/tlog-proof.js';
import { parseWitnessPolicy, type WitnessPolicy } from '../core/witness-policy.js';
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
      inclusion: 'not_proved',
      prompt: 'failed',
      witnesses: 'not_proved',
      time: 'not_proved',
      truth: 'not_proved',
    });
    expect(outcomes(verifyEntry({ ...bad, proof: Buffer.alloc(0) }, trust))).toMatchObject({
      proof: 'failed',
      checkpoint: 'not_proved',
      inclusion: 'not_proved',
      witnesses: 'not_proved',
    });
  });
});

describe('verifyEntry under a witness policy', () => {
  const vectors = readVector('policy.json') as { vkeys: string[] };
  const [v0 = '', v1 = ''] = vectors.vkeys;
  const policyOf = (...lines: string[]): WitnessPolicy =>
    parseWitnessPolicy(
      Buffer.from(
        [`witness a ${golden.cosignerVkey}`, `witness b ${v0}`, `witness c ${v1}`, ...lines, ''].join('\n'),
      ),
    );
  const witnessText = ({ statuses }: EntryVerification): string =>
    statuses.find(({ subject }) => subject === 'witnesses')?.text ?? '';

  it('says who cosigned and when, who did not, what is needed, and that it is met', () => {
    const result = verifyEntry(evidence, { ...trust, policy: policyOf('group g 1 a b c', 'quorum g') });
    expect(result).toMatchObject({ ok: true, policyMet: true });
    expect(outcomes(result)).toMatchObject({ witnesses: 'proved' });
    expect(witnessText(result)).toBe(
      '1 of 3 witnesses cosigned (a); missing: b, c. Needed: at least 1 of (a, b, c). The policy is met. ' +
        'Seen by a (witness.example/w1) at 2026-11-18T11:06:40.000Z, by their own clocks. ' +
        'That nobody was shown another history rests on the word of those who cosigned.',
    );
  });

  it('says that it is not met, and leaves the entry proved', () => {
    const result = verifyEntry(evidence, { ...trust, policy: policyOf('group g 2 a b c', 'quorum g') });
    expect(result).toMatchObject({ ok: true, policyMet: false });
    expect(outcomes(result)).toMatchObject({ inclusion: 'proved', witnesses: 'not_proved' });
    expect(witnessText(result)).toContain('The policy is not met. Seen by a');
    expect(witnessText(result)).toContain('not proved that everybody was shown this same log');
  });

  it('shows nothing where the policy asks for nobody', () => {
    const policy = parseWitnessPolicy(Buffer.from('quorum none\n'));
    const result = verifyEntry(evidence, { ...trust, policy });
    expect(result).toMatchObject({ ok: true, policyMet: true });
    expect(outcomes(result)).toMatchObject({ witnesses: 'not_proved' });
    expect(verifyEntry(evidence, trust).policyMet).toBeUndefined();
  });

  it('fails for a cosignature by a key of the policy that does not verify', () => {
    const proof = Buffer.from(evidence.proof);
    // A letter in the middle of the last line, the cosignature.
    const at = proof.length - 20;
    proof[at] = proof[at] === 0x41 ? 0x42 : 0x41;
    expect(verifyEntry({ ...evidence, proof }, trust).ok).toBe(true);
    const result = verifyEntry({ ...evidence, proof }, { ...trust, policy: policyOf('quorum a') });
    expect(result.ok).toBe(false);
    expect(outcomes(result)).toMatchObject({ checkpoint: 'failed' });
  });

  it('takes a witness that is given twice for one', () => {
    const result = verifyEntry(evidence, { ...trust, witnesses, policy: policyOf('quorum a') });
    expect(result).toMatchObject({ ok: true, policyMet: true });
  });
});
