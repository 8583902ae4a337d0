import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import {
  dataMining,
  gifWithXmp,
  pictureWithXmp,
  plainPicture,
  pngWithText,
  trainingMining,
  xmpPacket,
} from '../../src/provenance/testing/reserved-pictures.js';
import { generatedPlan, SigningWorkshop } from '../../src/provenance/testing/signing-workshop.js';
import { formWith, HARMLESS_FACTS, json, OWN_RIGHTS, postForm, RETOUCH, runToEnd } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface AssetAnswer {
  id: string;
  fileSignals: { origin: string; act: string; use: string; constraint: string | null }[] | null;
  unreadPlaces: string[] | null;
  rights: Record<string, unknown> | null;
}
interface Finding {
  ruleId: string;
  severity: string;
  message: string;
  howToFix: string;
}

/** Allowed with a test key, so that every finding is about the picture. */
const MODEL = 'flux-1-schnell@self-hosted';
const PIPELINES = {
  restyle: [
    {
      key: 'restyle',
      operation: 'generate',
      model: MODEL,
      parameters: { prompt: 'x' },
      images: { image: { input: 'photo' } },
    },
  ],
  'convert-only': [
    {
      key: 'convert',
      operation: 'convert',
      model: 'studio-convert@studio',
      parameters: { format: 'png' },
      images: { image: { input: 'photo' } },
    },
  ],
  /** A picture is generated from words, and beside it the photograph is converted. */
  'both-apart': [
    { key: 'generate', operation: 'generate', model: MODEL, parameters: { prompt: 'x' } },
    {
      key: 'convert',
      operation: 'convert',
      model: 'studio-convert@studio',
      parameters: { format: 'png' },
      images: { image: { input: 'photo' } },
    },
  ],
  'converted-then-restyled': [
    {
      key: 'convert',
      operation: 'convert',
      model: 'studio-convert@studio',
      parameters: { format: 'png' },
      images: { image: { input: 'photo' } },
    },
    {
      key: 'restyle',
      operation: 'generate',
      model: MODEL,
      parameters: { prompt: 'x' },
      images: { image: { step: 'convert' } },
    },
  ],
};

let app: TestApplication;
let workshop: SigningWorkshop;
let inspector: Inspector;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  for (const [name, steps] of Object.entries(PIPELINES)) {
    const stored = await app.request('/v1/pipelines', json({ name, definition: { steps } }));
    expect(stored.status).toBe(201);
  }
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await workshop.close();
});

const testKey = () => app.instance.keys.test;

async function upload(bytes: Buffer, rights: Record<string, unknown> = {}): Promise<AssetAnswer> {
  const declaration = { projectId: app.instance.projectId, rights: { ...OWN_RIGHTS, ...rights } };
  const form = formWith(bytes, 'photo', { declaration });
  const response = await app.request('/v1/assets', { ...postForm(form), key: testKey() });
  expect({ status: response.status, body: response.ok || (await response.text()) }).toEqual({
    status: 201,
    body: true,
  });
  return (await response.json()) as AssetAnswer;
}

function start(pipeline: keyof typeof PIPELINES, photo: string, facts: Record<string, unknown> = {}) {
  return app.request('/v1/runs', { ...json(body(pipeline, photo, facts)), key: testKey() });
}

function body(pipeline: keyof typeof PIPELINES, photo: string, facts: Record<string, unknown> = {}) {
  const { projectId } = app.instance;
  return {
    projectId,
    useCase: 'hero-image',
    pipeline,
    inputs: { photo },
    facts: { ...HARMLESS_FACTS, ...facts },
  };
}

async function stateOf(response: Response): Promise<string> {
  expect(response.status).toBe(202);
  return ((await response.json()) as { state: string }).state;
}

const OF_A_DECISION: ReadonlySet<string> = new Set([
  'clearance',
  'clearance_listing',
  'idempotency_key',
  'listing_archive',
  'log_entries',
  'outlook_archive',
  'seed_seen',
]);

/** Refused before anything is spent: of the run nothing is left but the decision, what it rests on, and its entry. */
async function refused(ask: () => Promise<Response>): Promise<Finding[]> {
  await inspector.atRest();
  const before = await inspector.footprint();
  const response = await ask();
  const { findings } = (await expectProblem(response, 'clearance_denied')) as unknown as {
    findings: Finding[];
  };
  const after = await inspector.footprint();
  const grown = Object.keys(after).filter((name) => after[name] !== before[name]);
  expect(grown.filter((name) => !OF_A_DECISION.has(name))).toEqual([]);
  expect(grown).toEqual(expect.arrayContaining(['clearance', 'log_entries']));
  return findings.filter(({ severity }) => severity === 'deny');
}

async function signedPicture(entries: Parameters<typeof trainingMining>[1]): Promise<Buffer> {
  const assertions = [trainingMining('cawg', entries)];
  return readFile((await workshop.sign(await workshop.picture(), generatedPlan({ assertions }))).path);
}

