import { existsSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId, publicId } from '../../src/shared/ids.js';
import { formWith, OWN_RIGHTS, postForm } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { noisePicture } from '../support/pictures.js';
import { CrashBench } from './support/crash-bench.js';
import { HomeDatabase, type PausePoint } from './support/home-database.js';
import { expectSound, remember } from './support/invariants.js';

interface AssetView {
  readonly id: string;
  readonly sha256: string;
  readonly originalSha256: string;
}

const MARK: PausePoint = { table: 'content_removal', on: 'INSERT' };
/** The files are gone, and it is about to be written down. */
const WRITTEN_DOWN: PausePoint = { table: 'removed_file', on: 'UPDATE', when: `NEW.outcome = 'deleted'` };
const HOLDS = `pg_advisory_lock(hashtextextended('colophon holds ' || (SELECT organization_id FROM organization), 0))`;

/** SIGKILL at every commit of a round of retention: nothing is lost that the log does not name, and all of it ends. */
describe('killed while retention removes', () => {
  let bench: CrashBench;
  let held: AssetView;
  let other: AssetView;

  beforeAll(async () => {
    bench = await CrashBench.start();
    [held, other] = [await upload(), await upload()];
    await growOld();
  }, 120_000);
  afterAll(() => bench.stop());

  async function upload(): Promise<AssetView> {
    const declaration = { projectId: bench.program.instance.projectId, rights: OWN_RIGHTS };
    const form = postForm(formWith(await noisePicture(), 'a.png', { declaration }));
    return bench.program.json<AssetView>('/v1/assets', form);
  }

  const withDatabase = async <T>(work: (database: HomeDatabase) => Promise<T>): Promise<T> => {
    const database = await HomeDatabase.open(bench.home);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  };

  const filesOf = ({ sha256, originalSha256 }: AssetView): string[] => [sha256, originalSha256];
  const pathOf = (sha256: string): string => {
    const organization = parsePublicId('organization', bench.program.instance.organizationId) ?? '';
    return join(bench.home, 'assets', organization, sha256.slice(0, 2), sha256);
  };
  const areThere = (asset: AssetView): boolean[] =>
    filesOf(asset).map((sha256) => existsSync(pathOf(sha256)));

  /** As if both files had been made long ago, and the rule that removes them had been set a month ago. */
  async function growOld(): Promise<void> {
    await bench.program.json('/v1/retention/rules/assets', {
      method: 'PUT',
      body: JSON.stringify({ action: 'remove', days: 30, since: 'created' }),
      headers: { 'content-type': 'application/json' },
    });
    await withDatabase(async (database) => {
      for (const [table, change] of [
        ['asset', `created_at = created_at - interval '400 days'`],
        ['retention_rule', `effective_from = now() - interval '30 days'`],
      ] as const) {
        await database.query(`ALTER TABLE ${table} DISABLE TRIGGER append_only_row`);
        await database.query(`UPDATE ${table} SET ${change}`);
        await database.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER append_only_row`);
      }
    });
    const before = new Date(Date.now() - 86_400_000);
    for (const sha256 of [held, other].flatMap(filesOf)) await utimes(pathOf(sha256), before, before);
  }

  /** Committed entries of a type, oldest first, in an index or not yet. */
  const entries = (type: string) =>
    withDatabase(async (database) => {
      const rows = await database.query<{ entry: Buffer }>(
        `SELECT entry FROM (SELECT entry_id, entry FROM audit_pending WHERE entry_type = $1
           UNION ALL SELECT entry_id, entry FROM audit_entry WHERE entry_type = $1) AS e ORDER BY entry_id`,
        [type],
      );
      return rows.map(
        ({ entry }) =>
          JSON.parse(entry.toString()) as { subject: { id: string }; data: Record<string, unknown> },
      );
    });
  const markedIds = () =>
    withDatabase(async (database) => {
      const rows = await database.query<{ thing_id: string }>(
        'SELECT thing_id FROM content_removal WHERE revoked_at IS NULL ORDER BY thing_id',
      );
      return rows.map(({ thing_id: id }) => publicId('asset', id));
    });
  const statusOf = async ({ id }: AssetView): Promise<number> => {
    const answer = await bench.program.request(`/v1/assets/${id}/content`);
    await answer.arrayBuffer();
    return answer.status;
  };

  /** The next start begins a round, which is killed just before this change is committed. */
  async function killBefore(point: PausePoint): Promise<void> {
    await withDatabase((database) => database.pauseBefore(point));
    await bench.restart();
    await withDatabase(async (database) => {
      await database.paused();
      await bench.program.kill();
      await database.dropPaused(point.table);
    });
  }

  /** The next start begins a round, which is killed when the marks are committed and nothing is deleted yet. */
  async function killBetweenMarkAndFiles(): Promise<void> {
    await withDatabase((database) =>
      database.query(`
        CREATE TABLE public.may_go_on (yes boolean);
        CREATE FUNCTION public.wait_for_test() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          WHILE NOT EXISTS (SELECT 1 FROM public.may_go_on) LOOP PERFORM pg_sleep(0.02); END LOOP;
          RETURN NEW;
        END $$;
        CREATE TRIGGER crash_test_pause BEFORE INSERT ON content_removal
          FOR EACH ROW EXECUTE FUNCTION public.wait_for_test();`),
    );
    await bench.restart();
    await withDatabase(async (database) => {
      const waiting = (what: string) =>
        eventually(what, () =>
          withDatabase(async (other) => {
            const rows = await other.query(
              `SELECT 1 FROM pg_stat_activity WHERE datname = 'colophon' AND wait_event = '${what}'`,
            );
            return rows.length > 0 || undefined;
          }),
        );
      await waiting('PgSleep');
      // Next in the line for the lock of the holds, before the deletion of files, which needs it as well.
      const first = database.query(`SELECT ${HOLDS}`);
      await waiting('advisory');
      await withDatabase((other) => other.query('INSERT INTO public.may_go_on VALUES (true)'));
      await first;
      await waiting('advisory');
      await bench.program.kill();
      await database.dropPaused('content_removal');
    });
  }

  it('before and after each commit: the log names all that goes, a hold placed meanwhile wins, the rest ends', async () => {
    const before = await remember(bench);
    await bench.program.kill();

    await killBefore(MARK);
    expect(await markedIds()).toEqual([]);
    expect(await entries('content.removed')).toEqual([]);
    expect([areThere(held), areThere(other)].flat()).toEqual([true, true, true, true]);

    await killBetweenMarkAndFiles();
    const ids = [held.id, other.id].sort();
    expect(await markedIds()).toEqual(ids);
    expect((await entries('content.removed')).map(({ subject }) => subject.id).sort()).toEqual(ids);
    expect([areThere(held), areThere(other)].flat()).toEqual([true, true, true, true]);

    // A process that does not work on rounds: nobody gets the bytes, and counsel is in time.
    await bench.restart({ COLOPHON_ROLES: 'http,sequencer' });
    expect([await statusOf(held), await statusOf(other)]).toEqual([410, 410]);
    const scope = { kind: 'asset', id: held.id };
    await bench.post('/v1/legal-holds', { scope, reason: 'a matter' });
    await bench.program.kill();

    await killBefore(WRITTEN_DOWN);
    expect([areThere(held), areThere(other)]).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(await entries('content.files_deleted')).toEqual([]);
    expect(await entries('content.restored')).toEqual([]);

    await bench.restart();
    await eventually('the round is finished', async () =>
      (await entries('content.files_deleted')).length > 0 ? true : undefined,
    );
    expect([await statusOf(held), await statusOf(other)]).toEqual([200, 410]);
    expect((await entries('content.restored')).map(({ subject }) => subject.id)).toEqual([held.id]);
    const deleted = (await entries('content.files_deleted')).flatMap(({ data }) => data.deleted as string[]);
    expect(deleted).toEqual(expect.arrayContaining(filesOf(other)));
    const named = (await entries('content.removed')).filter(({ subject }) => subject.id === other.id);
    expect(named.flatMap(({ data }) => data.sha256)).toEqual(expect.arrayContaining(deleted));
    await expectSound(bench, before);
  }, 240_000);
});
