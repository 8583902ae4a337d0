import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CedarPolicyEngine } from '../../src/licenses/adapters/cedar-policy-engine.js';
import { PoliciesInForce } from '../../src/licenses/application/policies-in-force.js';
import { sha256Hex } from '../../src/shared/bytes.js';
import { parsePublicId } from '../../src/shared/ids.js';
import {
  addPerson,
  formWith,
  HARMLESS_FACTS,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  RETOUCH,
  type RunAnswer,
  runToEnd,
} from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

let app: TestApplication;
let inspector: Inspector;
let legal: string;
let reviewer: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  ({ key: legal } = await addPerson(app, ['legal', 'creator']));
  ({ key: reviewer } = await addPerson(app, ['reviewer']));
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

async function made<T = Record<string, unknown>>(asked: Promise<Response>, status = 201): Promise<T> {
  const response = await asked;
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.anything()]);
  return JSON.parse(text) as T;
}
const get = <T>(path: string) => made<T>(app.request(path), 200);

interface SetAnswer {
  id: string;
  version: number;
  sha256: string;
  items: number;
  outcome: string;
}
const send = (path: string, body: unknown, key = legal) =>
  app.request(path, { ...json(body), method: 'PUT', key });
const put = (text: string, scope: Record<string, string> = {}) =>
  made<SetAnswer>(send('/v1/policies', { scope, text }), 200);
const putTerms = (terms: string[], scope: Record<string, string> = {}) =>
  made<SetAnswer>(send('/v1/policies/blocked-terms', { scope, terms }), 200);
const policy = (id: string, body: string, severity = 'deny') =>
  `@id("${id}") @severity("${severity}") @message("Our rule ${id}.") @fix("Ask the brand team.")\nforbid ${body};\n`;
const ALL = '(principal, action, resource)';

let serial = 0;
/** A project of its own for each test, so that no policy of one reaches another. */
async function newProject(...useCases: string[]): Promise<string> {
  const { id } = await made<{ id: string }>(
    app.request('/v1/projects', json({ name: `Campaign ${++serial}` })),
  );
  for (const name of useCases) await made(app.request(`/v1/projects/${id}/use-cases`, json({ name })));
  return id;
}

interface Finding {
  ruleId: string;
  severity: string;
  message: string;
  howToFix: string;
  stepKeys: string[];
  fact: { name: string; value: string };
}
interface ClearanceAnswer {
  id: string;
  decision: string;
  findings: Finding[];
  policies: { licenseDecision: string; refs: { scope: string; version: number; sha256: string }[] } | null;
  standing?: { kind: string; changes: { because: string; ruleId?: string }[] };
}
const MODEL = 'flux-1-schnell@self-hosted';
const ask = (listingId: string, more: Record<string, unknown> = {}) =>
  made<ClearanceAnswer>(
    app.request(
      '/v1/clearances',
      json({
        lineage: { components: [{ listingId, role: 'generator', stepKey: 'a' }] },
        facts: HARMLESS_FACTS,
        ...more,
      }),
    ),
  );
const ofPolicies = ({ findings }: { findings: Finding[] }) =>
  findings
    .filter(({ ruleId }) => ruleId.startsWith('policy.'))
    .map(({ ruleId, severity }) => [ruleId, severity]);

async function entries(type: string): Promise<{ data: Record<string, unknown>; text: string }[]> {
  await app.services.sequencer.runOnce();
  const { items } = await get<{ items: { entry: { data: Record<string, unknown> } }[] }>(
    `/v1/audit/entries?type=${type}&limit=200`,
  );
  return items.map((item) => ({ data: (item.entry ?? item).data, text: JSON.stringify(item) }));
}

const start = (projectId: string, useCase: string, changes: Record<string, unknown> = {}) =>
  app.request('/v1/runs', json(productShot(app, { projectId, useCase, ...changes })));
const finished = (projectId: string, useCase: string, changes: Record<string, unknown> = {}) =>
  runToEnd(app, productShot(app, { projectId, useCase, ...changes }));
const assetOf = (run: RunAnswer) => run.steps.at(-1)?.assetId ?? '';
const approve = (assetId: string) =>
  made(
    app.request(`/v1/assets/${assetId}/reviews`, {
      ...json({ decision: 'approve', comment: 'ok' }),
      key: reviewer,
    }),
  );
const release = (assetId: string) =>
  app.request(`/v1/assets/${assetId}/release`, { ...json({}), key: reviewer });

