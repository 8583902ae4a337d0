import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

  it('are text on the certificate of provenance, which stays one page', async () => {
    const response = await app.request(`/v1/assets/${assetId}/certificate`);
    expect(response.status).toBe(200);
    const pdf = new OpenedPdf(Buffer.from(await response.arrayBuffer()));
    expect(pdf.pageCount).toBe(1);
    expectHarmless(pdf.text());
    // No action, script or link of a stranger is in the document.
    expect(pdf.raw).not.toMatch(/\/(JavaScript|JS|Launch|URI|OpenAction)\b/);
  });

  it('are text in the dossier', async () => {
    const asked = await app.request('/v1/reports', json({ kind: 'asset', format: 'pdf', assetId }));
    const { id } = (await asked.json()) as { id: string };
    await eventually('the report is done', async () => {
      const report = (await (await app.request(`/v1/reports/${id}`)).json()) as { state: string };
      expect(report.state).not.toBe('FAILED');
      return report.state === 'DONE' || undefined;
    });
    const content = await app.request(`/v1/reports/${id}/content`);
    const pdf = new OpenedPdf(Buffer.from(await content.arrayBuffer()));
    expectHarmless(pdf.text());
    expect(pdf.raw).not.toMatch(/\/(JavaScript|JS|Launch|OpenAction)\b/);
    expect(content.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/);
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
