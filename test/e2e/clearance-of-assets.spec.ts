import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Finding } from '../../src/licenses/domain/finding.js';
import { type Lineage } from '../../src/licenses/domain/lineage.js';
import { MADE_HERE } from '../../src/licenses/domain/lineage-parts.js';
import { createDevelopmentOrganization } from '../../src/identity/application/create-development-organization.js';
import { formWith, HARMLESS_FACTS, json, OWN_RIGHTS, postForm, RETOUCH, runToEnd } from '../support/api.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Answer {
  id: string;
  decision: string;
  findings: Finding[];
  termsSha256: string;
  input?: { lineage: Lineage };
}

/** Its license allows research, and no gainful use of what it makes. The sandbox plays it as it plays every model. */
const RESEARCH = 'nvdiffrast@self-hosted';
const OPEN = 'flux-1-schnell@self-hosted';
const CONVERT = 'studio-convert@studio';
const restyled = (model: string) => ({
  key: 'restyle',
  operation: 'edit',
  model,
  parameters: { prompt: 'x' },
  images: { image: { input: 'photo' } },
});
const PIPELINES = {
  'research-made': [restyled(RESEARCH)],
  'convert-and-restyle': [
    {
      key: 'convert',
      operation: 'convert',
      model: CONVERT,
      parameters: { format: 'png' },
      images: { image: { input: 'photo' } },
    },
    { ...restyled(OPEN), images: { image: { step: 'convert' } } },
  ],
};
/** What the second pipeline uses, as a caller names it who has no pipeline yet. */
const USED = [
  { listingId: CONVERT, role: 'editor', stepKey: 'convert' },
  { listingId: OPEN, role: 'editor', stepKey: 'restyle' },
];

let app: TestApplication;
let photo: string;
let made: string;
let edited: string;

const testKey = () => app.instance.keys.test;
const body = (pipeline: keyof typeof PIPELINES, input: string, facts: object = {}) => ({
  projectId: app.instance.projectId,
  useCase: 'hero-image',
  pipeline,
  inputs: { photo: input },
  facts: { ...HARMLESS_FACTS, ...facts },
});

beforeAll(async () => {
  app = await startTestApplication();
  for (const [name, steps] of Object.entries(PIPELINES))
    expect((await app.request('/v1/pipelines', json({ name, definition: { steps } }))).status).toBe(201);
  const picture = await noisePicture();
  const rights = { ...OWN_RIGHTS, allowedUses: ['commercial', 'non-commercial'] };
  const declaration = { projectId: app.instance.projectId, rights };
  const upload = { ...postForm(formWith(picture, 'photo.png', { declaration })), key: testKey() };
  photo = await idOf(app.request('/v1/assets', upload));
  const run = await runToEnd(app, body('research-made', photo, { purpose: 'non-commercial' }), testKey());
  expect(run.state).toBe('SUCCEEDED');
  made = run.steps[0]?.assetId ?? '';
  const form = formWith(await retouched(picture), 'edit.png', { contribution: RETOUCH });
  const contribution = app.request(`/v1/assets/${made}/contributions`, {
    ...postForm(form),
    key: testKey(),
  });
  ({
    asset: { id: edited },
  } = (await (await contribution).json()) as { asset: { id: string } });
});
afterAll(() => app.close());

async function idOf(response: Promise<Response>): Promise<string> {
  return ((await (await response).json()) as { id: string }).id;
}

async function clearance(id: string, key = testKey()): Promise<Required<Answer>> {
  return (await (await app.request(`/v1/clearances/${id}`, { key })).json()) as Required<Answer>;
}

async function dryRun(lineage: object, key = testKey()): Promise<Required<Answer>> {
  const asked = await app.request('/v1/clearances', { ...json({ lineage, facts: HARMLESS_FACTS }), key });
  expect(asked.status).toBe(201);
  return clearance(((await asked.json()) as Answer).id, key);
}

describe('a dry run on an asset that was made here', () => {
  it('is not allowed what the model behind the asset does not allow', async () => {
    const alone = await dryRun({ components: USED, inputs: [{ ...OWN_RIGHTS, assetId: photo }] });
    expect(alone.decision).toBe('allow');
    for (const key of [testKey(), app.instance.keys.live]) {
      for (const assetId of [made, edited]) {
        const asked = await dryRun({ components: USED, inputs: [{ ...OWN_RIGHTS, assetId }] }, key);
        expect(asked.decision).toBe('deny');
        expect(asked.findings.filter(({ severity }) => severity === 'deny')).toContainEqual(
          expect.objectContaining({ listingId: RESEARCH }),
        );
      }
    }
  });

  it('is about the same lineage as the run', async () => {
    const denied = await app.request('/v1/runs', {
      ...json(body('convert-and-restyle', edited)),
      key: testKey(),
    });
    const { clearanceId } = (await expectProblem(denied, 'clearance_denied')) as unknown as {
      clearanceId: string;
    };
    const run = await clearance(clearanceId);
    expect(run.input.lineage.inputs.map(({ assetId }) => assetId)).toContain(photo);
    const asked = await dryRun({ components: USED, inputs: [{ ...MADE_HERE, assetId: edited }] });
    expect(asked.input.lineage).toEqual(run.input.lineage);
    expect(asked).toMatchObject({ decision: 'deny', termsSha256: run.termsSha256 });
    const replayed = await app.request(`/v1/clearances/${asked.id}/replay`);
    expect(await replayed.json()).toMatchObject({ same: true });
  });

  it('says nothing of the asset of another organization, or of none', async () => {
    const neighbor = await createDevelopmentOrganization(app.services, new URL(app.url).host);
    for (const assetId of [made, `ast_${'0'.repeat(32)}`]) {
      const inputs = [{ ...OWN_RIGHTS, assetId }];
      const asked = await dryRun({ components: USED, inputs }, neighbor.keys.test);
      expect(asked).toMatchObject({ decision: 'allow', input: { lineage: { components: USED, inputs } } });
    }
  });

  it('keeps the model behind the asset, whatever an alternative puts in the place of others', async () => {
    const lineage = { components: USED, inputs: [{ ...OWN_RIGHTS, assetId: made }] };
    const { audienceCountries: countries, ...facts } = HARMLESS_FACTS;
    const matrix = (models: Record<string, string>) => ({
      lineage,
      alternatives: [{ name: 'as it is' }, { name: 'swapped', models }],
      audiences: [{ countries }],
      facts,
    });
    // Both pipelines call their step "restyle".
    const asked = await app.request(
      '/v1/clearances',
      json({ matrix: matrix({ restyle: 'z-image-turbo@self-hosted' }) }),
    );
    const { id } = (await asked.json()) as { id: string };
    const read = (await (await app.request(`/v1/clearances/matrices/${id}`)).json()) as {
      same: boolean;
      cells: { decision: string }[];
      question: { alternatives: { lineage: Lineage }[] };
    };
    expect(read.cells.map(({ decision }) => decision)).toEqual(['deny', 'deny']);
    expect(read.same).toBe(true);
    const swapped = read.question.alternatives[1]?.lineage.components ?? [];
    expect(swapped.map(({ listingId }) => listingId).sort()).toEqual(
      [CONVERT, RESEARCH, 'z-image-turbo@self-hosted'].sort(),
    );
  });
});