describe('what a policy can demand', () => {
  it('blocked vendors: the licenses allow it, the organization does not; and every version can be replayed', async () => {
    const text = policy('no-bfl', `${ALL} when { resource.lineage.vendors.contains("Black Forest Labs") }`);
    const before = await ask(MODEL);
    expect([before.decision, before.policies]).toEqual(['allow', null]);
    const set = await put(text);
    expect(set).toMatchObject({ version: 1, items: 1, sha256: sha256Hex(text), outcome: 'changed' });
    const denied = await ask(MODEL);
    expect(denied).toMatchObject({ decision: 'deny', policies: { licenseDecision: 'allow' } });
    expect(denied.findings.find(({ ruleId }) => ruleId === 'policy.no-bfl')).toMatchObject({
      severity: 'deny',
      message: 'Our rule no-bfl.',
      howToFix: 'Ask the brand team.',
      fact: { name: 'policy', value: 'organization, version 1' },
    });
    expect(await put(text)).toMatchObject({ version: 1, outcome: 'unchanged' });
    await put(policy('no-bfl', `${ALL} when { resource.lineage.vendors.contains("Nobody") }`));
    expect((await ask(MODEL)).decision).toBe('allow');
    const replayed = await get<{ same: boolean; policies: ClearanceAnswer['policies'] }>(
      `/v1/clearances/${denied.id}/replay`,
    );
    expect(replayed).toMatchObject({ same: true, policies: { refs: [{ version: 1, sha256: set.sha256 }] } });
    const last = await put('');
    expect(last).toMatchObject({ version: 3, items: 0 });
    expect((await ask(MODEL)).policies).toBeNull();
    expect((await get<{ same: boolean }>(`/v1/clearances/${denied.id}/replay`)).same).toBe(true);
    const logged = await entries('policy.changed');
    expect(logged.map(({ data }) => data.version)).toEqual(expect.arrayContaining([1, 2, 3]));
    const decided = (await entries('clearance.decided')).find(({ text: entry }) => entry.includes(denied.id));
    expect(decided?.data.policies).toMatchObject({
      refs: [{ kind: 'cedar', scope: 'organization', version: 1, sha256: set.sha256 }],
      blockedTermMatches: 0,
    });
  });

  it('are asked of every cell of a matrix, each as if it were asked alone, and read again as they were', async () => {
    const projectId = await newProject();
    const scope = { projectId };
    await put(
      policy(
        'no-flux',
        '(principal, action, resource) when { resource.lineage.listings.contains("' + MODEL + '") }',
      ),
      scope,
    );
    const models = [MODEL, 'qwen-image@self-hosted'];
    const audiences = [{ countries: ['DE'] }, { countries: ['US'] }];
    const facts = { ...HARMLESS_FACTS, audienceCountries: undefined };
    const lineageOf = (listingId: string) => ({
      components: [{ listingId, role: 'generator', stepKey: 'a' }],
    });
    const matrix = {
      alternatives: models.map((name) => ({ name, lineage: lineageOf(name) })),
      audiences,
      facts,
    };
    interface Matrix {
      id: string;
      same?: boolean;
      cells: { alternative: string; audience: string; decision: string; findings: number[] }[];
      findings: Finding[];
      policies: { refs: unknown[] } | null;
    }
    const answer = await made<Matrix>(app.request('/v1/clearances', json({ matrix, projectId })));
    for (const cell of answer.cells) {
      const alone = await ask(cell.alternative, {
        projectId,
        facts: { ...HARMLESS_FACTS, audienceCountries: [cell.audience] },
      });
      expect(cell.decision).toBe(alone.decision);
      const found = cell.findings.map((place) => answer.findings[place]?.ruleId);
      expect(found).toEqual(
        alone.findings.filter(({ severity }) => severity !== 'note').map(({ ruleId }) => ruleId),
      );
    }
    expect(answer.cells.map(({ decision }) => decision)).toEqual(['deny', 'deny', 'allow', 'allow']);
    expect(answer.policies?.refs).toHaveLength(1);
    // Read again after the policy is gone: as it was decided.
    await put(
      policy('another', '(principal, action, resource) when { resource.lineage.vendors.contains("Nobody") }'),
      scope,
    );
    const read = await get<Matrix>(`/v1/clearances/matrices/${answer.id}`);
    expect(read).toMatchObject({ same: true, cells: answer.cells });
    const elsewhere = await made<Matrix>(app.request('/v1/clearances', json({ matrix })));
    expect(elsewhere.policies).toBeNull();
  });

  it('only allowed listings, in one project', async () => {
    const [strict, free] = [await newProject('feed'), await newProject('feed')];
    await put(
      policy('ours', `${ALL} unless { ["studio-crop@studio"].containsAll(resource.lineage.listings) }`),
      {
        projectId: strict,
      },
    );
    const before = await inspector.query('SELECT 1 FROM run');
    const answer = await expectProblem(await start(strict, 'feed'), 'clearance_denied');
    expect(ofPolicies(answer as unknown as ClearanceAnswer)).toEqual([['policy.ours', 'deny']]);
    expect(await inspector.query('SELECT 1 FROM run')).toHaveLength(before.length);
    expect((await finished(free, 'feed')).state).toBe('SUCCEEDED');
    expect((await ask('studio-crop@studio', { projectId: strict })).decision).toBe('allow');
    expect(ofPolicies(await ask(MODEL, { projectId: strict }))).toEqual([['policy.ours', 'deny']]);
  });

  it('disclosed training data, and an indemnity for hero images', async () => {
    const projectId = await newProject('hero-image', 'feed');
    await put(
      policy(
        'disclosed',
        `${ALL} unless { [Disclosure::"full", Disclosure::"partial"].containsAll(resource.generators.trainingDisclosure) }`,
      ),
      { projectId },
    );
    await put(policy('covered', `${ALL} unless { resource.lineage.indemnified }`), {
      projectId,
      useCase: 'hero-image',
    });
    const feed = await ask(MODEL, { projectId, useCase: 'feed' });
    const hero = await ask(MODEL, { projectId, useCase: 'hero-image' });
    expect(ofPolicies(feed)).toEqual([['policy.disclosed', 'deny']]);
    expect(ofPolicies(hero)).toEqual([
      ['policy.covered', 'deny'],
      ['policy.disclosed', 'deny'],
    ]);
    expect(hero.policies?.refs.map(({ scope }) => scope).sort()).toEqual(['project', 'use-case']);
    expect((await get<{ same: boolean }>(`/v1/clearances/${hero.id}/replay`)).same).toBe(true);
  });

  it('the hand of a person, before a critical asset is released', async () => {
    const projectId = await newProject('hero-image');
    await put(
      policy(
        'hand',
        '(principal, action == Action::"release", resource) unless { context.humanContribution }',
      ),
      { projectId, useCase: 'hero-image' },
    );
    const run = await finished(projectId, 'hero-image');
    const bare = assetOf(run);
    await approve(bare);
    const before = await inspector.footprint();
    const refused = await expectProblem(await release(bare), 'policy_denied');
    expect(refused).toMatchObject({ findings: [{ ruleId: 'policy.hand', howToFix: 'Ask the brand team.' }] });
    expect(await inspector.footprint()).toEqual(before);

    const picture = Buffer.from(await (await app.request(`/v1/assets/${bare}/content`)).arrayBuffer());
    const contribute = async (basis: string) => {
      const form = formWith(await retouched(picture), 'e.png', { contribution: { ...RETOUCH, basis } });
      const { asset } = await made<{ asset: { id: string } }>(
        app.request(`/v1/assets/${bare}/contributions`, postForm(form)),
      );
      await approve(asset.id);
      return asset.id;
    };
    await expectProblem(await release(await contribute('assistive_only')), 'policy_denied');
    const byHand = await contribute('modification');
    await made(release(byHand), 200);
    const logged = (await entries('asset.released')).find(({ text }) => text.includes(byHand));
    expect(logged?.data.policies).toMatchObject([{ kind: 'cedar', scope: 'use-case', version: 1 }]);
  });

  it('the same of an upload that no run made', async () => {
    const projectId = await newProject('feed');
    await put(
      policy(
        'owned',
        `(principal, action == Action::"release", resource) unless { [InputRights::"assigned"].containsAll(resource.inputRights) }`,
      ),
      { projectId },
    );
    const form = formWith(await noisePicture(), 'a.png', { declaration: { projectId, rights: OWN_RIGHTS } });
    const { id } = await made<{ id: string }>(app.request('/v1/assets', postForm(form)));
    await approve(id);
    await expectProblem(await release(id), 'policy_denied');
  });
});

