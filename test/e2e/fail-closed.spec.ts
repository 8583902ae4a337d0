import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createDevelopmentOrganization,
  type Instance,
} from '../../src/identity/application/create-development-organization.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { addPerson, formWith, json, OWN_RIGHTS, postForm, productShot, RETOUCH } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

type Tenant = Omit<Instance, 'url'>;

/** Everything that begins something, on an asset that could be released this moment. */
interface Requests {
  readonly assetId: string;
  readonly send: readonly (() => Promise<Response>)[];
}
const ACCEPTED = [202, 201, 201, 200];

let fake: FakeFal;
let app: TestApplication;
let inspector: Inspector;
let ours: Tenant;
let neighbor: Tenant;
const reviewers = new Map<Tenant, string>();

beforeAll(async () => {
  fake = await FakeFal.start();
  // No sequencer of its own: these tests say when a log is published, and no worker adds entries in between.
  app = await startTestApplication({
    COLOPHON_ROLES: 'http',
    FAL_KEY: FAKE_FAL_CREDENTIALS,
    FAL_BASE_URL: fake.origin,
  });
  inspector = await Inspector.open(app.database);
  ours = app.instance;
  neighbor = await createDevelopmentOrganization(app.services, new URL(app.url).host);
  for (const tenant of [ours, neighbor]) {
    const { key } = await addPerson(app, ['reviewer'], { admin: tenant.keys.live });
    reviewers.set(tenant, key);
  }
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await fake.stop();
});

const idOf = ({ organizationId }: Tenant): string => parsePublicId('organization', organizationId) ?? '';

async function prepare({ keys, projectId }: Tenant, reviewer = ''): Promise<Requests> {
  const key = keys.live;
  const upload = async () =>
    app.request('/v1/assets', {
      ...postForm(
        formWith(await noisePicture(), 'a.png', { declaration: { projectId, rights: OWN_RIGHTS } }),
      ),
      key,
    });
  const received = await upload();
  expect(received.status).toBe(201);
  const { id } = (await received.json()) as { id: string };
  const review = { ...json({ decision: 'approve', comment: 'ok' }), key: reviewer };
  expect((await app.request(`/v1/assets/${id}/reviews`, review)).status).toBe(201);
  const content = await app.request(`/v1/assets/${id}/content`, { key });
  const edited = await retouched(Buffer.from(await content.arrayBuffer()));
  const paidRun = {
    ...productShot(app, { inputs: { prompt: 'x', model: 'flux-1-schnell@fal' } }),
    projectId,
  };
  return {
    assetId: id,
    send: [
      () => app.request('/v1/runs', { ...json(paidRun), key }),
      upload,
      () =>
        app.request(`/v1/assets/${id}/contributions`, {
          ...postForm(formWith(edited, 'e.png', { contribution: RETOUCH })),
          key,
        }),
      () => app.request(`/v1/assets/${id}/release`, { ...json({}), key }),
    ],
  };
}

async function statusesOf({ send }: Requests): Promise<number[]> {
  const statuses: number[] = [];
  for (const request of send) statuses.push((await request()).status);
  return statuses;
}

/** Rows, money, files, jobs and calls to the vendor: equal before and after, or something was half done. */
async function traces(): Promise<unknown> {
  // A refused request with 503 keeps its key until the outcome is clear.
  const rows = { ...(await inspector.footprint()), idempotency_key: undefined };
  const files = await readdir(join(app.home, 'assets'), { recursive: true });
  const jobs = await inspector.query('SELECT id FROM pgboss.job ORDER BY id');
  return { rows, files: files.sort(), jobs, calls: fake.attempts().length };
}

async function expectAllRefused({ send }: Requests): Promise<void> {
  const before = await traces();
  for (const request of send) {
    const { detail } = await expectProblem(await request(), 'audit_unavailable');
    expect(detail).toContain('not being published');
  }
  expect(await traces()).toEqual(before);
}

/** Status of `/readyz`, and what it says of the log. */
async function readiness(): Promise<[number, string | undefined]> {
  const answer = await app.request('/readyz', { key: null });
  const { checks } = (await answer.json()) as { checks: { name: string; detail: string }[] };
  return [answer.status, checks.find(({ name }) => name === 'log')?.detail];
}

/** One committed entry that waits for its place in the log. */
async function commitSomething({ keys }: Tenant): Promise<void> {
  const project = { ...json({ name: randomUUID() }), key: keys.live };
  expect((await app.request('/v1/projects', project)).status).toBe(201);
}

