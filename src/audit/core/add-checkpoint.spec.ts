import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../../../test/vectors/tlog/refusal.js';
import { readGolden, readVector } from '../../../test/vectors/tlog/vectors.js';
import {
  type AddCheckpointRequest,
  formatAddCheckpoint,
  formatCosignatureAnswer,
  formatTreeSizeAnswer,
  MAX_ADD_CHECKPOINT_BYTES,
  MAX_COSIGNATURE_ANSWER_BYTES,
  parseAddCheckpoint,
  parseCosignatureAnswer,
  parseTreeSizeAnswer,
} from './add-checkpoint.js';
import { openCheckpoint } from './checkpoint.js';
import { verifyConsistency } from './merkle-proof.js';
import { ED25519, ed25519Verifier } from './note-key.js';

interface WitnessVectors {
  specification: { request: string; answer: string };
  litewitness: { origin: string; publicKey: string; requests: [string, string, string] };
}
const vectors = readVector('witness.json') as WitnessVectors;
const golden = readGolden();
const checkpoint = Buffer.from(golden.checkpoints[3]?.note ?? '');
const hash = (fill: number): Buffer => Buffer.alloc(32, fill);
const base64 = hash(7).toString('base64');

describe('requests', () => {
  it('reads and writes the example of the specification', () => {
    const bytes = Buffer.from(vectors.specification.request);
    const request = parseAddCheckpoint(bytes);
    expect(request.oldSize).toBe(20852014);
    expect(request.proof).toHaveLength(4);
    expect(formatAddCheckpoint(request)).toEqual(bytes);
  });

  it('reads requests that a witness written in Go accepts, and their proofs lead on', () => {
    const { origin, publicKey, requests } = vectors.litewitness;
    const log = ed25519Verifier({ name: origin, type: ED25519, publicKey: Buffer.from(publicKey, 'hex') });
    const [first, three, five] = requests.map((text) => {
      const request = parseAddCheckpoint(Buffer.from(text));
      return { request, tree: openCheckpoint(request.checkpoint, { origin, log }).checkpoint };
    });
    for (const next of [three, five]) {
      if (first === undefined || next === undefined) throw new Error('there are three');
      expect(next.request.oldSize).toBe(first.tree.size);
      const claim = {
        oldSize: 1,
        oldRoot: first.tree.root,
        newSize: next.tree.size,
        newRoot: next.tree.root,
      };
      expect(codeOf(() => verifyConsistency(claim, next.request.proof))).toBe('none');
    }
  });

  it('reads back whatever it writes', () => {
    const requests = fc.record({
      oldSize: fc.maxSafeNat(),
      proof: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 }),
      checkpoint: fc.constantFrom(...golden.checkpoints.map(({ note }) => Buffer.from(note))),
    });
    fc.assert(
      fc.property(requests, (request: AddCheckpointRequest) => {
        const read = parseAddCheckpoint(formatAddCheckpoint(request));
        expect(read.oldSize).toBe(request.oldSize);
        expect(read.proof.map((one) => Buffer.from(one))).toEqual(
          request.proof.map((one) => Buffer.from(one)),
        );
        expect(Buffer.from(read.checkpoint)).toEqual(Buffer.from(request.checkpoint));
      }),
    );
  });

  const text = (head: string): string => `${head}\n\n${checkpoint.toString()}`;
  it.each([
    ['nothing', ''],
    ['no old size', `\n${checkpoint.toString()}`],
    ['a checkpoint alone', checkpoint.toString()],
    ['no empty line', `old 0\n${base64}\n`],
    ['a size with leading zeros', text('old 01')],
    ['a negative size', text('old -1')],
    ['a size with a sign', text('old +1')],
    ['no size', text('old ')],
    ['two spaces', text('old  1')],
    ['a space at the end', text('old 1 ')],
    ['a tab', text('old\t1')],
    ['capitals', text('OLD 1')],
    ['a carriage return', text('old 1\r')],
    ['a hash of 31 bytes', text(`old 1\n${Buffer.alloc(31).toString('base64')}`)],
    ['a hash of 33 bytes', text(`old 1\n${Buffer.alloc(33).toString('base64')}`)],
    ['a hash without padding', text(`old 1\n${base64.slice(0, -1)}`)],
    ['a hash in base64url', text(`old 1\n${hash(0xff).toString('base64url')}=`)],
    ['loose bits at the end of a hash', text(`old 1\n${base64.slice(0, -2)}d=`)],
    ['a space behind a hash', text(`old 1\n${base64} `)],
    [
      'two empty lines',
      `old 1\n\n\n${checkpoint.toString().replace('log.example', '')}`.replace('\u2014', '-'),
    ],
    ['a checkpoint without signature', 'old 1\n\nlog.example\n1\nAAAA\n'],
    ['bytes behind the signatures', `${text('old 1')}x`],
  ])('refuses %s', (_name, request) => {
    expect(codeOf(() => parseAddCheckpoint(Buffer.from(request)))).toBe('malformed');
  });

  it('refuses octets that are no text', () => {
    const bytes = Buffer.from(text('old 1'));
    bytes[bytes.length - 3] = 0xff;
    expect(codeOf(() => parseAddCheckpoint(bytes))).toBe('malformed');
  });

  it('refuses sizes of 2^53 and above, 64 hashes, and a megabyte', () => {
    expect(codeOf(() => parseAddCheckpoint(Buffer.from(text(`old ${2n ** 53n}`))))).toBe('limit_exceeded');
    expect(codeOf(() => parseAddCheckpoint(Buffer.from(text(`old ${2n ** 63n}`))))).toBe('limit_exceeded');
    const many = (count: number): string => text(['old 1', ...Array<string>(count).fill(base64)].join('\n'));
    expect(codeOf(() => parseAddCheckpoint(Buffer.from(many(63))))).toBe('none');
    expect(codeOf(() => parseAddCheckpoint(Buffer.from(many(64))))).toBe('limit_exceeded');
    expect(codeOf(() => parseAddCheckpoint(Buffer.alloc(MAX_ADD_CHECKPOINT_BYTES + 1, 'a')))).toBe(
      'limit_exceeded',
    );
  });

  it('does not write what no witness would read', () => {
    const write = (change: Partial<AddCheckpointRequest>): string =>
      codeOf(() => formatAddCheckpoint({ oldSize: 1, proof: [hash(1)], checkpoint, ...change }));
    expect(write({})).toBe('none');
    expect(write({ oldSize: -1 })).toBe('out_of_range');
    expect(write({ oldSize: 1.5 })).toBe('out_of_range');
    expect(write({ proof: [Buffer.alloc(31)] })).toBe('malformed');
    expect(write({ proof: Array<Buffer>(64).fill(hash(1)) })).toBe('limit_exceeded');
    expect(write({ checkpoint: Buffer.from('no note') })).toBe('malformed');
  });
});

