import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Finding } from '../../src/licenses/domain/finding.js';
import { addPerson, json } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { ownLicenseText, ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

let app: TestApplication;
let inspector: Inspector;
let legal: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  ({ key: legal } = await addPerson(app, ['legal']));
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

interface Cell {
  alternative: string;
  audience: string;
  purpose: string;
  decision: string;
  findings: number[];
  obligationCount: number;
  obligations: number[];
  indemnity: unknown[];
  inputSha256: string;
  termsSha256: string;
}
interface Matrix {
  id: string;
  summary: Record<string, number>;
  resultSha256: string;
  cells: Cell[];
  findings: Finding[];
  obligations: unknown[];
  same?: boolean;
  changedListings?: string[];
  question?: { alternatives: { name: string; lineage: unknown }[] };
}

const FACTS = {
  purpose: 'commercial',
  organizationRevenueUsd: 500_000,
  organizationRevenueWithAffiliatesUsd: 500_000,
  labelPlanned: 'yes',
  attributionPlanned: 'yes',
  humanReviewPlanned: 'yes',
  hosting: 'own-use',
  processingCountries: ['US'],
  generatedOn: '2026-11-25',
} as const;
const AUDIENCES = [
  { name: 'home', countries: ['US'] },
  { name: 'union', countries: ['FR', 'DE'] },
  { countries: 'worldwide' },
];
const models = (...ids: string[]) => ({
  components: ids.map((listingId, at) => ({ listingId, role: 'generator', stepKey: `step-${at}` })),
});

async function post<T>(body: unknown, status = 201): Promise<T> {
  const response = await app.request('/v1/clearances', json(body));
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.anything()]);
  return JSON.parse(text) as T;
}
const asMatrix = (matrix: Record<string, unknown>) => post<Matrix>({ matrix: { facts: FACTS, ...matrix } });
const get = async <T>(path: string) => (await (await app.request(path)).json()) as T;
const refused = async (matrix: Record<string, unknown>) =>
  expectProblem(
    await app.request('/v1/clearances', json({ matrix: { facts: FACTS, ...matrix } })),
    'invalid_request',
  );

