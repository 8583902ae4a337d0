import { randomUUID } from 'node:crypto';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../src/audit/core/checkpoint.js';
import { verifierFromVkey } from '../../src/audit/core/cosignature.js';
import { verifyLog } from '../../src/audit/verify/verify-log.js';
import { openLogSource } from '../../src/cli/log-source.js';
import { C2paReader } from '../../src/provenance/adapters/c2pa-reader.js';
import { type BundleVerification } from '../../src/reports/verify/bundle-verification.js';
import { runVerifyBundle } from '../../src/reports/verify/verify-bundle.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { addPerson, formWith, json, OWN_RIGHTS, postForm } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Change {
  keyId: string;
  vkey: string;
  entryId: string;
}
interface Key {
  keyId: string;
  vkey: string;
  state: string;
  added: { at: string; entryId: string };
  retired: { at: string; entryId: string } | null;
}

const PATH = '/v1/audit/log-keys';
let app: TestApplication;
let inspector: Inspector;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const read = async <T>(response: Response): Promise<T> => (await response.json()) as T;
const keys = async (): Promise<Key[]> => (await read<{ items: Key[] }>(await app.request(PATH))).items;
async function add(): Promise<Change> {
  const response = await app.request(PATH, json({}));
  expect(response.status).toBe(201);
  return read(response);
}
const logPath = (): string => `/logs/${app.instance.organizationId}`;
const text = async (path: string): Promise<string> => (await app.request(path)).text();
const trustOf = (vkey: string) => ({ origin: app.instance.log.origin, log: verifierFromVkey(vkey) });
const published = async (): Promise<Buffer> => Buffer.from(await text(`${logPath()}/checkpoint`));

async function bundleOf(assetId: string): Promise<string> {
  const asked = await app.request('/v1/reports', json({ kind: 'asset', format: 'bundle', assetId }));
  const { id } = await read<{ id: string }>(asked);
  await eventually('the bundle is made', async () => {
    const { state } = await read<{ state: string }>(await app.request(`/v1/reports/${id}`));
    if (state === 'FAILED') throw new Error('the report failed');
    return state === 'DONE' || undefined;
  });
  const path = join(app.home, `${id}.zip`);
  await writeFile(path, Buffer.from(await (await app.request(`/v1/reports/${id}/content`)).arrayBuffer()));
  return path;
}
const verify = (path: string, expectedVkey: string): Promise<BundleVerification> =>
  runVerifyBundle(path, {
    expectedVkey,
    verifyMedia: (file, anchorsPem) =>
      new C2paReader({ trust: { name: 'the authority in this bundle', anchorsPem } }).verify(file),
  });

describe('who may change the keys of a log', () => {
  it('is an admin with a live key; everybody who reads the log sees them', async () => {
    const before = await inspector.footprint();
    const files = await readdir(join(app.home, 'keys', 'logs'));
    const [only] = await keys();
    expect(await keys()).toMatchObject([{ vkey: app.instance.log.vkey, state: 'current', retired: null }]);
    const retirement = `${PATH}/${only?.keyId}/retire`;
    for (const path of [PATH, retirement])
      await expectProblem(
        await app.request(path, { ...json({}), key: app.instance.keys.test }),
        'wrong_mode',
      );
    expect(await inspector.footprint()).toEqual(before);
    for (const role of ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor']) {
      const { key } = await addPerson(app, [role]);
      for (const path of [PATH, retirement])
        await expectProblem(await app.request(path, { ...json({}), key }), 'forbidden');
      expect((await app.request(PATH, { key })).status).toBe(200);
    }
    for (const path of [PATH, retirement])
      await expectProblem(await app.request(path, { ...json({}), key: null }), 'unauthenticated');
    expect(await readdir(join(app.home, 'keys', 'logs'))).toEqual(files);
  });

  it('needs an Idempotency-Key, and an id that is one of this log', async () => {
    for (const path of [PATH, `${PATH}/00000000/retire`])
      await expectProblem(await app.request(path, { method: 'POST' }), 'idempotency_key_required');
    for (const id of ['00000000', 'x', '%00', app.instance.log.vkey.split('+')[1]?.toUpperCase() ?? ''])
      if (!(await keys()).some(({ keyId }) => keyId === id))
        await expectProblem(await app.request(`${PATH}/${id}/retire`, json({})), 'not_found');
  });
});

