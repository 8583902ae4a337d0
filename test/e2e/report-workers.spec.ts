import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../src/shared/bytes.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { formWith, json, OWN_RIGHTS, postForm } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture } from '../support/pictures.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Report {
  readonly id: string;
  readonly state: string;
  readonly progress: number;
  readonly sha256: string | null;
}

let app: TestApplication;
let inspector: Inspector;
let organizationId: string;

beforeAll(async () => {
  // The tests are the workers.
  app = await startTestApplication({ COLOPHON_ROLES: 'http,sequencer' });
  inspector = await Inspector.open(app.database);
  organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const view = async (id: string): Promise<Report> =>
  (await (await app.request(`/v1/reports/${id}`)).json()) as Report;

async function requestReport(): Promise<string> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = formWith(await noisePicture(), 'a.png', { declaration });
  const { id } = (await (await app.request('/v1/assets', postForm(form))).json()) as { id: string };
  const asked = await app.request('/v1/reports', json({ kind: 'asset', format: 'json', assetId: id }));
  expect(asked.status).toBe(202);
  return ((await asked.json()) as Report).id;
}

const work = (id: string): Promise<'over' | 'busy'> =>
  app.services.makeReport.make(organizationId, parsePublicId('report', id) ?? '');

/**
 * Stops statements on `report` that contain `marker`, before they lock a row, until they are let go; only the first
 * `atMost` of them.
 */
async function hold(marker: string, atMost: number): Promise<void> {
  await inspector.query('SELECT pg_advisory_lock(4711)');
  await inspector.query(`
    CREATE SEQUENCE public.held;
    CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF current_query() LIKE '%${marker}%' AND nextval('public.held') <= ${atMost} THEN
        PERFORM pg_advisory_xact_lock_shared(4711);
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER hold BEFORE UPDATE ON report FOR EACH STATEMENT EXECUTE FUNCTION public.hold()`);
}

const areHeld = (count: number) =>
  eventually(`${count} workers are held`, async () => {
    const waiting = await inspector.query(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return waiting.length === count || undefined;
  });

/** As if its worker had not been heard of for longer than a lease. */
const takenForDead = (id: string) =>
  inspector.query(`UPDATE report SET worked_at = now() - interval '1 hour' WHERE id = $1`, [
    parsePublicId('report', id),
  ]);

const letGo = () => inspector.query('SELECT pg_advisory_unlock(4711)');

/** The report is done once: one entry, which names the bytes that are served, and one file in the store. */
async function expectOneReport(id: string, filesBefore: readonly string[]): Promise<void> {
  const { state, progress, sha256 } = await view(id);
  expect({ state, progress }).toEqual({ state: 'DONE', progress: 1 });
  const served = await app.request(`/v1/reports/${id}/content`);
  expect(sha256Hex(Buffer.from(await served.arrayBuffer()))).toBe(sha256);
  await app.services.sequencer.runOnce();
  const entries = await inspector.query<{ entry: Buffer }>(
    `SELECT entry FROM audit_entry WHERE entry_type = 'report.created' AND subject_id = $1`,
    [id],
  );
  const named = entries.map(
    ({ entry }) => (JSON.parse(entry.toString()) as { data: { sha256: string } }).data,
  );
  expect(named.map((data) => data.sha256)).toEqual([sha256]);
  const added = (await storedFiles()).filter((path) => !filesBefore.includes(path));
  expect(added.map((path) => path.split('/').at(-1))).toEqual([sha256]);
  expect(sha256Hex(await readFile(added[0] ?? ''))).toBe(sha256);
}

/** Also files in the making. */
async function storedFiles(): Promise<string[]> {
  const found = await readdir(join(app.home, 'assets'), { recursive: true, withFileTypes: true });
  return found.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
}

describe('two workers on one report', () => {
  let id: string;
  let before: string[];
  beforeEach(async () => {
    id = await requestReport();
    before = await storedFiles();
  });
  afterEach(() =>
    inspector.query(
      'DROP TRIGGER hold ON report; DROP FUNCTION public.hold(); DROP SEQUENCE public.held; SELECT pg_advisory_unlock_all()',
    ),
  );

  it('of whom the second one comes while the first is at work: it leaves the work to the first', async () => {
    await hold('SET "progress"', 1);
    const first = work(id);
    await areHeld(1);
    expect(await work(id)).toBe('busy');
    await letGo();
    expect(await first).toBe('over');
    expect(await work(id)).toBe('over');
    await expectOneReport(id, before);
  });

  it('who finish at the same moment: one report, one entry, one file', async () => {
    await hold('"finished_at"', 2);
    const first = work(id);
    await areHeld(1);
    await takenForDead(id);
    const both = [first, work(id)];
    await areHeld(2);
    await letGo();
    await Promise.all(both);
    await expectOneReport(id, before);
  });

  it.each(["SET state = ''RUNNING''", 'SET "progress"', '"finished_at"'])(
    'one of whom was taken for dead and comes back at %s when the other one has finished: nothing changes',
    async (marker) => {
      await hold(marker, 1);
      const late = work(id);
      await areHeld(1);
      await takenForDead(id);
      await work(id);
      const finished = await view(id);
      await letGo();
      await late;
      expect(await view(id)).toEqual(finished);
      await expectOneReport(id, before);
    },
  );
});
