import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeComfyUi } from '../fakes/comfyui/fake-comfyui.js';
import { FAKE_REPLICATE_TOKEN, FakeReplicate } from '../fakes/replicate/fake-replicate.js';
import { HARMLESS_FACTS, json, type RunAnswer, runToEnd } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { ownLicenseText, ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

const READ = { source: 'a contract', dateRead: '2026-11-22', verified: true };
const HOSTED = 'brand-look.v1@replicate';
const OWN = 'brand-look.v1@self-hosted';

let replicate: FakeReplicate;
let comfy: FakeComfyUi;
let app: TestApplication;
let inspector: Inspector;
let folder: string;

function graph(lora?: string): Record<string, unknown> {
  return {
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'look.safetensors' } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: '', clip: ['4', 1] } },
    ...(lora === undefined
      ? {}
      : { '7': { class_type: 'LoraLoaderModelOnly', inputs: { lora_name: lora } } }),
    '9': { class_type: 'SaveImage', inputs: { images: ['6', 0] } },
  };
}

function ownServers(): string {
  const price = { family: 'free', ...READ };
  const workflow = {
    operation: 'generate',
    listingId: OWN,
    parameters: { prompt: { node: '6', input: 'text' } },
    outputNode: '9',
    price,
  };
  return JSON.stringify({
    prices: [
      {
        provider: 'replicate',
        endpoint: 'brand/look',
        price: {
          family: 'per-image',
          tiers: [{ microUsd: 5_000 }],
          settledBy: { meter: 'image', microUsd: 4_000 },
          ...READ,
        },
      },
    ],
    offerings: [
      { listingId: HOSTED, provider: 'replicate', endpoint: 'brand/look', operations: ['generate'] },
    ],
    comfyUi: [
      {
        name: 'gpu',
        baseUrl: comfy.server.origin,
        privateNetwork: true,
        inventory: [{ fileName: 'look.safetensors', sha256: 'a'.repeat(64), listingId: OWN }],
        workflows: [
          { ...workflow, name: 'shot', graph: graph() },
          { ...workflow, name: 'styled', graph: graph('mystery.safetensors') },
        ],
      },
    ],
  });
}

beforeAll(async () => {
  [replicate, comfy] = await Promise.all([FakeReplicate.start(), FakeComfyUi.start()]);
  folder = mkdtempSync(join(tmpdir(), 'colophon-own-'));
  const serversFile = join(folder, 'servers.json');
  writeFileSync(serversFile, ownServers(), { mode: 0o600 });
  app = await startTestApplication({
    COLOPHON_SERVERS_FILE: serversFile,
    REPLICATE_BASE_URL: replicate.baseUrl,
    PUBLIC_URL: 'https://gateway.example',
  });
  inspector = await Inspector.open(app.database);
  expect((await app.request('/v1/license-texts', json(ownLicenseText()))).status).toBe(201);
  for (const id of [HOSTED, OWN])
    expect((await app.request('/v1/models', json({ listing: ownListing({ id }) }))).status).toBe(201);
  for (const [name, endpoint] of [['hosted'], ['own', 'gpu/shot'], ['styled', 'gpu/styled']] as const) {
    const step = {
      key: 'generate',
      operation: 'generate',
      model: name === 'hosted' ? HOSTED : OWN,
      parameters: { prompt: { input: 'prompt' } },
      ...(endpoint === undefined ? {} : { endpoint }),
    };
    const created = await app.request('/v1/pipelines', json({ name, definition: { steps: [step] } }));
    expect(created.status).toBe(201);
  }
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await Promise.all([replicate.stop(), comfy.stop()]);
  rmSync(folder, { recursive: true });
});

const runBody = (pipeline: string) => ({
  projectId: app.instance.projectId,
  useCase: 'hero-image',
  pipeline,
  inputs: { prompt: 'A SECRET bottle' },
  facts: HARMLESS_FACTS,
});
const credentials = '/v1/providers/replicate/credentials';
const setKey = (key: string) => app.request(credentials, { ...json({ key }), method: 'PUT' });

