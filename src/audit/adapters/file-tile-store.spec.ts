import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileTileStores } from './file-tile-store.js';

const PATH = 'tile/0/000';
const FOLDER = join('log', 'tile', '0');
const LEFTOVER = '.3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const TWO_HOURS_AGO = new Date(Date.now() - 7_200_000);

describe('a store of tiles in a folder', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'colophon-tiles-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const store = () => new FileTileStores(root).ofLog('log');
  const names = async () => (await readdir(join(root, FOLDER))).sort();

  it('shows the new bytes only after the last check, and nothing when it fails', async () => {
    const tiles = store();
    await tiles.write(PATH, Buffer.from('old'));
    const refused = tiles.write(PATH, Buffer.from('new'), async () => {
      expect(Buffer.from((await tiles.read(PATH)) ?? []).toString()).toBe('old');
      throw new Error('the lock is lost');
    });
    await expect(refused).rejects.toThrow('the lock is lost');
    expect(Buffer.from((await tiles.read(PATH)) ?? []).toString()).toBe('old');
    expect(await names()).toEqual(['000']);
  });

  it('removes what a killed write has left, and nothing that somebody may still be writing', async () => {
    await store().write(PATH, Buffer.from('tile'));
    const young = LEFTOVER.replace('3f', '4f');
    for (const name of [LEFTOVER, young, '.htaccess']) await writeFile(join(root, FOLDER, name), 'half a t');
    for (const name of [LEFTOVER, '.htaccess'])
      await utimes(join(root, FOLDER, name), TWO_HOURS_AGO, TWO_HOURS_AGO);
    await store().write('tile/0/001', Buffer.from('next'));
    expect(await names()).toEqual(['.htaccess', young, '000', '001'].sort());
  });

  it('is made for this user alone, and left as somebody opened it', async () => {
    const folder = join(root, 'logs');
    const modeOf = async () => (await stat(folder)).mode & 0o777;
    const tiles = new FileTileStores(folder).ofLog('log');
    await tiles.write(PATH, Buffer.from('tile'));
    expect(await modeOf()).toBe(0o700);
    await chmod(folder, 0o755);
    await tiles.write('tile/0/001', Buffer.from('next'));
    expect(await modeOf()).toBe(0o755);
  });
});