describe('a project from which an input comes', () => {
  it('is asked at the run and at the release, whatever the project of the run says; and it replays', async () => {
    const source = await newProject('feed');
    const name = `Campaign ${serial}`;
    const target = await newProject('feed');
    const form = formWith(await noisePicture(), 'a.png', {
      declaration: { projectId: source, rights: OWN_RIGHTS },
    });
    const { id: photo } = await made<{ id: string }>(app.request('/v1/assets', postForm(form)));
    const step = {
      key: 'convert',
      operation: 'convert',
      model: 'studio-convert@studio',
      parameters: { format: 'png' },
      images: { image: { input: 'photo' } },
    };
    await made(app.request('/v1/pipelines', json({ name: 'one-step', definition: { steps: [step] } })));
    const run = { pipeline: 'one-step', inputs: { photo } };
    const free = await finished(target, 'feed', run);
    await approve(assetOf(free));
    const own = `${ALL} when { resource has project && resource.project == "${name}" }`;
    await put(policy('not-ours', own), { projectId: source });

    // The policy came after the decision, in a project that had none then: the decision is open again.
    const refusal = await expectProblem(await release(assetOf(free)), 'clearance_under_review');
    expect(refusal).toMatchObject({ reopened: [{ because: 'policy', ruleId: 'policy.not-ours' }] });
    const reopened = await get<{ items: { id: string }[] }>('/v1/clearances/reopened?limit=200');
    expect(reopened.items.map(({ id }) => id)).toContain(free.clearanceId);
    await expectProblem(await start(target, 'feed', run), 'clearance_denied');
    // A question about the same picture gets the answer of a run, alone and as a cell of a matrix.
    const rights = { ...OWN_RIGHTS, assetId: photo };
    const components = [{ listingId: 'studio-convert@studio', role: 'editor', stepKey: 'convert' }];
    const question = { lineage: { components, inputs: [rights] }, facts: HARMLESS_FACTS };
    const alone = await made<ClearanceAnswer>(
      app.request('/v1/clearances', json({ ...question, projectId: target })),
    );
    expect(ofPolicies(alone)).toEqual([['policy.not-ours', 'deny']]);
    const without = { components, inputs: [] };
    const matrix = await made<{ id: string; cells: { decision: string }[] }>(
      app.request(
        '/v1/clearances',
        json({
          projectId: target,
          matrix: {
            alternatives: [
              { name: '__proto__', lineage: without },
              { name: 'constructor', lineage: question.lineage },
            ],
            audiences: [{ countries: ['US'] }],
            facts: { purpose: 'commercial', organizationRevenueUsd: 5_000_000 },
          },
        }),
      ),
    );
    expect(matrix.cells.map(({ decision }) => decision)).toEqual(['allow', 'deny']);
    expect(await get(`/v1/clearances/matrices/${matrix.id}`)).toMatchObject({ same: true });
    const { items } = await get<{ items: { id: string }[] }>(
      `/v1/clearances?projectId=${target}&decision=deny`,
    );
    const clearanceId = items[0]?.id ?? '';
    const decided = await get<ClearanceAnswer>(`/v1/clearances/${clearanceId}`);
    expect(ofPolicies(decided)).toEqual([['policy.not-ours', 'deny']]);
    expect(decided.policies).toMatchObject({ refs: [], origins: [{ projectId: source }] });
    expect(await get(`/v1/clearances/${clearanceId}/replay`)).toMatchObject({ same: true });
    // One in the project of the run lifts nothing, and one that asks less opens the way.
    await put(policy('other', `${ALL} when { resource.purpose == Purpose::"editorial" }`), {
      projectId: target,
    });
    await expectProblem(await start(target, 'feed', run), 'clearance_denied');
    await put('', { projectId: source });
    await made(start(target, 'feed', run), 202);
  });
});

