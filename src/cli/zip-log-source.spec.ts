import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ZipFile } from 'yazl';
import { MemoryLog, readGolden } from '../../test/vectors/tlog/vectors.js';
import { signCheckpoint } from '../audit/core/checkpoint.js';
import { ed25519Signer, parsePrivateKey } from '../audit/core/note-key.js';
import { logFsck } from './log-fsck.js';

const golden = readGolden();
const log = new MemoryLog();
let folder: string;
let output = '';
let errors = '';

type Files = Iterable<readonly [string, Buffer]>;

async function pack(files: Files, options: { compress?: boolean; mode?: number } = {}): Promise<string> {
  const zip = new ZipFile();
  for (const [path, bytes] of files) zip.addBuffer(bytes, path, { compress: false, ...options });
  zip.end();
  const file = join(folder, 'log.zip');
  await pipeline(zip.outputStream, createWriteStream(file));
  return file;
}

async function fsck(file: string): Promise<number> {
  output = errors = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += text));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void (errors += text));
  return logFsck([file, '--vkey', golden.log.vkey, '--opaque-entries']);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-zip-log-'));
  await log.appendGolden(600);
  const checkpoint = { origin: golden.log.name, size: 600, root: log.range.root() };
  const signer = ed25519Signer(parsePrivateKey(golden.log.skey));
  log.files.set('checkpoint', await signCheckpoint(checkpoint, [signer]));
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => rm(folder, { recursive: true }));

describe('a log in a zip', () => {
  it('is read like one in a folder', async () => {
    expect(await fsck(await pack(log.files))).toBe(0);
    expect(output).toContain('size     600');
  });

  it('names the file in which one bit was flipped, or that is missing', async () => {
    for (const path of ['tile/0/001', 'tile/entries/001', 'tile/1/000.p/2', 'checkpoint']) {
      const bytes = Buffer.from(log.files.get(path) as Buffer);
      bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 1;
      expect(await fsck(await pack(new Map([...log.files, [path, bytes]])))).toBe(1);
      expect(output).toContain(`WRONG    ${path}`);
    }
    const missing = [...log.files].filter(([path]) => path !== 'tile/0/001');
    expect(await fsck(await pack(missing))).toBe(1);
    expect(output).toContain('tile/0/001');
  });

  it('does not read what is larger than an honest file', async () => {
    const large = new Map([...log.files, ['tile/0/001', Buffer.alloc(20_000_000)] as const]);
    expect(await fsck(await pack(large))).toBe(1);
    expect(output).toContain('tile/0/001');
  });

  it('is refused when it was packed again, has two files of one name, is cut off or is no zip', async () => {
    expect(await fsck(await pack(log.files, { compress: true }))).toBe(2);
    expect(errors).toContain('packed again');
    expect(await fsck(await pack([...log.files, ...log.files]))).toBe(2);
    expect(errors).toContain('two files');
    const whole = await readFile(await pack(log.files));
    const cut = join(folder, 'cut.zip');
    for (const length of [0, 10, 1000, whole.length - 1]) {
      await writeFile(cut, whole.subarray(0, length));
      expect(await fsck(cut)).toBe(2);
    }
  });

  it('does not look at files that are none of a log, whatever they are called', async () => {
    const others: [string, Buffer][] = [
      ['notes/readme.txt', Buffer.from('x')],
      ['time-stamps/600/checkpoint', Buffer.from('x')],
    ];
    expect(await fsck(await pack([...log.files, ...others]))).toBe(0);
  });
});
