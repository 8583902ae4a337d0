import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { type BundleVerification } from './bundle-verification.js';
import { runVerifyBundle } from './verify-bundle.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-hostile-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function zipOf(add: (zip: ZipFile) => void): Promise<Buffer> {
  const zip = new ZipFile();
  add(zip);
  zip.end();
  return buffer(zip.outputStream);
}

const stored = { compress: false, mode: 0o100644 };
const sums = (zip: ZipFile): void => zip.addBuffer(Buffer.from('\n'), 'SHA256SUMS', stored);

async function verify(bytes: Uint8Array): Promise<BundleVerification> {
  const path = join(folder, 'hostile.zip');
  await writeFile(path, bytes);
  const verifyMedia = (): never => {
    throw new Error('nothing in these files is worth parsing');
  };
  return runVerifyBundle(path, { verifyMedia, scratchFolder: folder });
}

/** Same length, so that every offset in the zip stays right. */
function renamed(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}

describe('a zip file that was built to do harm', () => {
  it('is not unpacked outside of its place', async () => {
    const zip = await zipOf((file) => {
      sums(file);
      file.addBuffer(Buffer.from('x'), 'assets/abcdefghijkl', stored);
    });
    for (const name of [
      '../../../evil.txt12',
      '/etc/cron.d/evil123',
      'C:\\windows\\evil.txt',
      'assets/./../../evil',
    ]) {
      const result = await verify(renamed(zip, 'assets/abcdefghijkl', name.slice(0, 19).padEnd(19, 'x')));
      expect(result.verdict).not.toBe('valid');
      expect(result.findings.length).toBeGreaterThan(0);
    }
    expect(await readdir(folder)).toEqual(['hostile.zip']);
  });

  it('has no links followed', async () => {
    const zip = await zipOf((file) => {
      sums(file);
      file.addBuffer(Buffer.from('/etc/passwd'), 'assets/link', { compress: false, mode: 0o120777 });
    });
    const result = await verify(zip);
    expect(result.verdict).toBe('invalid');
    expect(result.findings.map(({ text }) => text).join()).toContain('a link or a special file');
  });

  it('has no two files of one name', async () => {
    const zip = await zipOf((file) => {
      sums(file);
      file.addBuffer(Buffer.from('good'), 'bundle.json', stored);
      file.addBuffer(Buffer.from('evil'), 'Bundle.json', stored);
    });
    for (const bytes of [zip, renamed(zip, 'Bundle.json', 'bundle.json')]) {
      const result = await verify(bytes);
      expect(result.verdict).toBe('invalid');
      expect(result.findings.map(({ text }) => text)).toContain('Two files have this name.');
    }
  });

  it('is not inflated', async () => {
    const zip = await zipOf((file) => {
      sums(file);
      file.addBuffer(Buffer.alloc(50_000_000), 'assets/bomb.png', { compress: true, mode: 0o100644 });
    });
    expect(zip.length).toBeLessThan(100_000);
    const result = await verify(zip);
    expect(result.verdict).toBe('unusable');
    expect(result.findings[0]?.text).toContain('compressed');
  });

  it('has no more in it than its own size, however it overlaps', async () => {
    const zip = await zipOf((file) => {
      sums(file);
      for (let i = 0; i < 3; i++) file.addBuffer(Buffer.alloc(1000, 65 + i), `assets/${i}`, stored);
    });
    // Sizes in the directory are raised until together they are more than the file.
    for (
      let at = zip.indexOf('PK\x01\x02', 0, 'latin1');
      at >= 0;
      at = zip.indexOf('PK\x01\x02', at + 4, 'latin1')
    ) {
      if (zip.readUInt32LE(at + 20) !== 1000) continue;
      zip.writeUInt32LE(2500, at + 20);
      zip.writeUInt32LE(2500, at + 24);
    }
    const result = await verify(zip);
    expect(result.verdict).toBe('unusable');
    expect(result.findings[0]?.text).toContain('built to explode');
  });

  it('has no more than 10,000 files', async () => {
    const zip = await zipOf((file) => {
      for (let i = 0; i <= 10_000; i++) file.addBuffer(Buffer.alloc(0), `entries/${i}.json`, stored);
    });
    const result = await verify(zip);
    expect(result.verdict).toBe('unusable');
    expect(result.findings[0]?.text).toContain('more than 10000 files');
  });

  it('is not encrypted', async () => {
    const zip = await zipOf(sums);
    const directory = zip.indexOf('PK\x01\x02', 0, 'latin1');
    zip.writeUInt16LE(zip.readUInt16LE(directory + 8) | 1, directory + 8);
    // The header of the cipher comes before the data.
    zip.writeUInt32LE(zip.readUInt32LE(directory + 20) + 12, directory + 20);
    expect(await verify(zip)).toMatchObject({
      verdict: 'unusable',
      findings: [{ text: 'The zip file is encrypted.' }],
    });
  });

  it('is not a bundle when it is something else', async () => {
    const other = await zipOf((file) => file.addBuffer(Buffer.from('x'), 'readme.txt', stored));
    for (const bytes of [Buffer.alloc(0), Buffer.from('PK'), Buffer.from('<html>'), other]) {
      const result = await verify(bytes);
      expect(result).toMatchObject({ verdict: 'unusable', statements: [], subject: undefined });
    }
    const verifyMedia = (): never => {
      throw new Error('not called');
    };
    expect((await runVerifyBundle(join(folder, 'missing.zip'), { verifyMedia })).verdict).toBe('unusable');
  });

  it('cannot rewrite the words of the verifier', async () => {
    const name = 'a\u001b[2J\u202e';
    const zip = await zipOf((file) => {
      sums(file);
      file.addBuffer(Buffer.from('x'), 'assets/xxxxxxx', stored);
    });
    const bytes = renamed(
      zip,
      'assets/xxxxxxx',
      Buffer.from(name.padEnd(11, 'y')).toString('latin1').padEnd(14, 'z').slice(0, 14),
    );
    const { findings } = await verify(bytes);
    expect(JSON.stringify(findings)).not.toMatch(/\\u001b|\u202e/);
  });
});