describe('what was never cleared for publication', () => {
  it('is not released: an evaluation, and received files without a right or with one that is over', async () => {
    const projectId = await newProject('feed');
    const facts = { ...HARMLESS_FACTS, purpose: 'internal-evaluation' };
    const run = await finished(projectId, 'feed', { facts });
    await approve(assetOf(run));
    await expectProblem(await release(assetOf(run)), 'clearance_denied');
    // What was cleared of the picture that went into the evaluation came before it.
    const cleared = assetOf(await finished(projectId, 'feed', { facts: HARMLESS_FACTS }));
    const tried = assetOf(await finished(projectId, 'feed', { facts, substitutes: { generate: cleared } }));
    await approve(tried);
    await expectProblem(await release(tried), 'clearance_denied');
    const published = assetOf(
      await finished(projectId, 'feed', { facts: HARMLESS_FACTS, substitutes: { generate: tried } }),
    );
    await approve(published);
    await made(release(published), 200);
    const uploadWith = async (changes: Record<string, unknown>) => {
      const declaration = { projectId, rights: { ...OWN_RIGHTS, ...changes } };
      const form = formWith(await noisePicture(), 'a.png', { declaration });
      return app.request('/v1/assets', postForm(form));
    };
    for (const changes of [{ rightsBasis: 'none' }, { expiresAt: '2020-01-01' }]) {
      const { id } = await made<{ id: string }>(uploadWith(changes));
      await approve(id);
      await expectProblem(await release(id), 'clearance_denied');
    }
    await expectProblem(await uploadWith({ rightsBasis: 'produced-here' }), 'invalid_request');
  });
});