describe('a matrix of clearances', () => {
  const alternatives = [
    { name: 'open', lineage: models('flux-1-schnell@self-hosted') },
    { name: 'bordered', lineage: models('hunyuan-image-3.0@self-hosted') },
    { name: 'mixed', lineage: models('gpt-image-1@openai', 'krea-2@self-hosted', 'nobody@nowhere') },
  ];

  it('answers each cell exactly as the question for it alone is answered', async () => {
    const purposes = ['commercial', 'internal-evaluation'];
    const matrix = await asMatrix({ alternatives, audiences: AUDIENCES, purposes });
    expect(
      matrix.cells.map(({ alternative, audience, purpose }) => [alternative, audience, purpose]),
    ).toEqual(
      alternatives.flatMap(({ name }) =>
        ['home', 'union', 'worldwide'].flatMap((audience) =>
          purposes.map((purpose) => [name, audience, purpose]),
        ),
      ),
    );
    for (const cell of matrix.cells) {
      const lineage = alternatives.find(({ name }) => name === cell.alternative)?.lineage;
      const countries = AUDIENCES.find(({ name = 'worldwide' }) => name === cell.audience)?.countries;
      const facts = { ...FACTS, purpose: cell.purpose, audienceCountries: countries };
      const alone = await post<Record<string, unknown> & { findings: Finding[] }>({ lineage, facts });
      expect({
        decision: cell.decision,
        findings: cell.findings.map((at) => matrix.findings[at]),
        obligations: cell.obligations.map((at) => matrix.obligations[at]),
        indemnity: cell.indemnity,
        inputSha256: cell.inputSha256,
        termsSha256: cell.termsSha256,
      }).toEqual({
        decision: alone.decision,
        findings: alone.findings.filter(({ severity }) => severity !== 'note'),
        obligations: alone.obligations,
        indemnity: alone.indemnity,
        inputSha256: alone.inputSha256,
        termsSha256: alone.termsSha256,
      });
      expect(cell.obligationCount).toBe(cell.obligations.length);
    }
    const decisions = new Set(matrix.cells.map(({ decision }) => decision));
    expect([...decisions].sort()).toEqual(['allow', 'deny', 'review']);
    expect(matrix.summary.cells).toBe(18);
  });

  it('is recorded once: one row, one entry with the hashes, no decision for a run to rest on', async () => {
    const count = async () => {
      const [row] = await inspector.query<Record<string, string>>(
        'SELECT (SELECT count(*) FROM clearance_matrix) AS matrices, (SELECT count(*) FROM clearance) AS clearances',
      );
      return [Number(row?.matrices), Number(row?.clearances)];
    };
    const [matrices = 0, clearances = 0] = await count();
    const matrix = await asMatrix({ alternatives, audiences: AUDIENCES });
    expect(await count()).toEqual([matrices + 1, clearances]);
    const entries = await inspector.query<{ entry: Buffer }>(
      `SELECT entry FROM audit_entry WHERE entry_type = 'clearance.matrix_decided'
       UNION ALL SELECT entry FROM audit_pending WHERE entry_type = 'clearance.matrix_decided'`,
    );
    const logged = entries.map(
      ({ entry }) => JSON.parse(entry.toString()) as { subject: { id: string }; data: unknown },
    );
    const ours = logged.filter(({ subject }) => subject.id === matrix.id);
    expect(ours.map(({ data }) => data)).toEqual([
      expect.objectContaining({ resultSha256: matrix.resultSha256, ...matrix.summary }),
    ]);
  });

  it('takes a pipeline and other models for its steps', async () => {
    const matrix = await asMatrix({
      pipeline: 'product-shot',
      alternatives: [
        { name: 'as it is' },
        { name: 'hunyuan', models: { generate: 'hunyuan-image-3.0@fal' } },
      ],
      audiences: [{ countries: ['DE'] }],
    });
    expect(matrix.cells.map(({ decision }) => decision)).toEqual(['allow', 'deny']);
    const read = await get<Matrix>(`/v1/clearances/matrices/${matrix.id}`);
    expect(JSON.stringify(read.question?.alternatives[1]?.lineage)).toContain('hunyuan-image-3.0@fal');
    const unknownStep = { pipeline: 'product-shot', audiences: AUDIENCES };
    await refused({ ...unknownStep, alternatives: [{ name: 'a', models: { nope: 'a@b' } }] });
    const nowhere = { matrix: { facts: FACTS, pipeline: 'nope', alternatives, audiences: AUDIENCES } };
    expect((await app.request('/v1/clearances', json(nowhere))).status).toBe(201);
    const asked = { ...nowhere.matrix, alternatives: [{ name: 'a' }] };
    await expectProblem(await app.request('/v1/clearances', json({ matrix: asked })), 'unknown_pipeline');
  });

  it('takes a lineage and other models for its steps, where a step has one', async () => {
    const lineage = models('flux-1-schnell@self-hosted', 'real-esrgan@self-hosted');
    const matrix = await asMatrix({
      lineage,
      alternatives: [{ name: 'dev', models: { 'step-0': 'flux-1-dev@self-hosted' } }],
      audiences: [{ countries: ['US'] }],
    });
    expect(matrix.cells.map(({ decision }) => decision)).toEqual(['deny']);
    const [component] = lineage.components;
    const twice = { components: [component, { ...component, listingId: 'birefnet@self-hosted' }] };
    const change = { name: 'a', models: { 'step-0': 'sdxl-1-0@self-hosted' } };
    await refused({ lineage: twice, alternatives: [change], audiences: AUDIENCES });
  });

  it('is made again from what is stored, also after the registry has changed', async () => {
    const listing = ownListing({ id: 'zeta.v1@self-hosted' });
    const record = (changed: typeof listing) =>
      app.request('/v1/models', { ...json({ listing: changed }), key: legal });
    const text = { ...json(ownLicenseText()), key: legal };
    expect((await app.request('/v1/license-texts', text)).status).toBe(201);
    expect((await record(listing)).status).toBe(201);
    const asked = await asMatrix({
      alternatives: [{ name: 'own', lineage: models(listing.id) }],
      audiences: AUDIENCES,
    });
    expect(asked.cells.map(({ decision }) => decision)).toEqual(['allow', 'allow', 'allow']);
    const path = `/v1/clearances/matrices/${asked.id}`;
    expect(await get<Matrix>(path)).toMatchObject({ same: true, changedListings: [], cells: asked.cells });
    const terms = listing.terms.map((term) => ({ ...term, value: 'no' as const }));
    expect((await record({ ...listing, terms: terms })).status).toBe(201);
    const read = await get<Matrix>(path);
    expect(read).toMatchObject({ same: true, changedListings: [listing.id], cells: asked.cells });
  });

  it('refuses what is too large or says two things, and keeps nothing of it', async () => {
    const before = await inspector.footprint();
    const lineage = models('flux-1-schnell@self-hosted');
    const many = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `a${at}`, lineage }));
    const tooMany = await refused({ alternatives: many(334), audiences: AUDIENCES });
    expect(tooMany.detail).toContain('1002 cells (334 alternatives x 3 audiences x 1 purposes)');
    await refused({ alternatives: [...many(1), ...many(1)], audiences: AUDIENCES });
    await refused({ alternatives: many(1), audiences: [{ countries: ['US'] }, { countries: ['US'] }] });
    await refused({ alternatives: [{ name: 'a' }], audiences: AUDIENCES });
    await refused({ pipeline: 'product-shot', lineage, alternatives: many(1), audiences: AUDIENCES });
    const both = [{ name: 'a', lineage, models: { 'step-0': 'a@b' } }];
    await refused({ alternatives: both, audiences: AUDIENCES });
    await refused({ alternatives: many(1), audiences: [] });
    await refused({ alternatives: many(1), audiences: [{ countries: ['XX'] }] });
    const facts = { ...FACTS, audienceCountries: ['US'] };
    await refused({ alternatives: many(1), audiences: AUDIENCES, facts });
    const matrix = { alternatives: many(1), audiences: AUDIENCES, facts: FACTS };
    const mixed = await app.request('/v1/clearances', json({ lineage, matrix }));
    const problem = await expectProblem(mixed, 'invalid_request');
    expect(problem.errors?.[0]).toEqual({ path: 'lineage', message: 'stands inside of matrix' });
    const nothing = await expectProblem(await app.request('/v1/clearances', json({})), 'invalid_request');
    expect(nothing.errors?.map(({ path }) => path)).toEqual(['lineage', 'facts']);
    expect(await inspector.footprint()).toEqual(before);
  });

  it('of a thousand cells is one answer', async () => {
    const alternatives = Array.from({ length: 10 }, (_, at) => ({
      name: `a${at}`,
      lineage: models('gpt-image-1@openai', 'hunyuan-image-3.0@self-hosted', 'ltx-2.5@self-hosted'),
    }));
    const audiences = Array.from({ length: 100 }, (_, at) => ({ name: `x${at}`, countries: ['DE'] }));
    const matrix = await asMatrix({ alternatives, audiences });
    expect(matrix.summary).toEqual({ cells: 1000, allow: 0, review: 0, deny: 1000 });
    // What many cells say stands in the answer once.
    expect(matrix.findings.length).toBeLessThan(50);
  });
});
