import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HARMLESS_FACTS, productShot, runToEnd, json, type RunAnswer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { generate, PipelineRuns } from '../support/pipeline-runs.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

describe('a run', () => {
  let app: TestApplication;
  beforeAll(async () => {
    app = await startTestApplication();
  });
  afterAll(() => app.close());

  it('goes through clearance, four steps, signing and the log, and serves exactly the bytes that the log names', async () => {
    const run: RunAnswer = await runToEnd(app, productShot(app));
    expect(run.state).toBe('SUCCEEDED');
    expect(run.steps.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    for (const step of run.steps) {
      const asset = (await (await app.request(`/v1/assets/${step.assetId}`)).json()) as { sha256: string };
      const bytes = Buffer.from(
        await (await app.request(`/v1/assets/${step.assetId}/content`)).arrayBuffer(),
      );
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(asset.sha256);
      await app.services.sequencer.runOnce();
      const entries = (await (await app.request(`/v1/audit/entries?subject=${step.assetId}`)).json()) as {
        items: { entry: { type: string; data: { sha256: string } } }[];
      };
      expect(entries.items.map(({ entry }) => [entry.type, entry.data.sha256])).toEqual([
        ['asset.signed', asset.sha256],
        ['asset.read', asset.sha256],
      ]);
    }
  });

  it('is decided for the day on which it is made, whatever the caller says of the day', async () => {
    const facts = { ...HARMLESS_FACTS, generatedOn: '2020-01-01' };
    const started = (await (
      await app.request('/v1/runs', json(productShot(app, { facts })))
    ).json()) as RunAnswer;
    const { input, createdAt } = (await (
      await app.request(`/v1/clearances/${started.clearanceId}`)
    ).json()) as {
      input: { facts: { generatedOn: string } };
      createdAt: string;
    };
    expect(input.facts.generatedOn).toBe(createdAt.slice(0, 10));
  });

  it('refuses a license that forbids the territory, with findings, and records the refusal', async () => {
    const body = productShot(app, {
      inputs: { prompt: 'x', model: 'hunyuan-image-3.0@fal' },
      facts: { purpose: 'commercial', audienceCountries: ['DE'], organizationRevenueUsd: 1_000_000 },
    });
    const answer = await app.request('/v1/runs', json(body));
    expect(answer.status).toBe(403);
    const problem = (await answer.json()) as {
      code: string;
      clearanceId: string;
      findings: { ruleId: string; howToFix: string }[];
    };
    expect(problem.code).toBe('clearance_denied');
    expect(
      problem.findings.some(({ ruleId, howToFix }) => ruleId === 'territory-outputs' && howToFix !== ''),
    ).toBe(true);
    const clearance = (await (await app.request(`/v1/clearances/${problem.clearanceId}`)).json()) as {
      decision: string;
    };
    expect(clearance.decision).toBe('deny');
  });

  it('goes on beside a step whose outcome is unknown, and ends when a person has said what became of it', async () => {
    const runs = new PipelineRuns(app);
    const pipeline = await runs.define(
      generate('lost', { prompt: 'sandbox:outcome-unknown' }, { onFailure: 'continue' }),
      generate('slow', { prompt: 'sandbox:slow' }),
      {
        key: 'larger',
        operation: 'upscale',
        model: 'studio-upscale@studio',
        parameters: { factor: 2 },
        images: { image: { step: 'slow' } },
      },
      {
        key: 'waiting',
        operation: 'upscale',
        model: 'studio-upscale@studio',
        parameters: { factor: 2 },
        images: { image: { step: 'lost' } },
      },
    );
    const id = await runs.start(pipeline);
    await runs.stepIn(id, 'lost', 'OUTCOME_UNKNOWN');
    expect((await runs.get(id)).state).toBe('NEEDS_RECONCILIATION');
    await runs.stepIn(id, 'larger', 'SUCCEEDED');
    const open = await runs.get(id);
    expect(open.state).toBe('NEEDS_RECONCILIATION');
    expect(open.progress.counts).toEqual({ SUCCEEDED: 2, OUTCOME_UNKNOWN: 1, RESERVED: 1 });

    const said = { outcome: 'not_charged', reason: 'the vendor has no such job' };
    expect((await runs.post(`/v1/runs/${id}/steps/lost/reconcile`, said)).status).toBe(200);
    const ended = await eventually('the run has ended', async () => {
      const run = await runs.get(id);
      return run.state === 'NEEDS_RECONCILIATION' || run.state === 'RUNNING' ? undefined : run;
    });
    expect(ended.state).toBe('PARTIALLY_SUCCEEDED');
    expect(ended.progress.counts).toEqual({ SUCCEEDED: 2, FAILED: 1, SKIPPED: 1 });
    expect((await runs.entries(id, 'run.finished')).map(({ data }) => data.state)).toEqual([
      'PARTIALLY_SUCCEEDED',
    ]);
  });
});