describe('a policy that asks a person', () => {
  it('lets a run wait, is accepted by a waiver, and is not asked a second time at the release', async () => {
    const projectId = await newProject('feed');
    await put(policy('look', ALL, 'review'), { projectId });
    const waiting = await made<RunAnswer>(start(projectId, 'feed'), 202);
    expect(waiting.state).toBe('WAITING_FOR_WAIVER');
    const waiver = { reason: 'LEGAL_OPINION', comment: 'ok', expiresAt: IN_A_YEAR };
    await made(
      app.request('/v1/waivers', { ...json({ clearanceId: waiting.clearanceId, ...waiver }), key: legal }),
    );
    await (await app.request(`/v1/runs/${waiting.id}/events`)).text();
    const run = await get<RunAnswer>(`/v1/runs/${waiting.id}`);
    expect(run.state).toBe('SUCCEEDED');
    await approve(assetOf(run));
    await made(release(assetOf(run)), 200);
  });

  it('is no way around one that denies: no waiver accepts that', async () => {
    const projectId = await newProject();
    await put(policy('never', ALL) + policy('look', ALL, 'review'), { projectId });
    const { id, decision } = await ask('studio-crop@studio', { projectId });
    expect(decision).toBe('deny');
    const waiver = {
      clearanceId: id,
      reason: 'LEGAL_OPINION',
      comment: 'ok',
      expiresAt: IN_A_YEAR,
    };
    await expectProblem(await app.request('/v1/waivers', { ...json(waiver), key: legal }), 'conflict');
  });
});

describe('a policy that comes later', () => {
  it('opens what it would decide more strictly, and nothing else', async () => {
    const projectId = await newProject('feed');
    const run = await finished(projectId, 'feed');
    await approve(assetOf(run));
    const standing = async () => (await get<ClearanceAnswer>(`/v1/clearances/${run.clearanceId}`)).standing;
    await put(policy('other', `${ALL} when { resource.lineage.vendors.contains("Nobody") }`), { projectId });
    expect(await standing()).toMatchObject({ kind: 'holds' });
    await put(policy('now', ALL), { projectId });
    expect(await standing()).toMatchObject({
      kind: 'reopened',
      changes: [{ because: 'policy', ruleId: 'policy.now' }],
    });
    const { items } = await get<{ items: { id: string; changes: unknown[]; runIds: string[] }[] }>(
      '/v1/clearances/reopened?limit=200',
    );
    expect(items.filter(({ id }) => id === run.clearanceId)).toMatchObject([
      { changes: [{ because: 'policy', ruleId: 'policy.now' }], runIds: [run.id] },
    ]);
    const refused = await expectProblem(await release(assetOf(run)), 'clearance_under_review');
    expect(refused.detail).toContain('policy.now');
    const again = await made<ClearanceAnswer>(
      app.request(`/v1/clearances/${run.clearanceId}/decide-again`, json({})),
    );
    expect(again.decision).toBe('deny');
    await expectProblem(await release(assetOf(run)), 'clearance_denied');
  });

  it('stops a run that still waits for a person', async () => {
    const projectId = await newProject('feed');
    await put(policy('look', ALL, 'review'), { projectId });
    const waiting = await made<RunAnswer>(start(projectId, 'feed'), 202);
    await put(policy('look', ALL, 'review') + policy('now', ALL), { projectId });
    const waiver = {
      clearanceId: waiting.clearanceId,
      reason: 'LEGAL_OPINION',
      comment: 'ok',
      expiresAt: IN_A_YEAR,
    };
    await expectProblem(await app.request('/v1/waivers', { ...json(waiver), key: legal }), 'conflict');
    const again = await made<ClearanceAnswer & { startedRunIds: string[] }>(
      app.request(`/v1/clearances/${waiting.clearanceId}/decide-again`, json({})),
    );
    expect([again.decision, again.startedRunIds]).toEqual(['deny', []]);
  });

  it('judges what was asked by the roles of whoever asked, also when somebody else decides again', async () => {
    const projectId = await newProject('feed');
    await put(policy('look', ALL, 'review'), { projectId });
    const { id } = await ask('studio-crop@studio', { projectId });
    await put(
      policy('look', ALL, 'review') +
        policy('legal-only', `${ALL} unless { principal.roles == [Role::"legal", Role::"creator"] }`),
      { projectId },
    );
    const again = await made<ClearanceAnswer>(
      app.request(`/v1/clearances/${id}/decide-again`, { ...json({}), key: legal }),
    );
    expect(ofPolicies(again)).toContainEqual(['policy.legal-only', 'deny']);
  });

  it('also where there was no policy when it was asked: the roles are those of the first who asked', async () => {
    const projectId = await newProject('feed');
    const { id } = await ask('studio-crop@studio', { projectId });
    const onlyLegal = (severity: string) =>
      policy('legal-only', `${ALL} unless { principal.roles == [Role::"legal", Role::"creator"] }`, severity);
    const again = (key: string) =>
      made<ClearanceAnswer>(app.request(`/v1/clearances/${id}/decide-again`, { ...json({}), key }));
    await put(onlyLegal('review'), { projectId });
    expect(ofPolicies(await again(legal))).toEqual([['policy.legal-only', 'review']]);
    await put(onlyLegal('deny'), { projectId });
    expect(ofPolicies(await again(legal))).toEqual([['policy.legal-only', 'deny']]);
  });
});