/** As if the clock had gone on while nobody published. */
async function age(table: 'audit_pending' | 'audit_entry', tenant: Tenant, seconds: number): Promise<void> {
  await inspector.query('BEGIN');
  if (table === 'audit_entry')
    await inspector.query('ALTER TABLE audit_entry DISABLE TRIGGER append_only_row');
  await inspector.query(
    `UPDATE ${table} SET recorded_at = recorded_at - make_interval(secs => $2) WHERE organization_id = $1`,
    [idOf(tenant), seconds],
  );
  if (table === 'audit_entry')
    await inspector.query('ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only_row');
  await inspector.query('COMMIT');
}

describe('P3: while the log of an organization is not published, nothing is begun in it', () => {
  let requests: Requests;
  let besides: Requests;
  beforeEach(async () => {
    requests = await prepare(ours, reviewers.get(ours));
    besides = await prepare(neighbor, reviewers.get(neighbor));
    await app.services.sequencer.runOnce();
  });

  it('because no sequencer runs: refused after two minutes, and everything goes on when it is back', async () => {
    expect(await readiness()).toEqual([200, 'no entry waits for a sequencer']);
    await commitSomething(ours);
    await age('audit_pending', ours, 20);
    expect(await readiness()).toEqual([200, 'no entry waits for a sequencer']);
    await age('audit_pending', ours, 90);
    expect(await readiness()).toEqual([503, expect.stringContaining('Entries wait for a sequencer')]);
    const [upload] = requests.send.slice(1);
    expect((await upload?.())?.status).toBe(201);
    await age('audit_pending', ours, 11);

    await expectAllRefused(requests);
    // What was accepted before stays, and can be read.
    const content = await app.request(`/v1/assets/${requests.assetId}/content`);
    expect(content.status).toBe(200);
    expect(await statusesOf(besides)).toEqual(ACCEPTED);

    await app.services.sequencer.runOnce();
    expect(await readiness()).toEqual([200, 'no entry waits for a sequencer']);
    expect(await statusesOf(requests)).toEqual(ACCEPTED);
  });

  it('because its checkpoint is refused: entries that have an index are not published either', async () => {
    const folder = join(app.home, 'logs', idOf(ours));
    await rename(folder, `${folder}.away`);
    await commitSomething(ours);
    await expect(app.services.sequencer.runOnce()).rejects.toThrow('Refusing to sign');
    const pending = await inspector.query('SELECT 1 FROM audit_pending WHERE organization_id = $1', [
      idOf(ours),
    ]);
    expect(pending).toEqual([]);
    await age('audit_entry', ours, 121);

    await expectAllRefused(requests);
    expect(await statusesOf(besides)).toEqual(ACCEPTED);

    await rename(`${folder}.away`, folder);
    await app.services.sequencer.runOnce();
    expect(await statusesOf(requests)).toEqual(ACCEPTED);
  });

  it('at once, because the database is older than what was published: restored from a backup', async () => {
    const rewind = async (entries: number): Promise<void> => {
      await inspector.query('ALTER TABLE audit_log DISABLE TRIGGER head_only_grows');
      await inspector.query('UPDATE audit_log SET size = size - $2 WHERE organization_id = $1', [
        idOf(ours),
        entries,
      ]);
      await inspector.query('ALTER TABLE audit_log ENABLE ALWAYS TRIGGER head_only_grows');
    };
    await rewind(1);
    const before = await traces();
    for (const request of requests.send) {
      const { detail } = await expectProblem(await request(), 'audit_unavailable');
      expect(detail).toContain('older than the published log');
    }
    expect(await traces()).toEqual(before);
    expect(await statusesOf(besides)).toEqual(ACCEPTED);
    await rewind(-1);
    expect(await statusesOf(requests)).toEqual(ACCEPTED);
  });

  it('because the world still sees the checkpoint before: that the newest one is recorded does not count', async () => {
    const file = join(app.home, 'logs', idOf(ours), 'checkpoint');
    const earlier = await readFile(file);
    await commitSomething(ours);
    await app.services.sequencer.runOnce();
    // As if writing the file had failed after the checkpoint was committed.
    await writeFile(file, earlier);
    await age('audit_entry', ours, 121);

    await expectAllRefused(requests);
    expect(await statusesOf(besides)).toEqual(ACCEPTED);

    // The next entry brings it up to date; without one, the sequencer looks at every log again from time to time.
    await commitSomething(ours);
    await app.services.sequencer.runOnce();
    expect(await statusesOf(requests)).toEqual(ACCEPTED);
  });
});
