import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BROWSER, BrowserPage } from '../../../test/support/browser.js';
import { buildVerifierPage } from '../../../bin/build-verifier-page.js';
import { writeEvidenceBundle } from '../adapters/evidence-bundle.js';
import { EvidenceWorkshop } from '../verify/testing/evidence-workshop.js';
import { ReportSigning } from '../verify/testing/report-signing.js';
import { BUNDLE_TYPE, DOSSIER_TYPE } from '../domain/report-kinds.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { readStoredZip } from './read-zip.js';
import { type PageResult, verifyFiles } from './verify-files.js';

const PAGE = new URL('./verify.html', import.meta.url);
let workshop: EvidenceWorkshop;
let zip: Buffer;
let zipPath: string;

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  const { dossier, evidence } = await workshop.build();
  zipPath = `${workshop.signing.newPath()}.zip`;
  const documents = await workshop.documents(dossier);
  await writeEvidenceBundle({ dossier, ...documents, evidence, destinationPath: zipPath });
  zip = await readFile(zipPath);
});
afterAll(() => workshop.close());

const statesOf = ({ checks }: PageResult) => checks.map(({ state }) => state);

/** Whoever changes a bundle writes the sums anew. */
function withFile(path: string, bytes: Uint8Array): Map<string, Uint8Array> {
  return withSums(new Map(readStoredZip(zip)).set(path, bytes));
}

function withSums(files: Map<string, Uint8Array>): Map<string, Uint8Array> {
  const names = [...files.keys()].filter((name) => name !== 'SHA256SUMS').sort();
  const sums = names.map((name) => `${sha256Hex(files.get(name) ?? '')}  ${name}\n`).join('');
  return files.set('SHA256SUMS', Buffer.from(sums));
}
const fileOf = (path: string): Buffer => Buffer.from(readStoredZip(zip).get(path) ?? []);

