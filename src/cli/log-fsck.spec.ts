import { createServer, type Server } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
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

const golden = readGolden();
let folder: string;
let server: Server;
let url: string;
let output: string;
let errors: string;
const log = new MemoryLog();
const opaque = '--opaque-entries';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-fsck-'));
  await log.appendGolden(300);
  const checkpoint = { origin: golden.log.name, size: 300, root: log.range.root() };
  const signer = ed25519Signer(parsePrivateKey(golden.log.skey));
  log.files.set('checkpoint', await signCheckpoint(checkpoint, [signer]));
  for (const [path, bytes] of log.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  server = createServer((request, response) => {
    const bytes = log.files.get(request.url?.replace('/logs/one/', '') ?? '');
    if (request.url?.startsWith('/broken/')) response.writeHead(500).end();
    else if (request.url?.startsWith('/endless/')) response.end(Buffer.alloc(3_000_000, 'a'));
    else response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  output = errors = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += `${text}\n`));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void (errors += `${text}\n`));
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('colophon log fsck', () => {
  it('answers 1 under a policy for another log, although nothing in this one is wrong', async () => {
    const policy = (vkey: string): string => `log ${vkey}\nquorum none\n`;
    const argv = [folder, '--vkey', golden.log.vkey, opaque, '--policy'];
    await writeFile(`${folder}.policy`, policy(golden.log.vkey));
    expect(await logFsck([...argv, `${folder}.policy`])).toBe(0);
    const other = formatVkey(publicKeyOf(generatePrivateKey(golden.log.name, ED25519)));
    await writeFile(`${folder}.policy`, policy(other));
    output = '';
    expect(await logFsck([...argv, `${folder}.policy`])).toBe(1);
    expect(output).toContain('The policy you gave is for other logs');
    expect(output).toContain('the witness policy is NOT met');
    await rm(`${folder}.policy`);
  });

  it('answers 0 for a sound log in a folder and on a web server', async () => {
    expect(await logFsck([folder, '--vkey', golden.log.vkey, opaque])).toBe(0);
    expect(output).toContain('clean');
    expect(output).not.toContain('taken from the log itself');
    for (const base of [`${url}/logs/one`, `${url}/logs/one/`]) {
      expect(await logFsck([base, '--vkey', golden.log.vkey, opaque])).toBe(0);
    }
  });

  it('uses the key beside the log only with a warning', async () => {
    expect(await logFsck([folder, opaque])).toBe(2);
    expect(errors).toContain('--vkey');
    await writeFile(join(folder, 'vkey'), `${golden.log.vkey}\n`);
    expect(await logFsck([folder, opaque])).toBe(0);
    expect(output).toContain('taken from the log itself');
    await rm(join(folder, 'vkey'));
  });

  it('answers 1, names the file, and says the same as JSON', async () => {
    const path = join(folder, 'tile/0/000');
    const bytes = log.files.get('tile/0/000') as Buffer;
    await writeFile(path, Buffer.concat([bytes.subarray(0, -1), Buffer.of(0)]));
    expect(await logFsck([folder, '--vkey', golden.log.vkey, opaque])).toBe(1);
    expect(output).toContain('WRONG    tile/0/000: hash 255');
    output = '';
    expect(await logFsck([folder, '--vkey', golden.log.vkey, opaque, '--json'])).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      ok: false,
      size: 300,
      keyOrigin: 'given',
      findings: [{ code: 'tile_mismatch', path: 'tile/0/000' }],
    });
    await writeFile(path, Buffer.alloc(20_000_000));
    expect(await logFsck([folder, '--vkey', golden.log.vkey, opaque])).toBe(1);
    await writeFile(path, bytes);
  });

  it('names what does not belong to the log, also where nothing that was signed is wrong', async () => {
    const full = log.files.get('tile/0/000') as Buffer;
    const strays: [string, Uint8Array, string][] = [
      ['tile/0/001', Buffer.alloc(8_192), 'no signed checkpoint covers this file'],
      ['tile/2/000.p/1', full.subarray(0, 32), 'no signed checkpoint covers this file'],
      ['tile/entries/002.p/3', Buffer.alloc(9), 'no signed checkpoint covers this file'],
      ['tile/0/001.p/4', full.subarray(0, 128), 'is not how tile/0/001.p/44 begins'],
      ['tile/entries/001.p/2', Buffer.alloc(6), 'is not how tile/entries/001.p/44 begins'],
      ['tile/0/0001', full, 'a log has no file of this name'],
    ];
    const known = ['--vkey', golden.log.vkey, opaque];
    for (const [path, bytes, words] of strays) {
      output = '';
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
      expect([path, await logFsck([folder, ...known])]).toEqual([path, 1]);
      expect(output).toContain(words);
      await rm(join(folder, path));
    }
    const earlier = Buffer.from((log.files.get('tile/0/001.p/44') as Buffer).subarray(0, 7 * 32));
    await writeFile(join(folder, 'tile/0/001.p/7'), earlier);
    await writeFile(join(folder, 'tile/0/.3f2504e0-4f89-41d3-9a0c-0305e82c3301'), 'half a t');
    expect(await logFsck([folder, ...known])).toBe(0);
    for (const name of ['001.p/7', '.3f2504e0-4f89-41d3-9a0c-0305e82c3301'])
      await rm(join(folder, 'tile/0', name));
  });

  it('answers 1 when another key signed the log, or it has another origin', async () => {
    expect(await logFsck([folder, '--vkey', golden.witness.vkey, opaque])).toBe(1);
    expect(await logFsck([folder, '--vkey', golden.log.vkey, '--origin', 'other.example', opaque])).toBe(1);
    expect(output).toContain('checkpoint_invalid');
  });

  it('answers 2 when there is nothing to check, and says why', async () => {
    const unusable: [string[], string][] = [
      [[], 'Usage'],
      [[folder, folder], 'Usage'],
      [[folder, '--nonsense'], 'nonsense'],
      [[join(folder, 'nowhere'), '--vkey', golden.log.vkey], 'neither a folder'],
      [[join(folder, 'tile'), '--vkey', golden.log.vkey], 'checkpoint'],
      [[folder, '--vkey', 'nonsense'], 'key cannot be used'],
      [[`${url}/nothing`, '--vkey', golden.log.vkey], 'checkpoint'],
      [[`${url}/broken`, '--vkey', golden.log.vkey], 'status 500'],
      [['http://127.0.0.1:1', '--vkey', golden.log.vkey], 'fetch failed'],
    ];
    for (const [argv, reason] of unusable) {
      errors = '';
      expect(await logFsck(argv)).toBe(2);
      expect(errors).toContain(reason);
    }
  });

  it('does not read more of an answer than an honest log could send', async () => {
    expect(await logFsck([`${url}/endless`, '--vkey', golden.log.vkey])).toBe(1);
    expect(output).toContain('larger than');
  });

  it('explains itself', async () => {
    expect(await logFsck(['--help'])).toBe(0);
    expect(output).toContain('Usage: colophon log fsck');
  });
});
