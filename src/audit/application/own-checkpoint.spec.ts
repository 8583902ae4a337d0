import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Checkpoint, openCheckpoint, signCheckpoint } from '../core/checkpoint.js';
import {
  ED25519,
  ed25519Signer,
  ed25519Verifier,
  formatVkey,
  generatePrivateKey,
  publicKeyOf,
} from '../core/note-key.js';
import { formatNote, parseNote } from '../core/signed-note.js';
import { type LogKey, type LogKeyRing } from './log-keys.port.js';
import { lacksSignature, openOwnCheckpoint, signedByAllKeys, withoutCosignatures } from './own-checkpoint.js';

const origin = 'log.example/logs/org_1';
const head = (size: number): Checkpoint => ({ origin, size, root: new Uint8Array(32).fill(size) });

function newKey(): LogKey {
  const key = generatePrivateKey(origin, ED25519);
  const publicKey = publicKeyOf(key);
  return {
    origin,
    vkey: formatVkey(publicKey),
    signer: ed25519Signer(key),
    verifier: ed25519Verifier(publicKey),
  };
}

const [retired, old, current, stranger] = [newKey(), newKey(), newKey(), newKey()] as const;
const ring: LogKeyRing = {
  ...current,
  active: [old, current],
  retired: [{ vkey: retired.vkey, verifier: retired.verifier, lastSize: 10 }],
};
const sign = (size: number, ...keys: LogKey[]): Promise<Buffer> =>
  signCheckpoint(
    head(size),
    keys.map(({ signer }) => signer),
  );

/** The same note, with the signature of one key spoiled. */
function spoil(note: Buffer, key: LogKey): Buffer {
  const { text, signatures } = parseNote(note);
  return formatNote({
    text,
    signatures: signatures.map((one) =>
      one.keyId === key.signer.keyId ? { ...one, signature: Buffer.alloc(64) } : one,
    ),
  });
}

describe('a checkpoint of our own', () => {
  let both: Buffer;
  beforeAll(async () => {
    both = await sign(20, old, current);
  });

  it('is given out with the newest key that signed it', async () => {
    expect(openOwnCheckpoint(both, ring)).toMatchObject({
      checkpoint: head(20),
      signedBy: { vkey: current.vkey },
      isByActiveKey: true,
    });
    expect(openOwnCheckpoint(await sign(20, old), ring).signedBy.vkey).toBe(old.vkey);
    expect(openOwnCheckpoint(await sign(20, stranger, old), ring).signedBy.vkey).toBe(old.vkey);
  });

  it('may be by a retired key alone up to the size at which it was put away, and says so', async () => {
    expect(openOwnCheckpoint(await sign(10, retired), ring)).toMatchObject({
      signedBy: { vkey: retired.vkey },
      isByActiveKey: false,
    });
    const later = await sign(11, retired);
    expect(() => openOwnCheckpoint(later, ring)).toThrow('not signed by a key of the log');
    expect(openOwnCheckpoint(await sign(11, retired, old), ring).isByActiveKey).toBe(true);
  });

  it('is refused when nobody or a stranger signed it, and when one active key of several signed something else', async () => {
    const foreign = await sign(5, stranger);
    expect(() => openOwnCheckpoint(foreign, ring)).toThrow(expect.objectContaining({ code: 'unknown_key' }));
    for (const key of [old, current])
      expect(() => openOwnCheckpoint(spoil(both, key), ring)).toThrow(
        expect.objectContaining({ code: 'bad_signature' }),
      );
  });
});

describe('signatures that are added later', () => {
  it('make the very note that all keys would have signed, each time', async () => {
    const early = await sign(20, old);
    expect(lacksSignature(early, ring)).toBe(true);
    const late = await signedByAllKeys(early, ring, head(20));
    expect(late).toEqual(await sign(20, old, current));
    expect(lacksSignature(late, ring)).toBe(false);
    expect(await signedByAllKeys(late, ring, head(20))).toEqual(late);
    for (const { verifier } of [old, current])
      expect(openCheckpoint(late, { origin, log: verifier }).checkpoint).toEqual({
        ...head(20),
        extensions: [],
      });
  });

  it('are for the tree head that the caller knows, and for no other', async () => {
    const note = await sign(20, old);
    for (const other of [head(21), { ...head(20), root: new Uint8Array(32) }])
      await expect(signedByAllKeys(note, ring, other)).rejects.toThrow('is another one');
    const extended = await signCheckpoint(head(20), [old.signer]).then((bytes) => {
      const { text, signatures } = parseNote(bytes);
      return formatNote({ text: `${text}extension\n`, signatures });
    });
    await expect(signedByAllKeys(extended, ring, head(20))).rejects.toThrow('is another one');
  });

  it('stay when cosignatures are left out', async () => {
    const { text, signatures } = parseNote(await sign(20, old, current));
    const cosigned = formatNote({
      text,
      signatures: [...signatures, { name: 'witness.example/w', keyId: 7, signature: Buffer.alloc(72) }],
    });
    expect(withoutCosignatures(cosigned, ring)).toEqual(await sign(20, old, current));
  });
});
