import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  createDevelopmentOrganization,
  type Instance,
} from '../../src/identity/application/create-development-organization.js';
import { DEFAULT_MANIFEST_SETTINGS } from '../../src/provenance/domain/manifest-settings.js';
import { parsePublicId, publicId } from '../../src/shared/ids.js';
import {
  addPerson,
  formWith,
  HARMLESS_FACTS,
  json,
  postForm,
  productShot,
  runToEnd,
} from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { ContributorKey } from '../support/contributor-key.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

let app: TestApplication;
let inspector: Inspector;
let foreign: Omit<Instance, 'url'>;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  foreign = await createDevelopmentOrganization(app.services, new URL(app.url).host);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const ANY_ASSET = `ast_${'0'.repeat(32)}`;
const ANY_OTHER = `ast_${'0'.repeat(31)}1`;
const CONTRIBUTION = {
  actionType: 'RETOUCH',
  basis: 'modification',
  capture: 'declared_at_time',
  tool: { name: 'GIMP', version: '3.0' },
  statement: 'painted a label',
};

async function uploadWith(key: string, projectId = app.instance.projectId): Promise<string> {
  const rights = {
    rightsBasis: 'owned',
    showsPeople: 'no',
    allowedUses: ['commercial'],
    aiInput: 'yes',
    territory: 'worldwide',
    expiresAt: null,
  };
  const form = formWith(await noisePicture(), 'a.png', { declaration: { projectId, rights } });
  const response = await app.request('/v1/assets', { ...postForm(form), key });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

describe('API keys', () => {
  it('are refused the moment after they were revoked', async () => {
    const { key } = await addPerson(app, ['creator']);
    expect((await app.request('/v1/me', { key })).status).toBe(200);
    const { keyId } = (await (await app.request('/v1/me', { key })).json()) as { keyId: string };
    expect((await app.request(`/v1/api-keys/${keyId}/revoke`, json({}))).status).toBe(200);
    const before = await inspector.footprint();
    await expectProblem(await app.request('/v1/me', { key }), 'invalid_api_key');
    await expectProblem(await app.request('/v1/runs', { ...json(productShot(app)), key }), 'invalid_api_key');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('are refused once they have expired, and once their person was disabled', async () => {
    const { principalId, key } = await addPerson(app, ['creator']);
    const expired = (await (
      await app.request(
        '/v1/api-keys',
        json({ principalId, mode: 'live', expiresAt: '2020-01-01T00:00:00Z' }),
      )
    ).json()) as { key: string };
    await expectProblem(await app.request('/v1/me', { key: expired.key }), 'invalid_api_key');
    expect((await app.request('/v1/me', { key })).status).toBe(200);
    const id = principalId.slice(4);
    await inspector.query(`UPDATE principal SET disabled_at = now() WHERE replace(id::text, '-', '') = $1`, [
      id,
    ]);
    await expectProblem(await app.request('/v1/me', { key }), 'invalid_api_key');
  });

  it('that are malformed are refused without a look into the database', async () => {
    const good = app.instance.keys.live;
    const flipped = good.slice(0, -1) + (good.endsWith('0') ? '1' : '0');
    const looks = jest.spyOn(app.services.dataSource, 'query');
    try {
      for (const key of [
        flipped,
        good.slice(0, -1),
        `${good}x`,
        good.replace('live', 'test'),
        'x',
        '\u00e9',
      ]) {
        await expectProblem(await app.request('/v1/me', { key }), 'invalid_api_key');
      }
      expect(looks).not.toHaveBeenCalled();
    } finally {
      looks.mockRestore();
    }
  });

  it('that never existed get the same answer as malformed ones', async () => {
    const { key } = await addPerson(app, ['creator']);
    const id = key.split('_')[2];
    await inspector.query('DELETE FROM api_key_route WHERE key_id = $1', [id]);
    const unknown = await expectProblem(await app.request('/v1/me', { key }), 'invalid_api_key');
    const malformed = await expectProblem(await app.request('/v1/me', { key: 'x' }), 'invalid_api_key');
    expect({ ...unknown, requestId: '' }).toEqual({ ...malformed, requestId: '' });
  });

  it('are taken from the headers of every SDK, and from nowhere else', async () => {
    const key = app.instance.keys.live;
    for (const headers of [
      { authorization: `Bearer ${key}` },
      { authorization: `Key ${key}` },
      { 'x-goog-api-key': key },
      { 'x-api-key': key },
    ]) {
      expect((await app.request('/v1/me', { headers, key: null })).status).toBe(200);
    }
    const none = await app.request('/v1/me', { key: null });
    expect(none.headers.get('www-authenticate')).toContain('Bearer');
    await expectProblem(none, 'unauthenticated');
    await expectProblem(await app.request(`/v1/me?key=${key}`, { key: null }), 'credentials_in_url');
    await expectProblem(await app.request(`/v1/me?a=1&api_key=${key}`), 'credentials_in_url');
    await expectProblem(await app.request(`/v1/me?key=${key.replaceAll('_', '%5F')}`), 'credentials_in_url');
    for (const authorization of [`Basic ${key}`, 'Bearer', `Bearer ${key} ${key}`, key]) {
      await expectProblem(
        await app.request('/v1/me', { headers: { authorization }, key: null }),
        'invalid_api_key',
      );
    }
  });

  it('allow what their roles allow, and nothing else', async () => {
    const { key } = await addPerson(app, ['auditor']);
    const before = await inspector.footprint();
    for (const [path, body] of [
      ['/v1/runs', productShot(app)],
      ['/v1/projects', { name: 'x' }],
      ['/v1/principals', { displayName: 'x', roles: ['admin'] }],
      ['/v1/pipelines', {}],
    ] as const) {
      await expectProblem(await app.request(path, { ...json(body), key }), 'forbidden');
    }
    await expectProblem(await app.request('/v1/budget', { ...json({}), method: 'PUT', key }), 'forbidden');
    expect(await inspector.footprint()).toEqual(before);
  });
});

describe('test keys and live keys', () => {
  it('do not mix: nothing that a test key touched is released, nothing live is decided by a test key', async () => {
    const { test } = app.instance.keys;
    const liveAsset = await uploadWith(app.instance.keys.live);
    const testAsset = await uploadWith(test);
    const reviewer = await addPerson(app, ['reviewer', 'asset_manager']);
    const reviewerTest = (await (
      await app.request('/v1/api-keys', json({ principalId: reviewer.principalId, mode: 'test' }))
    ).json()) as { key: string };
    const review = json({ decision: 'approve', comment: 'ok' });
    const approvedTest = await app.request(`/v1/assets/${testAsset}/reviews`, {
      ...review,
      key: reviewer.key,
    });
    expect(approvedTest.status).toBe(201);

    const liveContent = Buffer.from(
      await (await app.request(`/v1/assets/${liveAsset}/content`)).arrayBuffer(),
    );
    const before = await inspector.footprint();
    const edited = await retouched(liveContent);
    const contribute = (id: string, key: string) =>
      app.request(`/v1/assets/${id}/contributions`, {
        ...postForm(formWith(edited, 'e.png', { contribution: CONTRIBUTION })),
        key,
      });
    await expectProblem(await contribute(liveAsset, test), 'wrong_mode');
    await expectProblem(await contribute(testAsset, app.instance.keys.live), 'wrong_mode');
    await expectProblem(
      await app.request(`/v1/assets/${testAsset}/release`, { ...json({}), key: reviewer.key }),
      'wrong_mode',
    );
    const withTestKey = { ...json({ decision: 'approve', comment: 'ok' }), key: reviewerTest.key };
    await expectProblem(await app.request(`/v1/assets/${liveAsset}/reviews`, withTestKey), 'wrong_mode');
    const { principalId } = (await (await app.request('/v1/me')).json()) as { principalId: string };
    await expectProblem(
      await app.request('/v1/api-keys', { ...json({ principalId, mode: 'live' }), key: test }),
      'wrong_mode',
    );
    expect(await inspector.footprint()).toEqual(before);

    const liveReview = { ...json({ decision: 'approve', comment: 'ok' }), key: reviewer.key };
    expect((await app.request(`/v1/assets/${liveAsset}/reviews`, liveReview)).status).toBe(201);
    await expectProblem(
      await app.request(`/v1/assets/${liveAsset}/release`, { ...json({}), key: reviewerTest.key }),
      'wrong_mode',
    );
  });

  it('do not mix in a run either: a live run is not built on a picture of the sandbox', async () => {
    const run = await runToEnd(app, productShot(app), app.instance.keys.test);
    expect(run.state).toBe('SUCCEEDED');
    const placeholder = run.steps.find(({ key }) => key === 'generate')?.assetId;
    const before = await inspector.footprint();
    const body = productShot(app, { inputs: {}, substitutes: { generate: placeholder } });
    await expectProblem(
      await app.request('/v1/runs', json({ ...body, inputs: { prompt: 'x' } })),
      'wrong_mode',
    );
    expect(await inspector.footprint()).toEqual(before);
  });
});

describe('ids of another organization', () => {
  const ids: Record<string, string> = {};

  const bodies: Record<string, unknown> = {
    'post /v1/projects/{id}/use-cases': { name: 'banner' },
    'post /v1/assets/{id}/reviews': { decision: 'approve', comment: 'x' },
    'post /v1/assets/{id}/selections': { shown: [ANY_ASSET, ANY_OTHER], statement: 'x' },
    'post /v1/assets/{id}/review/comments': { text: 'x' },
    'post /v1/assets/{id}/recall': { reason: 'other', text: 'x' },
    'post /v1/contributions/{id}/corrections': { kind: 'withdrawn', text: 'x' },
    'post /v1/signature-keys/{id}/revoke': { reason: 'lost' },
    'post /v1/storyboards/{id}/orders': { assetIds: [ANY_ASSET, ANY_OTHER], rationale: 'x' },
    'put /v1/projects/{id}/use-cases/{name}/review-settings': {
      approvals: 1,
      humanContribution: false,
      checklist: false,
    },
    'post /v1/assets/{id}/obligations/{obligationId}/proof': { outcome: 'done', text: 'x' },
    'post /v1/assets/{id}/examinations': {
      question: 'exclusivity',
      result: 'unknown',
      examinedOn: '2026-01-02',
      text: 'x',
    },
    'post /v1/assets/{id}/claims': {
      kind: 'other',
      receivedOn: '2026-01-02',
      claimant: 'A. Stranger',
      text: 'x',
    },
    'post /v1/claims/{id}/answers': { outcome: 'rejected', text: 'x' },
    'post /v1/legal-holds/{id}/lift': { reason: 'x' },
    'put /v1/projects/{id}/manifest-settings': DEFAULT_MANIFEST_SETTINGS,
    'put /v1/projects/{id}/manifest-publication': { publishManifests: true },
    'put /v1/projects/{id}/use-cases/{name}/gateway': {
      open: true,
      facts: HARMLESS_FACTS,
      inputRights: null,
    },
    'put /v1/budgets/{id}': { softLimitMicroUsd: '5' },
    'post /v1/assets/{id}/votes': { vote: 'accept' },
    'post /v1/use-cases/{id}/baseline': { source: 'x' },
    'post /v1/use-cases/{id}/outcomes': { items: [{ key: 'a', variant: 'a', day: '2026-11-01' }] },
    'post /v1/use-cases/{id}/matrix': {
      operation: 'generate',
      facts: HARMLESS_FACTS,
      measure: { kind: 'own_votes' },
    },
    'post /v1/use-cases/{id}/what-if': {
      month: '2026-11',
      operation: 'generate',
      to: 'flux-1-schnell@fal',
    },
    'post /v1/runs/{id}/steps/{key}/answer': { outcome: 'approved', comment: 'x' },
    'post /v1/runs/{id}/steps/{key}/reconcile': { outcome: 'not_accepted', reason: 'x' },
  };

  beforeAll(async () => {
    const { projectId } = foreign;
    const { live } = foreign.keys;
    const me = (await (await app.request('/v1/me', { key: live })).json()) as Record<string, string>;
    const run = await runToEnd(app, { ...productShot(app), projectId }, live);
    ids.projects = projectId;
    ids.runs = run.id;
    ids.clearances = run.clearanceId;
    ids.assets = run.steps.at(-1)?.assetId ?? '';
    const theirOther = run.steps[0]?.assetId ?? '';
    const chosen = json({ shown: [ids.assets, theirOther], statement: 'x' });
    const act = await app.request(`/v1/assets/${ids.assets}/selections`, { ...chosen, key: live });
    ids.contributions = ((await act.json()) as { id: string }).id;
    const attached = formWith(Buffer.from('x'), 'a.psd', { attachment: { kind: 'other' } });
    const file = await app.request(`/v1/contributions/${ids.contributions}/attachments`, {
      ...postForm(attached),
      key: live,
    });
    ids.attachment = ((await file.json()) as { id: string }).id;
    const own = (await (await app.request('/v1/me', { key: live })).json()) as {
      organizationId: string;
      principalId: string;
    };
    const signing = json(await new ContributorKey().registration(own));
    const registered = await app.request('/v1/signature-keys', { ...signing, key: live });
    ids['signature-keys'] = ((await registered.json()) as { id: string }).id;
    const order = json({ assetIds: [ids.assets, theirOther], rationale: 'x' });
    const board = await app.request('/v1/storyboards', { ...order, key: live });
    ids.storyboards = ((await board.json()) as { id: string }).id;
    const owed = await app.request(`/v1/assets/${ids.assets}/obligations`, { key: live });
    const claim = json({
      kind: 'copyright',
      receivedOn: '2026-01-02',
      claimant: 'A. Stranger',
      text: 'mine',
    });
    const claimed = await app.request(`/v1/assets/${ids.assets}/claims`, { ...claim, key: live });
    ids.claims = ((await claimed.json()) as { id: string }).id;
    ids.obligation = ((await owed.json()) as { items: { id: string }[] }).items[0]?.id ?? '';
    const [logged] = await inspector.query<{ entry_id: string }>('SELECT entry_id FROM asset WHERE id = $1', [
      parsePublicId('asset', ids.assets),
    ]);
    ids.audit = publicId('entry', logged?.entry_id ?? '');
    ids['api-keys'] = me.keyId ?? '';
    ids['log-keys'] = foreign.log.vkey.split('+')[1] ?? '';
    const hold = json({ scope: { kind: 'project', id: projectId }, reason: 'x' });
    const placed = await app.request('/v1/legal-holds', { ...hold, key: live });
    ids['legal-holds'] = ((await placed.json()) as { id: string }).id;
    ids.principal = me.principalId ?? '';
    const listing = json({ listing: ownListing({ id: 'their-look@foreignhosted' }) });
    ids.models = (
      (await (await app.request('/v1/models', { ...listing, key: live })).json()) as { id: string }
    ).id;
    const text = json({ licenseKey: 'LicenseRef-Theirs', text: 'theirs', readOn: '2026-11-22' });
    const read = await app.request('/v1/license-texts', { ...text, key: live });
    ids['license-texts'] = ((await read.json()) as { id: string }).id;
    const scene = { components: [{ listingId: 'studio-scene@studio', role: 'generator', stepKey: 'a' }] };
    const { audienceCountries, ...facts } = HARMLESS_FACTS;
    const audiences = [{ countries: audienceCountries }];
    const matrix = json({ matrix: { alternatives: [{ name: 'a', lineage: scene }], audiences, facts } });
    const decided = await app.request('/v1/clearances', { ...matrix, key: live });
    ids.matrices = ((await decided.json()) as { id: string }).id;
    const useCase = json({ name: 'theirs' });
    const added = await app.request(`/v1/projects/${projectId}/use-cases`, { ...useCase, key: live });
    ids['use-cases'] = ((await added.json()) as { id: string }).id;
    const limit = { level: 'project', targetId: projectId, period: 'total', softLimitMicroUsd: '5' };
    const budget = await app.request('/v1/budgets', { ...json(limit), key: live });
    ids.budgets = ((await budget.json()) as { id: string }).id;
    const question = json({
      useCaseId: ids['use-cases'],
      operation: 'generate',
      facts: HARMLESS_FACTS,
      measure: { kind: 'own_votes' },
      rule: { kind: 'cheapest_above_floor', floor: 0 },
    });
    const route = await app.request('/v1/routes', { ...question, key: live });
    ids.routes = ((await route.json()) as { id: string }).id;
    const step = {
      key: 'a',
      operation: 'generate',
      model: 'studio-scene@studio',
      parameters: {},
      images: {},
    };
    const pipeline = json({ name: 'theirs', definition: { steps: [step] } });
    const stored = await app.request('/v1/pipelines', { ...pipeline, key: live });
    ids.pipelines = ((await stored.json()) as { id: string }).id;
    const terms = { ...json({ terms: ['their word'] }), method: 'PUT', key: live };
    const set = await app.request('/v1/policies/blocked-terms', terms);
    ids.policies = ((await set.json()) as { id: string }).id;
    // Of what this file never does, so nothing is ever sent there.
    const hook = json({ url: 'https://1.1.1.1/hook', events: ['budget.removed'] });
    const endpoint = await app.request('/v1/webhook-endpoints', { ...hook, key: live });
    ids['webhook-endpoints'] = ((await endpoint.json()) as { id: string }).id;
    const report = json({ kind: 'asset', format: 'json', assetId: ids.assets });
    const { id } = (await (await app.request('/v1/reports', { ...report, key: live })).json()) as {
      id: string;
    };
    await eventually('the report is made', async () => {
      const answer = await app.request(`/v1/reports/${id}`, { key: live });
      const { state } = (await answer.json()) as { state: string };
      if (state === 'FAILED') throw new Error('the report failed');
      return state === 'DONE' || undefined;
    });
    ids.reports = id;
    const link = await app.request('/v1/share-links', {
      ...json({ reportId: id, expiresInHours: 1 }),
      key: live,
    });
    ids['share-links'] = ((await link.json()) as { id: string }).id;
    const monthly = json({ kind: 'campaign', projectId, cadence: 'monthly', format: 'json' });
    const schedule = await app.request('/v1/report-schedules', { ...monthly, key: live });
    ids['report-schedules'] = ((await schedule.json()) as { id: string }).id;
  });

  async function routes(): Promise<[string, string][]> {
    const document = (await (await app.request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    return (
      Object.entries(document.paths)
        // Names of vendors and kinds of things are no ids; soft binding resolution is public (recovery.spec.ts), links have tokens
        // (counsel-reports.spec.ts).
        .filter(
          ([path]) => path.includes('{') && !/^\/(sbr|v1\/providers|v1\/retention|v1\/shared)\//.test(path),
        )
        .flatMap(([path, methods]) => Object.keys(methods).map((method): [string, string] => [method, path]))
    );
  }

  /** Somebody with every role, so that it is the id and not the role that is refused. */
  async function everybody(): Promise<string> {
    const roles = ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor', 'admin'];
    return (await addPerson(app, roles)).key;
  }

  it('are 404 on every route of the contract, with the very answer that a missing id gets', async () => {
    const key = await everybody();
    const all = await routes();
    expect(all.length).toBeGreaterThan(15);
    const picture = await noisePicture();
    const send = (method: string, path: string, id: string) => {
      const url = path
        .replace(/\{(id|entry)\}/, id)
        .replace('{key}', 'generate')
        .replace('{name}', 'hero-image')
        .replace('{obligationId}', ids.obligation ?? '')
        .replace('{attachmentId}', ids.attachment ?? '')
        .replace('{delivery}', `whd_${'0'.repeat(32)}`);
      if (method === 'get') return app.request(url, { key });
      if (path.endsWith('/attachments'))
        return app.request(url, {
          ...postForm(formWith(picture, 'a.png', { attachment: { kind: 'other' } })),
          key,
        });
      if (path.endsWith('/contributions'))
        return app.request(url, {
          ...postForm(formWith(picture, 'a.png', { contribution: CONTRIBUTION })),
          key,
        });
      if (path.endsWith('/outcomes/import'))
        return app.request(url, {
          method: 'POST',
          body: 'key,variant,day\n',
          headers: { 'content-type': 'text/csv' },
          key,
        });
      return app.request(url, {
        ...json(bodies[`${method} ${path}`] ?? {}),
        method: method.toUpperCase(),
        key,
      });
    };
    const before = await inspector.footprint();
    for (const [method, path] of all) {
      const kind = /\/(log-keys|matrices)\//.exec(path)?.[1] ?? path.split('/')[2] ?? '';
      const foreignId = ids[kind];
      if (foreignId === undefined) throw new Error(`${path} is new: say here what its foreign id is`);
      const answer = await expectProblem(await send(method, path, foreignId), 'not_found');
      const missing = foreignId.replace(/[0-9a-zA-Z]{8,12}$/, (end) => '0'.repeat(end.length));
      const same = await expectProblem(await send(method, path, missing), 'not_found');
      expect({ path, ...answer, requestId: '' }).toEqual({ path, ...same, requestId: '' });
      for (const malformed of [
        'x',
        'ast_1',
        `run_${'g'.repeat(32)}`,
        `${foreignId}0`,
        foreignId.toUpperCase(),
      ])
        await expectProblem(await send(method, path, malformed), 'not_found');
    }
    expect(await inspector.footprint()).toEqual(before);
  });

  it('are refused in bodies too, and nothing is done', async () => {
    const key = await everybody();
    const before = await inspector.footprint();
    const post = (path: string, body: unknown) => app.request(path, { ...json(body), key });
    await expectProblem(await post('/v1/runs', productShot(app, { projectId: ids.projects })), 'not_found');
    const substitutes = { generate: ids.assets };
    await expectProblem(await post('/v1/runs', productShot(app, { substitutes })), 'invalid_request');
    const report = { kind: 'asset', format: 'pdf', assetId: ids.assets };
    await expectProblem(await post('/v1/reports', report), 'not_found');
    await expectProblem(
      await post('/v1/api-keys', { principalId: ids.principal, mode: 'test' }),
      'not_found',
    );
    const waiver = { reason: 'LEGAL_OPINION', comment: 'x', expiresAt: IN_A_YEAR };
    await expectProblem(await post('/v1/waivers', { clearanceId: ids.clearances, ...waiver }), 'not_found');
    const asked = { text: '', clearanceId: ids.clearances };
    await expectProblem(await post('/v1/policies/check', asked), 'not_found');
    const theirs = { ...json({ scope: { projectId: ids.projects }, text: '' }), method: 'PUT', key };
    await expectProblem(await app.request('/v1/policies', theirs), 'not_found');
    const rule = { ...json({ action: 'keep', projectId: ids.projects }), method: 'PUT', key };
    await expectProblem(await app.request('/v1/retention/rules/assets', rule), 'not_found');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('do not show in lists, in the log, or in the idempotency keys', async () => {
    const mine = app.instance.keys.live;
    for (const path of [
      '/v1/runs',
      '/v1/assets',
      '/v1/projects',
      '/v1/pipelines',
      '/v1/audit/entries',
      '/v1/models',
      '/v1/license-texts',
      '/v1/curations',
      '/v1/clearances',
      '/v1/clearances/reopened',
      '/v1/waivers',
      '/v1/policies',
      '/v1/policies?history=true',
    ]) {
      const text = await (
        await app.request(`${path}${path.includes('?') ? '&' : '?'}limit=200`, { key: mine })
      ).text();
      for (const id of Object.values(ids)) expect(text).not.toContain(id);
      expect(text).not.toContain(foreign.organizationId);
    }
    const bundle = `/logs/${foreign.organizationId}/tile/entries/000.p/1`;
    await expectProblem(await app.request(bundle, { key: mine }), 'not_found');
    await expectProblem(await app.request(bundle, { key: null }), 'unauthenticated');
    const shared = randomUUID();
    const ask = (instance: Omit<Instance, 'url'>) =>
      app.request('/v1/runs', {
        ...json(
          { ...productShot(app), projectId: instance.projectId, facts: HARMLESS_FACTS },
          { 'idempotency-key': shared },
        ),
        key: instance.keys.live,
      });
    const answers = await Promise.all([ask(app.instance), ask(foreign)]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  });
});
