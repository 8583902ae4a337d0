import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import {
  STUDIO_OPERATIONS,
  type StudioOperationName,
} from '../src/generation/adapters/studio/studio-operations.js';
import { runFactsSchema } from '../src/licenses/domain/run-facts.js';
import { sha256Hex } from '../src/shared/bytes.js';
import { newId, parsePublicId } from '../src/shared/ids.js';
import { type Benchmark, type BenchmarkRow, inParallel, percentile, timeEach } from './benchmark.js';

const ROUNDS = 15;
const SIDE_PIXELS = 1024;
const FACTS = {
  purpose: 'commercial',
  audienceCountries: ['DE', 'US'],
  organizationRevenueUsd: 5_000_000,
} as const;

/** What a `studio` step costs beside its image work: clearance, storage, signing with read-back, log. */
export const studioStepBenchmark: Benchmark = async ({ url, instance, services }) => {
  const organizationId = parsePublicId('organization', instance.organizationId) ?? '';
  const principal = await services.authenticate.withApiKey(instance.keys.live);
  const rows: BenchmarkRow[] = [];
  const add = (what: string, times: readonly number[]): number => {
    const p50 = percentile(times, 0.5);
    rows.push({ what, p50Ms: p50, p95Ms: percentile(times, 0.95) });
    return p50;
  };

  // The image work itself, as reference.
  const scene = await STUDIO_OPERATIONS['render-scene'].run({
    prompt: 'bench',
    width: SIDE_PIXELS,
    height: SIDE_PIXELS,
  });
  const image = await imageWork('convert', { format: 'png' }, scene.bytes);
  await imageWork('cut-out', {}, scene.bytes);
  await imageWork('recolor', { targetColor: '#b4232f' }, scene.bytes);

  // What we add.
  const lineage = {
    components: [{ listingId: 'studio-convert@studio', role: 'editor' as const, stepKey: 'convert' }],
    inputs: [],
  };
  const clear = add(
    'clearance: decide and record with its entry',
    await timeEach(ROUNDS * 4, () =>
      services.organizationTx.run(organizationId, async (tx) => {
        const decided = await services.decideClearance.decide(tx, lineage, runFactsSchema.parse(FACTS), {
          roles: principal.roles,
        });
        return services.decideClearance.record(tx, principal, decided);
      }),
    ),
  );
  const sha256 = sha256Hex(scene.bytes);
  const storage = add(
    'storage: stage, fsync, link, check on reading',
    await timeEach(ROUNDS, async () => {
      const staged = await services.store.stage();
      await writeFile(staged, scene.bytes);
      await services.store.put(organizationId, sha256, staged);
      await readFile(await services.store.localPath(organizationId, sha256));
    }),
  );
  const sign = add(
    'signing: hash, sign, embed, fsync, read back and validate, store',
    await timeEach(ROUNDS, async () =>
      services.signAsset.sign({
        organizationId,
        original: { path: await services.store.localPath(organizationId, sha256), mediaType: 'image/png' },
        origin: { kind: 'captured_from_provider', originalSha256: sha256, stepRunId: newId() },
        plan: {
          title: 'bench',
          actions: [
            {
              action: 'c2pa.created',
              digitalSourceType: 'algorithmicMedia',
              when: new Date().toISOString(),
              softwareAgent: { name: 'bench', version: '1' },
              description: 'Rendered by a program',
            },
          ],
          ingredients: [],
          allActionsIncluded: true,
          assertions: [],
          identities: [],
          embeddedMetadata: undefined,
          thumbnail: false,
        },
      }),
    ),
  );
  const log = add(
    'log: one entry in its own transaction',
    await timeEach(ROUNDS * 4, () =>
      services.organizationTx.run(organizationId, (tx) =>
        services.appendEntry.append(tx, {
          type: 'run.finished',
          actor: { kind: 'system', id: 'bench' },
          subject: { kind: 'run', id: `run_${randomUUID().replaceAll('-', '')}` },
          data: { state: 'SUCCEEDED' },
        }),
      ),
    ),
  );
  const added = clear + storage + sign + log;
  rows.push({
    what: 'sum of what is added',
    p50Ms: Math.round(added * 100) / 100,
    ratioToConvert: Math.round((added / image) * 100) / 100,
  });

  // Whole runs over HTTP: one convert step on an uploaded picture.
  const run = await oneStepRuns();
  add('whole run of one convert step, over HTTP, one at a time', run.times);
  rows.push({ what: 'runs per second, 4 clients', perSecond: run.perSecond });
  return {
    rows,
    notes: [`pictures of ${SIDE_PIXELS} x ${SIDE_PIXELS} pixels, ${scene.bytes.length} bytes PNG`],
  };

  async function imageWork(name: StudioOperationName, parameters: object, input: Buffer): Promise<number> {
    return add(
      `image work: ${name}`,
      await timeEach(ROUNDS, () => STUDIO_OPERATIONS[name].run(parameters, input)),
    );
  }

  async function oneStepRuns(): Promise<{ times: number[]; perSecond: number }> {
    const headers = { authorization: `Bearer ${instance.keys.live}` };
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      });
    const definition = {
      steps: [
        {
          key: 'convert',
          operation: 'convert',
          model: 'studio-convert@studio',
          parameters: { format: 'png' },
          images: { image: { input: 'photo' } },
        },
      ],
    };
    await post('/v1/pipelines', { name: 'bench-convert', definition });
    const form = new FormData();
    form.set('declaration', JSON.stringify({ projectId: instance.projectId, rights: OWN_PICTURE }));
    form.set('file', new Blob([new Uint8Array(scene.bytes)]), 'bench.png');
    const uploaded = await fetch(`${url}/v1/assets`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': randomUUID() },
      body: form,
    });
    const { id: photo } = (await uploaded.json()) as { id: string };
    const once = async (): Promise<void> => {
      const body = {
        projectId: instance.projectId,
        useCase: 'hero-image',
        pipeline: 'bench-convert',
        inputs: { photo },
        facts: FACTS,
      };
      const { id } = (await (await post('/v1/runs', body)).json()) as { id: string };
      await (await fetch(`${url}/v1/runs/${id}/events`, { headers })).text();
    };
    await once();
    const times = await timeEach(ROUNDS, once);
    const count = 40;
    return { times, perSecond: Math.round((count / (await inParallel(count, 4, once))) * 100) / 100 };
  }
};

const OWN_PICTURE = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
};
