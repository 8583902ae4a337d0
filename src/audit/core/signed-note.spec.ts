import { describe, expect, it } from '@jest/globals';
import { codeOf, codeOfAsync } from '../../../test/vectors/tlog/refusal.js';
import { readGolden, readVector } from '../../../test/vectors/tlog/vectors.js';
import { cosignatureSigner, cosignatureTime, cosignatureVerifier, verifierFromVkey } from './cosignature.js';
import {
  COSIGNATURE_V1,
  ED25519,
  ed25519Signer,
  ed25519Verifier,
  formatPrivateKey,
  formatVkey,
  generatePrivateKey,
  parsePrivateKey,
  parseVkey,
  publicKeyOf,
} from './note-key.js';
import {
  formatNote,
  formatSignatureLine,
  isValidKeyName,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  type NoteSignature,
  openNote,
  parseNote,
  signNote,
} from './signed-note.js';

interface SpecificationVectors {
  note: { vkey: string; text: string; signature: string };
  checkpoint: string;
  cosignedAtSeconds: number;
}
const specification = readVector('c2sp.json') as SpecificationVectors;
const golden = readGolden();

const key = parsePrivateKey(golden.log.skey);
const signer = ed25519Signer(key);
const verifier = ed25519Verifier(publicKeyOf(key));
const text = 'one line\n\nafter a blank line\n';
const note = (await signNote(text, [signer])).toString();
const line = note.slice(text.length + 1);

const open = (value: string | Uint8Array, trusted = [verifier]) =>
  openNote(typeof value === 'string' ? Buffer.from(value) : value, trusted);

describe('vectors', () => {
  it('verifies the example of the specification', () => {
    const { vkey, text: example, signature } = specification.note;
    const bytes = Buffer.from(`${example}\n\u2014 example.com/foo ${signature}\n`);
    expect(openNote(bytes, [verifierFromVkey(vkey)])).toMatchObject({ text: example, unverified: [] });
    expect(formatVkey(parseVkey(vkey))).toBe(vkey);
    expect(formatNote(parseNote(bytes))).toEqual(bytes);
  });

  it('reads the cosignature of the specification', () => {
    const { signatures } = parseNote(Buffer.from(specification.checkpoint));
    expect(signatures.map(({ name }) => name)).toEqual([
      'example.com/behind-the-sofa',
      'witness.example.com/w1',
    ]);
    expect(cosignatureTime(signatures[1]?.signature ?? Buffer.alloc(0))).toBe(
      specification.cosignedAtSeconds,
    );
  });

  it('makes the keys and signatures that Go makes', async () => {
    expect(formatVkey(publicKeyOf(key))).toBe(golden.log.vkey);
    expect(formatPrivateKey(key)).toBe(golden.log.skey);
    const witness = { ...parsePrivateKey(golden.witness.skey), type: COSIGNATURE_V1 } as const;
    expect(formatVkey(publicKeyOf(witness))).toBe(golden.cosignerVkey);
    for (const { note: bytes } of golden.checkpoints) {
      const { text: body, signatures } = parseNote(Buffer.from(bytes));
      const seconds = cosignatureTime((signatures[1] as NoteSignature).signature);
      const ours = await signNote(body, [signer, cosignatureSigner(witness, () => seconds)]);
      expect(ours.toString()).toBe(bytes);
      const both = [verifier, verifierFromVkey(golden.cosignerVkey)];
      expect(openNote(Buffer.from(bytes), both).verified).toHaveLength(2);
    }
  });
});

