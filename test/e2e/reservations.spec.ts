import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { formWith, json, OWN_RIGHTS, postForm, RETOUCH } from '../support/api.js';
import { PipelineRuns } from '../support/pipeline-runs.js';
import { expectProblem } from '../support/problem.js';
import { ownLicenseText, ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** A vendor's model that is paid by the megapixel, and gives back what goes in as large as it was. */
const MODEL = 'brand-look.v1@fal';
const ENDPOINT = 'brand/look';
const MICRO_USD_PER_MEGAPIXEL = 1_000;

let app: TestApplication;
let fal: FakeFal;
let folder: string;
let runs: PipelineRuns;

beforeAll(async () => {
  fal = await FakeFal.start();
  folder = mkdtempSync(join(tmpdir(), 'colophon-reservations-'));
  const servers = join(folder, 'servers.json');
  const price = {
    family: 'per-megapixel',
    firstMicroUsd: MICRO_USD_PER_MEGAPIXEL,
    furtherMicroUsd: MICRO_USD_PER_MEGAPIXEL,
    settledBy: { meter: 'unit', microUsd: MICRO_USD_PER_MEGAPIXEL },
    source: 'a contract',
    dateRead: '2026-11-22',
    verified: true,
  };
  const offering = { listingId: MODEL, provider: 'fal', endpoint: ENDPOINT, operations: ['edit'] };
  const content = { offerings: [offering], prices: [{ provider: 'fal', endpoint: ENDPOINT, price }] };
  writeFileSync(servers, JSON.stringify(content), { mode: 0o600 });
  app = await startTestApplication({
    COLOPHON_SERVERS_FILE: servers,
    FAL_KEY: FAKE_FAL_CREDENTIALS,
    FAL_BASE_URL: fal.origin,
  });
  const listing = ownListing({ id: MODEL, roles: ['editor'] });
  for (const [path, body] of [
    ['/v1/license-texts', ownLicenseText()],
    ['/v1/models', { listing }],
  ] as const)
    expect((await app.request(path, json(body))).ok).toBe(true);
  runs = new PipelineRuns(app, app.instance.keys.live);
});
afterAll(async () => {
  await app.close();
  await fal.stop();
  rmSync(folder, { recursive: true });
});

const photograph = (shade: number) =>
  sharp({ create: { width: 6000, height: 4000, channels: 3, background: { r: shade, g: 90, b: 90 } } })
    .png()
    .toBuffer();
async function uploaded(content: Buffer): Promise<string> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = formWith(content, 'photo.png', { declaration });
  const answer = await app.request('/v1/assets', postForm(form));
  const { id, detail } = (await answer.json()) as { id: string; detail?: string };
  expect([answer.status, detail]).toEqual([201, undefined]);
  return id;
}
const edit = (image: object, parameters: object = {}) => ({
  key: 'edit',
  operation: 'edit',
  model: MODEL,
  parameters: { prompt: 'make it blue', ...parameters },
  images: { image_url: image },
});
const hardLimit = (microUsd: string) =>
  app.request('/v1/budget', {
    ...json({ limitMicroUsd: microUsd, allowBelowCommitted: true }),
    method: 'PUT',
  });

describe('an edit that is paid by the megapixel', () => {
  it('reserves what goes in, so that a hard limit holds', async () => {
    const photo = await uploaded(await photograph(10));
    const asItIs = await runs.define(edit({ input: 'photo' }));
    const smaller = await runs.define(edit({ input: 'photo' }, { image_size: 'square_hd' }));
    expect((await hardLimit('10000')).status).toBe(200);
    const problem = await expectProblem(await runs.begin(asItIs, { photo }), 'budget_exceeded');
    expect(problem).toMatchObject({ neededMicroUsd: '24000' });
    expect(fal.attempts()).toEqual([]);
    const run = await runs.ended(await runs.start(smaller, { photo }));
    expect(run.steps).toMatchObject([{ state: 'SUCCEEDED', reservedMicroUsd: '2000' }]);
  });

  it('is not sent with a picture that is larger than what could be reserved for it', async () => {
    expect((await hardLimit('1000000')).status).toBe(200);
    const pipeline = await runs.define(
      {
        key: 'scene',
        operation: 'generate',
        model: 'studio-scene@studio',
        parameters: { prompt: 'x', width: 256, height: 256 },
      },
      { key: 'touch', operation: 'wait-for-edit', images: { image: { step: 'scene' } } },
      edit({ step: 'touch' }),
    );
    const sent = fal.attempts().length;
    const id = await runs.start(pipeline);
    const shown = (await runs.stepIn(id, 'touch', 'WAITING')).waitsFor?.shown[0] ?? '';
    const form = formWith(await photograph(20), 'e.png', { contribution: RETOUCH });
    const edited = await app.request(`/v1/assets/${shown}/contributions`, postForm(form));
    const { asset } = (await edited.json()) as { asset: { id: string } };
    expect((await runs.answer(id, 'touch', { outcome: 'edited', assetId: asset.id })).status).toBe(200);
    const run = await runs.ended(id);
    expect(run.steps.at(-1)).toMatchObject({
      state: 'FAILED',
      error: { code: 'budget_exceeded' },
      reservedMicroUsd: '17000',
    });
    expect(fal.attempts().length).toBe(sent);
  });
});
