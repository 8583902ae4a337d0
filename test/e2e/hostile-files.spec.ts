import { createPrivateKey, randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { largestVerified } from '../../src/assets/application/asset-intake.js';
import { riffChunk, wave, WAVE_FORMAT } from '../../src/provenance/testing/large-sound.js';
import { signFreely } from '../../src/provenance/testing/free-signer.js';
import { type ErrorCode } from '../../src/shared/errors.js';
import { formWith, postForm } from '../support/api.js';
import { type Footprint, Inspector } from '../support/inspector.js';
import {
  noisePicture,
  pngThatClaims,
  retouched,
  withBadCrc,
  withManifestOf,
  withOneByteChanged,
} from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

const MAX_BYTES = 600_000;
const RIGHTS = {
  rightsBasis: 'owned',
  showsPeople: 'no',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
};
const CONTRIBUTION = {
  actionType: 'RETOUCH',
  basis: 'modification',
  capture: 'declared_at_time',
  tool: { name: 'GIMP', version: '3.0' },
  statement: 'painted a label',
};
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><image xlink:href="file:///etc/passwd" width="9" height="9"/></svg>`;

interface AssetAnswer {
  readonly id: string;
  readonly title: string;
  readonly sha256: string;
  readonly originalSha256: string;
}
interface VerifyAnswer {
  readonly verdict: string;
  readonly headline: string;
  readonly breaks: readonly unknown[];
  readonly log: { readonly status: string; readonly entryIndex: number | null };
  readonly chain: { readonly ingredients: readonly unknown[] } | null;
}

let app: TestApplication;
let inspector: Inspector;
let picture: Buffer;
let asset: AssetAnswer;
let signed: Buffer;

const declaration = () => ({ projectId: app.instance.projectId, rights: RIGHTS });

async function upload(form: FormData): Promise<AssetAnswer> {
  const response = await app.request('/v1/assets', postForm(form));
  expect(response.status).toBe(201);
  return (await response.json()) as AssetAnswer;
}

async function contentOf(id: string): Promise<Buffer> {
  const response = await app.request(`/v1/assets/${id}/content`);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function verify(bytes: Uint8Array, name = 'a.png'): Promise<VerifyAnswer> {
  const response = await app.request('/v1/verify', { ...postForm(formWith(bytes, name, {})), key: null });
  expect(response.status).toBe(200);
  return (await response.json()) as VerifyAnswer;
}

/** Files that somebody left behind: the staging folder is empty when no request is being worked on. */
const staged = () => readdir(join(app.home, 'assets', 'staging')).catch(() => []);

/** A refusal leaves no row, no entry, no used-up key and no staged file. */
async function refuses(send: () => Promise<Response>, code: ErrorCode): Promise<void> {
  const before: Footprint = await inspector.footprint();
  await expectProblem(await send(), code);
  expect(await inspector.footprint()).toEqual(before);
  expect(await staged()).toEqual([]);
}

beforeAll(async () => {
  app = await startTestApplication({ COLOPHON_UPLOAD_MAX_BYTES: String(MAX_BYTES) });
  inspector = await Inspector.open(app.database);
  picture = await noisePicture();
  asset = await upload(formWith(picture, 'photo.png', { declaration: declaration() }));
  signed = await contentOf(asset.id);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const HOSTILE: readonly [string, () => Uint8Array, ErrorCode][] = [
  ['an empty file', () => Buffer.alloc(0), 'unsupported_media'],
  ['text named .png', () => Buffer.from('I am a picture, believe me.\n'.repeat(20)), 'unsupported_media'],
  ['HTML with a script', () => Buffer.from('<!doctype html><script>alert(1)</script>'), 'unsupported_media'],
  ['SVG with an external reference', () => Buffer.from(SVG), 'media_not_allowed'],
  ['SVG behind an XML prologue', () => Buffer.from(`\ufeff<?xml version="1.0"?>${SVG}`), 'media_not_allowed'],
  ['a zip archive', () => Buffer.from('PK\u0003\u0004'.padEnd(200, '\0'), 'latin1'), 'unsupported_media'],
  ['a PDF', () => Buffer.from('%PDF-1.7\n%%EOF\n'), 'unsupported_media'],
  ['a truncated PNG', () => picture.subarray(0, picture.length / 2), 'media_corrupt'],
  ['a PNG of its signature only', () => picture.subarray(0, 8), 'media_corrupt'],
  ['a PNG with a wrong checksum', () => withBadCrc(picture), 'media_corrupt'],
  ['a PNG of 30,000 x 30,000 in a kilobyte', () => pngThatClaims(30_000, 30_000), 'media_too_large'],
  ['a PNG of 2^31-1 x 1', () => pngThatClaims(2 ** 31 - 1, 1), 'media_too_large'],
  ['a PNG without pixels', () => pngThatClaims(0, 5), 'media_corrupt'],
  ['a file over the limit', () => Buffer.concat([picture, Buffer.alloc(MAX_BYTES)]), 'payload_too_large'],
];

function fieldOf(fields: Record<string, unknown>): [string, object] {
  const [name = '', value] = Object.entries(fields)[0] ?? [];
  return [name, value as object];
}

/** Both ways in: path and the JSON field that goes with the file. */
const FORMS: readonly [string, () => string, () => Record<string, unknown>][] = [
  ['POST /v1/assets', () => '/v1/assets', () => ({ declaration: declaration() })],
  [
    'POST contributions',
    () => `/v1/assets/${asset.id}/contributions`,
    () => ({ contribution: CONTRIBUTION }),
  ],
];

describe.each(FORMS)('%s', (_name, path, fields) => {
  it.each(HOSTILE)('refuses %s', async (_what, bytes, code) => {
    await refuses(() => app.request(path(), postForm(formWith(bytes(), 'x.png', fields()))), code);
  });

  it('refuses a form without its file, and one whose file is a text field', async () => {
    const [name, value] = fieldOf(fields());
    const form = new FormData();
    form.set(name, JSON.stringify(value));
    await refuses(() => app.request(path(), postForm(form)), 'invalid_request');
    form.set('file', 'bytes as text');
    await refuses(() => app.request(path(), postForm(form)), 'payload_too_large');
  });

  it('refuses two files, in whatever order the field comes', async () => {
    const [name, value] = fieldOf(fields());
    const blob = () => new Blob([picture]);
    for (const order of ['first', 'last']) {
      const form = new FormData();
      if (order === 'first') form.append(name, JSON.stringify(value));
      form.append('file', blob(), 'a.png');
      form.append('file', blob(), 'b.png');
      if (order === 'last') form.append(name, JSON.stringify(value));
      await refuses(() => app.request(path(), postForm(form)), 'payload_too_large');
    }
  });

  it('refuses a file in a part of another name, and a field that the form does not have', async () => {
    const wrongFile = formWith(picture, 'a.png', fields());
    wrongFile.delete('file');
    wrongFile.set('picture', new Blob([picture]), 'a.png');
    await refuses(() => app.request(path(), postForm(wrongFile)), 'invalid_request');
    await refuses(
      () => app.request(path(), postForm(formWith(picture, 'a.png', { organization_id: 'x' }))),
      'invalid_request',
    );
  });

  it('refuses a field that is missing, no JSON, of a wrong form, or has properties that are not its own', async () => {
    const [name, value] = fieldOf(fields());
    const send = (text: string) => () =>
      app.request(path(), postForm(formWith(picture, 'a.png', { [name]: text })));
    await refuses(() => app.request(path(), postForm(formWith(picture, 'a.png', {}))), 'invalid_request');
    await refuses(send('{"a":'), 'invalid_json');
    await refuses(send(''), 'invalid_json');
    for (const wrong of ['null', '[]', '"text"', '1', '{}', JSON.stringify({ ...value, created_by: 'me' })]) {
      await refuses(send(wrong), 'invalid_request');
    }
    for (const property of ['__proto__', 'constructor', 'prototype']) {
      await refuses(send(`{"${property}":{"x":1},${JSON.stringify(value).slice(1)}`), 'invalid_request');
    }
    await refuses(send(`${'['.repeat(30_000)}${']'.repeat(30_000)}`), 'invalid_request');
    await refuses(send(`"${'x'.repeat(70_000)}"`), 'payload_too_large');
  });

  it('refuses JSON, and multipart without a boundary or with a body that is cut off', async () => {
    const raw = (contentType: string, body: string): RequestInit => ({
      method: 'POST',
      headers: { 'content-type': contentType, 'idempotency-key': randomUUID() },
      body,
    });
    await refuses(() => app.request(path(), raw('application/json', '{}')), 'unsupported_content_type');
    await refuses(() => app.request(path(), raw('text/plain', 'x')), 'unsupported_content_type');
    await refuses(() => app.request(path(), raw('multipart/form-data', 'x')), 'invalid_request');
    const cut = `--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n\u0089PNG`;
    await refuses(() => app.request(path(), raw('multipart/form-data; boundary=b', cut)), 'invalid_request');
  });
});

describe('names of files', () => {
  it.each([
    ['../../etc/passwd.png', 'passwd.png'],
    ['..\\..\\windows\\system32\\a.png', 'a.png'],
    ['C:\\photos\\a.png', 'a.png'],
    ['a\u202egnp.xyz', 'agnp.xyz'],
    ['\u2066hidden\u2069\u200f.png', 'hidden.png'],
    ['tab\tbell\u0007esc\u001b[31m.png', 'tabbellesc[31m.png'],
    ['nul\u0000.png', 'nul.png'],
    ['..', 'upload'],
    ['.', 'upload'],
    ['   ', 'upload'],
    [`${'x'.repeat(300)}.png`, 'x'.repeat(120)],
    ['<script>alert(1)</script>.png', 'script>.png'],
    ['-rf.png', '-rf.png'],
    ['=HYPERLINK(1).png', '=HYPERLINK(1).png'],
  ])('%j is kept as the title %j and nowhere as a path', async (name, title) => {
    // FormData would escape some of these itself; an attacker writes the bytes.
    const body = Buffer.concat([
      Buffer.from(
        `--b\r\ncontent-disposition: form-data; name="declaration"\r\n\r\n${JSON.stringify(declaration())}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="${name.replaceAll('\\', '\\\\')}"\r\n\r\n`,
      ),
      picture,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const response = await app.request('/v1/assets', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'idempotency-key': randomUUID() },
      body,
    });
    expect(response.status).toBe(201);
    const made = (await response.json()) as AssetAnswer;
    expect(made.title).toBe(title);
    const content = await app.request(`/v1/assets/${made.id}/content`);
    expect(content.headers.get('content-disposition')).toBe(`attachment; filename="${made.id}.png"`);
    expect(content.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('good files that are odd', () => {
  it('takes the same picture twice: two assets over one original', async () => {
    const again = await upload(formWith(picture, 'photo.png', { declaration: declaration() }));
    expect(again.id).not.toBe(asset.id);
    expect(again.originalSha256).toBe(asset.originalSha256);
  });

  it('takes the field after the file as well as before', async () => {
    const form = new FormData();
    form.append('file', new Blob([picture]), 'a.png');
    form.append('declaration', JSON.stringify(declaration()));
    await upload(form);
    expect(await staged()).toEqual([]);
  });

  it('keeps the manifest of a file that we signed before as the ingredient of a new one', async () => {
    const again = await upload(formWith(signed, 'signed.png', { declaration: declaration() }));
    expect(again.originalSha256).toBe(asset.sha256);
    const answer = await verify(await contentOf(again.id));
    expect(answer).toMatchObject({ verdict: 'intact_and_trusted', log: { status: 'in_log' } });
    expect(JSON.stringify(answer.chain)).toContain('org.colophon.rights-declaration');
    expect(answer.chain?.ingredients).toHaveLength(1);
  });

  it('takes one and the same request twice for one asset', async () => {
    const key = randomUUID();
    const form = () => formWith(picture, 'photo.png', { declaration: declaration() });
    const first = (await (await app.request('/v1/assets', postForm(form(), key))).json()) as AssetAnswer;
    const before = await inspector.footprint();
    const second = (await (await app.request('/v1/assets', postForm(form(), key))).json()) as AssetAnswer;
    expect(second).toEqual(first);
    expect(await inspector.footprint()).toEqual(before);
    const other = formWith(await noisePicture(), 'photo.png', { declaration: declaration() });
    await refuses(() => app.request('/v1/assets', postForm(other, key)), 'idempotency_key_reused');
    await refuses(
      () => app.request('/v1/assets', { method: 'POST', body: form() }),
      'idempotency_key_required',
    );
  });

  it('refuses an upload into a project that is not ours', async () => {
    const foreign = { ...declaration(), projectId: `prj_${'0'.repeat(32)}` };
    await refuses(
      () => app.request('/v1/assets', postForm(formWith(picture, 'a.png', { declaration: foreign }))),
      'not_found',
    );
  });

  it('refuses a contribution that changes nothing, and records one that does', async () => {
    const path = `/v1/assets/${asset.id}/contributions`;
    const fields = { contribution: CONTRIBUTION };
    await refuses(() => app.request(path, postForm(formWith(signed, 'a.png', fields))), 'conflict');
    const copy = await sharp(signed).png({ compressionLevel: 1 }).toBuffer();
    await refuses(() => app.request(path, postForm(formWith(copy, 'a.png', fields))), 'conflict');
    const edited = formWith(await retouched(signed), 'a.png', fields);
    expect((await app.request(path, postForm(edited))).status).toBe(201);
  });
});

describe('POST /v1/verify', () => {
  // Words are words, whatever their name is: there is nothing to refuse, and no manifest in them. What is verified may
  // be larger than what is taken in.
  const isReadable = ([what, , code]: (typeof HOSTILE)[number]) =>
    what === 'text named .png' || code !== 'unsupported_media';

  it.each(HOSTILE.filter((file) => !isReadable(file)))('refuses %s', async (_what, bytes, code) => {
    await refuses(
      () => app.request('/v1/verify', { ...postForm(formWith(bytes(), 'x.png', {})), key: null }),
      code,
    );
  });

  it.each(HOSTILE.filter(isReadable))(
    'finds no manifest in %s, or says that it cannot be read',
    async (_what, bytes) => {
      const before = await inspector.footprint();
      const response = await app.request('/v1/verify', {
        ...postForm(formWith(bytes(), 'x.png', {})),
        key: null,
      });
      expect([200, 422]).toContain(response.status);
      if (response.status === 200) expect(await response.json()).toMatchObject({ verdict: 'none' });
      expect(await inspector.footprint()).toEqual(before);
      expect(await staged()).toEqual([]);
    },
  );

  it('refuses a form without a file, with two, or with a field', async () => {
    const send = (form: FormData) => () => app.request('/v1/verify', { ...postForm(form), key: null });
    await refuses(send(formWith(picture, 'a.png', { note: 'x' })), 'invalid_request');
    const two = formWith(picture, 'a.png', {});
    two.append('file', new Blob([picture]), 'b.png');
    await refuses(send(two), 'payload_too_large');
    await refuses(send(new FormData()), 'invalid_request');
  });

  it('takes what was received at the limit and has grown by its manifest, and nothing far beyond', async () => {
    const empty = wave(WAVE_FORMAT, riffChunk('data', '')).length;
    const sound = wave(WAVE_FORMAT, riffChunk('data', Buffer.alloc(MAX_BYTES - empty, 'sound')));
    expect(sound).toHaveLength(MAX_BYTES);
    const received = await upload(formWith(sound, 'sound.wav', { declaration: declaration() }));
    const grown = await contentOf(received.id);
    expect(grown.length).toBeGreaterThan(MAX_BYTES);
    expect((await verify(grown, 'sound.wav')).verdict).toBe('intact_and_trusted');
    const large = formWith(Buffer.alloc(largestVerified(MAX_BYTES) + 1), 'large.wav', {});
    await refuses(() => app.request('/v1/verify', { ...postForm(large), key: null }), 'payload_too_large');
  });

  it('knows an asset of ours, and where it lies in the log', async () => {
    await app.services.sequencer.runOnce();
    const answer = await verify(signed, 'renamed.jpg');
    expect(answer.verdict).toBe('intact_and_trusted');
    expect(answer.log).toMatchObject({
      status: 'in_log',
      entryIndex: expect.any(Number),
      checkpoint: { treeSize: expect.any(Number), signedAt: expect.any(String) },
    });
    const own = await app.request(`/v1/assets/${asset.id}/verification`);
    expect(await own.json()).toMatchObject({ verdict: answer.verdict, log: answer.log });
  });

  it('raises the alarm when a file carries a signature by our key that no log knows', async () => {
    const misused = () =>
      app.request('/metrics').then(async (answer) => /key_misuse_found (\d+)/.exec(await answer.text())?.[1]);
    expect(await misused()).toBe('0');
    const path = join(app.home, 'stolen.png');
    const source = join(app.home, 'source.png');
    await writeFile(source, await noisePicture());
    const pem = await readFile(join(app.home, 'keys', 'claim-chain.pem'), 'utf8');
    const leaf = new X509Certificate(pem);
    const key = createPrivateKey(await readFile(join(app.home, 'keys', 'claim-key.pem'), 'utf8'));
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
    const stolen = await webcrypto.subtle.importKey(
      'pkcs8',
      new Uint8Array(pkcs8),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    );
    const thief = { caPem: '', chain: [new Uint8Array(leaf.raw)], key: stolen };
    await signFreely({ path: source, mediaType: 'image/png' }, path, thief, { title: 'Not ours' });
    const answer = await verify(await readFile(path));
    expect(answer).toMatchObject({
      verdict: 'intact_and_trusted',
      log: { status: 'forged', keyMisuse: true },
    });
    expect(answer.headline).toContain('treat it as a forgery');
    expect(await misused()).toBe('1');
  });

  it('represents an asset as crJSON, as its manifest store and as one page of PDF', async () => {
    const crJson = await app.request(`/v1/assets/${asset.id}/manifest/crjson`);
    expect(crJson.headers.get('content-type')).toContain('application/crjson+json');
    expect(await crJson.json()).toMatchObject({
      manifests: [{ label: expect.stringContaining('urn:c2pa:') }],
    });
    const store = await app.request(`/v1/assets/${asset.id}/manifest/store`);
    expect(store.headers.get('content-type')).toBe('application/c2pa');
    const bytes = Buffer.from(await store.arrayBuffer());
    expect(bytes.toString('latin1', 4, 8)).toBe('jumb');
    expect(signed.includes(bytes)).toBe(true);
    const pdf = Buffer.from(await (await app.request(`/v1/assets/${asset.id}/certificate`)).arrayBuffer());
    expect(pdf.toString('latin1', 0, 5)).toBe('%PDF-');
    expect(pdf.toString('latin1').match(/\/Type \/Page\b/g)).toHaveLength(1);
    const form = { ...postForm(formWith(signed, 'a.png', {})), key: null };
    const same = await app.request('/v1/verify?format=crjson', form);
    expect(await same.json()).toMatchObject({ '@context': expect.anything() });
    await expectProblem(
      await app.request('/v1/verify?format=crjson', {
        ...postForm(formWith(picture, 'a.png', {})),
        key: null,
      }),
      'no_manifest',
    );
  });

  it('says of the original, before we signed it, that it knows nothing', async () => {
    expect(await verify(picture)).toMatchObject({ verdict: 'none', log: { status: 'unknown' } });
  });

  it('finds one changed byte of pixels, and does not vouch for the file', async () => {
    const answer = await verify(withOneByteChanged(signed));
    expect(answer).toMatchObject({ verdict: 'broken', log: { status: 'changed', keyMisuse: false } });
    expect(answer.headline).toBe('We signed this once, but the file was changed after that.');
    expect(answer.breaks[0]).toMatchObject({ in: 'file', code: 'assertion.dataHash.mismatch' });
  });

  it.each([0.2, 0.4, 0.6, 0.8])(
    'never calls a file intact whose byte at %d of its length was flipped',
    async (part) => {
      const flipped = Buffer.from(signed);
      const at = Math.floor(signed.length * part);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      const response = await app.request('/v1/verify', {
        ...postForm(formWith(flipped, 'a.png', {})),
        key: null,
      });
      const answer = (await response.json()) as Partial<VerifyAnswer>;
      if (response.status === 200) {
        expect(['broken', 'none']).toContain(answer.verdict);
        expect(answer.log?.status).not.toBe('in_log');
      } else {
        expect(response.status).toBe(422);
      }
    },
  );

  it('finds the manifest of one picture in the file of another', async () => {
    expect(await verify(withManifestOf(signed, await noisePicture()))).toMatchObject({
      verdict: 'broken',
      // The manifest is one of ours, the picture is not: no forgery of a signature, and no file of ours.
      log: { status: 'changed' },
    });
  });

  it('keeps a broken manifest of a received file visible under its own good one', async () => {
    const again = await upload(
      formWith(withManifestOf(signed, await noisePicture()), 'x.png', { declaration: declaration() }),
    );
    const answer = await verify(await contentOf(again.id));
    expect(answer).toMatchObject({ verdict: 'intact_and_trusted', brokenIngredient: true });
  });
});