describe('verify.html', () => {
  it('says yes to a bundle as it was written, and says which key it rests on', async () => {
    const result = await verifyFiles(readStoredZip(zip), '');
    expect(result.checks.flatMap(({ faults }) => faults)).toEqual([]);
    expect([result.verdict, statesOf(result).filter((state) => state !== 'yes')]).toEqual([
      'unproved',
      ['not_checked', 'not_checked'],
    ]);
    const known = await verifyFiles(readStoredZip(zip), workshop.log.vkey);
    expect(known.verdict).toBe('holds');
    expect(new Set(statesOf(known))).toEqual(new Set(['yes']));
    const stranger = await EvidenceWorkshop.create();
    const other = await verifyFiles(readStoredZip(zip), stranger.log.vkey);
    await stranger.close();
    expect(other.verdict).toBe('does_not_hold');
    for (const mistyped of [workshop.log.vkey.slice(0, -1), workshop.log.vkey.replace('+', 'x+')]) {
      const { verdict, checks } = await verifyFiles(readStoredZip(zip), mistyped);
      expect(verdict).toBe('unproved');
      expect(checks.map(({ text }) => text).join(' ')).toContain('is no key of a log');
    }
  });

  it('finds whatever was changed, although the sums were written anew', async () => {
    const entryPath = [...readStoredZip(zip).keys()].find((name) => name.startsWith('entries/')) ?? '';
    const opening = [...readStoredZip(zip).keys()].find((name) => name.startsWith('openings/')) ?? '';
    const attachment = [...readStoredZip(zip).keys()].find((name) => name.startsWith('attachments/')) ?? '';
    const media = [...readStoredZip(zip).keys()].find((name) => /^assets\/.*\.png$/.test(name)) ?? '';
    const flipped = (bytes: Buffer, at: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    };
    const dossier = fileOf('dossier.json');
    const stranger = await ReportSigning.create(new Date('2026-11-22T10:00:00Z'));
    const otherDossier = Buffer.from(dossier.toString().replace('Jane Doe', 'Jane Roe'));
    const signer = await stranger.signer();
    const changed: [string, Buffer][] = [
      [entryPath, flipped(fileOf(entryPath), 40)],
      [
        opening,
        Buffer.from(
          fileOf(opening)
            .toString()
            .replace(/"value":"./, '"value":"X'),
        ),
      ],
      [media, flipped(fileOf(media), 500)],
      [attachment, flipped(fileOf(attachment), 3)],
      ['dossier.json', otherDossier],
      ['dossier.jws', await signer.signJson(otherDossier, DOSSIER_TYPE)],
      ['dossier.jws', await signer.signJson(dossier, 'another+json')],
      ['log/checkpoint', flipped(fileOf('log/checkpoint'), fileOf('log/checkpoint').length - 12)],
      ['log/vkey', Buffer.from('nobody\n')],
    ];
    for (const [path, bytes] of changed) {
      const result = await verifyFiles(withFile(path, bytes), '');
      expect([path, result.verdict]).toEqual([path, 'does_not_hold']);
    }
    const missing = new Map(readStoredZip(zip));
    missing.delete(entryPath);
    expect((await verifyFiles(missing, '')).verdict).toBe('does_not_hold');
    expect((await verifyFiles(new Map(), '')).verdict).toBe('does_not_hold');
  });

  it('proves nothing by the word of a certificate that no entry names, nor by that of an older format', async () => {
    const stranger = await (await ReportSigning.create(new Date('2026-11-22T10:00:00Z'))).signer();
    const files = withFile('dossier.jws', await stranger.signJson(fileOf('dossier.json'), DOSSIER_TYPE));
    const index = JSON.parse(fileOf('bundle.json').toString()) as { files: { path: string }[] };
    const listed = index.files.map((file) => ({ ...file, sha256: sha256Hex(files.get(file.path) ?? '') }));
    const forged = canonicalJson({ ...index, files: listed });
    files.set('bundle.json', forged).set('bundle.jws', await stranger.signJson(forged, BUNDLE_TYPE));
    expect((await verifyFiles(withSums(files), workshop.log.vkey)).verdict).toBe('unproved');
    const older = canonicalJson({ ...index, v: 4 });
    const downgraded = new Map(readStoredZip(zip)).set('bundle.json', older);
    downgraded.delete('bundle.jws');
    expect((await verifyFiles(withSums(downgraded), workshop.log.vkey)).verdict).toBe('unproved');
    const pdf = withFile('dossier.pdf', Buffer.from('%PDF-1.4 another'));
    expect((await verifyFiles(pdf, workshop.log.vkey)).verdict).toBe('does_not_hold');
  });

  it('refuses what is no zip, was packed again, or names a file twice', () => {
    const broken = [Buffer.alloc(10), zip.subarray(0, zip.length - 1), Buffer.concat([zip, Buffer.alloc(4)])];
    for (const bytes of broken) expect(() => readStoredZip(bytes)).toThrow();
  });

  it('is built from these sources, and asks the network for nothing', () => {
    const committed = readFileSync(PAGE, 'utf8');
    expect(buildVerifierPage() === committed).toBe(true);
    expect(committed).toContain("default-src 'none'");
    expect(committed).not.toMatch(/\b(fetch|XMLHttpRequest|WebSocket|importScripts)\b\s*\(/);
    expect(committed).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=/);
  });

  it('works in a browser, from disk, where there is one', async () => {
    const program = BROWSER;
    if (program === undefined) return;
    const page = await BrowserPage.open(program);
    try {
      await page.goTo(PAGE.href);
      await page.choose('#bundle', zipPath);
      await page.until(`/^[\\u2713\\u2717]/.test(document.querySelector('#verdict').textContent)`);
      const said = await page.evaluate<string>(`document.querySelector('#result').textContent`);
      expect(said).toContain('who made it is not proved');
      await page.evaluate(`document.querySelector('#vkey').value = ${JSON.stringify(workshop.log.vkey)}`);
      await page.choose('#bundle', zipPath);
      await page.until(`document.querySelector('#verdict').textContent.startsWith('\\u2713')`);
      const reach = `fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')`;
      const violation = `new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
        ${reach};
      })`;
      expect(await page.evaluate<string>(violation)).toBe('connect-src');
      expect(page.alarms).toEqual([]);
    } finally {
      await page.close();
    }
  });
});
