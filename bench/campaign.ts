import { askUntil } from '../src/shared/ask-until.js';
import { type Benchmark, type BenchmarkRow, inParallel } from './benchmark.js';
import { asked, makeReport, mebibytes, type Server } from './made-reports.js';

const FILES =
  process.argv
    .slice(3)
    .map(Number)
    .find((count) => count > 0) ?? 1_000;
/** Runs that are worked on at once, so that their setting up does not take longer than it must. */
const WRITERS = 8;
const RUN_TIMEOUT_MS = 600_000;
const POLL_MS = 50;
const FACTS = {
  purpose: 'commercial',
  audienceCountries: ['DE', 'FR', 'US', 'CN', 'KR', 'IN'],
  organizationRevenueUsd: 5_000_000,
};

/**
 * The report on a campaign of a thousand files, each made by a run of its own with a license decision of its own and its
 * obligations in six markets, in each of its forms: until the client is told that it is done. Fewer: `-- campaign 200`.
 */
export const campaignBenchmark: Benchmark = async ({ url, instance }) => {
  const server: Server = { url, key: instance.keys.live };
  const { projectId } = instance;
  const begun = performance.now();
  await asked(server, '/v1/pipelines', PIPELINE);
  await inParallel(FILES, WRITERS, (call) => makeFile(server, projectId, call));
  const preparedSeconds = Math.round((performance.now() - begun) / 1000);
  const rows: BenchmarkRow[] = [];
  let cells = 0;
  for (const format of ['json', 'csv', 'jws', 'pdf']) {
    const report = await makeReport(server, { kind: 'campaign', format, projectId }, POLL_MS);
    if (format === 'json') cells = await matrixCells(server, report.id);
    rows.push({
      what: format,
      seconds: report.seconds,
      cpuSeconds: report.cpuSeconds,
      sizeMiB: mebibytes(report.sizeBytes),
      timesProgressWasTold: report.percents.length,
      percents: report.percents.join(' '),
    });
  }
  rows.push(...(await listRows(server)));
  return {
    rows,
    notes: [
      `${FILES} files, ${cells} cells of the matrix; made in ${preparedSeconds} s before anything was measured`,
    ],
  };
};

/** Everything that is open across the files, page by page as a client reads it; and one page that a filter leaves empty. */
async function listRows(server: Server): Promise<BenchmarkRow[]> {
  const begun = performance.now();
  let [items, pages] = [0, 0];
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const path = `/v1/obligations?state=open&limit=200${query}`;
    const page = await asked<{ items: unknown[]; nextCursor: string | null }>(server, path);
    items += page.items.length;
    cursor = page.nextCursor;
  }
  const all = performance.now() - begun;
  const first = await secondsOf(() => asked(server, '/v1/obligations?state=open'));
  const none = await secondsOf(() => asked(server, '/v1/obligations?state=overdue&dueBefore=2000-01-01'));
  return [
    { what: `GET /v1/obligations, ${items} open in ${pages} pages`, seconds: Math.round(all) / 1000 },
    { what: 'GET /v1/obligations, first page of 50', seconds: first },
    { what: 'GET /v1/obligations, 1,000 files for an empty page', seconds: none },
  ];
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return Math.round(performance.now() - begun) / 1000;
}

async function makeFile(server: Server, projectId: string, call: number): Promise<void> {
  const body = {
    ...{ projectId, useCase: 'hero-image', pipeline: PIPELINE.name, facts: FACTS },
    inputs: { prompt: `file ${call}`, seed: call },
  };
  const { id } = await asked<{ id: string }>(server, '/v1/runs', body);
  const { state } = await askUntil(
    () => asked<{ state: string }>(server, `/v1/runs/${id}`),
    (run) => run.state !== 'RUNNING',
    { timeoutMs: RUN_TIMEOUT_MS, stepMs: POLL_MS },
  );
  if (state !== 'SUCCEEDED') throw new Error(`a run is ${state}`);
}

const PIPELINE = {
  name: 'one-scene',
  definition: {
    steps: [
      {
        ...{ key: 'generate', operation: 'generate', model: 'studio-scene@studio', images: {} },
        parameters: {
          ...{ prompt: { input: 'prompt' }, seed: { input: 'seed' } },
          ...{ width: 256, height: 256 },
        },
      },
    ],
  },
};

async function matrixCells({ url, key }: Server, id: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  const content = await fetch(`${url}/v1/reports/${id}/content`, { headers });
  const report = (await content.json()) as { assets: unknown[]; matrix: unknown[] };
  if (report.assets.length !== FILES) throw new Error(`the report has ${report.assets.length} files`);
  return report.matrix.length;
}