describe('opening a note', () => {
  it('splits at the last blank line', () => {
    expect(open(note)).toMatchObject({ text, verified: [{ name: key.name }], unverified: [] });
  });

  it('ignores unknown keys, also those that share a name or an id with a known one', () => {
    const { keyId, signature } = open(note).verified[0] as NoteSignature;
    const strangers: NoteSignature[] = [
      { name: 'stranger.example', keyId, signature },
      { name: key.name, keyId: keyId === 1 ? 2 : 1, signature },
    ];
    const lines = strangers.map(formatSignatureLine).join('');
    expect(open(note + lines)).toMatchObject({ verified: [{ name: key.name }], unverified: strangers });
    expect(codeOf(() => open(`${text}\n${lines}`))).toBe('unknown_key');
    expect(codeOf(() => openNote(Buffer.from(note), []))).toBe('unknown_key');
  });

  it('refuses the right name with another key', async () => {
    const impostor = ed25519Signer(generatePrivateKey(key.name, ED25519));
    const forged = await signNote(text, [impostor]);
    expect(codeOf(() => open(forged))).toBe('unknown_key');
    // ... also when the impostor claims the key id of the real key.
    const lying = await signNote(text, [{ ...impostor, keyId: signer.keyId }]);
    expect(codeOf(() => open(lying))).toBe('bad_signature');
  });

  it('counts a duplicate once, and lets one bad signature of a known key condemn the note', () => {
    expect(open(note + line).verified).toHaveLength(1);
    const bad = parseNote(Buffer.from(note)).signatures.map((signature) => ({
      ...signature,
      signature: Buffer.alloc(64, 1),
    }))[0] as NoteSignature;
    expect(codeOf(() => open(note + formatSignatureLine(bad)))).toBe('bad_signature');
    expect(codeOf(() => open(note + formatSignatureLine({ ...bad, signature: Buffer.alloc(63) })))).toBe(
      'bad_signature',
    );
  });

  it('refuses two trusted keys that nobody can tell apart', () => {
    expect(codeOf(() => open(note, [verifier, verifier]))).toBe('ambiguous_key');
  });

  it('finds every flipped bit', () => {
    const bytes = Buffer.from(note);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      const at = Math.floor(bit / 8);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
      expect(['malformed', 'unknown_key', 'bad_signature']).toContain(codeOf(() => open(changed)));
    }
  });

  const blob = line.trimEnd().split(' ')[2] ?? '';
  const malformed: [string, string][] = [
    ['no blank line', `text\n${line}`],
    ['no signature', `${text}\n`],
    ['no final newline', note.slice(0, -1)],
    ['bytes after the signatures', `${note}x`],
    ['an empty line after the signatures', `${note}\n`],
    ['a hyphen for the dash', note.replace('\u2014', '-')],
    ['two spaces', note.replace('\u2014 ', '\u2014  ')],
    ['a trailing space', note.replace(/\n$/, ' \n')],
    ['a carriage return', note.replace(/\n$/, '\r\n')],
    ['a tab in the text', `a\tb\n\n${line}`],
    ['a null byte', `a\u0000b\n\n${line}`],
    ['a name with a plus sign', `${text}\n\u2014 a+b ${blob}\n`],
    ['a name with a no-break space', `${text}\n\u2014 a\u00a0b ${blob}\n`],
    ['an empty name', `${text}\n\u2014  ${blob}\n`],
    ['base64 without padding', note.replace(/=+\n$/, '\n')],
    ['base64 with stray bits', note.replace(blob, `${blob.slice(0, -2)}${blob.at(-2) === 'A' ? 'B' : 'R'}=`)],
    ['base64url', note.replace(blob, 'AAAAAA__')],
    ['a signature of only a key id', note.replace(blob, 'AAAAAA==')],
    ['an empty signature', note.replace(blob, '')],
  ];
  it.each(malformed)('refuses %s', (_what, value) => {
    expect(codeOf(() => open(value))).toBe('malformed');
  });

  it('refuses invalid UTF-8, and keeps a byte order mark as part of what is signed', () => {
    expect(codeOf(() => open(Buffer.concat([Buffer.from([0xc3, 0x28]), Buffer.from(note)])))).toBe(
      'malformed',
    );
    expect(codeOf(() => open(`\ufeff${note}`))).toBe('bad_signature');
  });

  it('accepts 16 and 100 signatures, and refuses 101, 10,000 and a huge note at once', () => {
    const others = (count: number): string =>
      Array.from({ length: count }, (_, i) =>
        formatSignatureLine({ name: `w${i}.example`, keyId: i, signature: Buffer.alloc(72, i) }),
      ).join('');
    expect(open(note + others(15)).unverified).toHaveLength(15);
    expect(open(note + others(MAX_NOTE_SIGNATURES - 1)).unverified).toHaveLength(MAX_NOTE_SIGNATURES - 1);
    expect(codeOf(() => open(note + others(MAX_NOTE_SIGNATURES)))).toBe('limit_exceeded');
    expect(codeOf(() => open(note + others(10_000)))).toBe('limit_exceeded');
    expect(codeOf(() => open(note + line.repeat(10_000)))).toBe('limit_exceeded');
    expect(codeOf(() => open(Buffer.alloc(MAX_NOTE_BYTES + 1, 'a')))).toBe('limit_exceeded');
    expect(codeOf(() => open(Buffer.alloc(MAX_NOTE_BYTES, '\n')))).toBe('malformed');
  });
});

