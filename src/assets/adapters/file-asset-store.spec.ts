import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../shared/bytes.js';
import { FileAssetStore } from './file-asset-store.js';

const ORGANIZATION = randomUUID();
const NOW = new Date('2026-11-22T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

let root: string;
let store: FileAssetStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'colophon-store-'));
  store = new FileAssetStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function writeAged(path: string, changedAt: Date, text = 'left over'): Promise<string> {
  await writeFile(path, text);
  await utimes(path, changedAt, changedAt);
  return path;
}

describe('what a killed process left in the staging area', () => {
  it('is removed when it is older than an hour, signed or not', async () => {
    await writeAged(await store.stage(), minutesAgo(61));
    await writeAged(`${await store.stage()}.${randomUUID()}.unverified`, minutesAgo(24 * 60));
    expect(await store.sweepStaging(NOW)).toBe(2);
    expect(await readdir(join(root, 'staging'))).toEqual([]);
    expect(await store.sweepStaging(NOW)).toBe(0);
  });

  it('stays while somebody may still work on it', async () => {
    await writeAged(await store.stage(), minutesAgo(59));
    await writeAged(`${await store.stage()}.${randomUUID()}.unverified`, minutesAgo(1));
    await writeAged(await store.stage(), minutesAgo(-5));
    expect(await store.sweepStaging(NOW)).toBe(0);
    expect(await readdir(join(root, 'staging'))).toHaveLength(3);
  });

  it('takes nothing else with it: no asset, no other file, no folder, and nothing behind a link', async () => {
    const bytes = 'an asset';
    const staged = await writeAged(await store.stage(), minutesAgo(600), bytes);
    await store.put(ORGANIZATION, sha256Hex(bytes), staged);
    const precious = await writeAged(join(root, 'precious'), minutesAgo(600));
    const folder = join(root, 'staging');
    await symlink(precious, join(folder, randomUUID()));
    await mkdir(join(folder, randomUUID()));
    await writeAged(join(folder, 'notes.txt'), minutesAgo(600));
    expect(await store.sweepStaging(new Date(NOW.getTime() + 365 * 86_400_000))).toBe(0);
    expect(await readdir(folder)).toHaveLength(3);
    expect(await readFile(precious, 'utf8')).toBe('left over');
    expect(await readFile(await store.localPath(ORGANIZATION, sha256Hex(bytes)), 'utf8')).toBe(bytes);
  });

  it('is nothing where nothing was ever staged', async () => {
    expect(await store.sweepStaging(NOW)).toBe(0);
    expect(await readdir(root)).toEqual([]);
  });
});

describe('a file that nothing refers to any more', () => {
  const HASH = sha256Hex('an asset');
  const path = () => join(root, ORGANIZATION, HASH.slice(0, 2), HASH);
  const hourAgo = () => new Date(Date.now() - 61 * 60_000);
  const put = async (changedAt?: Date) => {
    const staged = await store.stage();
    await writeFile(staged, 'an asset');
    if (changedAt !== undefined) await utimes(staged, changedAt, changedAt);
    await store.put(ORGANIZATION, HASH, staged);
  };

  it('is deleted, again and again, unless it was put just now', async () => {
    expect(await store.removeUnlessFresh(ORGANIZATION, HASH)).toBe(true);
    await put();
    expect(await store.removeUnlessFresh(ORGANIZATION, HASH)).toBe(false);
    expect(await readFile(path(), 'utf8')).toBe('an asset');
    await utimes(path(), hourAgo(), hourAgo());
    expect(await store.removeUnlessFresh(ORGANIZATION, HASH)).toBe(true);
    await expect(store.localPath(ORGANIZATION, HASH)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await store.removeUnlessFresh(ORGANIZATION, HASH)).toBe(true);
    expect(await readdir(join(root, 'removing'))).toEqual([]);
  });

  it('is young again when the same bytes are put again', async () => {
    await put(hourAgo());
    await put(hourAgo());
    expect(await store.removeUnlessFresh(ORGANIZATION, HASH)).toBe(false);
    expect(await readFile(await store.localPath(ORGANIZATION, HASH), 'utf8')).toBe('an asset');
  });

  it('is there for whoever put it, however both meet', async () => {
    for (let i = 0; i < 200; i++) {
      await put(hourAgo());
      await utimes(path(), hourAgo(), hourAgo());
      const [removed] = await Promise.all([store.removeUnlessFresh(ORGANIZATION, HASH), put()]);
      expect([removed, await readFile(path(), 'utf8')]).toEqual([removed, 'an asset']);
      await rm(path());
    }
  });

  it('is put back by the next start when the process was killed in between', async () => {
    await mkdir(join(root, 'removing'), { recursive: true });
    await writeFile(join(root, 'removing', `${ORGANIZATION}.${HASH}`), 'an asset');
    await store.putBackRemoving();
    expect(await readFile(await store.localPath(ORGANIZATION, HASH), 'utf8')).toBe('an asset');
    expect(await readdir(join(root, 'removing'))).toEqual([]);
  });
});

describe('bytes on their way out', () => {
  const MEBIBYTE = 1024 * 1024;
  const bytes = Buffer.from(
    Array.from({ length: Math.floor(3.5 * MEBIBYTE) }, (_, i) => (i * 31 + (i >> 9)) % 251),
  );
  const sha256 = sha256Hex(bytes);
  let path: string;

  beforeEach(async () => {
    const staged = await store.stage();
    await writeFile(staged, bytes);
    await store.put(ORGANIZATION, sha256, staged);
    path = await store.localPath(ORGANIZATION, sha256);
  });

  async function read(range?: { first: number; last: number }): Promise<Buffer> {
    const pieces: Buffer[] = [];
    const content = await store.openVerified(ORGANIZATION, sha256);
    for await (const piece of content.stream(range)) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  }

  it('are those of the file, whole and in any range', async () => {
    expect((await read()).equals(bytes)).toBe(true);
    const last = bytes.length - 1;
    for (const range of [
      { first: 0, last: 0 },
      { first: last, last },
      { first: 5, last: MEBIBYTE - 1 },
      { first: MEBIBYTE - 1, last: MEBIBYTE },
      { first: MEBIBYTE, last: 2 * MEBIBYTE - 1 },
      { first: 123_456, last: 3_210_987 },
    ]) {
      expect((await read(range)).equals(bytes.subarray(range.first, range.last + 1))).toBe(true);
    }
  });

  it('of a file that was changed before it was opened do not leave', async () => {
    await writeFile(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from([255])]));
    await expect(read({ first: 0, last: 10 })).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('of a file that is changed after it was checked do not leave, with its times set back too', async () => {
    await read({ first: 0, last: 10 });
    const { atime, mtime } = await stat(path);
    const changed = Buffer.from(bytes);
    changed[2 * MEBIBYTE + 7] = 255;
    await writeFile(path, changed);
    await utimes(path, atime, mtime);
    await expect(read()).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(read({ first: 2 * MEBIBYTE, last: 2 * MEBIBYTE + 5 })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    // The other pieces are still those that were recorded.
    expect((await read({ first: 0, last: 99 })).equals(bytes.subarray(0, 100))).toBe(true);
  });

  it('of a file that was cut off or removed after it was checked do not leave', async () => {
    await read();
    await writeFile(path, bytes.subarray(0, MEBIBYTE + 5));
    await expect(read({ first: MEBIBYTE, last: MEBIBYTE + 3 })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    await rm(path);
    await expect(read()).rejects.toMatchObject({ code: 'storage_unavailable' });
  });
});