describe('blocked terms', () => {
  const SECRET = 'Zdzisława Beksińska';

  it('refuse a run before anything is spent, and neither prompt nor term get into the log', async () => {
    const projectId = await newProject('feed');
    const list = await putTerms(['Somebody Else', SECRET], { projectId });
    const prompt = 'a bottle, in the manner of ZDZISLAWA\u200b beksinska, dreamlike';
    const counts = async () => {
      const { run, step_run, money_movement, audit_opening, reserved_micro_usd } =
        await inspector.footprint();
      return { run, step_run, money_movement, audit_opening, reserved_micro_usd };
    };
    const before = await counts();
    const answer = await start(projectId, 'feed', { inputs: { prompt } });
    const text = await answer.clone().text();
    const problem = (await expectProblem(answer, 'clearance_denied')) as unknown as ClearanceAnswer;
    expect(await counts()).toEqual(before);
    const { terms } = await get<{ terms: { id: string; term: string }[] }>(`/v1/policies/${list.id}`);
    const term = terms.find(({ term: written }) => written === SECRET);
    expect(problem.findings).toContainEqual(
      expect.objectContaining({
        ruleId: 'policy.blocked-term',
        severity: 'deny',
        stepKeys: ['generate'],
        fact: { name: 'blockedTerm', value: term?.id },
      }),
    );
    for (const shown of [text, ...(await entries('clearance.decided')).map((entry) => entry.text)]) {
      expect(shown).not.toMatch(/beksi/i);
      expect(shown).not.toContain('dreamlike');
    }
    const logs = (await entries('clearance.decided')).map((entry) => entry.text).join();
    expect(logs).not.toContain(term?.id);
    expect(logs).toContain(list.sha256);
    const stored = await inspector.query<{ rows: string }>(
      `SELECT string_agg(convert_from(coalesce(outcome, result), 'UTF8') || convert_from(input, 'UTF8'), '') AS rows FROM clearance`,
    );
    expect(stored[0]?.rows).not.toMatch(/beksi|dreamlike/i);
    expect((await entries('policy.changed')).map((entry) => entry.text).join()).not.toMatch(/beksi/i);
  });

  it('are looked for in every text of every step, whatever its name, and only where they apply', async () => {
    const projectId = await newProject('feed', 'other');
    await putTerms(['Forbidden Brand'], { projectId, useCase: 'feed' });
    const inputs = { prompt: 'a bottle', brandName: 'FORBIDDEN BRAND' };
    const refused = await expectProblem(await start(projectId, 'feed', { inputs }), 'clearance_denied');
    expect(ofPolicies(refused as unknown as ClearanceAnswer)).toContainEqual(['policy.blocked-term', 'deny']);
    const parameters = {
      prompt: { input: 'prompt' },
      negativePrompt: 'no forbidden-brand, please',
    };
    const step = {
      key: 'scene',
      operation: 'generate',
      model: 'studio-scene@studio',
      parameters,
      images: {},
    };
    const name = `negative-${++serial}`;
    await made(app.request('/v1/pipelines', json({ name, definition: { steps: [step] } })));
    const negative = { pipeline: name, inputs: { prompt: 'a bottle' } };
    await expectProblem(await start(projectId, 'feed', negative), 'clearance_denied');
    expect((await finished(projectId, 'other')).state).toBe('SUCCEEDED');
  });

  it('stay in what was decided: the decision replays, and the list may be emptied', async () => {
    const projectId = await newProject('feed');
    await putTerms(['Gone Tomorrow'], { projectId });
    const inputs = { prompt: 'gone tomorrow' };
    await expectProblem(await start(projectId, 'feed', { inputs }), 'clearance_denied');
    const [row] = await inspector.query<{ id: string }>(
      `SELECT 'clr_' || replace(id::text, '-', '') AS id FROM clearance ORDER BY created_at DESC LIMIT 1`,
    );
    await putTerms([], { projectId });
    expect((await finished(projectId, 'feed', { inputs })).state).toBe('SUCCEEDED');
    expect((await get<{ same: boolean }>(`/v1/clearances/${row?.id}/replay`)).same).toBe(true);
  });

  it('hold a letter or a digit, are not too many, and fit the request', async () => {
    const before = await inspector.footprint();
    for (const terms of [
      ['ok', '!?'],
      [''],
      ['a'.repeat(201)],
      ['a\u202eb'],
      ['\ud800'],
      Array(20_001).fill('a'),
    ])
      await expectProblem(await send('/v1/policies/blocked-terms', { terms }), 'invalid_request');
    expect(await inspector.footprint()).toEqual(before);
    const most = Array.from({ length: 20_000 }, (_, n) => `person ${n}`);
    const projectId = await newProject('feed');
    expect(await putTerms(most, { projectId })).toMatchObject({ items: 20_000 });
    const inputs = { prompt: 'like person 19999 did' };
    await expectProblem(await start(projectId, 'feed', { inputs }), 'clearance_denied');
  });
});

