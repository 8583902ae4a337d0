import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { packageFile } from '../../src/config/package-root.js';
import { ATTACKS, DANGEROUS, hostileFile } from '../../src/provenance/testing/attack-strings.js';
import { signFreely } from '../../src/provenance/testing/free-signer.js';
import { formWith, json, OWN_RIGHTS, postForm } from '../support/api.js';
import { BROWSER, BrowserPage } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { OpenedPdf } from '../support/opened-pdf.js';
import { noisePicture } from '../support/pictures.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Answer {
  readonly verdict: string;
  readonly headline: string;
  readonly sentences: readonly string[];
  readonly signer: { readonly subject: string; readonly issuer: string };
  readonly chain: { readonly title: string; readonly actions: readonly { readonly description: string }[] };
}

const DAY = '2026-01-02';
const PHONE = { width: 390, height: 844 };

const logged: string[] = [];
const output = { write: (line: string) => void logged.push(line) };

let app: TestApplication;
let folder: string;
let hostile: Buffer;
let hostilePath: string;
let assetId: string;

beforeAll(async () => {
  app = await startTestApplication({}, output);
  folder = await mkdtemp(join(tmpdir(), 'colophon-attack-'));
  const path = join(folder, 'source.png');
  await writeFile(path, await noisePicture());
  hostilePath = join(folder, `<img src=x onerror=alert(1)>\u202egnp.png`);
  await hostileFile({ path, mediaType: 'image/png' }, hostilePath);
  hostile = await readFile(hostilePath);
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const named = formWith(hostile, `${ATTACKS[1]}${ATTACKS[4]}${ATTACKS[3]}.png`, { declaration });
  const response = await app.request('/v1/assets', postForm(named));
  expect(response.status).toBe(201);
  assetId = ((await response.json()) as { id: string }).id;
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

const anywhere = (query = ''): Promise<Response> =>
  app.request(`/v1/verify${query}`, { ...postForm(formWith(hostile, `${ATTACKS[0]}.png`, {})), key: null });

/** Has a report made. @returns the answer with its content */
async function report(body: object): Promise<Response> {
  const { id } = (await (await app.request('/v1/reports', json(body))).json()) as { id: string };
  await eventually('the report is done', async () => {
    const { state } = (await (await app.request(`/v1/reports/${id}`)).json()) as { state: string };
    expect(state).not.toBe('FAILED');
    return state === 'DONE' || undefined;
  });
  return app.request(`/v1/reports/${id}/content`);
}

/** No text that a page, a terminal or a spreadsheet could take for something else than text. */
function expectHarmless(text: string): void {
  expect(text).not.toMatch(DANGEROUS);
}

describe('attacks in the fields of a file', () => {
  it('come out of the verification as text, and sentences about them are harmless', async () => {
    const response = await anywhere();
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const body = await response.text();
    // Whatever stands in strings is escaped by the rules of JSON.
    expect(body).not.toMatch(/\p{Cc}/u);
    const answer = JSON.parse(body) as Answer;
    expect(answer.verdict).toBe('intact');
    for (const sentence of [answer.headline, ...answer.sentences]) {
      expectHarmless(sentence);
      expect(sentence.length).toBeLessThan(2000);
    }
    expect(answer.signer.subject.length).toBeLessThanOrEqual(200);
    // Nothing was evaluated, and nothing dropped silently.
    expect(body).toContain('${7*7}');
    expect(answer.chain.actions.length).toBeGreaterThanOrEqual(ATTACKS.length);
  });

  it('come out as crJSON that any parser reads', async () => {
    const response = await anywhere('?format=crjson');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const body = await response.text();
    expect(body.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(JSON.stringify(JSON.parse(body))).toContain('${7*7}');
  });

  it('are refused or kept where people write: no statement or comment breaks the service', async () => {
    for (const text of ATTACKS) {
      const statement = text.slice(0, 3000);
      const contribution = {
        actionType: 'RETOUCH',
        basis: 'modification',
        capture: 'declared_at_time',
        tool: { name: statement.slice(0, 60), version: '1' },
        statement,
      };
      const form = formWith(await noisePicture(), `${statement.slice(0, 100)}.png`, { contribution });
      const answer = await app.request(`/v1/assets/${assetId}/contributions`, postForm(form));
      expect([text.slice(0, 40), [201, 400].includes(answer.status)]).toEqual([text.slice(0, 40), true]);
    }
  });

  it('are kept as they were written where people examine files and record claims, or refused', async () => {
    const path = `/v1/assets/${assetId}`;
    let kept = 0;
    for (const attack of ATTACKS) {
      const text = attack.slice(0, 4000);
      const words = { text, document: text.slice(0, 1000) };
      const searched = { question: 'similar_works', result: 'inconclusive', matches: 1, examinedOn: DAY };
      const index = attack.slice(0, 200);
      const claim = { kind: 'other', receivedOn: DAY, claimant: text.slice(0, 500), text };
      const examined = await app.request(`${path}/examinations`, json({ ...searched, ...words, index }));
      const claimed = await app.request(`${path}/claims`, json(claim));
      expect([attack.slice(0, 40), [201, 400].includes(examined.status)]).toEqual([
        attack.slice(0, 40),
        true,
      ]);
      expect([attack.slice(0, 40), [201, 400].includes(claimed.status)]).toEqual([attack.slice(0, 40), true]);
      if (claimed.status !== 201) continue;
      kept += 1;
      const { id } = (await claimed.json()) as { id: string };
      await app.request(`/v1/claims/${id}/answers`, json({ outcome: 'acknowledged', text }));
    }
    expect(kept).toBeGreaterThan(5);
    const tooLong = { kind: 'other', receivedOn: DAY, claimant: 'S', text: ATTACKS[11] };
    expect((await app.request(`${path}/claims`, json(tooLong))).status).toBe(400);
  });

  it('are text on the certificate of provenance, which stays one page', async () => {
    const response = await app.request(`/v1/assets/${assetId}/certificate`);
    expect(response.status).toBe(200);
    const pdf = new OpenedPdf(Buffer.from(await response.arrayBuffer()));
    expect(pdf.pageCount).toBe(1);
    expectHarmless(pdf.text());
    // No action, script or link of a stranger is in the document.
    expect(pdf.raw).not.toMatch(/\/(JavaScript|JS|Launch|URI|OpenAction)\b/);
  });

  it('are text in the dossier, of which the JSON has the claims as they were written', async () => {
    const content = await report({ kind: 'asset', format: 'pdf', assetId });
    const pdf = new OpenedPdf(Buffer.from(await content.arrayBuffer()));
    expectHarmless(pdf.text());
    // Claims and examinations are printed, evaluated nowhere, and nothing of them is left out but what no font has.
    const printed = pdf.text().replaceAll(/\s+/g, '');
    for (const attack of [ATTACKS[0], ATTACKS[1], ATTACKS[2], ATTACKS[6], ATTACKS[7], ATTACKS[10]])
      expect(printed).toContain(`${attack.replaceAll(/\s+/g, '')}`);
    const json = await (await report({ kind: 'asset', format: 'json', assetId })).text();
    expect(json).not.toMatch(/[^\P{Cc}\n]/u);
    const { claims } = JSON.parse(json) as { claims: { text: string; claimant: string }[] };
    expect(claims.map(({ text }) => text)).toEqual(
      expect.arrayContaining([ATTACKS[0], ATTACKS[6], ATTACKS[9]]),
    );
    expect(pdf.raw).not.toMatch(/\/(JavaScript|JS|Launch|OpenAction)\b/);
    expect(content.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/);
  });

  it('are no formula in the table of the campaign, and no second line of it', async () => {
    const { projectId } = app.instance;
    const table = await (await report({ kind: 'campaign', format: 'csv', projectId })).text();
    expect(table).not.toMatch(/[^\P{Cc}\r\n]/u);
    for (const cell of table.match(/"(?:[^"]|"")*"/g) ?? []) expect(cell).not.toMatch(/^"[=+\-@]/);
  });

  it('break no line of the log, and are in none of them, also where the log speaks of the file', async () => {
    const pem = await readFile(join(app.home, 'keys', 'claim-chain.pem'), 'utf8');
    const secret = createPrivateKey(await readFile(join(app.home, 'keys', 'claim-key.pem'), 'utf8'));
    const pkcs8 = new Uint8Array(secret.export({ type: 'pkcs8', format: 'der' }));
    const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
    const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, P256, false, ['sign']);
    const thief = { chain: [new Uint8Array(new X509Certificate(pem).raw)], key };
    const path = join(folder, 'stolen.png');
    const source = { path: join(folder, 'source.png'), mediaType: 'image/png' } as const;
    await signFreely(source, path, thief, { title: ATTACKS.join(' | ') });
    const form = formWith(await readFile(path), `${ATTACKS[5]}.png`, {});
    const answer = await app.request('/v1/verify', { ...postForm(form), key: null });
    expect(await answer.json()).toMatchObject({ log: { status: 'forged', keyMisuse: true } });
    const lines = logged
      .join('')
      .split('\n')
      .filter((line) => line !== '');
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual([expect.stringContaining('KEY MISUSE')]);
    for (const line of lines) {
      expectHarmless(line);
      for (const attack of ['alert(', 'DROP TABLE', 'HYPERLINK', 'gnp.exe', 'forged'])
        expect(line).not.toContain(attack);
    }
  });
});

describe('the start page', () => {
  const program = BROWSER;
  if (program === undefined) {
    it('NOT CHECKED on this machine: there is no Chromium', () => {
      expect(BROWSER).toBeUndefined();
    });
    return;
  }

  it('shows a hostile file as text: no element, script or link of it comes to be', async () => {
    const page = await BrowserPage.open(program);
    try {
      await page.goTo(`${app.url}/`);
      const count = `[document.scripts.length, document.querySelectorAll('style, link, iframe, object, embed').length]`;
      const before = await page.evaluate(count);
      await page.choose('#file-input', hostilePath);
      await page.until(`!document.getElementById('result').hidden`);
      await page.evaluate(`document.querySelectorAll('details').forEach((each) => { each.open = true; })`);
      expect(await page.evaluate(count)).toEqual(before);
      const strange = await page.evaluate<string[]>(`[...document.querySelectorAll('*')].flatMap((element) =>
        [...element.attributes].filter(({ name, value }) => /^on/i.test(name) || /^\\s*javascript:/i.test(value))
          .map(({ name }) => element.tagName + ' ' + name))`);
      expect(strange).toEqual([]);
      const links = await page.evaluate<string[]>(
        `[...document.querySelectorAll('#result [href], #result [src]')].map((each) => each.getAttribute('href') ?? each.getAttribute('src'))`,
      );
      for (const link of links) expect(link).toMatch(/^(#|\/(?!\/)|blob:)/);
      const text = await page.evaluate<string>(`document.getElementById('result').innerText`);
      expectHarmless(text);
      expect(text).toContain('<script>alert(document.domain)</script>');
      expect(text).toContain('${7*7}');
      expect(text.length).toBeLessThan(100_000);
      expect(page.alarms).toEqual([]);
    } finally {
      await page.close();
    }
  });
});

describe('the page of a share link', () => {
  const program = BROWSER;
  if (program === undefined) {
    it('NOT CHECKED on this machine: there is no Chromium', () => {
      expect(BROWSER).toBeUndefined();
    });
    return;
  }

  it('shows a hostile title as text, and fits on a phone, as the page that verifies bundles does', async () => {
    const made = await app.request('/v1/share-links', json({ assetId }));
    const { token } = (await made.json()) as { token: string };
    const page = await BrowserPage.open(program);
    try {
      await page.resize(PHONE.width, PHONE.height);
      await page.goTo(`${app.url}/shared#${token}`);
      await page.until(`document.querySelectorAll('#reports li').length > 0`);
      const text = await page.evaluate<string>(`document.getElementById('about').innerText`);
      expect(text).toContain('<img src=x onerror=alert(1)>');
      expectHarmless(text);
      expect(await page.evaluate(`[document.scripts.length, document.images.length]`)).toEqual([1, 0]);
      expect(await page.contentWidth()).toBe(PHONE.width);
      await page.goTo(pathToFileURL(packageFile('src/reports/verifier-page/verify.html')).href);
      expect(await page.contentWidth()).toBe(PHONE.width);
      expect(page.alarms).toEqual([]);
    } finally {
      await page.close();
    }
  });
});
