import { expect } from '@jest/globals';
import { eventually } from './eventually.js';
import { HARMLESS_FACTS, json } from './api.js';
import { type TestApplication } from './test-application.js';

export interface StepAnswer {
  id: string;
  key: string;
  operation: string;
  model: string;
  state: string;
  assetId: string | null;
  error: { code: string } | null;
  skipReason: string | null;
  fallback: { insteadOf: string; reason: string } | null;
  retry: { attempts: number; reason: string } | null;
  waitsFor: { roles: string[]; until: string; shown: string[] } | null;
}

export interface PipelineRun {
  id: string;
  state: string;
  resumes: string | null;
  resumedBy: string | null;
  progress: {
    total: number;
    done: number;
    percent: number;
    counts: Record<string, number>;
    costMicroUsd: string;
  };
  steps: StepAnswer[];
  stepsNextCursor: string | null;
}

export interface Entry {
  type: string;
  actor: { id: string };
  subject: { id: string };
  data: Record<string, unknown>;
}

/** Runs of pipelines with one key, by default the test key: nothing is spent, and the sandbox plays every model. */
export class PipelineRuns {
  private serial = 0;

  constructor(
    private readonly app: TestApplication,
    private readonly key: string = app.instance.keys.test,
  ) {}

  as(key: string): PipelineRuns {
    return new PipelineRuns(this.app, key);
  }

  /** Stores a pipeline of these steps. @returns its name */
  async define(...steps: object[]): Promise<string> {
    const name = `made-${process.pid}-${Math.random().toString(36).slice(2, 8)}-${++this.serial}`;
    const answer = await this.app.request('/v1/pipelines', json({ name, definition: { steps } }));
    expect([answer.status, await answer.text()]).toEqual([201, expect.any(String)]);
    return name;
  }

  begin(pipeline: string, inputs: object = {}): Promise<Response> {
    const { projectId } = this.app.instance;
    const body = { projectId, useCase: 'hero-image', pipeline, inputs, facts: HARMLESS_FACTS };
    return this.app.request('/v1/runs', { ...json(body), key: this.key });
  }

  async start(pipeline: string, inputs: object = {}): Promise<string> {
    const answer = await this.begin(pipeline, inputs);
    const run = (await answer.json()) as PipelineRun & { detail?: string };
    expect([answer.status, run.detail]).toEqual([202, undefined]);
    return run.id;
  }

  async get(id: string): Promise<PipelineRun> {
    return (await (await this.app.request(`/v1/runs/${id}`, { key: this.key })).json()) as PipelineRun;
  }

  /** Follows the run's own events to its end. */
  async ended(id: string): Promise<PipelineRun> {
    await (await this.app.request(`/v1/runs/${id}/events`, { key: this.key })).text();
    return this.get(id);
  }

  stepIn(id: string, key: string, state: string): Promise<StepAnswer> {
    return eventually(`step ${key} is ${state}`, async () => {
      const step = (await this.get(id)).steps.find((candidate) => candidate.key === key);
      return step?.state === state ? step : undefined;
    });
  }

  post(path: string, body: object = {}): Promise<Response> {
    return this.app.request(path, { ...json(body), key: this.key });
  }

  answer(id: string, key: string, body: object): Promise<Response> {
    return this.post(`/v1/runs/${id}/steps/${key}/answer`, body);
  }

  async entries(subject: string, type?: string): Promise<Entry[]> {
    await this.app.services.sequencer.runOnce();
    const filter = type === undefined ? '' : `&type=${type}`;
    const answer = await this.app.request(`/v1/audit/entries?subject=${subject}${filter}`);
    const { items } = (await answer.json()) as { items: { entry: Entry }[] };
    return items.map(({ entry }) => entry);
  }
}

export const SANDBOX = 'sandbox-generator@sandbox';

export function generate(key: string, parameters: object, more: object = {}): object {
  const size = { width: 256, height: 256 };
  return { key, operation: 'generate', model: SANDBOX, parameters: { ...size, ...parameters }, ...more };
}
