import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { C2paReader } from '../provenance/adapters/c2pa-reader.js';
import { DANGEROUS, hostileFile } from '../provenance/testing/attack-strings.js';
import { type MediaFile, SigningWorkshop } from '../provenance/testing/signing-workshop.js';
import { trust } from './trust.js';
import { verify } from './verify.js';
import { type OpenVerifier } from './verify-file.js';

const openVerifier: OpenVerifier = (list, options) =>
  new C2paReader({ trust: list, lists: options?.lists ?? [] });

let workshop: SigningWorkshop;
let home: string;
let signed: MediaFile;
let broken: Buffer;
let hostile: MediaFile;
let output: string;
let errors: string;

beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  home = await mkdtemp(join(tmpdir(), 'colophon-home-'));
  signed = await workshop.sign(await workshop.picture('image/jpeg'));
  broken = await readFile(signed.path);
  broken[broken.length - 40] = (broken[broken.length - 40] ?? 0) ^ 1;
  hostile = await hostileFile(await workshop.picture(), workshop.newPath());
});
afterAll(() => workshop.close());
beforeEach(() => {
  output = errors = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void (output += `${text}\n`));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void (errors += `${text}\n`));
});
afterEach(() => {
  jest.restoreAllMocks();
});

const run = (...argv: string[]): Promise<number> => verify(argv, { COLOPHON_HOME: home }, openVerifier);

async function folderOf(files: Readonly<Record<string, Buffer | string>>): Promise<string> {
  const folder = await mkdtemp(join(workshop.folder, 'batch-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    if (typeof content === 'string') await copyFile(content, join(folder, name));
    else await writeFile(join(folder, name), content);
  }
  return folder;
}

async function zipOf(add: (zip: ZipFile) => void): Promise<string> {
  const zip = new ZipFile();
  add(zip);
  zip.end();
  const path = workshop.newPath();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

describe('colophon verify of many files', () => {
  it('answers 0 when all are valid, 1 when any is invalid, 2 when any is unusable, and tells the bad ones', async () => {
    expect(
      await run(
        await folderOf({
          'a.jpg': signed.path,
          'deep/er/b.jpg': signed.path,
          'notes.txt': Buffer.from('text'),
        }),
      ),
    ).toBe(0);
    expect(output).toMatch(/^VALID +3 files/);
    expect(output).toMatch(/valid +2 [^]*skipped +1/);
    const mixed = { 'a.jpg': signed.path, 'b.jpg': broken, 'c.png': (await workshop.picture()).path };
    output = '';
    expect(await run(await folderOf(mixed))).toBe(1);
    expect(output).toMatch(/^INVALID +b\.jpg: the file does not match the manifest/m);
    expect(output).toMatch(/^UNUSABLE +c\.png: /m);
    expect(
      await run(await folderOf({ 'a.jpg': signed.path, 'c.png': (await workshop.picture()).path })),
    ).toBe(2);
    expect(await run(await folderOf({}))).toBe(2);
  });

  it('follows no symbolic link out of the folder', async () => {
    const folder = await folderOf({ 'a.jpg': signed.path });
    const outside = await folderOf({ 'secret.jpg': broken });
    await symlink(outside, join(folder, 'link'));
    await symlink(join(outside, 'secret.jpg'), join(folder, 'link.jpg'));
    expect(await run(folder, '--json')).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ summary: { files: 1 }, items: [{ file: 'a.jpg' }] });
  });

  it('reads archives, and neither unpacks a name that leads out nor a link nor a bomb', async () => {
    const picture = await readFile(signed.path);
    const zip = await zipOf((file) => {
      file.addBuffer(picture, 'ok/a.jpg');
      file.addBuffer(picture, 'x_/x_/evil.jpg');
      file.addBuffer(Buffer.from('/etc/passwd'), 'link.jpg', { mode: 0o120777 });
      file.addBuffer(Buffer.alloc(64 * 1024 * 1024), 'zeros.bin');
    });
    const bytes = await readFile(zip);
    for (let at = bytes.indexOf('x_/x_/'); at >= 0; at = bytes.indexOf('x_/x_/', at + 1))
      bytes.write('../../', at);
    const path = await workshop.write(bytes);
    expect(await run(path, '--json')).toBe(2);
    const { items } = JSON.parse(output) as { items: { file: string; verdict: string; headline: string }[] };
    expect(items.map(({ file, verdict }) => [file, verdict]).sort()).toEqual([
      ['../../evil.jpg', 'unusable'],
      ['link.jpg', 'unusable'],
      ['ok/a.jpg', 'valid'],
      ['zeros.bin', 'skipped'],
    ]);
    expect(items.find(({ file }) => file.includes('evil'))?.headline).toContain('leads out of the archive');
  });

  it('writes a table in which no cell is a formula', async () => {
    const folder = await folderOf({ '=cmd.jpg': hostile.path, '@sum.jpg': broken });
    const csv = workshop.newPath();
    expect(await run(folder, '--csv', csv)).toBe(1);
    const text = await readFile(csv, 'utf8');
    expect(text.startsWith('\ufefffile,verdict,')).toBe(true);
    for (const cell of text.matchAll(/(?<=^|,|")([=+\-@][^",]*)/gm)) expect(cell[1]).toBe(undefined);
    expect(text).toContain(`"'=cmd.jpg"`);
    expect(text.replaceAll(/[\r\n\ufeff]/g, '')).not.toMatch(DANGEROUS);
  });

  it('answers 2 to options that mean nothing', async () => {
    expect(await run(signed.path, '--csv', workshop.newPath())).toBe(2);
    for (const jobs of ['0', '1000', 'many']) expect(await run(signed.path, '--jobs', jobs)).toBe(2);
  });
});

