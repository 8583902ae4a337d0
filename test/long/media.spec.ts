import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyFile } from '../../src/cli/verify-file.js';
import { C2paReader } from '../../src/provenance/adapters/c2pa-reader.js';
import { MEDIA_VECTORS, mediaVector } from '../../src/provenance/testing/media-vectors.js';
import { sha256Hex } from '../../src/shared/bytes.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { formWith, json, OWN_RIGHTS, postForm, productShot, runToEnd } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface AssetAnswer {
  readonly id: string;
  readonly mediaType: string;
  readonly kind: string;
  readonly width: number | null;
  readonly durationMs: number | null;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly originalSha256: string;
  readonly manifestSha256: string;
  readonly manifestPlacement: string;
}

let app: TestApplication;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-media-'));
  app = await startTestApplication();
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

async function upload(name: string): Promise<AssetAnswer> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = formWith(await mediaVector(name), name, { declaration });
  const response = await app.request('/v1/assets', postForm(form));
  expect(response.status).toBe(201);
  return (await response.json()) as AssetAnswer;
}

async function bytesOf(path: string, headers: Record<string, string> = {}): Promise<Buffer> {
  const response = await app.request(path, { headers });
  expect([200, 206]).toContain(response.status);
  return Buffer.from(await response.arrayBuffer());
}

async function verify(file: Buffer, manifest?: Buffer): Promise<Record<string, unknown>> {
  const form = formWith(file, 'any', {});
  if (manifest) form.set('manifest', new Blob([manifest]), 'any.c2pa');
  const response = await app.request('/v1/verify', { ...postForm(form), key: null });
  return (await response.json()) as Record<string, unknown>;
}

describe.each(MEDIA_VECTORS.filter(([name]) => !/opus|words\.md|ascii|without/.test(name)))(
  '%s',
  (name, mediaType) => {
    it('is taken in, signed, served as it was recorded, and known to the public verification', async () => {
      const asset = await upload(name);
      expect(asset).toMatchObject({ mediaType });
      const content = await app.request(`/v1/assets/${asset.id}/content`);
      const file = Buffer.from(await content.arrayBuffer());
      expect(sha256Hex(file)).toBe(asset.sha256);
      expect(content.headers.get('content-type')?.split(';')[0]).toBe(mediaType);
      expect(content.headers.get('content-disposition')).toMatch(
        /^attachment; filename="ast_[0-9a-f]{32}\.[a-z0-9]+"$/,
      );
      expect(content.headers.get('x-content-type-options')).toBe('nosniff');
      expect(content.headers.get('accept-ranges')).toBe('bytes');
      const isSidecar = asset.manifestPlacement === 'sidecar';
      expect(content.headers.get('link')).toBe(
        isSidecar ? `</v1/assets/${asset.id}/manifest>; rel="c2pa-manifest"` : null,
      );
      if (isSidecar) expect(asset.sha256).toBe(asset.originalSha256);
      const manifest = isSidecar ? await bytesOf(`/v1/assets/${asset.id}/manifest`) : undefined;
      if (manifest) expect(sha256Hex(manifest)).toBe(asset.manifestSha256);
      expect(await verify(file, manifest)).toMatchObject({
        verdict: 'intact_and_trusted',
        manifestPlacement: asset.manifestPlacement,
        log: { status: 'in_log' },
      });
      const changed = Buffer.from(file);
      const at = name === 'tone.wav' ? 60 : changed.length - 1;
      changed[at] = (changed[at] ?? 0) ^ 1;
      const answer = await verify(changed, manifest);
      expect(['broken', undefined]).toContain(answer.verdict);
      expect(JSON.stringify(answer)).not.toContain('"in_log"');
    });
  },
);

