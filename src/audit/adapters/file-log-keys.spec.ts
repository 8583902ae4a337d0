import { chmod, copyFile, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../shared/ids.js';
import { parseVkey } from '../core/note-key.js';
import { FileLogKeys } from './file-log-keys.js';

const ORIGIN = 'log.example/logs/org_1';
const organizationId = newId();
let folder: string;
let keys: FileLogKeys;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-keys-'));
  keys = new FileLogKeys(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const vkeys = async (from = keys): Promise<string[]> =>
  (await from.ofLog(organizationId)).active.map(({ vkey }) => vkey);
/** Adds a key in the way of a rotation that is not cut off. */
async function add(known: readonly string[]): Promise<string> {
  const vkey = await keys.prepare(organizationId, ORIGIN, known);
  await keys.activate(organizationId, vkey);
  return vkey;
}
/** As if the last change were long ago, so that what is read is remembered. */
const settle = () => utimes(folder, new Date(0), new Date(0));

describe('file log keys', () => {
  it('have one key per log at first, readable by nobody else, and never a second first one', async () => {
    const { vkey, origin } = await keys.create(organizationId, ORIGIN);
    expect(origin).toBe(ORIGIN);
    expect(parseVkey(vkey).name).toBe(ORIGIN);
    expect(await readdir(folder)).toEqual([`${organizationId}.key`]);
    expect((await stat(join(folder, `${organizationId}.key`))).mode & 0o777).toBe(0o600);
    await expect(keys.create(organizationId, ORIGIN)).rejects.toThrow('already has a key');
    await expect(keys.ofLog(newId())).rejects.toMatchObject({ code: 'signer_unavailable' });
  });

  it('do not sign with a prepared key, also after a crash, and do after its activation: oldest first, newest current', async () => {
    const first = (await keys.create(organizationId, ORIGIN)).vkey;
    const second = await keys.prepare(organizationId, ORIGIN, [first]);
    expect(await vkeys()).toEqual([first]);
    expect(await vkeys(new FileLogKeys(folder))).toEqual([first]);
    expect(await keys.held(organizationId)).toEqual({ active: [first], prepared: [second], retired: [] });
    expect((await stat(join(folder, `${organizationId}.2.key.new`))).mode & 0o777).toBe(0o600);

    await keys.activate(organizationId, second);
    await keys.activate(organizationId, second);
    const ring = await keys.ofLog(organizationId);
    expect(ring.active.map(({ vkey }) => vkey)).toEqual([first, second]);
    expect(ring).toMatchObject({ vkey: second, origin: ORIGIN });
    expect((await readdir(folder)).sort()).toEqual(
      [`${organizationId}.2.key`, `${organizationId}.key`].sort(),
    );
  });

  it('are ordered by number, not by spelling', async () => {
    const known = [(await keys.create(organizationId, ORIGIN)).vkey];
    for (let i = 2; i <= 11; i++) known.push(await add(known));
    expect(await vkeys()).toEqual(known);
    expect((await keys.ofLog(organizationId)).vkey).toBe(known[10]);
  });

  it('write over what an attempt left that was never committed', async () => {
    const first = (await keys.create(organizationId, ORIGIN)).vkey;
    const abandoned = await keys.prepare(organizationId, ORIGIN, [first]);
    const second = await keys.prepare(organizationId, ORIGIN, [first]);
    await keys.activate(organizationId, abandoned);
    expect(await vkeys()).toEqual([first]);
    await keys.activate(organizationId, second);
    expect(await vkeys()).toEqual([first, second]);
  });

  it('keep of a retired key the public half only', async () => {
    const first = (await keys.create(organizationId, ORIGIN)).vkey;
    // PRIVATE+KEY+name+id+key, and the key is base64: it may hold a plus of its own.
    const text = await readFile(join(folder, `${organizationId}.key`), 'utf8');
    const secret = text.trim().split('+').slice(4).join('+');
    expect(secret.length).toBeGreaterThan(40);
    const second = await add([first]);
    await keys.retire(organizationId, { vkey: first, serial: 1, lastSize: 70 });
    await keys.retire(organizationId, { vkey: first, serial: 1, lastSize: 90 });
    const ring = await keys.ofLog(organizationId);
    expect(ring.active.map(({ vkey }) => vkey)).toEqual([second]);
    expect(ring.retired).toMatchObject([{ vkey: first, lastSize: 70 }]);
    for (const name of await readdir(folder))
      expect(await readFile(join(folder, name), 'utf8')).not.toContain(secret);
    expect(await keys.held(organizationId)).toEqual({ active: [second], prepared: [], retired: [first] });
    // Its number is never used again.
    const third = await add([first, second]);
    expect(await vkeys()).toEqual([second, third]);
  });

  it('have no key when the last one was retired, until there is another one', async () => {
    const first = (await keys.create(organizationId, ORIGIN)).vkey;
    await keys.retire(organizationId, { vkey: first, serial: 1, lastSize: 3 });
    await expect(keys.ofLog(organizationId)).rejects.toMatchObject({ code: 'signer_unavailable' });
    await expect(keys.create(organizationId, ORIGIN)).rejects.toThrow('already has a key');
    const second = await add([first]);
    expect(await vkeys()).toEqual([second]);
  });

  it('sign with a key that was lost and came back: the file counts, not the note of its loss', async () => {
    const first = (await keys.create(organizationId, ORIGIN)).vkey;
    const file = join(folder, `${organizationId}.key`);
    await rename(file, `${file}.elsewhere`);
    const second = await add([first]);
    await keys.retire(organizationId, { vkey: first, serial: 1, lastSize: 5 });
    expect((await keys.ofLog(organizationId)).retired).toHaveLength(1);
    await rename(`${file}.elsewhere`, file);
    const ring = await keys.ofLog(organizationId);
    expect(ring.active.map(({ vkey }) => vkey)).toEqual([first, second]);
    expect(ring.retired).toEqual([]);
  });

  it('are noticed by other processes without a restart: added, retired, and changed twice in one moment', async () => {
    const first = (await keys.create(organizationId, ORIGIN)).vkey;
    const other = new FileLogKeys(folder);
    await settle();
    expect(await vkeys(other)).toEqual([first]);
    const second = await add([first]);
    expect(await vkeys(other)).toEqual([first, second]);
    await keys.retire(organizationId, { vkey: first, serial: 1, lastSize: 1 });
    expect(await vkeys(other)).toEqual([second]);
    const third = await add([first, second]);
    expect(await vkeys(other)).toEqual([second, third]);
  });

  it('are read from memory while nothing changes', async () => {
    await keys.create(organizationId, ORIGIN);
    await settle();
    const ring = await keys.ofLog(organizationId);
    expect(await keys.ofLog(organizationId)).toBe(ring);
    await add([ring.vkey]);
    expect(await keys.ofLog(organizationId)).not.toBe(ring);
  });

  it('are not mixed up with those of other logs, and refuse a file of another log', async () => {
    const [first] = [(await keys.create(organizationId, ORIGIN)).vkey];
    const otherId = newId();
    const other = (await keys.create(otherId, 'log.example/logs/org_2')).vkey;
    expect(await vkeys()).toEqual([first]);
    expect((await keys.ofLog(otherId)).vkey).toBe(other);
    await copyFile(join(folder, `${otherId}.key`), join(folder, `${organizationId}.2.key`));
    await chmod(join(folder, `${organizationId}.2.key`), 0o600);
    expect(() => keys.ofLog(organizationId)).toThrow('different logs');
  });

  it('refuse a key file that others can read', async () => {
    await keys.create(organizationId, ORIGIN);
    await chmod(join(folder, `${organizationId}.key`), 0o644);
    expect(() => new FileLogKeys(folder).ofLog(organizationId)).toThrow('can be read by other users');
  });
});
