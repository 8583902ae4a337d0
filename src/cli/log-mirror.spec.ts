import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { effort } from '../../test/support/effort.js';
import { MemoryLog, readGolden } from '../../test/vectors/tlog/vectors.js';
import { signCheckpoint } from '../audit/core/checkpoint.js';
import {
  ED25519,
  ed25519Signer,
  formatVkey,
  generatePrivateKey,
  parsePrivateKey,
  publicKeyOf,
} from '../audit/core/note-key.js';
import { logFsck } from './log-fsck.js';
import { logMirror } from './log-mirror.js';
import { runCommand } from './command-line.js';

const golden = readGolden();
const signer = ed25519Signer(parsePrivateKey(golden.log.skey));
const KEY = ['--vkey', golden.log.vkey];

let server: Server;
let url: string;
let answer: RequestListener;
let requests: string[];
let folder: string;
let output: string;
let errors: string;

async function sign(log: MemoryLog, by = signer): Promise<void> {
  const checkpoint = { origin: golden.log.name, size: log.range.size, root: log.range.root() };
  log.files.set('checkpoint', await signCheckpoint(checkpoint, [by]));
}

/** Another key of the same log. */
function newKey() {
  const key = generatePrivateKey(golden.log.name, ED25519);
  return { vkey: formatVkey(publicKeyOf(key)), signer: ed25519Signer(key) };
}

async function logOf(...batches: number[]): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.appendGolden(...batches);
  await sign(log);
  return log;
}

async function grow(log: MemoryLog, count: number): Promise<void> {
  await log.appendGolden(count);
  for (const path of log.files.keys()) {
    const full = path.split('.p/')[0] ?? '';
    if (path.includes('.p/') && log.files.has(full)) log.files.delete(path);
  }
  await sign(log);
}

/** Serves the files as they are; `also` may answer first. */
function serve(
  log: MemoryLog,
  also: (path: string, ...rest: Parameters<RequestListener>) => boolean = () => false,
): void {
  answer = (request, response) => {
    const path = request.url?.replace('/log/', '') ?? '';
    requests.push(path);
    if (also(path, request, response)) return;
    const bytes = log.files.get(path);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  };
}

const mirror = (...argv: string[]): Promise<number> => logMirror([`${url}/log`, folder, ...argv]);
const isSound = (): Promise<number> => logFsck([folder, ...KEY, '--opaque-entries']);

/** Every file of the copy with its bytes, without what only a run in progress has. */
async function contents(): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
  return new Map(
    await Promise.all(files.map(async (file) => [file, (await readFile(file)).toString('base64')] as const)),
  );
}

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-mirror-'));
  requests = [];
  output = errors = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += `${text}\n`));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void (errors += `${text}\n`));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