describe('the keys of a log', () => {
  it('change without a break: nothing that was given out stops verifying, and the last key stays', async () => {
    const [first] = await keys();
    const old = first as Key;
    await expectProblem(await app.request(`${PATH}/${old.keyId}/retire`, json({})), 'conflict');
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const uploaded = await app.request(
      '/v1/assets',
      postForm(formWith(await noisePicture(), 'a.png', { declaration })),
    );
    const { id: assetId } = await read<{ id: string }>(uploaded);
    const oldBundle = await bundleOf(assetId);

    const added = await add();
    // Both verify the published checkpoint now, before anything else is written.
    for (const vkey of [old.vkey, added.vkey]) openCheckpoint(await published(), trustOf(vkey));
    expect(await text(`${logPath()}/vkey`)).toBe(`${added.vkey}\n`);
    expect(await text(`${logPath()}/policy`)).toContain(`log ${added.vkey}\n`);
    expect(await keys()).toMatchObject([
      { keyId: old.keyId, state: 'active', retired: null },
      { keyId: added.keyId, state: 'current', added: { entryId: added.entryId } },
    ]);
    const overlapBundle = await bundleOf(assetId);
    expect((await verify(overlapBundle, added.vkey)).verdict).toBe('valid');

    const retirement = await app.request(`${PATH}/${old.keyId}/retire`, json({}));
    expect(retirement.status).toBe(200);
    const { entryId } = await read<Change>(retirement);
    expect(await keys()).toMatchObject([
      { state: 'retired', retired: { entryId } },
      { keyId: added.keyId, state: 'current' },
    ]);
    await expectProblem(await app.request(`${PATH}/${added.keyId}/retire`, json({})), 'conflict');
    const newBundle = await bundleOf(assetId);
    expect((await verify(oldBundle, old.vkey)).verdict).toBe('valid');
    expect((await verify(overlapBundle, added.vkey)).verdict).toBe('valid');
    expect((await verify(newBundle, added.vkey)).verdict).toBe('valid');
    expect((await verify(newBundle, old.vkey)).verdict).toBe('invalid');

    await eventually('the log grew under the new key', async () => {
      const report = await fsckFolder(old.vkey);
      return !report.ok || undefined;
    });
    expect(await fsckFolder(added.vkey)).toMatchObject({ ok: true, findings: [] });
    expect(await fsckArchive()).toMatchObject({ ok: true, findings: [] });
    const check = (await post('/v1/audit/checks')).trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(check)).toMatchObject({ result: { outcome: 'clean', findings: [] } });
  });

  async function fsckFolder(vkey: string) {
    const id = parsePublicId('organization', app.instance.organizationId) ?? '';
    return verifyLog(app.services.tileStores.ofLog(id), trustOf(vkey));
  }

  /** With the key that lies in the archive. */
  async function fsckArchive() {
    const path = join(app.home, 'archive.zip');
    await writeFile(path, Buffer.from(await (await app.request('/v1/audit/archive')).arrayBuffer()));
    const source = await openLogSource(path, undefined);
    try {
      const vkey = Buffer.from((await source.read('vkey')) ?? [])
        .toString()
        .trim();
      return await verifyLog(source, trustOf(vkey));
    } finally {
      source.close();
    }
  }

  async function post(path: string): Promise<string> {
    return (await app.request(path, { method: 'POST' })).text();
  }

  it('change once for each Idempotency-Key, also when the answer was lost before the change took effect', async () => {
    const before = (await keys()).length;
    const request = json({}, { 'idempotency-key': randomUUID() });
    const first = await read<Change>(await app.request(PATH, request));
    // As if the process had died between commit and activation.
    const folder = join(app.home, 'keys', 'logs');
    const id = parsePublicId('organization', app.instance.organizationId) ?? '';
    await rename(join(folder, `${id}.${before + 1}.key`), join(folder, `${id}.${before + 1}.key.new`));
    expect((await keys()).at(-1)).toMatchObject({ vkey: first.vkey, state: 'missing' });
    const again = await app.request(PATH, request);
    expect(again.status).toBe(201);
    expect(await read<Change>(again)).toEqual(first);
    expect(await keys()).toHaveLength(before + 1);
    expect((await keys()).at(-1)).toMatchObject({ vkey: first.vkey, state: 'current' });
    const other = `${PATH}/${first.keyId}/retire`;
    await expectProblem(await app.request(other, request), 'idempotency_key_reused');
  });

  it('are four at most in use', async () => {
    while ((await keys()).filter(({ state }) => state !== 'retired').length < 4) await add();
    const before = await inspector.footprint();
    await expectProblem(await app.request(PATH, json({})), 'conflict');
    expect(await inspector.footprint()).toEqual(before);
  });
});