describe('text of strangers on a terminal', () => {
  it.each([[[]], [['--json']]])('does nothing to it %j', async (flags) => {
    for (const target of [
      hostile.path,
      await folderOf({ '\u001b[2Jx.png': hostile.path, 'b.jpg': broken }),
    ]) {
      output = errors = '';
      await run(target, ...flags);
      expect(output.length).toBeGreaterThan(100);
      expect(`${output}${errors}`.replaceAll('\n', '')).not.toMatch(DANGEROUS);
      expect(output).not.toMatch(/^VALID {2}forged line/m);
      if (flags.length === 0) expect(output.length).toBeLessThan(20_000);
    }
  });
});

describe('colophon trust', () => {
  const lists = (...argv: string[]): Promise<number> => trust(argv, { COLOPHON_HOME: home });

  it('comes with the lists of the C2PA and their dates', async () => {
    expect(await lists('list', '--json')).toBe(0);
    expect(JSON.parse(output)).toMatchObject([
      { name: 'C2PA trust list', purpose: 'signers', certificates: 29, issuedAt: '2026-08-05T00:11:39Z' },
      { name: 'C2PA time-stamp trust list', purpose: 'time_stamps', certificates: 22 },
    ]);
  });

  it('takes a folder of certificates as a list, by which files are then judged, and removes it', async () => {
    const folder = await folderOf({
      'ca.pem': Buffer.from(workshop.keystore.caCertificatePem),
      'x.txt': Buffer.from('no'),
    });
    expect(await lists('add', 'Our agency', folder)).toBe(0);
    output = '';
    expect(await run(signed.path)).toBe(0);
    expect(output).toContain('trusted by Our agency');
    expect(await lists('remove', 'Our agency')).toBe(0);
    output = '';
    await run(signed.path);
    expect(output).toContain('on no list we know');
  });

  it('refuses what is no list, and names that would deceive', async () => {
    const nonsense = await folderOf({
      'a.pem': Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
    });
    expect(await lists('add', 'bad', nonsense)).toBe(1);
    expect(await lists('add', 'this installation', nonsense)).toBe(2);
    expect(await lists('add', 'none', join(nonsense, 'missing'))).toBe(2);
    const authority = await folderOf({ 'ca.pem': Buffer.from(workshop.anchors.identities) });
    expect(await lists('add', 'names', authority, '--identities', '--time-stamps')).toBe(2);
    expect(await lists('add', 'names', authority, '--identities')).toBe(0);
    expect(await lists('list')).toBe(0);
    expect(output).toContain('names  (authorities for names, 1 certificates)');
    expect(await lists('remove', 'names')).toBe(0);
    expect(await lists('remove', 'C2PA trust list')).toBe(2);
    expect(await lists('update', 'C2PA trust list', '--url', 'http://example.com/list.json')).toBe(1);
    expect(await lists('nonsense')).toBe(2);
  });
});