describe('colophon log mirror', () => {
  it.each(effort([1, 255, 256, 257, 700], [65_536, 66_000]))(
    'copies a log of %p entries that fsck calls clean',
    async (size) => {
      serve(await logOf(size));
      expect(await mirror(...KEY)).toBe(0);
      expect(output).toContain(`copied: ${size} entries`);
      expect(await isSound()).toBe(0);
    },
  );

  it('keeps the copy up, fetching only what is new, and uses the key that it holds', async () => {
    const log = await logOf(300);
    serve(log);
    expect(await mirror(...KEY)).toBe(0);
    for (const more of [1, 211, 1, 700]) {
      requests = [];
      await grow(log, more);
      expect(await mirror()).toBe(0);
      expect(requests).not.toContain('tile/entries/000');
      expect(await isSound()).toBe(0);
    }
    expect(output).toContain('701 new entries, 1213 in all'.replace('701', '700'));
    expect(await readdir(join(folder, 'tile', '0'))).not.toContain('001.p');
    requests = [];
    expect(await mirror()).toBe(0);
    expect(requests).toEqual(['checkpoint']);
    expect(output).toContain('up to date');
  });

  it('takes the key from a log only once, and says what that is worth', async () => {
    const log = await logOf(3);
    serve(log);
    expect(await mirror()).toBe(2);
    expect(errors).toContain('--vkey');
    log.files.set('vkey', Buffer.from(`${golden.log.vkey}\n`));
    expect(await mirror()).toBe(0);
    expect(output).toContain('taken from the log itself');
    log.files.set('vkey', Buffer.from(`${golden.witness.vkey}\n`));
    expect(await mirror()).toBe(0);
    expect(await mirror('--vkey', golden.witness.vkey)).toBe(2);
  });

  it('refuses a fork at any size, explains it, and leaves the copy as it was', async () => {
    serve(await logOf(600));
    expect(await mirror(...KEY)).toBe(0);
    const before = await contents();
    for (const size of [500, 600, 601, 2000]) {
      const other = new MemoryLog();
      await other.append([Buffer.from('another first entry')]);
      await other.appendGolden(size - 1);
      await sign(other);
      serve(other);
      errors = '';
      expect(await mirror()).toBe(1);
      expect(errors).toContain('another history');
      expect(await contents()).toEqual(before);
    }
    expect(await isSound()).toBe(0);
  });

  it('refuses a fork whose log serves the held tiles beside its own checkpoint', async () => {
    const honest = await logOf(600);
    serve(honest);
    expect(await mirror(...KEY)).toBe(0);
    const other = new MemoryLog();
    await other.append([Buffer.from('another first entry')]);
    await other.appendGolden(899);
    await sign(other);
    serve(honest, (path, _request, response) => {
      if (path !== 'checkpoint') return false;
      response.end(other.files.get('checkpoint'));
      return true;
    });
    const before = await contents();
    expect(await mirror()).toBe(1);
    expect(errors).toContain('REFUSED');
    expect(await contents()).toEqual(before);
  });

  it('does not go back to an earlier state, which is no fork', async () => {
    const log = await logOf(300);
    const early = log.files.get('checkpoint') as Buffer;
    await grow(log, 10);
    serve(log);
    expect(await mirror(...KEY)).toBe(0);
    const before = await contents();
    log.files.set('checkpoint', early);
    expect(await mirror()).toBe(0);
    expect(output).toContain('an earlier state');
    expect(await contents()).toEqual(before);
  });

  it('names the file that is truncated, changed or missing, and takes nothing of that state', async () => {
    const [size, paths] = effort<[number, string[]]>(
      [700, ['tile/entries/002.p/188']],
      [70_000, ['tile/0/005', 'tile/1/000', 'tile/2/000.p/1', 'tile/entries/005', 'tile/entries/273.p/112']],
    );
    const log = await logOf(size);
    for (const path of paths) {
      const sound = log.files.get(path) as Buffer;
      const flipped = Buffer.from(sound);
      flipped[20] = (flipped[20] ?? 0) ^ 1;
      for (const bad of [sound.subarray(0, sound.length - 1), flipped, Buffer.alloc(0), undefined]) {
        if (bad === undefined) log.files.delete(path);
        else log.files.set(path, bad);
        serve(log);
        errors = '';
        expect(await mirror(...KEY)).toBe(1);
        expect(errors).toContain(path);
        await expect(readFile(join(folder, 'checkpoint'))).rejects.toThrow();
      }
      log.files.set(path, sound);
    }
    serve(log);
    expect(await mirror(...KEY)).toBe(0);
    expect(await isSound()).toBe(0);
  });

  it('refuses a checkpoint of another key, of another root, and no checkpoint', async () => {
    const log = await logOf(300);
    const note = (log.files.get('checkpoint') as Buffer).toString();
    const [, , root = ''] = note.split('\n');
    for (const bad of ['', note.replace(root, Buffer.alloc(32, 7).toString('base64')), note.slice(0, -5)]) {
      log.files.set('checkpoint', Buffer.from(bad));
      serve(log);
      expect(await mirror(...KEY)).toBe(1);
    }
    log.files.delete('checkpoint');
    expect(await mirror(...KEY)).toBe(1);
    // Signed, and yet not the root of any tiles that are served.
    const other = { origin: golden.log.name, size: 300, root: Buffer.alloc(32, 7) };
    log.files.set('checkpoint', await signCheckpoint(other, [signer]));
    expect(await mirror(...KEY)).toBe(1);
    expect(errors).toContain('do not lead to the signed root');
  });

  it('follows the log to its next key when it is told, and a stranger with another key gets nowhere', async () => {
    const [next, stranger] = [newKey(), newKey()];
    const log = await logOf(300);
    serve(log);
    expect(await mirror(...KEY)).toBe(0);
    await grow(log, 400);
    await sign(log, next.signer);
    expect(await mirror()).toBe(1);
    expect(await mirror('--new-vkey', stranger.vkey)).toBe(1);
    expect(await readFile(join(folder, 'vkey'), 'utf8')).toBe(`${golden.log.vkey}\n`);
    const before = await readFile(join(folder, 'checkpoint'));
    expect(await mirror('--new-vkey', next.vkey)).toBe(0);
    expect(output).toContain('700 in all');
    expect(await logFsck([folder, '--vkey', next.vkey, '--opaque-entries'])).toBe(0);
    // Killed before it wrote down the new key: told again, it finds its own checkpoint.
    await writeFile(join(folder, 'vkey'), `${golden.log.vkey}\n`);
    expect(await mirror('--new-vkey', next.vkey)).toBe(0);
    expect(await mirror()).toBe(0);
    // An older state under the new key changes nothing, or a thief of that key could put the copy out of use.
    const third = newKey();
    const older = await logOf(300);
    await sign(older, third.signer);
    serve(older);
    expect(await mirror('--new-vkey', third.vkey)).toBe(1);
    expect(await readFile(join(folder, 'vkey'), 'utf8')).toBe(`${next.vkey}\n`);
    // The new key does not excuse another history.
    await writeFile(join(folder, 'checkpoint'), before);
    await writeFile(join(folder, 'vkey'), `${golden.log.vkey}\n`);
    const other = new MemoryLog();
    await other.append(Array.from({ length: 700 }, (_, i) => Buffer.from(`another entry ${i}`)));
    await sign(other, next.signer);
    serve(other);
    expect(await mirror('--new-vkey', next.vkey)).toBe(1);
    expect(errors).toContain('another history');
    expect(await readFile(join(folder, 'checkpoint'))).toEqual(before);
  });

  it('goes on where it was stopped, and does not trust what it finds there', async () => {
    const log = await logOf(5_000);
    let served = 0;
    serve(log, (path, _request, response) => {
      if (!path.startsWith('tile/entries/') || ++served <= 9) return false;
      response.writeHead(410).end();
      return true;
    });
    expect(await mirror(...KEY)).toBe(1);
    const taken = (await readdir(join(folder, 'tile', 'entries'))).filter((name) => !name.includes('.'));
    expect(taken.length).toBeGreaterThan(0);
    const [changed = '', ...kept] = taken;
    const path = join(folder, 'tile', 'entries', changed);
    const bytes = await readFile(path);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(path, bytes);
    requests = [];
    serve(log);
    expect(await mirror(...KEY)).toBe(0);
    expect(requests).toContain(`tile/entries/${changed}`);
    for (const name of kept) expect(requests).not.toContain(`tile/entries/${name}`);
    expect(await isSound()).toBe(0);
  });

  it('does not write into a folder of something else, or beside another process', async () => {
    serve(await logOf(3));
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    expect(await mirror(...KEY)).toBe(2);
    expect(errors).toContain('something else');
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });
});

