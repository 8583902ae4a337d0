import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { addPerson, json, productShot, type RunAnswer, runToEnd } from '../support/api.js';
import { IN_A_YEAR } from '../support/days-ahead.js';
import { eventually } from '../support/eventually.js';
import { generate, PipelineRuns } from '../support/pipeline-runs.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** A model whose license leaves a question open. */
const MODEL = 'flux-1-schnell@fal';
const SCENE = 'studio-scene@studio';

let fal: FakeFal;
let app: TestApplication;
let legal: { key: string; principalId: string };
/** Accepted for this one decision, and made. */
let accepted: RunAnswer;
/** Answered with something that is no picture, and paid. */
let charged: RunAnswer;

beforeAll(async () => {
  fal = await FakeFal.start();
  app = await startTestApplication({ FAL_KEY: FAKE_FAL_CREDENTIALS, FAL_BASE_URL: fal.origin });
  legal = await addPerson(app, ['legal', 'auditor']);
  accepted = await waived('counsel has read the license');
  fal.plan({ result: 'garbage-png' });
  charged = await waived('as before');
});
afterAll(async () => {
  await app.close();
  await fal.stop();
});

const inputs = { prompt: 'a bottle', model: MODEL, width: 256, height: 256 };

async function startWaiting(useCase = 'hero-image'): Promise<RunAnswer> {
  const started = await app.request('/v1/runs', json(productShot(app, { inputs, useCase })));
  const run = (await started.json()) as RunAnswer;
  expect([started.status, run.state]).toEqual([202, 'WAITING_FOR_WAIVER']);
  return run;
}

async function waived(comment: string): Promise<RunAnswer> {
  const { id, clearanceId } = await startWaiting();
  await approve({ clearanceId, comment });
  return ended(id);
}

async function approve(scope: Record<string, unknown>): Promise<void> {
  const waiver = { reason: 'LEGAL_OPINION', comment: 'x', expiresAt: IN_A_YEAR, ...scope };
  const answer = await app.request('/v1/waivers', { ...json(waiver), key: legal.key });
  expect([answer.status, await answer.text()]).toEqual([201, expect.any(String)]);
}

