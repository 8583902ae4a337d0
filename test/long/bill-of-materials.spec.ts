import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  addPerson,
  formWith,
  HARMLESS_FACTS,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  runToEnd,
} from '../support/api.js';
import { type Listing } from '../../src/licenses/domain/listing.js';
import { cycloneDxSchema, spdxSchema } from '../support/bom-schemas.js';
import { eventually } from '../support/eventually.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { licenseFact, ownLicenseText, ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

let app: TestApplication;
let legal: string;

beforeAll(async () => {
  app = await startTestApplication();
  ({ key: legal } = await addPerson(app, ['legal']));
});
afterAll(async () => {
  await app.close();
});

const validate = {
  cyclonedx: cycloneDxSchema('1.6'),
  'cyclonedx-1.7': cycloneDxSchema('1.7'),
  spdx3: spdxSchema(),
};
const MEDIA_TYPES: Record<string, string> = {
  cyclonedx: 'application/vnd.cyclonedx+json; version=1.6',
  'cyclonedx-1.7': 'application/vnd.cyclonedx+json; version=1.7',
  spdx3: 'application/spdx+json',
};

interface Named {
  name: string;
  value: string;
}
interface CycloneDx {
  serialNumber: string;
  metadata: { component: Record<string, unknown>; properties: Named[]; timestamp: string };
  components: { type: string; name: string; properties: Named[] }[];
  annotations: { text: string }[];
}

/** In all three formats, each valid by its official schema; the first one comes back. */
async function bomOf(path: string): Promise<CycloneDx> {
  const join = path.includes('?') ? '&' : '?';
  const documents = new Map<string, unknown>();
  for (const [format, isValid] of Object.entries(validate)) {
    const response = await app.request(`${path}${join}format=${format}`);
    const text = await response.text();
    expect([response.status, text]).toEqual([200, expect.anything()]);
    expect(response.headers.get('content-type')).toContain(MEDIA_TYPES[format]);
    const document = JSON.parse(text) as Record<string, unknown>;
    isValid(document);
    expect((isValid.errors ?? []).slice(0, 3)).toEqual([]);
    documents.set(format, document);
  }
  return documents.get('cyclonedx') as CycloneDx;
}
const valueOf = (properties: readonly Named[], name: string) =>
  properties.filter((property) => property.name === name).map(({ value }) => value);
/** `[listing id, sha256 of the listing]` of everything that is no training data. */
const listingsOf = ({ components }: CycloneDx) =>
  components
    .filter(({ type }) => type !== 'data')
    .map(({ properties }) => [
      ...valueOf(properties, 'colophon:listing:id'),
      ...valueOf(properties, 'colophon:listing:sha256'),
    ]);
const withoutStamp = ({ serialNumber: _serial, metadata, ...rest }: CycloneDx) => ({
  ...rest,
  metadata: { ...metadata, timestamp: '' },
  annotations: rest.annotations.map(({ text }) => text),
});
const asLegal = async (path: string, body: unknown) =>
  expect((await app.request(path, { ...json(body), key: legal })).status).toBe(201);
const STUDIO = ['studio-convert', 'studio-crop', 'studio-cut-out', 'studio-recolor', 'studio-scene'].map(
  (name) => `${name}@studio`,
);