async function contentOf(id: string): Promise<Buffer> {
  const response = await app.request(`/v1/assets/${id}/content`, { key: testKey() });
  return Buffer.from(await response.arrayBuffer());
}

describe('a picture that forbids AI inference', () => {
  let photo: AssetAnswer;
  beforeAll(async () => {
    photo = await upload(await signedPicture({ ai_inference: { use: 'notAllowed' } }));
  });

  it('is taken in, shown and logged with what it reserves', async () => {
    const forbidden = { origin: 'cawg.training-mining', act: 'ai-inference', use: 'notAllowed' };
    expect(photo).toMatchObject({ fileSignals: [{ ...forbidden, constraint: null }], unreadPlaces: [] });
    const shown = await app.request(`/v1/assets/${photo.id}`, { key: testKey() });
    expect(await shown.json()).toEqual(photo);
    await app.services.sequencer.runOnce();
    const entries = await app.request(`/v1/audit/entries?subject=${photo.id}&type=asset.received`);
    const { items } = (await entries.json()) as { items: { entry: { data: Record<string, unknown> } }[] };
    expect(items[0]?.entry.data).toMatchObject({ fileSignals: [forbidden], unreadPlaces: [] });
  });

  it('is not fed to a model, whatever is declared of it', async () => {
    const findings = await refused(() => start('restyle', photo.id));
    expect(findings).toMatchObject([
      { ruleId: 'input-opt-out', message: expect.stringContaining('forbids') as unknown },
    ]);
    expect(findings[0]?.howToFix).toContain('permissionReference');
    expect(await refused(() => start('converted-then-restyled', photo.id))).toHaveLength(1);
  });

  it('is converted in a pipeline without a model, and beside one', async () => {
    const converted = await runToEnd(app, body('convert-only', photo.id), testKey());
    expect(converted.state).toBe('SUCCEEDED');
    const both = await runToEnd(app, body('both-apart', photo.id), testKey());
    expect(both.state).toBe('SUCCEEDED');
  });

  it('what was made from it is not fed to a model either, even after it left and came back', async () => {
    const run = await runToEnd(app, body('convert-only', photo.id), testKey());
    const made = run.steps[0]?.assetId ?? '';
    expect(await refused(() => start('restyle', made))).toMatchObject([{ ruleId: 'input-opt-out' }]);
    const back = await upload(await contentOf(made));
    // Beside what our own manifests say of training by default.
    expect(back.fileSignals).toContainEqual(
      expect.objectContaining({ act: 'ai-inference', use: 'notAllowed' }),
    );
    // Of the file itself, and of the one that it is a version of.
    const optOut = { ruleId: 'input-opt-out' };
    expect(await refused(() => start('restyle', back.id))).toMatchObject([optOut, optOut]);
  });

  it('a person decides where a written permission is named', async () => {
    const bytes = await signedPicture({ ai_inference: { use: 'notAllowed' } });
    const permitted = await upload(bytes, { permissionReference: 'CONTRACT-7' });
    expect(await stateOf(await start('restyle', permitted.id))).toBe('WAITING_FOR_WAIVER');
  });

  it('a dry run that leaves the reservation out answers like the run', async () => {
    const lineage = {
      components: [{ listingId: MODEL, role: 'generator', stepKey: 's' }],
      inputs: [{ ...OWN_RIGHTS, assetId: photo.id }],
    };
    const asked = await app.request('/v1/clearances', json({ lineage, facts: HARMLESS_FACTS }));
    expect(asked.status).toBe(201);
    expect(await asked.json()).toMatchObject({ decision: 'deny' });
    const stray = { ...lineage, inputs: [{ ...OWN_RIGHTS, goesInto: ['studio-crop@studio'] }] };
    await expectProblem(
      await app.request('/v1/clearances', json({ lineage: stray, facts: HARMLESS_FACTS })),
      'invalid_request',
    );
  });
});