describe('writing a note', () => {
  it('refuses what nobody could read back', async () => {
    expect(await codeOfAsync(() => signNote('no newline', [signer]))).toBe('malformed');
    expect(await codeOfAsync(() => signNote('tab\t\n', [signer]))).toBe('malformed');
    expect(await codeOfAsync(() => signNote('\ud800\n', [signer]))).toBe('malformed');
    expect(await codeOfAsync(() => signNote(text, []))).toBe('malformed');
    expect(await codeOfAsync(() => signNote(text, [{ ...signer, name: 'a b' }]))).toBe('malformed');
    const signatures = Array.from(
      { length: MAX_NOTE_SIGNATURES + 1 },
      () => open(note).verified[0] as NoteSignature,
    );
    expect(codeOf(() => formatNote({ text, signatures }))).toBe('limit_exceeded');
  });

  it('knows which names a key can have', () => {
    for (const name of ['a', 'example.com/log', 'h\u00e9', 'a\u2014b'])
      expect(isValidKeyName(name)).toBe(true);
    for (const name of ['', 'a b', 'a+b', 'a\u3000b', 'a\u0085b', 'a\nb', 'a\u0001b', '\ud800']) {
      expect(isValidKeyName(name)).toBe(false);
    }
  });
});

describe('keys', () => {
  const { vkey, skey } = golden.log;
  const [name = '', id = '', body = ''] = vkey.split('+');
  it.each([
    '',
    name,
    `${name}+${id}`,
    `${name}+${id.toUpperCase()}+${body}`,
    `${name}+00000000+${body}`,
    `other.example+${id}+${body}`,
    `${name}+${id}+${body} `,
    `${name}+${id}+${body}\n`,
    `${name}+${id}+${body}====`,
    `${name}+${id}+AQ==`,
    `${name}+${id}+${Buffer.concat([Buffer.of(2), Buffer.alloc(32)]).toString('base64')}`,
    `a b+${id}+${body}`,
    `${'a'.repeat(5000)}+${id}+${body}`,
    skey,
  ])('refuses the verifier key %j', (value) => {
    expect(codeOf(() => parseVkey(value))).toBe('malformed');
  });

  it('refuses a private key without prefix or with another id, and never quotes it', () => {
    const secret = skey.split('+').at(-1) ?? '';
    for (const value of [
      vkey,
      skey.replace(id, '00000000'),
      skey.replace(secret, `${secret}x`),
      `X${skey}`,
    ]) {
      expect(codeOf(() => parsePrivateKey(value))).toBe('malformed');
      expect(() => parsePrivateKey(value)).toThrow(new RegExp(`^(?!.*${secret.slice(0, 20)})`, 's'));
    }
  });

  it('keeps log keys and witness keys apart', async () => {
    const logKey = generatePrivateKey('log.example', ED25519);
    const witnessKey = generatePrivateKey('witness.example', COSIGNATURE_V1);
    expect(codeOf(() => cosignatureVerifier(publicKeyOf(logKey)))).toBe('malformed');
    expect(codeOf(() => ed25519Verifier(publicKeyOf(witnessKey)))).toBe('malformed');
    const sameSeed = { ...logKey, type: COSIGNATURE_V1 } as const;
    const cosigned = await signNote(text, [cosignatureSigner(sameSeed, () => 1_700_000_000)]);
    expect(codeOf(() => openNote(cosigned, [ed25519Verifier(publicKeyOf(logKey))]))).toBe('unknown_key');
    expect(openNote(cosigned, [cosignatureVerifier(publicKeyOf(sameSeed))]).verified).toHaveLength(1);
  });

  it('binds a cosignature to its time', async () => {
    const witnessKey = generatePrivateKey('witness.example', COSIGNATURE_V1);
    const trusted = [cosignatureVerifier(publicKeyOf(witnessKey))];
    const { signatures } = parseNote(
      await signNote(text, [cosignatureSigner(witnessKey, () => 1_700_000_000)]),
    );
    const [cosignature] = signatures as [NoteSignature];
    for (const at of [0, 3, 7]) {
      const signature = Buffer.from(cosignature.signature);
      signature[at] = (signature[at] ?? 0) ^ 0x80;
      const moved = formatNote({ text, signatures: [{ ...cosignature, signature }] });
      expect(['bad_signature', 'malformed']).toContain(codeOf(() => openNote(moved, trusted)));
    }
  });
});