describe('a file with its manifest beside it', () => {
  it('tells the manifest as JSON when it is asked for, and has none inside', async () => {
    const { id } = await upload('clip.webm');
    const accept = { accept: 'application/json' };
    const answer = JSON.parse((await bytesOf(`/v1/assets/${id}/manifest`, accept)).toString()) as object;
    expect(answer).toMatchObject({ verdict: 'intact_and_trusted', manifestPlacement: 'sidecar' });
    const film = await upload('clip.mp4');
    expect(JSON.parse((await bytesOf(`/v1/assets/${film.id}/manifest`)).toString())).toMatchObject({
      manifestPlacement: 'embedded',
    });
    const asked = await app.request(`/v1/assets/${film.id}/manifest`, {
      headers: { accept: 'application/c2pa' },
    });
    await expectProblem(asked, 'not_found');
  });

  it('does not tell who sent it to somebody who holds the same file without the manifest', async () => {
    await upload('tone.ogg');
    expect(await verify(await mediaVector('tone.ogg'))).toMatchObject({
      verdict: 'none',
      log: { status: 'unknown' },
    });
  });

  it('comes with its manifest in an evidence bundle, which verifies offline; without it, it does not', async () => {
    const { id, manifestSha256 } = await upload('clip.webm');
    const asked = await app.request('/v1/reports', json({ kind: 'asset', format: 'bundle', assetId: id }));
    const { id: reportId } = (await asked.json()) as { id: string };
    await eventually('the report is done', async () => {
      const report = (await (await app.request(`/v1/reports/${reportId}`)).json()) as { state: string };
      expect(report.state).not.toBe('FAILED');
      return report.state === 'DONE' || undefined;
    });
    const bundle = await bytesOf(`/v1/reports/${reportId}/content`);
    expect(bundle.includes(`assets/${id}.c2pa`)).toBe(true);
    expect(bundle.includes(manifestSha256)).toBe(true);
    const path = join(folder, 'evidence.zip');
    await writeFile(path, bundle);
    const openVerifier = (trust: ConstructorParameters<typeof C2paReader>[0]['trust']) =>
      new C2paReader({ trust });
    const options = { trustList: undefined, openVerifier, expectedVkey: app.instance.log.vkey };
    const result = await verifyFile(path, options);
    expect(result).toMatchObject({ kind: 'bundle', verdict: 'valid' });
    // The manifest in the container, one byte changed.
    const at = bundle.lastIndexOf('c2pa.signature');
    bundle[at + 60] = (bundle[at + 60] ?? 0) ^ 1;
    await writeFile(path, bundle);
    expect(await verifyFile(path, options)).toMatchObject({
      verdict: 'invalid',
    });
  });
});