describe('a hostile or tired server', () => {
  it('does not make it read more than an honest file has', async () => {
    const log = await logOf(300);
    let sent = 0;
    serve(log, (path, _request, response) => {
      if (path !== 'tile/0/000') return false;
      response.writeHead(200, { 'content-length': String(10 * 2 ** 30) });
      const block = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(block)) sent += block.length;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
      return true;
    });
    expect(await mirror(...KEY)).toBe(1);
    expect(errors).toContain('tile/0/000');
    // What lay in the buffers of both sides.
    expect(sent).toBeLessThan(50_000_000);
  });

  it('is not followed elsewhere, with the key of the user', async () => {
    let stolen = 'nothing';
    serve(await logOf(300), (path, request, response) => {
      if (path === '/elsewhere') stolen = request.headers.authorization ?? 'nothing';
      response.writeHead(302, { location: `${url}/elsewhere` }).end();
      return true;
    });
    expect(await mirror(...KEY)).toBe(2);
    expect(errors).toContain('redirects to');
    expect(stolen).toBe('nothing');
  });

  it('is asked again after 429, 503 and a broken connection, when it says so', async () => {
    const failures = new Map<string, number>();
    serve(await logOf(600), (path, request, response) => {
      const failed = (failures.get(path) ?? 0) + 1;
      failures.set(path, failed);
      if (failed > 3) return false;
      if (failed === 1) response.writeHead(429, { 'retry-after': '0' }).end();
      else if (failed === 2) response.writeHead(503, { 'retry-after': new Date(0).toUTCString() }).end();
      else request.socket.destroy();
      return true;
    });
    expect(await mirror(...KEY)).toBe(0);
    expect(await isSound()).toBe(0);
  });

  it('is told apart from a log of somebody else', async () => {
    serve(await logOf(3), (_path, _request, response) => Boolean(response.writeHead(401).end()));
    expect(await mirror(...KEY)).toBe(2);
    expect(errors).toContain('COLOPHON_API_KEY');
  });
});

it('explains itself, and refuses lines that it does not understand', async () => {
  expect(await runCommand(['log', 'mirror', '--help'], {})).toBe(0);
  expect(output).toContain('Usage: colophon log mirror');
  for (const argv of [[], ['a'], ['a', 'b', 'c'], ['--nonsense']]) expect(await logMirror(argv)).toBe(2);
});