describe('answers', () => {
  it('reads and writes the example of the specification', () => {
    const bytes = Buffer.from(vectors.specification.answer);
    const signatures = parseCosignatureAnswer(bytes);
    expect(signatures.map(({ name }) => name)).toEqual([
      'witness.example/w1',
      'witness.example/w1',
      'witness.example/w2',
    ]);
    expect(formatCosignatureAnswer(signatures)).toEqual(bytes);
  });

  const [line = ''] = vectors.specification.answer.split('\n');
  it.each([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['an empty line before', `\n${line}\n`],
    ['an empty line behind', `${line}\n\n`],
    ['no newline at the end', line],
    ['a page', '<!doctype html>\n'],
    ['a hyphen for a dash', `${line.replace('\u2014', '-')}\n`],
    ['a carriage return', `${line}\r\n`],
    ['no canonical base64', `${line.slice(0, -3)}x==\n`],
    ['a cut signature', `${line.slice(0, 40)}\n`],
    ['a good line and a bad one', `${line}\nbad\n`],
  ])('refuses %s', (_name, answer) => {
    expect(codeOf(() => parseCosignatureAnswer(Buffer.from(answer)))).toBe('malformed');
  });

  it('refuses more than 100 signatures and more than 64 kB', () => {
    const lines = (count: number): Buffer => Buffer.from(`${line}\n`.repeat(count));
    expect(parseCosignatureAnswer(lines(100))).toHaveLength(100);
    expect(codeOf(() => parseCosignatureAnswer(lines(101)))).toBe('limit_exceeded');
    expect(codeOf(() => parseCosignatureAnswer(lines(10_000)))).toBe('limit_exceeded');
    expect(codeOf(() => parseCosignatureAnswer(Buffer.alloc(MAX_COSIGNATURE_ANSWER_BYTES + 1)))).toBe(
      'limit_exceeded',
    );
    expect(codeOf(() => formatCosignatureAnswer([]))).toBe('malformed');
  });

  it('reads the size in a conflict, and nothing that only looks like one', () => {
    const read = (text: string): number => parseTreeSizeAnswer(Buffer.from(text));
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        expect(parseTreeSizeAnswer(formatTreeSizeAnswer(size))).toBe(size);
      }),
    );
    for (const text of [
      '',
      '1',
      '\n',
      '01\n',
      '-1\n',
      '1 \n',
      ' 1\n',
      '1\n\n',
      '1\r\n',
      '0x1\n',
      '1e3\n',
      'one\n',
    ]) {
      expect(codeOf(() => read(text))).toBe('malformed');
    }
    for (const text of [`${2n ** 53n}\n`, `${2n ** 64n - 1n}\n`, `${'9'.repeat(1000)}\n`]) {
      expect(codeOf(() => read(text))).toBe('limit_exceeded');
    }
  });

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const read of [parseAddCheckpoint, parseCosignatureAnswer, parseTreeSizeAnswer]) {
          expect(['none', 'malformed', 'limit_exceeded']).toContain(codeOf(() => read(bytes)));
        }
      }),
    );
  });
});