describe('parts of a file', () => {
  it('are served as asked for, written down, and refused beyond the end', async () => {
    const { id, sha256, sizeBytes } = await upload('clip.mp4');
    const path = `/v1/assets/${id}/content`;
    const whole = await bytesOf(path);
    const part = await app.request(path, { headers: { range: 'bytes=100-199' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 100-199/${sizeBytes}`);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(100, 200));
    expect(await bytesOf(path, { range: 'bytes=-50' })).toEqual(whole.subarray(-50));
    const other = { range: 'bytes=0-9', 'if-range': '"another"' };
    expect(await bytesOf(path, other)).toEqual(whole);
    expect(await bytesOf(path, { ...other, 'if-range': `"${sha256}"` })).toEqual(whole.subarray(0, 10));
    const beyond = await app.request(path, { headers: { range: `bytes=${sizeBytes}-` } });
    expect(beyond.headers.get('content-range')).toBe(`bytes */${sizeBytes}`);
    await expectProblem(beyond, 'range_not_satisfiable');
    await app.services.sequencer.runOnce();
    const entries = await (await app.request(`/v1/audit/entries?type=asset.read&limit=50`)).text();
    expect(entries).toContain('"range":{"first":100,"last":199}');
  });

  it('of a file that somebody changed on disk never leave', async () => {
    const { id, sha256 } = await upload('clip.mov');
    const path = `/v1/assets/${id}/content`;
    const whole = await bytesOf(path);
    const organization = parsePublicId('organization', app.instance.organizationId) ?? '';
    const onDisk = join(app.home, 'assets', organization, sha256.slice(0, 2), sha256);
    const changed = Buffer.from(whole);
    changed[whole.length - 5] = (changed[whole.length - 5] ?? 0) ^ 1;
    await writeFile(onDisk, changed);
    for (const range of ['bytes=0-9', 'bytes=-10', 'bytes=0-']) {
      const received = await app
        .request(path, { headers: { range } })
        .then(async (response) => (response.ok ? Buffer.from(await response.arrayBuffer()) : Buffer.alloc(0)))
        .catch(() => Buffer.alloc(0));
      expect(received.length).toBe(0);
    }
    await writeFile(onDisk, whole);
    expect(await bytesOf(path)).toEqual(whole);
  });
});

describe('a film, a sound and a model that a provider makes', () => {
  const STEPS = [
    ['generate-video', 'video/mp4', 'video'],
    ['compose-music', 'audio/wav', 'audio'],
    ['generate-3d', 'model/gltf-binary', 'model3d'],
  ] as const;

  it('are captured, signed as what no trained model made, verified, and served by range', async () => {
    const key = app.instance.keys.test;
    const steps = STEPS.map(([operation]) => ({
      key: operation,
      operation,
      model: 'sandbox-generator@sandbox',
      parameters: { prompt: 'rain on a roof' },
    }));
    const made = await app.request('/v1/pipelines', {
      ...json({ name: 'all-media', definition: { steps } }),
      key,
    });
    expect(made.status).toBe(201);
    const run = await runToEnd(app, productShot(app, { pipeline: 'all-media', inputs: {} }), key);
    expect(run.state).toBe('SUCCEEDED');
    for (const [operation, mediaType, kind] of STEPS) {
      const { assetId = '' } = run.steps.find((step) => step.key === operation) ?? {};
      const asset = (await (await app.request(`/v1/assets/${assetId}`, { key })).json()) as AssetAnswer;
      expect(asset).toMatchObject({ mediaType, kind });
      const path = `/v1/assets/${assetId}/content`;
      const part = await app.request(path, { key, headers: { range: 'bytes=4-' } });
      const whole = Buffer.from(await (await app.request(path, { key })).arrayBuffer());
      expect([part.status, sha256Hex(whole)]).toEqual([206, asset.sha256]);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(4));
      const isSidecar = asset.manifestPlacement === 'sidecar';
      const manifest = isSidecar
        ? Buffer.from(await (await app.request(`/v1/assets/${assetId}/manifest`, { key })).arrayBuffer())
        : undefined;
      expect(await verify(whole, manifest)).toMatchObject({
        verdict: 'intact_and_trusted',
        log: { status: 'in_log' },
        disclosure: { generativeAi: 'no' },
      });
    }
  });
});

describe('what needs a picture', () => {
  it('refuses a film, before anything is spent', async () => {
    const { id } = await upload('clip.mp4');
    const run = productShot(app, { substitutes: { generate: id } });
    await expectProblem(await app.request('/v1/runs', json(run)), 'invalid_request');
  });

  it('records a new version of a film by its bytes, without a region of pixels', async () => {
    const film = await upload('clip.webm');
    const contribution = {
      actionType: 'LAYOUT',
      basis: 'modification',
      capture: 'declared_at_time',
      tool: { name: 'Kdenlive', version: '24.0' },
      statement: 'cut it anew',
    };
    const path = `/v1/assets/${film.id}/contributions`;
    const same = formWith(await mediaVector('clip.webm'), 'a.webm', { contribution });
    await expectProblem(await app.request(path, postForm(same)), 'conflict');
    const edited = formWith(await mediaVector('clip.mkv'), 'a.mkv', { contribution });
    const answer = await app.request(path, postForm(edited));
    expect(answer.status).toBe(201);
    const { asset, changedRegion } = (await answer.json()) as { asset: AssetAnswer; changedRegion: unknown };
    expect(changedRegion).toBeNull();
    const accept = { accept: 'application/json' };
    const manifest = (await bytesOf(`/v1/assets/${asset.id}/manifest`, accept)).toString();
    // The library drops the history of such an ingredient; the assertion names it.
    expect(manifest).toContain('org.colophon.sidecar-ingredients');
    expect(manifest).toContain(film.manifestSha256);
  });

  it('makes a report on a sound, without pictures', async () => {
    const { id } = await upload('tone.mp3');
    const asked = await app.request('/v1/reports', json({ kind: 'asset', format: 'pdf', assetId: id }));
    const { id: reportId } = (await asked.json()) as { id: string };
    await eventually('the report is done', async () => {
      const report = (await (await app.request(`/v1/reports/${reportId}`)).json()) as { state: string };
      expect(report.state).not.toBe('FAILED');
      return report.state === 'DONE' || undefined;
    });
    expect((await bytesOf(`/v1/reports/${reportId}/content`)).toString('latin1', 0, 5)).toBe('%PDF-');
  });
});