describe('setting policies', () => {
  it('is for legal and admin, with a live key, in the organization', async () => {
    const { key: creator } = await addPerson(app, ['creator', 'reviewer', 'asset_manager', 'auditor']);
    const { key: test } = await addPerson(app, ['legal'], { mode: 'test' });
    const { key: admin } = await addPerson(app, ['admin']);
    const before = await inspector.footprint();
    const body = { text: policy('x', ALL) };
    await expectProblem(await send('/v1/policies', body, creator), 'forbidden');
    await expectProblem(await send('/v1/policies/blocked-terms', { terms: ['x'] }, creator), 'forbidden');
    await expectProblem(
      await app.request('/v1/policies/check', { ...json(body), key: creator }),
      'forbidden',
    );
    await expectProblem(await send('/v1/policies', body, test), 'wrong_mode');
    const elsewhere = { ...body, scope: { projectId: `prj_${'0'.repeat(32)}` } };
    await expectProblem(await send('/v1/policies', elsewhere), 'not_found');
    const unknown = { ...body, scope: { projectId: app.instance.projectId, useCase: 'none' } };
    await expectProblem(await send('/v1/policies', unknown), 'not_found');
    await expectProblem(
      await send('/v1/policies', { ...body, scope: { useCase: 'hero-image' } }),
      'invalid_request',
    );
    expect(await inspector.footprint()).toEqual(before);
    const scope = { projectId: await newProject() };
    await made(send('/v1/policies', { ...body, scope }, admin), 200);
  });

  it('is refused with the place of the error, and the old version stays in force', async () => {
    const projectId = await newProject('feed');
    await put(policy('old', ALL), { projectId });
    const before = await inspector.footprint();
    for (const text of [
      policy('a', `${ALL} when { resource.lineage.vendorz.contains("x") }`),
      `permit ${ALL};`,
      'forbid',
      policy('a', `${ALL} when { ${'('.repeat(5000)}`),
      policy('a', ALL, 'allow'),
    ]) {
      const problem = await expectProblem(
        await send('/v1/policies', { scope: { projectId }, text }),
        'policy_invalid',
      );
      expect(problem.errors?.[0]).toMatchObject({ path: 'text', line: expect.any(Number) });
    }
    const huge = { scope: { projectId }, text: 'x'.repeat(70_000) };
    await expectProblem(await send('/v1/policies', huge), 'invalid_request');
    const many = { text: 'forbid(principal,action,resource);'.repeat(100_000) };
    await expectProblem(await send('/v1/policies', many), 'payload_too_large');
    const half = `{"text":"// \\ud800"}`;
    const headers = { 'content-type': 'application/json' };
    const sent = await app.request('/v1/policies', { method: 'PUT', body: half, headers, key: legal });
    await expectProblem(sent, 'invalid_request');
    const bytes = Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const raw = await app.request('/v1/policies', { method: 'PUT', body: bytes, headers, key: legal });
    await expectProblem(raw, 'invalid_json');
    expect(await inspector.footprint()).toEqual(before);
    expect(ofPolicies(await ask('studio-crop@studio', { projectId }))).toEqual([['policy.old', 'deny']]);
  });

  it('does not overwrite what somebody else has set meanwhile', async () => {
    const scope = { projectId: await newProject() };
    const with0 = (text: string) => send('/v1/policies', { scope, text, expectedVersion: 0 });
    const answers = await Promise.all([with0(policy('a', ALL)), with0(policy('b', ALL))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('keeps every version, and shows which are in force', async () => {
    const projectId = await newProject();
    const [one, two] = [
      await put(policy('a', ALL), { projectId }),
      await put(policy('b', ALL), { projectId }),
    ];
    const list = async (query: string) =>
      (
        await get<{ items: { id: string; inForce: boolean; version: number }[] }>(
          `/v1/policies?limit=200${query}`,
        )
      ).items;
    const current = await list('');
    expect(current.find(({ id }) => id === two.id)).toMatchObject({ inForce: true, version: 2 });
    expect(current.some(({ id }) => id === one.id)).toBe(false);
    expect((await list('&history=true')).find(({ id }) => id === one.id)).toMatchObject({ inForce: false });
    expect(await get(`/v1/policies/${one.id}`)).toMatchObject({ text: policy('a', ALL), sha256: one.sha256 });
    await expect(
      inspector.query(`UPDATE policy_version SET version = 9 WHERE version = 1`),
    ).rejects.toThrow();
  });

  it('can be tried before: is it valid, and what would it say of a decision?', async () => {
    const before = await ask(MODEL);
    const footprint = await inspector.footprint();
    const check = (body: unknown) =>
      made(app.request('/v1/policies/check', { ...json(body), key: legal }), 200);
    const text = policy('no-bfl', `${ALL} when { resource.lineage.vendors.contains("Black Forest Labs") }`);
    expect(await check({ text })).toMatchObject({
      valid: true,
      policies: [{ id: 'no-bfl', severity: 'deny' }],
      wouldSay: null,
    });
    expect(await check({ text, clearanceId: before.id })).toMatchObject({
      wouldSay: { licenseDecision: 'allow', decision: 'deny', findings: [{ ruleId: 'policy.no-bfl' }] },
    });
    const hand = policy(
      'hand',
      '(principal, action == Action::"release", resource) unless { context.humanContribution }',
    );
    const asked = { text: hand, clearanceId: before.id, action: 'release' };
    expect(await check(asked)).toMatchObject({ wouldSay: { decision: 'deny' } });
    expect(await check({ ...asked, humanContribution: true })).toMatchObject({
      wouldSay: { decision: 'allow' },
    });
    expect(await check({ text: 'forbid' })).toMatchObject({ valid: false, errors: [{ line: 1 }] });
    const missing = { text, clearanceId: `clr_${'0'.repeat(32)}` };
    await expectProblem(
      await app.request('/v1/policies/check', { ...json(missing), key: legal }),
      'not_found',
    );
    expect(await inspector.footprint()).toEqual(footprint);
  });

  it('tells its vocabulary', async () => {
    const { schema, sha256 } = await get<{ schema: string; sha256: string }>('/v1/policies/schema');
    expect(sha256Hex(schema)).toBe(sha256);
    expect(schema).toContain('action release');
  });

  it('of bytes that are not what was recorded decides nothing', async () => {
    const projectId = await newProject();
    const { sha256 } = await put(
      policy('mine', `${ALL} when { resource.worldwide && !resource.worldwide }`),
      { projectId },
    );
    await inspector.query('ALTER TABLE policy_text DISABLE TRIGGER append_only_row');
    await inspector.query(`UPDATE policy_text SET bytes = '\\x00' WHERE sha256 = $1`, [sha256]);
    await inspector.query('ALTER TABLE policy_text ENABLE ALWAYS TRIGGER append_only_row');
    // This process goes on with what it read when the text came; another one reads it now.
    const elsewhere = new PoliciesInForce(
      new CedarPolicyEngine(() => undefined),
      { read: () => Promise.reject(new Error('the tampered text was read')) },
      () => undefined,
    );
    const use = { projectId: parsePublicId('project', projectId) ?? '', useCaseId: null };
    const organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
    const { organizationTx } = app.services;
    await expect(organizationTx.run(organizationId, (tx) => elsewhere.of(tx, use))).rejects.toThrow(
      'has another hash',
    );
  });
});
