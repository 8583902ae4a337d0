import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { formWith, json, postForm, productShot, type RunAnswer, runToEnd } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

const RIGHTS = {
  rightsBasis: 'owned',
  showsPeople: 'no',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
};
const CONTRIBUTION = {
  actionType: 'RETOUCH',
  basis: 'modification',
  capture: 'declared_at_time',
  tool: { name: 'GIMP', version: '3.0' },
  statement: 'painted a label',
};

let app: TestApplication;
let inspector: Inspector;
let organizationId: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  const [row] = await inspector.query<{ id: string }>('SELECT organization_id AS id FROM organization');
  organizationId = row?.id ?? '';
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const uuidOf = (publicId: string) =>
  publicId.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const content = (id: string) => app.request(`/v1/assets/${id}/content`);
const pathOf = (hash: string) => join(app.home, 'assets', organizationId, hash.slice(0, 2), hash);

interface AssetAnswer {
  readonly id: string;
  readonly sha256: string;
  readonly originalSha256: string;
}
async function assetOf(id: string): Promise<AssetAnswer> {
  return (await (await app.request(`/v1/assets/${id}`)).json()) as AssetAnswer;
}

async function uploadForm(): Promise<FormData> {
  const declaration = { projectId: app.instance.projectId, rights: RIGHTS };
  return formWith(await noisePicture(), 'a.png', { declaration });
}
async function upload(): Promise<AssetAnswer> {
  const response = await app.request('/v1/assets', postForm(await uploadForm()));
  expect(response.status).toBe(201);
  return (await response.json()) as AssetAnswer;
}

/** Damages a stored file in place, as a disk or an intruder would; the undo gives the bytes back. */
async function damage(hash: string): Promise<() => Promise<void>> {
  const path = pathOf(hash);
  const good = await readFile(path);
  const bad = Buffer.from(good);
  const at = Math.floor(bad.length / 2);
  bad[at] = (bad[at] ?? 0) ^ 1;
  await chmod(path, 0o600);
  await writeFile(path, bad);
  return () => writeFile(path, good);
}

/** The log refuses entries of one type: disk full, trigger, revoked right, whatever it may be. */
async function withLogRefusing<T>(entryType: string, work: () => Promise<T>): Promise<T> {
  await inspector.query(`
    CREATE OR REPLACE FUNCTION refuse_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no space left for the log' USING ERRCODE = '53100'; END $$`);
  await inspector.query(
    `CREATE TRIGGER refuse_entry BEFORE INSERT ON audit_pending FOR EACH ROW
      WHEN (NEW.entry_type = '${entryType}') EXECUTE FUNCTION refuse_entry()`,
  );
  try {
    return await work();
  } finally {
    await inspector.query('DROP TRIGGER refuse_entry ON audit_pending');
  }
}

