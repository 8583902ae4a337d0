import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../../../test/vectors/tlog/refusal.js';
import { readGolden, readVector } from '../../../test/vectors/tlog/vectors.js';
import { acceptCosignature, type CosignatureExpectation } from './witness-answer.js';
import { openCheckpoint } from './checkpoint.js';
import { cosignatureSigner, cosignatureVerifier, verifierFromVkey } from './cosignature.js';
import { cosignedNote } from './cosigned-note.js';
import {
  COSIGNATURE_V1,
  ed25519Signer,
  generatePrivateKey,
  parsePrivateKey,
  publicKeyOf,
} from './note-key.js';
import { formatSignatureLine, MAX_NOTE_SIGNATURES, parseNote, signNote } from './signed-note.js';

const golden = readGolden();
const vectors = readVector('policy.json') as { text: string; vkeys: string[]; cosignatures: string[] };
const log = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };
const note = await signNote(vectors.text, [ed25519Signer(parsePrivateKey(golden.log.skey))]);

describe('a note with cosignatures that came later', () => {
  it('opens with every key that Go signed with', () => {
    const witnesses = vectors.vkeys.map(verifierFromVkey);
    const opened = openCheckpoint(cosignedNote(note, vectors.cosignatures), { ...log, witnesses });
    expect(opened.cosignatures.map(({ name }) => name)).toEqual(witnesses.map(({ name }) => name));
    expect(opened.unverified).toEqual([]);
  });

  it('has the same bytes in whatever order and however often lines are given, and grows at its end', () => {
    const all = cosignedNote(note, vectors.cosignatures);
    expect(all.subarray(0, note.length)).toEqual(note);
    fc.assert(
      fc.property(fc.shuffledSubarray(vectors.cosignatures), (some) => {
        expect(cosignedNote(note, [...some, ...vectors.cosignatures, ...some])).toEqual(all);
        expect(cosignedNote(cosignedNote(note, some), vectors.cosignatures).length).toBe(all.length);
      }),
    );
    expect(cosignedNote(note, [])).toEqual(note);
  });

  it('holds one cosignature of a key, also when it gave two at different times', () => {
    const key = generatePrivateKey('witness.example/twice', COSIGNATURE_V1);
    const lineAt = (seconds: number): string => {
      const signer = cosignatureSigner(key, () => seconds);
      const signature = signer.sign(Buffer.from(vectors.text)) as Uint8Array;
      return formatSignatureLine({ ...signer, signature }).slice(0, -1);
    };
    const [early, late] = [lineAt(1_795_000_000), lineAt(1_795_000_060)];
    expect(cosignedNote(note, [early, late])).toEqual(cosignedNote(note, [late, early]));
    expect(parseNote(cosignedNote(note, [early, late])).signatures).toHaveLength(2);
  });

  it('stays within the signatures that a note may have', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => {
      const signature = { name: `w${i}`, keyId: i, signature: Buffer.alloc(72) };
      return formatSignatureLine(signature).slice(0, -1);
    });
    const { signatures } = parseNote(cosignedNote(note, lines));
    expect(signatures).toHaveLength(MAX_NOTE_SIGNATURES);
    expect(signatures[0]?.name).toBe(golden.log.name);
  });

  it('refuses what is no signature line', () => {
    for (const line of ['', 'x', `${vectors.cosignatures[0]}\n`, '\u2014 a b c']) {
      expect(codeOf(() => cosignedNote(note, [line]))).toBe('malformed');
    }
    expect(codeOf(() => cosignedNote(Buffer.from('x'), []))).toBe('malformed');
  });
});

describe('what is kept of a witness\u2019s answer', () => {
  const key = generatePrivateKey('witness.example/w', COSIGNATURE_V1);
  const now = new Date('2026-11-22T10:00:00Z');
  const atSeconds = now.getTime() / 1000;
  const expectation: CosignatureExpectation = {
    verifier: cosignatureVerifier(publicKeyOf(key)),
    text: vectors.text,
    signedAt: new Date(now.getTime() - 60_000),
    now,
  };
  const signedAt = (seconds: number, by = key) => {
    const signer = cosignatureSigner(by, () => seconds);
    return { ...signer, signature: signer.sign(Buffer.from(vectors.text)) as Uint8Array };
  };
  const stranger = signedAt(atSeconds, generatePrivateKey(key.name, COSIGNATURE_V1));
  const accept = (...signatures: Parameters<typeof acceptCosignature>[0][number][]) =>
    acceptCosignature(signatures, expectation);

  it('is its own cosignature, among others by keys that nobody knows', () => {
    const good = signedAt(atSeconds);
    expect(accept(stranger, good)).toEqual({
      line: formatSignatureLine(good).slice(0, -1),
      witnessedAt: now,
    });
  });

  it('is nothing without it, or when it does not verify', () => {
    expect(accept()).toEqual({ refused: 'it answers without a cosignature by its key' });
    expect(accept(stranger)).toEqual({ refused: 'it answers without a cosignature by its key' });
    const good = signedAt(atSeconds);
    const forged = { ...good, signature: stranger.signature };
    const short = { ...good, signature: good.signature.subarray(1) };
    for (const answer of [[forged], [good, forged], [forged, good], [short]]) {
      expect(accept(...answer)).toEqual({ refused: 'its cosignature does not verify' });
    }
    const other = { ...expectation, text: vectors.text.replace('3', '4') };
    expect(acceptCosignature([good], other)).toEqual({ refused: 'its cosignature does not verify' });
  });

  it('has a time that can be', () => {
    for (const seconds of [atSeconds + 600, atSeconds - 660]) {
      expect(accept(signedAt(seconds))).toMatchObject({ witnessedAt: new Date(seconds * 1000) });
    }
    const refusal = (seconds: number): string => JSON.stringify(accept(signedAt(seconds)));
    for (const seconds of [atSeconds + 601, 2 ** 52])
      expect(refusal(seconds)).toContain('ahead of our clock');
    for (const seconds of [atSeconds - 661, 0]) expect(refusal(seconds)).toContain('before the checkpoint');
  });
});