async function ended(id: string): Promise<RunAnswer> {
  await (await app.request(`/v1/runs/${id}/events`)).text();
  return (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;
}

async function made<Report>(body: Record<string, unknown>): Promise<{ id: string; report: Report }> {
  const asked = await app.request('/v1/reports', { ...json({ format: 'json', ...body }), key: legal.key });
  const { id } = (await asked.json()) as { id: string };
  await eventually('the report is done', async () => {
    const view = (await (await app.request(`/v1/reports/${id}`, { key: legal.key })).json()) as {
      state: string;
      errorCode: string | null;
    };
    expect(view.errorCode).toBeNull();
    return view.state === 'DONE' ? view : undefined;
  });
  const content = await app.request(`/v1/reports/${id}/content`, { key: legal.key });
  return { id, report: (await content.json()) as Report };
}

interface Spent {
  readonly listingId: string;
  readonly steps: number;
  readonly settledMicroUsd: string;
}
interface Campaign {
  readonly models: readonly Spent[];
  readonly chargedFailures: readonly Spent[];
  readonly testWork: readonly Spent[];
  readonly peopleSteps: Omit<Spent, 'listingId'>;
  readonly costs: { readonly settledMicroUsd: string; readonly settledSteps: number };
  readonly indemnity: readonly { readonly listingId: string; readonly runs: number }[];
  readonly gaps: readonly { readonly text: string }[];
}
const campaign = async (): Promise<Campaign> =>
  (await made<Campaign>({ kind: 'campaign', projectId: app.instance.projectId })).report;

describe('a campaign of live work, failures, test work and choices of people', () => {
  it('tells them apart, and together they are what is settled', async () => {
    expect([accepted.state, charged.state]).toEqual(['SUCCEEDED', 'FAILED']);
    await runToEnd(app, productShot(app), app.instance.keys.test);
    const runs = new PipelineRuns(app, app.instance.keys.live);
    const pipeline = await runs.define(
      generate('v', { prompt: { item: 'prompt' } }, { model: SCENE, each: { input: 'list' } }),
      { key: 'pick', operation: 'choose', images: { image: { step: 'v' } } },
    );
    const id = await runs.start(pipeline, { list: [{ prompt: 'one' }, { prompt: 'two' }] });
    const shown = (await runs.stepIn(id, 'pick', 'WAITING')).waitsFor?.shown ?? [];
    await runs.answer(id, 'pick', { outcome: 'chosen', assetId: shown[0] });
    expect((await runs.ended(id)).state).toBe('SUCCEEDED');

    const report = await campaign();
    const { models, chargedFailures, testWork, peopleSteps, costs } = report;
    const stepsOf = (spent: readonly Spent[], listingId: string) =>
      spent.find((one) => one.listingId === listingId)?.steps;
    expect([stepsOf(models, MODEL), stepsOf(models, SCENE)]).toEqual([1, 2]);
    expect(models.map(({ listingId }) => listingId)).not.toContain('none');
    expect(chargedFailures).toEqual([{ listingId: MODEL, steps: 1, settledMicroUsd: '3000' }]);
    expect(stepsOf(testWork, SCENE)).toBe(1);
    expect(peopleSteps).toEqual({ steps: 1, settledMicroUsd: '0' });
    const all = [...models, ...chargedFailures, ...testWork, peopleSteps];
    const sum = all.reduce((total, { settledMicroUsd }) => total + BigInt(settledMicroUsd), 0n);
    expect(sum.toString()).toBe(costs.settledMicroUsd);
    expect(BigInt(costs.settledMicroUsd)).toBeGreaterThan(0n);
  });
});

describe('what people accepted', () => {
  interface Waiver {
    readonly clearanceId: string | null;
    readonly findings: readonly { readonly ruleId: string; readonly listingId: string | null }[];
    readonly concernsModel: boolean;
    readonly runs: number | null;
    readonly comment: string;
    readonly approvedBy: { readonly principalId: string; readonly displayName?: string };
    readonly isOpen: boolean;
  }
  interface ModelFile {
    readonly waivers: readonly Waiver[];
    readonly gaps: readonly { readonly text: string }[];
    readonly use: { readonly steps: number; readonly chargedFailures: unknown };
  }

  it('for single decisions stands in the file on the model, with who, why and for how long', async () => {
    const { report } = await made<ModelFile>({ kind: 'model', listingId: MODEL });
    expect(report.waivers).toMatchObject([
      {
        clearanceId: accepted.clearanceId,
        concernsModel: true,
        runs: 1,
        comment: 'counsel has read the license',
        approvedBy: { principalId: legal.principalId, displayName: 'Second person' },
        isOpen: true,
      },
      { clearanceId: charged.clearanceId, comment: 'as before' },
    ]);
    expect(report.waivers[0]?.findings).toContainEqual({ ruleId: expect.any(String), listingId: MODEL });
    expect(report.gaps.map(({ text }) => text)).toContain(
      '2 exceptions for this model are in force; see "Exceptions".',
    );
    expect(report.use).toMatchObject({
      steps: 1,
      chargedFailures: { steps: 1, settledMicroUsd: '3000' },
    });
    // The same decisions hold models of which nothing was open.
    const other = (await made<ModelFile>({ kind: 'model', listingId: 'studio-cut-out@studio' })).report;
    expect(other.waivers.map(({ concernsModel }) => concernsModel)).toEqual([false, false]);
  });

  it('goes with whoever accepted it: a file on a model that names an erased person is withdrawn', async () => {
    const other = await addPerson(app, ['legal']);
    const { clearanceId } = await startWaiting('feed-thumbnail');
    const waiver = { clearanceId, reason: 'LEGAL_OPINION', comment: 'short-lived', expiresAt: IN_A_YEAR };
    await app.request('/v1/waivers', { ...json(waiver), key: other.key });
    const { id } = await made<ModelFile>({ kind: 'model', listingId: MODEL });
    const erasure = { principalId: other.principalId, reason: 'data_subject_request' };
    const erased = await app.request('/v1/erasures', { ...json(erasure), key: legal.key });
    expect([erased.status, await erased.text()]).toEqual([201, expect.any(String)]);
    await expectProblem(await app.request(`/v1/reports/${id}/content`, { key: legal.key }), 'conflict');
    const { report } = await made<ModelFile>({ kind: 'model', listingId: MODEL });
    expect(JSON.stringify(report)).not.toContain('short-lived');
    expect(report.waivers.at(-1)).toMatchObject({
      approvedBy: { principalId: other.principalId },
      commentErased: { reason: 'data_subject_request' },
    });
  });
});

interface Dossier {
  readonly runs: readonly {
    readonly clearance: { readonly decision: string };
    readonly waivers: readonly {
      readonly comment: string;
      readonly finding?: { readonly listingId: string };
    }[];
  }[];
  readonly obligations: {
    readonly items: readonly {
      readonly obligation: { readonly listingId: string | null };
      readonly isOfOtherModel?: true;
    }[];
  };
  readonly gaps: readonly { readonly severity: string; readonly text: string }[];
  readonly verification: { readonly signer: { readonly isDevelopment: boolean } };
}
const dossierOf = async (assetId: string | null | undefined): Promise<Dossier> =>
  (await made<Dossier>({ kind: 'asset', assetId })).report;

describe('a finding that was accepted for a whole project', () => {
  it('is told in the dossier of what went ahead by it; what the sandbox plays is in no indemnity map', async () => {
    const waiting = await startWaiting();
    const { findings } = (await (await app.request(`/v1/clearances/${waiting.clearanceId}`)).json()) as {
      findings: { listingId: string; ruleId: string; severity: string }[];
    };
    const { principalId: requestedBy } = (await (await app.request('/v1/me')).json()) as {
      principalId: string;
    };
    const open = findings.filter(({ severity }) => severity === 'review');
    const { projectId } = app.instance;
    for (const { listingId, ruleId } of open)
      await approve({ finding: { listingId, ruleId }, projectId, requestedBy, comment: 'for all of it' });
    const run = await runToEnd(app, productShot(app, { inputs }));
    expect(run.state).toBe('SUCCEEDED');

    const { runs, gaps, verification } = await dossierOf(run.steps.at(-1)?.assetId);
    expect(runs.map(({ clearance }) => clearance.decision)).toEqual(['review']);
    expect(runs[0]?.waivers).toHaveLength(open.length);
    expect(runs[0]?.waivers[0]).toMatchObject({ comment: 'for all of it', finding: { listingId: MODEL } });
    const words = gaps.map(({ text }) => text).join(' ');
    expect(words).toContain(`left questions open: accepted by waiver until ${IN_A_YEAR.slice(0, 10)}`);
    expect(words).not.toContain('not yet accepted by anyone');
    // What the first file lacked then it lacks for ever: a waiver that came later explains nothing of it.
    const earlier = await dossierOf(accepted.steps.at(-1)?.assetId);
    expect(earlier.runs[0]?.waivers.map(({ comment }) => comment)).toEqual(['counsel has read the license']);
    expect(verification.signer.isDevelopment).toBe(true);
    expect(words).toContain('a development certificate, which nobody outside this installation trusts');

    const runsWith = async (): Promise<number | undefined> =>
      (await campaign()).indemnity.find(({ listingId }) => listingId === MODEL)?.runs;
    const before = await runsWith();
    const test = await runToEnd(app, productShot(app, { inputs }), app.instance.keys.test);
    expect([test.state, await runsWith()]).toEqual(['SUCCEEDED', before]);
  });
});

describe('what licenses demand', () => {
  it('counts for the runs in the chain alone, and of models that made nothing in it that is said', async () => {
    const runs = new PipelineRuns(app, app.instance.keys.live);
    const both = await runs.define(
      generate('a', { prompt: 'one' }, { model: MODEL }),
      generate('b', { prompt: 'two' }, { model: SCENE }),
      {
        key: 'larger',
        operation: 'upscale',
        model: 'studio-upscale@studio',
        parameters: { factor: 2 },
        images: { image: { step: 'a' } },
      },
    );
    const { steps } = await runs.ended(await runs.start(both));
    const fileOf = (key: string): string => steps.find((step) => step.key === key)?.assetId ?? '';
    const flagged = async (assetId: string, listingId: string): Promise<unknown[]> =>
      (await dossierOf(assetId)).obligations.items
        .filter(({ obligation }) => obligation.listingId === listingId)
        .map(({ isOfOtherModel }) => isOfOtherModel);
    // Nothing that may bind is left out.
    expect(await flagged(fileOf('b'), MODEL)).toEqual([true, true]);
    expect(await flagged(fileOf('b'), SCENE)).toEqual([undefined]);
    expect(await flagged(fileOf('larger'), MODEL)).toEqual([undefined, undefined]);
    expect(await flagged(fileOf('larger'), SCENE)).toEqual([true]);

    // A sibling of the same parent, by another run, demands nothing of this file.
    const parent = await runs.ended(
      await runs.start(await runs.define(generate('p', { prompt: 'three' }, { model: SCENE }))),
    );
    const picture = parent.steps[0]?.assetId ?? '';
    const upscale = {
      key: 'up',
      operation: 'upscale',
      model: 'studio-upscale@studio',
      parameters: { factor: 2 },
      images: { image: { input: 'picture' } },
    };
    const made = async (...more: object[]): Promise<string> => {
      const run = await runs.ended(await runs.start(await runs.define(upscale, ...more), { picture }));
      return run.steps.find(({ key }) => key === 'up')?.assetId ?? '';
    };
    const sibling = await made(generate('other', { prompt: 'one' }, { model: MODEL }));
    expect(await flagged(sibling, MODEL)).toEqual([true, true]);
    expect(await flagged(await made(), MODEL)).toEqual([]);
  });
});
