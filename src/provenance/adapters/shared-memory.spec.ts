import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../shared/bytes.js';
import { MediaContent, PIECE_BYTES } from './media-content.js';
import { SharedMemory } from './shared-memory.js';

const MEBIBYTE = 1024 * 1024;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-shared-memory-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Of no two lengths alike. */
function bytesOf(length: number): Buffer {
  return Buffer.alloc(length, `${length} bytes, `);
}

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(folder, String(bytes.length));
  await writeFile(path, bytes);
  return path;
}

describe('bytes of a file in shared memory', () => {
  it('are hashed as they are, many at once, also where the memory held a longer file before', async () => {
    const memory = new SharedMemory(4 * MEBIBYTE);
    const sizes = [4 * MEBIBYTE, 3 * MEBIBYTE, PIECE_BYTES + 1, PIECE_BYTES, 1, 0];
    for (let round = 0; round < 2; round += 1) {
      const contents = await Promise.all(
        sizes.map(async (size) => MediaContent.open(await fileOf(bytesOf(size)), memory)),
      );
      expect(await Promise.all(contents.map((content) => content.sha256()))).toEqual(
        sizes.map((size) => sha256Hex(bytesOf(size))),
      );
      expect(contents.map(({ sizeBytes }) => sizeBytes)).toEqual(sizes);
      for (const content of contents) await content.close();
    }
  });

  it('are of one file alone until it is closed, and closing twice gives them back once', async () => {
    const memory = new SharedMemory(2 * MEBIBYTE);
    const path = await fileOf(bytesOf(2 * MEBIBYTE));
    const first = await MediaContent.open(path, memory);
    await first.close();
    await first.close();
    const [second, third] = [await MediaContent.open(path, memory), await MediaContent.open(path, memory)];
    expect(second.inMemory?.buffer.buffer).toBe(first.inMemory?.buffer.buffer);
    expect(third.inMemory?.buffer.buffer).not.toBe(second.inMemory?.buffer.buffer);
  });

  it('have no hash when the thread ends: whoever waits is told', async () => {
    const memory = new SharedMemory(
      MEBIBYTE,
      "require('node:worker_threads').parentPort.on('message', () => process.exit(1));",
    );
    await expect(memory.sha256(memory.take(10))).rejects.toThrow('ended');
    await expect(memory.sha256(memory.take(10))).rejects.toThrow('ended');
  });
});