describe('P1: an asset without its entry does not exist', () => {
  it('leaves an upload undone when its entry cannot be written, and takes it afterwards', async () => {
    const form = await uploadForm();
    const before = await inspector.footprint();
    await withLogRefusing('asset.signed', async () => {
      await expectProblem(await app.request('/v1/assets', postForm(form)), 'audit_unavailable');
    });
    const { idempotency_key: keys, ...after } = await inspector.footprint();
    expect({ ...after, idempotency_key: (keys ?? 0) - 1 }).toEqual(before);
    expect((await app.request('/v1/assets', postForm(form))).status).toBe(201);
  });

  it('holds a step whose entry cannot be written: no asset, nothing to fetch, and the run goes on later', async () => {
    const id = await withLogRefusing('asset.signed', async () => {
      const started = await app.request('/v1/runs', json(productShot(app)));
      expect(started.status).toBe(202);
      const { id: runId } = (await started.json()) as RunAnswer;
      await untilStepIs(runId, 'generate', 'CAPTURED');
      // Time for the signature, which is made before the transaction that the log refuses.
      await untilFilesAreSigned();
      const view = (await (await app.request(`/v1/runs/${runId}`)).json()) as RunAnswer;
      expect(view.state).toBe('RUNNING');
      expect(view.steps.map(({ state, assetId }) => [state, assetId])).toEqual([
        ['CAPTURED', null],
        ['RESERVED', null],
        ['RESERVED', null],
        ['RESERVED', null],
      ]);
      const assets = await inspector.query('SELECT 1 FROM asset WHERE run_id = $1', [uuidOf(runId)]);
      expect(assets).toEqual([]);
      expect(
        await inspector.query('SELECT 1 FROM signed_file WHERE asset_id NOT IN (SELECT id FROM asset)'),
      ).toEqual([]);
      return runId;
    });
    await (await app.request(`/v1/runs/${id}/events`)).text();
    expect(((await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer).state).toBe('SUCCEEDED');
  });

  const untilStepIs = (runId: string, key: string, state: string) =>
    eventually(`step ${key} is ${state}`, async () => {
      const run = (await (await app.request(`/v1/runs/${runId}`)).json()) as RunAnswer;
      return run.steps.find((step) => step.key === key)?.state === state || undefined;
    });

  /** Two files of the step are in the store: the original and the signed one that no asset points to. */
  const untilFilesAreSigned = () =>
    eventually('the step has signed its file', async () => {
      const names = await readdir(join(app.home, 'assets', organizationId), { recursive: true });
      const known = await inspector.query<{ sha256: string }>(
        'SELECT sha256 FROM asset UNION SELECT original_sha256 FROM asset',
      );
      const hashes = new Set(known.map(({ sha256: hash }) => hash));
      const unclaimed = names.filter((name) => name.length > 60 && !hashes.has(name.slice(3)));
      return unclaimed.length >= 2 || undefined;
    });
});

describe('P1: bytes leave only as the log names them', () => {
  let asset: AssetAnswer;
  beforeEach(async () => {
    asset = await upload();
  });

  it('serves no asset whose entry a superuser has removed, from the outbox or from the log', async () => {
    expect((await content(asset.id)).status).toBe(200);
    await app.services.sequencer.runOnce();
    const [row] = await inspector.query<{ entry_id: string }>('SELECT entry_id FROM asset WHERE id = $1', [
      uuidOf(asset.id),
    ]);
    await inspector.query('BEGIN');
    await inspector.query('ALTER TABLE audit_entry DISABLE TRIGGER append_only_row');
    await inspector.query('DELETE FROM audit_entry WHERE entry_id = $1', [row?.entry_id]);
    await inspector.query('DELETE FROM audit_pending WHERE entry_id = $1', [row?.entry_id]);
    await inspector.query('ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only_row');
    await inspector.query('COMMIT');
    await expectProblem(await content(asset.id), 'audit_unavailable');
  });

  it('serves no byte of a file that was damaged on the disk, by whatever route', async () => {
    const undo = await damage(asset.sha256);
    await expectProblem(await content(asset.id), 'storage_unavailable');
    await expectProblem(await app.request(`/v1/assets/${asset.id}/manifest`), 'storage_unavailable');
    const contribution = formWith(await retouched(await noisePicture()), 'e.png', {
      contribution: CONTRIBUTION,
    });
    await expectProblem(
      await app.request(`/v1/assets/${asset.id}/contributions`, postForm(contribution)),
      'storage_unavailable',
    );
    await undo();
    expect(sha256(Buffer.from(await (await content(asset.id)).arrayBuffer()))).toBe(asset.sha256);
  });

  it('serves nothing in the place of a file that was exchanged for another good one', async () => {
    const other = await upload();
    await writeFile(pathOf(asset.sha256), await readFile(pathOf(other.sha256)));
    await expectProblem(await content(asset.id), 'storage_unavailable');
  });

  it('serves, for every asset of a run, the bytes whose hash is in the log', async () => {
    const run = await runToEnd(app, productShot(app));
    expect(run.state).toBe('SUCCEEDED');
    await app.services.sequencer.runOnce();
    for (const { assetId } of run.steps) {
      const served = sha256(Buffer.from(await (await content(assetId ?? '')).arrayBuffer()));
      const [logged] = await inspector.query<{ entry: Buffer }>(
        `SELECT entry FROM audit_entry WHERE subject_id = $1 AND entry_type = 'asset.signed'`,
        [assetId],
      );
      const entry = JSON.parse(logged?.entry.toString('utf8') ?? '{}') as { data: { sha256: string } };
      expect(entry.data.sha256).toBe(served);
    }
  });
});

describe('P9: nothing is signed that was not captured or declared', () => {
  it('signs no original that was exchanged on the disk after it was received', async () => {
    const asset = await upload();
    const { originalSha256 } = await assetOf(asset.id);
    await damage(originalSha256);
    const before = await inspector.footprint();
    // The same picture again: the store has it already, under its hash, but what lies there is another one now.
    const again = await originalOf(originalSha256);
    const declaration = { projectId: app.instance.projectId, rights: RIGHTS };
    const response = await app.request('/v1/assets', postForm(formWith(again, 'a.png', { declaration })));
    await expectProblem(response, 'storage_unavailable');
    const { idempotency_key: keys, ...after } = await inspector.footprint();
    expect({ ...after, idempotency_key: (keys ?? 0) - 1 }).toEqual(before);
  });

  /** Reads the received bytes back from where the damage() above has changed one bit. */
  async function originalOf(hash: string): Promise<Buffer> {
    const bad = await readFile(pathOf(hash));
    const at = Math.floor(bad.length / 2);
    bad[at] = (bad[at] ?? 0) ^ 1;
    expect(sha256(bad)).toBe(hash);
    return bad;
  }

  it('gives no step an input that was exchanged on the disk, and goes on when the file is right again', async () => {
    const asset = await upload();
    const undo = await damage(asset.sha256);
    const body = productShot(app, { inputs: { prompt: 'x' }, substitutes: { generate: asset.id } });
    const started = await app.request('/v1/runs', json(body));
    expect(started.status).toBe(202);
    const { id } = (await started.json()) as RunAnswer;
    await untilRefusedTwice(id);
    const held = (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;
    expect(held.state).toBe('RUNNING');
    expect(held.steps.map(({ state }) => state)).toEqual(['SKIPPED', 'RESERVED', 'RESERVED', 'RESERVED']);
    const submitted = await inspector.query(
      `SELECT 1 FROM step_run WHERE run_id = $1 AND (submit_attempts > 0 OR request_sha256 IS NOT NULL)`,
      [uuidOf(id)],
    );
    expect(submitted).toEqual([]);
    await undo();
    await (await app.request(`/v1/runs/${id}/events`)).text();
    const ended = (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;
    expect(ended.state).toBe('SUCCEEDED');
  });

  /** The worker has tried the step and given it back to the queue, more than once. */
  const untilRefusedTwice = (runId: string) =>
    eventually('the step was tried twice', async () => {
      const jobs = await inspector.query(
        `SELECT 1 FROM pgboss.job j JOIN step_run s ON j.data->>'stepRunId' = s.id::text
          WHERE s.run_id = $1 AND j.retry_count >= 2`,
        [uuidOf(runId)],
      );
      return jobs.length > 0 || undefined;
    });
});
