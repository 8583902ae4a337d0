import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { askUntil } from '../src/shared/ask-until.js';
import { type Benchmark, type BenchmarkRow } from './benchmark.js';
import { asked, makeReport, mebibytes, type Server } from './made-reports.js';

const STEPS = 20;
const CONTRIBUTIONS = 30;
const ROUNDS = 5;
const RUN_TIMEOUT_MS = 600_000;
const POLL_MS = 20;
const RETOUCH = {
  ...{ actionType: 'RETOUCH', basis: 'modification', capture: 'declared_at_time' },
  tool: { name: 'GIMP', version: '3.0' },
};
const FACTS = {
  purpose: 'commercial',
  audienceCountries: ['DE', 'US', 'KR'],
  organizationRevenueUsd: 5_000_000,
};

/**
 * The dossier of a file that twenty steps and then thirty people's versions lead to, in each of its forms: until the
 * client is told that it is done. Every version has its picture, its manifest, its record and its place in the log.
 */
export const dossierBenchmark: Benchmark = async ({ url, instance }) => {
  const server: Server = { url, key: instance.keys.live };
  const begun = performance.now();
  const made = await runOfSteps(server, instance.projectId);
  const assetId = await versions(server, made);
  const preparedSeconds = Math.round((performance.now() - begun) / 100) / 10;
  const rows: BenchmarkRow[] = [];
  for (const format of ['json', 'jws', 'pdf', 'bundle']) {
    const reports = [];
    for (let round = 0; round < ROUNDS; round++)
      reports.push(await makeReport(server, { kind: 'asset', format, assetId }, POLL_MS));
    const seconds = reports.map((report) => report.seconds).sort((a, b) => a - b);
    const last = reports.at(-1);
    rows.push({
      what: format,
      firstSeconds: reports[0]?.seconds ?? 0,
      p50Seconds: seconds[Math.floor(seconds.length / 2)] ?? 0,
      maxSeconds: seconds.at(-1) ?? 0,
      cpuSeconds: last?.cpuSeconds ?? 0,
      sizeMiB: mebibytes(last?.sizeBytes ?? 0),
      percents: reports[0]?.percents.join(' ') ?? '',
    });
  }
  return {
    rows,
    notes: [
      `${STEPS} steps, then ${CONTRIBUTIONS} versions by a person: a lineage of ${STEPS + CONTRIBUTIONS} files of 1024 x 1024, made in ${preparedSeconds} s; ${ROUNDS} reports of each form`,
    ],
  };
};

async function runOfSteps(server: Server, projectId: string): Promise<string> {
  const steps = Array.from({ length: STEPS }, (_, i) =>
    i === 0
      ? {
          ...{ key: 's0', operation: 'generate', model: 'studio-scene@studio', images: {} },
          parameters: { prompt: 'a bottle on a table', width: 1024, height: 1024 },
        }
      : {
          ...{ key: `s${i}`, operation: 'recolor', model: 'studio-recolor@studio' },
          ...{ images: { image: { step: `s${i - 1}` } }, parameters: { hueRotationDegrees: 18 } },
        },
  );
  const name = `lineage-${STEPS}`;
  await asked(server, '/v1/pipelines', { name, definition: { steps } });
  const body = { projectId, useCase: 'hero-image', pipeline: name, inputs: {}, facts: FACTS };
  const { id } = await asked<{ id: string }>(server, '/v1/runs', body);
  const { state, steps: made } = await askUntil(
    () => asked<{ state: string; steps: { assetId: string | null }[] }>(server, `/v1/runs/${id}`),
    (run) => run.state !== 'RUNNING',
    { timeoutMs: RUN_TIMEOUT_MS, stepMs: POLL_MS * 10 },
  );
  const last = made.at(-1)?.assetId;
  if (state !== 'SUCCEEDED' || typeof last !== 'string') throw new Error(`the run is ${state}`);
  return last;
}

/** @returns the last version */
async function versions({ url, key }: Server, first: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}` };
  let assetId = first;
  for (let i = 0; i < CONTRIBUTIONS; i++) {
    const content = await fetch(`${url}/v1/assets/${assetId}/content`, { headers });
    const bytes = await painted(Buffer.from(await content.arrayBuffer()), i);
    const form = new FormData();
    const statement = `Version ${i + 1}: the label was painted anew by hand.`;
    form.set('contribution', JSON.stringify({ ...RETOUCH, statement }));
    form.set('file', new Blob([Uint8Array.from(bytes)]), 'edit.png');
    const response = await fetch(`${url}/v1/assets/${assetId}/contributions`, {
      ...{ method: 'POST', body: form, headers: { ...headers, 'idempotency-key': randomUUID() } },
    });
    const answer = (await response.json()) as { assetId?: string; id?: string; asset?: { id: string } };
    const next = answer.assetId ?? answer.asset?.id ?? answer.id;
    if (!response.ok || next === undefined) throw new Error(JSON.stringify(answer).slice(0, 500));
    assetId = next;
  }
  return assetId;
}

/** Another square of paint for each version. */
function painted(picture: Buffer, version: number): Promise<Buffer> {
  const paint = { width: 48, height: 48, channels: 3 as const, background: '#204080' };
  const input = { create: paint };
  return sharp(picture)
    .composite([{ input, left: 30 * version, top: 900 - 25 * version }])
    .png()
    .toBuffer();
}
