import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beforeLast, bytesOf, lengthOf } from './answer-body.js';

const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 12 });

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const piece of source) all.push(piece);
  return all;
}

describe('a file inside of an answer', () => {
  it('is its base64, however it comes in pieces, and as long as was said before', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, async (chunks) => {
        const file = Buffer.concat(chunks);
        const parts = ['{"é":"', { base64Of: 0 }, '"}'] as const;
        const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
        const body = Buffer.concat(await collect(bytesOf(parts, [stream])));
        expect(body.toString('utf8')).toBe(`{"é":"${file.toString('base64')}"}`);
        expect(body.byteLength).toBe(lengthOf(parts, [file.byteLength]));
      }),
      { numRuns: 60 },
    );
  });

  it('has its last piece held back until the action is done', async () => {
    const seen: string[] = [];
    const source = bytesOf(['a', 'b', 'c'], []);
    const action = () => Promise.resolve(void seen.push('action'));
    for await (const piece of beforeLast(source, action)) seen.push(piece.toString());
    expect(seen).toEqual(['a', 'b', 'action', 'c']);
  });

  it('breaks off when the file does', async () => {
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('abc');
        throw new Error('hash differs');
      })(),
    );
    await expect(collect(bytesOf([{ base64Of: 0 }, '}'], [broken]))).rejects.toThrow('hash differs');
  });
});
