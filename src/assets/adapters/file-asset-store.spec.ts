import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
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