describe('the bill of materials of an asset', () => {
  it('names what it was made with, as it was decided, whatever the registry says afterwards', async () => {
    const run = await runToEnd(app, productShot(app));
    const assetId = run.steps.at(-1)?.assetId ?? '';
    const path = `/v1/assets/${assetId}/bom`;
    const { input } = (await (await app.request(`/v1/clearances/${run.clearanceId}`)).json()) as {
      input: { listings: [string, string][] };
    };
    const before = await bomOf(path);
    expect(listingsOf(before)).toEqual(
      input.listings.filter(([id]) => listingsOf(before).some(([listed]) => listed === id)),
    );
    expect(listingsOf(before).map(([id]) => id)).toEqual(expect.arrayContaining([STUDIO[4]]));
    const { sha256 } = (await (await app.request(`/v1/assets/${assetId}`)).json()) as { sha256: string };
    expect(before.metadata.component).toMatchObject({ hashes: [{ alg: 'SHA-256', content: sha256 }] });
    const { properties } = before.metadata;
    expect(valueOf(properties, 'colophon:clearance:id')).toEqual([run.clearanceId]);
    expect(valueOf(properties, 'colophon:clearance:decision')).toEqual(['allow']);
    expect(valueOf(properties, 'colophon:subject:mode')).toEqual(['live']);

    await asLegal('/v1/license-texts', {
      licenseKey: 'Apache-2.0',
      text: 'a text of 2030',
      readOn: '2026-11-22',
      listingIds: STUDIO,
    });
    expect(withoutStamp(await bomOf(path))).toEqual(withoutStamp(before));
    // Each answer is a document of its own.
    expect((await bomOf(path)).serialNumber).not.toBe(before.serialNumber);
    // So does a dossier, and it says what was recorded otherwise since.
    const { models, gaps } = await dossierOf(assetId);
    const scene = models.find(({ listingId }) => listingId === 'studio-scene@studio');
    expect([[scene?.listingId, scene?.listingSha256]]).toEqual(
      listingsOf(before).filter(([id]) => id === 'studio-scene@studio'),
    );
    expect(scene?.decidedBy).toEqual([run.clearanceId]);
    expect(scene?.changedSince).toEqual([
      'Recorded otherwise since the decision: license. The license was current and is superseded.',
    ]);
    const changed = models.filter(({ changedSince }) => changedSince.length > 0);
    expect(changed.length).toBeGreaterThan(1);
    expect(gaps.filter(({ text }) => text.includes('since the decision'))).toHaveLength(changed.length);
    // The text is the old one again: what follows is decided with it.
    await restoreStudio();
  });

  interface Dossier {
    models: { listingId: string; listingSha256: string; decidedBy: string[]; changedSince: string[] }[];
    gaps: { text: string }[];
  }
  async function dossierOf(assetId: string): Promise<Dossier> {
    const body = json({ kind: 'asset', format: 'json', assetId });
    const { id } = (await (await app.request('/v1/reports', body)).json()) as { id: string };
    await eventually('the report is made', async () => {
      const { state } = (await (await app.request(`/v1/reports/${id}`)).json()) as { state: string };
      if (state === 'FAILED') throw new Error('the report failed');
      return state === 'DONE' || undefined;
    });
    return (await (await app.request(`/v1/reports/${id}/content`)).json()) as Dossier;
  }

  async function restoreStudio(): Promise<void> {
    const { sha256 } = (
      (await (await app.request('/v1/license-texts')).json()) as { items: { sha256: string }[] }
    ).items[0] ?? { sha256: '' };
    for (const listingId of STUDIO) {
      const { license } = (await (await app.request(`/v1/models/${listingId}`)).json()) as {
        license: Listing['license'];
      };
      const fact = licenseFact(license, { textSha256: sha256, status: 'current', statusReason: '' });
      const correction = { kind: 'license', license: fact };
      const evidence = { title: 'Text', dateRead: '2026-11-22', textSha256: sha256 };
      await asLegal('/v1/curations', { listingId, correction, evidence, reason: 'read' });
    }
  }

  it('of a step in the middle names only what led to it', async () => {
    const run = await runToEnd(app, productShot(app));
    const first = await bomOf(`/v1/assets/${run.steps[0]?.assetId}/bom`);
    const last = await bomOf(`/v1/assets/${run.steps.at(-1)?.assetId}/bom`);
    expect(listingsOf(first).map(([id]) => id)).toEqual(['studio-scene@studio']);
    expect(listingsOf(last).length).toBeGreaterThan(1);
    for (const { text } of first.annotations) expect(text).not.toContain('studio-convert');
  });

  it('of a test run says so; of an upload names no model', async () => {
    const { test } = app.instance.keys;
    const run = await runToEnd(app, productShot(app), test);
    const made = await bomOf(`/v1/assets/${run.steps.at(-1)?.assetId}/bom`);
    expect(valueOf(made.metadata.properties, 'colophon:subject:mode')).toEqual(['test']);
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const form = postForm(formWith(await noisePicture(), 'a.png', { declaration }));
    const { id } = (await (await app.request('/v1/assets', form)).json()) as { id: string };
    const uploaded = await bomOf(`/v1/assets/${id}/bom`);
    expect([uploaded.components, uploaded.annotations]).toEqual([[], []]);
    expect(valueOf(uploaded.metadata.properties, 'colophon:basis:decisions')).toEqual(['0']);
  });

  it('tells every item that the laws ask of training data, disclosed or not', async () => {
    const own = ownListing({ id: 'told.v1@self-hosted' });
    await asLegal('/v1/license-texts', ownLicenseText());
    await asLegal('/v1/models', { listing: own });
    const told = { name: 'told', definition: { steps: [stepWith(own.id)] } };
    expect((await app.request('/v1/pipelines', json(told))).status).toBe(201);
    const bom = await bomOf('/v1/pipelines/told/bom');
    const data = bom.components.find(({ type }) => type === 'data');
    const items = (data?.properties ?? []).filter(({ name }) => /^colophon:(ab-2013|eu-summary):/.test(name));
    expect(items).toHaveLength(25);
    const answers = new Map(items.map(({ name, value }) => [name, value]));
    expect(answers.get('colophon:ab-2013:purchasedOrLicensed')).toBe('stated: owned');
    expect(answers.get('colophon:ab-2013:syntheticData')).toBe('not disclosed');
    const { trainingDisclosure } = (await (await app.request(`/v1/models/${own.id}/terms`)).json()) as {
      trainingDisclosure: { ab2013: { item: string; standing: string }[]; euSummary: unknown[] };
    };
    expect(trainingDisclosure.ab2013).toHaveLength(12);
    expect(trainingDisclosure.euSummary).toHaveLength(13);
    expect(trainingDisclosure.ab2013.find(({ item }) => item === 'syntheticData')).toMatchObject({
      standing: 'not disclosed',
      answer: null,
    });
  });

  const stepWith = (model: string) => ({
    key: 'a',
    operation: 'generate',
    model,
    parameters: {},
    images: {},
  });
});