describe('other reservations', () => {
  it('a picture that says nothing runs', async () => {
    const photo = await upload(await plainPicture('jpeg'));
    expect(photo).toMatchObject({ fileSignals: [], unreadPlaces: [] });
    expect(await stateOf(await start('restyle', photo.id))).toBe('RUNNING');
  });

  it.each([
    ['a condition', () => signedPicture({ ai_inference: { use: 'constrained', constraint_info: 'ask me' } })],
    ['mining of every kind (PLUS)', () => pictureWithXmp('jpeg', xmpPacket(dataMining('DMI-PROHIBITED')))],
    ['mining of every kind (TDMRep)', () => pictureWithXmp('webp', xmpPacket('', 'tdm:reservation="1"'))],
    [
      'a GIF that reserves',
      async () => gifWithXmp(await plainPicture('gif'), xmpPacket(dataMining('DMI-PROHIBITED'))),
    ],
    [
      'XMP that cannot be read',
      async () =>
        pngWithText(await plainPicture('png'), Buffer.from('<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>')),
    ],
  ])('%s waits for a person before a model, and is converted without', async (_what, picture) => {
    const photo = await upload(await picture());
    expect(await stateOf(await start('restyle', photo.id))).toBe('WAITING_FOR_WAIVER');
    expect(await stateOf(await start('convert-only', photo.id))).toBe('RUNNING');
  });

  it('training alone is reserved: the run goes on', async () => {
    const photo = await upload(
      await pictureWithXmp('jpeg', xmpPacket(dataMining('DMI-PROHIBITED-GENAIMLTRAINING'))),
    );
    expect(await stateOf(await start('restyle', photo.id))).toBe('RUNNING');
  });

  it('survives a conversion that drops XMP, and the way out and back in', async () => {
    const photo = await upload(await pictureWithXmp('jpeg', xmpPacket(dataMining('DMI-PROHIBITED'))));
    const run = await runToEnd(app, body('convert-only', photo.id), testKey());
    const bytes = await contentOf(run.steps[0]?.assetId ?? '');
    expect(bytes.includes('DMI-PROHIBITED')).toBe(false);
    const back = await upload(bytes);
    expect(back.fileSignals).toContainEqual({
      origin: 'plus.data-mining',
      act: 'data-mining',
      use: 'notAllowed',
      constraint: null,
    });
    expect(await stateOf(await start('restyle', back.id))).toBe('WAITING_FOR_WAIVER');
  });

  it("counts in a person's edit", async () => {
    const picture = await plainPicture('png');
    const photo = await upload(picture);
    const reserved = pngWithText(
      await retouched(picture),
      Buffer.from(xmpPacket(dataMining('DMI-PROHIBITED'))),
    );
    const form = formWith(reserved, 'e.png', { contribution: RETOUCH });
    const path = `/v1/assets/${photo.id}/contributions`;
    const response = await app.request(path, { ...postForm(form), key: testKey() });
    expect(response.status).toBe(201);
    const { asset } = (await response.json()) as { asset: AssetAnswer };
    expect(asset.fileSignals).toHaveLength(3);
    expect(await stateOf(await start('restyle', asset.id))).toBe('WAITING_FOR_WAIVER');
  });
});

describe('declared rights', () => {
  const CAMPAIGN = { campaignStart: '2026-12-01', campaignEnd: '2026-12-31' };
  const release = { reference: 'M-1', coversAiAlteration: 'yes', expiresAt: null };
  const DECLARED: [string, Record<string, unknown>, string][] = [
    [
      'a release that ends during the campaign',
      { releases: [{ ...release, expiresAt: '2026-12-15' }] },
      'input-release',
    ],
    ['a release for other countries', { releases: [{ ...release, territory: ['DE'] }] }, 'input-release'],
    ['a right that ends during the campaign', { expiresAt: '2026-12-15' }, 'input-expiry'],
    ['a right for other countries', { territory: ['DE', 'FR'] }, 'input-territory'],
    ['a right for another purpose', { allowedUses: ['editorial'] }, 'input-purpose'],
    ['no right', { rightsBasis: 'none' }, 'input-rights-basis'],
  ];
  it.each(DECLARED)('%s is refused, with and without a model', async (_what, rights, ruleId) => {
    const photo = await upload(await plainPicture('jpeg'), rights);
    expect(photo.rights).toMatchObject(rights);
    for (const pipeline of ['restyle', 'convert-only'] as const)
      expect(await refused(() => start(pipeline, photo.id, CAMPAIGN))).toMatchObject([{ ruleId }]);
  });

  it('a release up to the last day of the campaign is enough', async () => {
    const photo = await upload(await plainPicture('jpeg'), {
      releases: [{ ...release, expiresAt: '2026-12-31' }],
    });
    expect(await stateOf(await start('restyle', photo.id, CAMPAIGN))).toBe('RUNNING');
  });

  it.each([
    [
      'a release without digital replica',
      { releases: [{ ...release, coversAiAlteration: 'no' }] },
      'input-release',
    ],
    ['a right without AI input', { aiInput: 'no' }, 'input-ai-use'],
  ])('%s is refused where a model is, and converted where none is', async (_what, rights, ruleId) => {
    const photo = await upload(await plainPicture('jpeg'), rights);
    expect(await refused(() => start('restyle', photo.id))).toMatchObject([{ ruleId }]);
    expect(await stateOf(await start('both-apart', photo.id))).toBe('RUNNING');
  });

  it.each(['fileSignals', 'unreadPlaces', 'goesInto'])(
    '%s is not for the sender to declare',
    async (field) => {
      const declaration = { projectId: app.instance.projectId, rights: { ...OWN_RIGHTS, [field]: [] } };
      const form = formWith(await plainPicture('png'), 'photo', { declaration });
      await expectProblem(await app.request('/v1/assets', postForm(form)), 'invalid_request');
    },
  );
});