async function entriesOf(type: string): Promise<{ actor: { id: string }; data: Record<string, unknown> }[]> {
  const rows = await inspector.query<{ entry: Buffer }>(
    `SELECT entry FROM (SELECT entry_id, entry FROM audit_pending WHERE entry_type = $1
       UNION ALL SELECT entry_id, entry FROM audit_entry WHERE entry_type = $1) AS e ORDER BY entry_id`,
    [type],
  );
  return rows.map(
    ({ entry }) => JSON.parse(entry.toString()) as { actor: { id: string }; data: Record<string, unknown> },
  );
}

describe("an organization's own key", () => {
  it('is needed where the operator has none, takes effect at once, and shows four characters', async () => {
    await expectProblem(await app.request('/v1/runs', json(runBody('hosted'))), 'provider_not_configured');
    expect(await (await setKey('r8_wrong_key_of_somebody')).json()).toMatchObject({ lastFour: 'body' });
    const refused = await runToEnd(app, runBody('hosted'));
    expect(refused).toMatchObject({ state: 'FAILED', steps: [{ error: { code: 'upstream_error' } }] });
    expect(JSON.stringify(refused)).not.toContain('r8_wrong');
    await setKey(FAKE_REPLICATE_TOKEN);
    const answer = (await (await app.request(credentials)).json()) as Record<string, unknown>;
    expect(answer).toEqual({ provider: 'replicate', lastFour: 'ount', setAt: expect.any(String) });
    expect((await runToEnd(app, runBody('hosted'))).state).toBe('SUCCEEDED');
  });

  it('is settled by what the vendor counted', async () => {
    const settled = (await entriesOf('step.settled')).at(-1);
    expect(settled?.data).toMatchObject({ costMicroUsd: '4000', basis: 'billed' });
  });

  it('is for admins only, and is not known of vendors that want none', async () => {
    await expectProblem(await app.request('/v1/providers/studio/credentials'), 'not_found');
    await expectProblem(
      await app.request(credentials, {
        ...json({ key: FAKE_REPLICATE_TOKEN }),
        method: 'PUT',
        key: app.instance.keys.test,
      }),
      'wrong_mode',
    );
  });
});

describe('a prediction whose answer was lost', () => {
  it('is found in the list of the account, goes on, and is paid once', async () => {
    const before = replicate.ledger.charges.length;
    replicate.ledger.plan({ fault: 'reset-after-accept' });
    const run = await runToEnd(app, runBody('hosted'));
    expect(run.state).toBe('SUCCEEDED');
    expect(replicate.ledger.charges.length - before).toBe(1);
    expect((await entriesOf('step.outcome_unknown')).length).toBe(1);
    expect(await entriesOf('step.reconciled')).toMatchObject([
      { actor: { id: 'colophon' }, data: { outcome: 'accepted' } },
    ]);
  });
});

describe('a workflow on an own ComfyUI', () => {
  it('gives an asset without the prompt in it, whose manifest says what was removed', async () => {
    const run = await runToEnd(app, runBody('own'));
    const assetId = run.steps[0]?.assetId ?? '';
    const content = Buffer.from(await (await app.request(`/v1/assets/${assetId}/content`)).arrayBuffer());
    expect(content.toString('latin1')).not.toContain('SECRET');
    const manifest = await (await app.request(`/v1/assets/${assetId}/manifest`)).text();
    expect(manifest).toContain('org.colophon.preparation');
    expect(manifest).toContain('png-text-removed');
  });

  it('with a weight that nobody listed is not run before a person has decided', async () => {
    const executions = comfy.ledger.charges.length;
    const answer = await app.request('/v1/runs', json(runBody('styled')));
    const text = await answer.text();
    expect(text).toContain('unlisted-mystery-safetensors@self-hosted');
    const { state } = JSON.parse(text) as Partial<RunAnswer>;
    expect(answer.status === 403 || state === 'WAITING_FOR_WAIVER').toBe(true);
    expect(comfy.ledger.charges.length).toBe(executions);
  });
});