describe('the bill of materials of a pipeline and of a use case', () => {
  it('of a pipeline: its definition, or what was cleared for it in a time', async () => {
    const defined = await bomOf('/v1/pipelines/product-shot/bom');
    expect(defined.metadata.component).toMatchObject({ name: 'product-shot' });
    expect(valueOf(defined.metadata.properties, 'colophon:basis:decisions')).toEqual([]);
    expect(defined.annotations).toEqual([]);
    await runToEnd(app, productShot(app));
    const today = new Date().toISOString().slice(0, 10);
    const cleared = await bomOf(`/v1/pipelines/product-shot@1/bom?since=2026-01-01&until=${today}`);
    expect(listingsOf(cleared).map(([id]) => id)).toEqual(listingsOf(defined).map(([id]) => id));
    const [decisions] = valueOf(cleared.metadata.properties, 'colophon:basis:decisions');
    expect(Number(decisions)).toBeGreaterThan(0);
    await expectProblem(await app.request('/v1/pipelines/product-shot@2/bom?since=2026-01-01'), 'not_found');
    const long = await bomOf('/v1/pipelines/product-shot/bom?until=2020-01-01');
    expect(long.components).toEqual([]);
  });

  it('of a use case: every model cleared and used, not what was denied, waits or was only tested', async () => {
    const name = 'banner';
    const added = await app.request(`/v1/projects/${app.instance.projectId}/use-cases`, json({ name }));
    const { id } = (await added.json()) as { id: string };
    const path = `/v1/use-cases/${id}/bom`;
    expect((await bomOf(path)).components).toEqual([]);
    const start = async (changes: Record<string, unknown>, status: number, key?: string) => {
      const body = json(productShot(app, { useCase: name, ...changes }));
      const response = await app.request('/v1/runs', { ...body, ...(key === undefined ? {} : { key }) });
      expect(response.status).toBe(status);
      await response.text();
    };
    const inputs = (model: string) => ({ inputs: { prompt: 'a', width: 256, height: 256, model } });
    const facts = { ...HARMLESS_FACTS, audienceCountries: ['DE'] };
    await start({ ...inputs('hunyuan-image-3.0@fal'), facts }, 403);
    await start(inputs('flux-1-schnell@fal'), 202, app.instance.keys.test);
    expect((await bomOf(path)).components).toEqual([]);
    await runToEnd(app, productShot(app, { useCase: name }));
    const once = listingsOf(await bomOf(path));
    expect(once.map(([listing]) => listing)).toContain('studio-scene@studio');
    // Another version of a listing since: the last one is described, the earlier one is named.
    const trainingData = { disclosure: 'none', summary: 'It learnt from nothing: a library of shapes.' };
    const evidence = { title: 'Source code', quote: 'it only draws shapes', dateRead: '2026-11-22' };
    const correction = { kind: 'training-data', trainingData };
    await asLegal('/v1/curations', { listingId: 'studio-scene@studio', correction, evidence, reason: 'r' });
    await runToEnd(app, productShot(app, { useCase: name }));
    const bom = await bomOf(path);
    const scene = bom.components.find(({ properties }) =>
      valueOf(properties, 'colophon:listing:id').includes('studio-scene@studio'),
    );
    const [, old] = once.find(([listing]) => listing === 'studio-scene@studio') ?? [];
    expect(valueOf(scene?.properties ?? [], 'colophon:listing:earlier-sha256')).toEqual([old]);
  });

  it('of what does not exist is not found, in no format that does not exist', async () => {
    const none = '0'.repeat(32);
    for (const path of [
      `assets/ast_${none}`,
      `use-cases/use_${none}`,
      `pipelines/pip_${none}`,
      'pipelines/nope',
    ])
      await expectProblem(await app.request(`/v1/${path}/bom`), 'not_found');
    await expectProblem(await app.request('/v1/pipelines/product-shot/bom?format=xml'), 'invalid_request');
    await expectProblem(await app.request('/v1/pipelines/nope/bom?since=2026-01-01'), 'not_found');
  });
});
