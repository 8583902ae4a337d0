import { existsSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SettleRemovedFiles } from '../../src/retention/application/settle-removed-files.js';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import {
  addPerson,
  formWith,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  RETOUCH,
  runToEnd,
} from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** What goes by itself, what stays, and what a crash, a hold or a liar at any moment leaves behind. */

interface Person {
  readonly key: string;
  readonly principalId: string;
}
interface AssetAnswer {
  readonly id: string;
  readonly sha256: string;
  readonly originalSha256: string;
  readonly manifestLabel: string;
  readonly contentRemoval: { removalId: string; cause: string } | null;
}
interface Forecast {
  readonly id: string;
  readonly kind: string;
  readonly remove: boolean;
  readonly keptBecause: string[];
  readonly holdIds: string[];
  readonly sha256: string[];
}

let app: TestApplication;
let inspector: Inspector;
let organizationId: string;
let legal: Person;
let admin: Person;
let maker: Person;
let reviewer: Person;
let manager: Person;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  const [row] = await inspector.query<{ id: string }>('SELECT organization_id AS id FROM organization');
  organizationId = row?.id ?? '';
  legal = await addPerson(app, ['legal']);
  admin = await addPerson(app, ['admin']);
  maker = await addPerson(app, ['creator']);
  reviewer = await addPerson(app, ['reviewer']);
  manager = await addPerson(app, ['asset_manager']);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const uuidOf = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const ask = (who: Person, path: string, init: RequestInit = {}) =>
  app.request(path, { ...init, key: who.key });
const post = (who: Person, path: string, body: unknown) => ask(who, path, json(body));
async function answer<T>(asked: Promise<Response>, status = 200): Promise<T> {
  const response = await asked;
  const body = await response.text();
  expect([response.status, body]).toEqual([status, body]);
  return JSON.parse(body) as T;
}
const pathOf = (hash: string) => join(app.home, 'assets', organizationId, hash.slice(0, 2), hash);
const content = (id: string) => ask(legal, `/v1/assets/${id}/content`);
const assetOf = (id: string) => answer<AssetAnswer>(ask(legal, `/v1/assets/${id}`));

async function upload(bytes?: Uint8Array, who = maker, name = 'a.png'): Promise<AssetAnswer> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = formWith(bytes ?? (await noisePicture()), name, { declaration });
  return answer(ask(who, '/v1/assets', postForm(form)), 201);
}

async function edit(source: AssetAnswer): Promise<{ asset: AssetAnswer; contributionId: string }> {
  const file = await retouched(Buffer.from(await (await content(source.id)).arrayBuffer()));
  const form = formWith(file, 'e.png', { contribution: RETOUCH });
  const made = await answer<{ asset: AssetAnswer; id: string }>(
    ask(maker, `/v1/assets/${source.id}/contributions`, postForm(form)),
    201,
  );
  return { asset: made.asset, contributionId: made.id };
}

async function release(id: string): Promise<void> {
  await answer(post(reviewer, `/v1/assets/${id}/reviews`, { decision: 'approve', comment: 'seen' }), 201);
  await answer(post(manager, `/v1/assets/${id}/release`, {}));
}

const setRule = (kind: string, rule: object, who = legal) =>
  ask(who, `/v1/retention/rules/${kind}`, { ...json(rule), method: 'PUT' });

/** A rule that has been in force for long, as it will be in a week. */
async function ruleInForce(kind: string, rule: object = {}): Promise<void> {
  await answer(setRule(kind, { action: 'remove', days: 30, since: 'created', ...rule }));
  await unguarded('retention_rule', () =>
    inspector.query(`UPDATE retention_rule SET effective_from = now() - interval '1 day'`),
  );
}
const keepAll = async (kind: string) => answer(setRule(kind, { action: 'keep' }));

async function unguarded(table: string, work: () => Promise<unknown>): Promise<void> {
  await inspector.query(`ALTER TABLE ${table} DISABLE TRIGGER append_only_row`);
  await work();
  await inspector.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER append_only_row`);
}

/** Everything that is there now was made long ago. */
async function growOld(): Promise<void> {
  for (const table of ['asset', 'contribution', 'review', 'review_request', 'contribution_attachment'])
    await unguarded(table, () =>
      inspector.query(
        `UPDATE ${table} SET created_at = created_at - interval '400 days' WHERE created_at > now() - interval '300 days'`,
      ),
    );
  await inspector.query(
    `UPDATE run SET finished_at = finished_at - interval '400 days' WHERE finished_at > now() - interval '300 days'`,
  );
  await inspector.query(
    `UPDATE report SET finished_at = finished_at - interval '400 days' WHERE finished_at > now() - interval '300 days'`,
  );
}
async function ageFiles(...hashes: string[]): Promise<void> {
  const before = new Date(Date.now() - 86_400_000);
  for (const hash of hashes) if (existsSync(pathOf(hash))) await utimes(pathOf(hash), before, before);
}

async function preview(kind: string): Promise<Map<string, Forecast>> {
  const found = new Map<string, Forecast>();
  let cursor = '';
  do {
    const page = await answer<{ items: Forecast[]; nextCursor: string | null }>(
      ask(legal, `/v1/retention/preview?kind=${kind}&limit=7${cursor}`),
    );
    for (const one of page.items) found.set(one.id, one);
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  return found;
}
async function entries(type: string): Promise<{ subject: { id: string }; data: Record<string, unknown> }[]> {
  const rows = await inspector.query<{ entry: Buffer }>(
    `SELECT entry FROM (SELECT entry_id, entry FROM audit_pending WHERE entry_type = $1
       UNION ALL SELECT entry_id, entry FROM audit_entry WHERE entry_type = $1) AS e ORDER BY entry_id`,
    [type],
  );
  return rows.map(({ entry }) => JSON.parse(entry.toString()) as never);
}
const about = async (type: string, subject: string) =>
  (await entries(type)).filter((entry) => entry.subject.id === subject);
const mark = (kind: 'assets') =>
  app.services.organizationTx.run(organizationId, (tx) =>
    app.services.applyRetention.step(tx, kind, undefined),
  );

describe('rules', () => {
  it('are set by legal and admin, versioned, in the log, and remove nothing for a week', async () => {
    const asset = await upload();
    await growOld();
    expect((await preview('assets')).get(asset.id)?.keptBecause).toEqual(['no_rule']);
    const rule = { action: 'remove', days: 30, since: 'created' };
    for (const who of [maker, reviewer, manager])
      await expectProblem(await setRule('assets', rule, who), 'forbidden');
    await expectProblem(await setRule('assets', { ...rule, evidence: 'remove' }, admin), 'forbidden');
    await expectProblem(await setRule('nothing', rule), 'not_found');
    await expectProblem(await setRule('assets', { ...rule, since: 'campaign_end' }), 'invalid_request');
    await expectProblem(
      await setRule('assets', { ...rule, projectId: `prj_${'0'.repeat(32)}` }),
      'not_found',
    );
    const test = await addPerson(app, ['legal'], { mode: 'test' });
    await expectProblem(await setRule('assets', rule, test), 'wrong_mode');
    const set = await answer<Record<string, unknown>>(setRule('assets', rule, admin));
    expect(set).toMatchObject({ kind: 'assets', version: 1, days: 30, evidence: 'keep', projectId: null });
    expect(Date.parse(String(set.effectiveFrom)) - Date.now()).toBeGreaterThan(6 * 86_400_000);
    const [entry] = (await entries('retention.rule_set')).slice(-1);
    expect(entry?.data).toMatchObject({ kind: 'assets', version: 1, action: 'remove', days: 30 });
    expect((await preview('assets')).get(asset.id)).toMatchObject({
      remove: false,
      keptBecause: ['rule_not_yet_in_force'],
    });
    expect(await app.services.retentionRounds.runOnce()).toBe(0);
    expect((await content(asset.id)).status).toBe(200);
    const listed = await answer<{ items: { version: number }[] }>(ask(admin, '/v1/retention/rules'));
    expect(listed.items).toHaveLength(1);
    await expectProblem(await ask(maker, '/v1/retention/rules'), 'forbidden');
    await expectProblem(await ask(maker, '/v1/retention/preview?kind=assets'), 'forbidden');
  });
});

describe('files of assets', () => {
  it('go when nothing rests on them, and the log, the asset and the store say so', async () => {
    const [gone, source, young] = [await upload(), await upload(), await upload()];
    const { asset: released } = await edit(source);
    await release(released.id);
    await growOld();
    const made = await upload();
    await ageFiles(gone.sha256, gone.originalSha256);
    await ruleInForce('assets');
    const forecast = await preview('assets');
    expect(forecast.get(gone.id)).toMatchObject({ remove: true, keptBecause: [] });
    expect(forecast.get(gone.id)?.sha256.toSorted()).toEqual([gone.sha256, gone.originalSha256].toSorted());
    for (const { id } of [source, released])
      expect(forecast.get(id)?.keptBecause).toEqual(['evidence_of_release']);
    expect(forecast.get(made.id)?.keptBecause).toEqual(['not_due']);
    expect(await app.services.retentionRounds.runOnce()).toBeGreaterThan(0);

    await expectProblem(await content(gone.id), 'content_removed');
    await expectProblem(await ask(legal, `/v1/assets/${gone.id}/manifest`), 'content_removed');
    const shown = await assetOf(gone.id);
    expect(shown).toMatchObject({ sha256: gone.sha256, contentRemoval: { cause: 'retention' } });
    const removalId = shown.contentRemoval?.removalId ?? '';
    for (const hash of [gone.sha256, gone.originalSha256]) expect(existsSync(pathOf(hash))).toBe(false);
    const [told] = await about('content.removed', gone.id);
    expect(told?.data).toMatchObject({
      removalId,
      kind: 'asset',
      cause: 'retention',
      rule: { kind: 'assets' },
    });
    expect(told?.data.sha256).toEqual(expect.arrayContaining([gone.sha256, gone.originalSha256]));
    const [applied] = await about('retention.applied', removalId);
    expect(applied?.data.things).toBe(
      (await entries('content.removed')).filter(({ data }) => data.removalId === removalId).length,
    );
    const deleted = (await about('content.files_deleted', removalId)).flatMap(({ data }) => data.deleted);
    expect(deleted).toEqual(expect.arrayContaining([gone.sha256, gone.originalSha256]));
    for (const { id } of [source, released, made]) expect((await content(id)).status).toBe(200);
    expect((await preview('assets')).has(gone.id)).toBe(false);
    expect((await assetOf(young.id)).contentRemoval).not.toBeNull();

    // Nothing new rests on it.
    await expectProblem(
      await post(reviewer, `/v1/assets/${gone.id}/reviews`, { decision: 'approve', comment: 'blind' }),
      'content_removed',
    );
    await expectProblem(
      await ask(
        maker,
        `/v1/assets/${gone.id}/contributions`,
        postForm(formWith(await noisePicture(), 'e.png', { contribution: RETOUCH })),
      ),
      'content_removed',
    );
    const report = { kind: 'asset', format: 'bundle', assetId: gone.id };
    await expectProblem(await post(legal, '/v1/reports', report), 'content_removed');
    await keepAll('assets');
  });

  it('are given to nobody while they still lie there, and neither is their manifest', async () => {
    const asset = await upload(await noisePicture());
    const { manifestLabel } = await assetOf(asset.id);
    const recovered = () => ask(legal, `/sbr/manifests/${manifestLabel}`);
    expect((await recovered()).status).toBe(200);
    await growOld();
    await ruleInForce('assets');
    await app.services.retentionRounds.runOnce();
    // What came in within the last hour is left for a later round.
    expect(existsSync(pathOf(asset.sha256))).toBe(true);
    await expectProblem(await content(asset.id), 'content_removed');
    const refused = await recovered();
    expect([refused.status, await refused.json()]).toEqual([
      410,
      expect.objectContaining({ code: 'content_removed' }),
    ]);
    await keepAll('assets');
  });

  it('stay where another asset has the same bytes, and the log says which were kept', async () => {
    const bytes = await noisePicture();
    const first = await upload(bytes);
    await growOld();
    const second = await upload(bytes);
    expect(second.originalSha256).toBe(first.originalSha256);
    await ageFiles(first.sha256, first.originalSha256);
    await ruleInForce('assets');
    await app.services.retentionRounds.runOnce();
    await expectProblem(await content(first.id), 'content_removed');
    expect(existsSync(pathOf(first.sha256))).toBe(false);
    expect(existsSync(pathOf(first.originalSha256))).toBe(true);
    expect((await content(second.id)).status).toBe(200);
    const removalId = (await assetOf(first.id)).contentRemoval?.removalId ?? '';
    const kept = (await about('content.files_deleted', removalId)).flatMap(({ data }) => data.kept);
    expect(kept).toContain(first.originalSha256);
    await keepAll('assets');
  });
});

describe('a legal hold', () => {
  const place = (scope: object) =>
    answer<{ id: string }>(post(legal, '/v1/legal-holds', { scope, reason: 'a matter' }), 201);
  const lift = (id: string) => answer(post(legal, `/v1/legal-holds/${id}/lift`, { reason: 'over' }));

  it('keeps what it covers, of whatever scope, and says which hold', async () => {
    const [held, other] = [await upload(), await upload()];
    await growOld();
    await ruleInForce('assets');
    const scopes = [
      { kind: 'asset', id: held.id },
      { kind: 'data_subject', id: maker.principalId },
      { kind: 'project', id: app.instance.projectId },
      { kind: 'organization' },
    ];
    for (const scope of scopes) {
      const hold = await place(scope);
      const forecast = await preview('assets');
      expect(forecast.get(held.id)).toMatchObject({ keptBecause: ['legal_hold'], holdIds: [hold.id] });
      if (scope.kind !== 'asset') expect(await app.services.retentionRounds.runOnce()).toBe(0);
      await lift(hold.id);
    }
    expect((await preview('assets')).get(other.id)?.remove).toBe(true);
    await keepAll('assets');
  });

  it('that is placed while a removal runs is waited for, and wins', async () => {
    const asset = await upload();
    await growOld();
    await ruleInForce('assets');
    let commitHold: () => void = () => undefined;
    const mayCommit = new Promise<void>((resolve) => (commitHold = resolve));
    let isPlaced: () => void = () => undefined;
    const placed = new Promise<void>((resolve) => (isPlaced = resolve));
    const principal = await app.services.authenticate.withAuthorization(`Bearer ${legal.key}`);
    if (principal === undefined) throw new Error('the key is good');
    const holding = app.services.organizationTx.run(organizationId, async (tx) => {
      const scope = { kind: 'asset', id: uuidOf(asset.id) } as const;
      const hold = await app.services.placeLegalHold.place(tx, principal, { scope, reason: 'just in time' });
      isPlaced();
      await mayCommit;
      return hold;
    });
    await placed;
    const removing = mark('assets');
    commitHold();
    const hold = await holding;
    await removing;
    expect((await content(asset.id)).status).toBe(200);
    await lift(`lhd_${hold.id.replaceAll('-', '')}`);
    await keepAll('assets');
  });

  it('that comes between the mark and the end of the bytes gives them back', async () => {
    const asset = await upload();
    await growOld();
    await ageFiles(asset.sha256, asset.originalSha256);
    await ruleInForce('assets');
    await mark('assets');
    await expectProblem(await content(asset.id), 'content_removed');
    const hold = await place({ kind: 'asset', id: asset.id });
    await app.services.settleRemovedFiles.settle(organizationId);
    expect((await content(asset.id)).status).toBe(200);
    expect(await about('content.restored', asset.id)).toHaveLength(1);
    await lift(hold.id);
    await app.services.retentionRounds.runOnce();
    await expectProblem(await content(asset.id), 'content_removed');
    expect(existsSync(pathOf(asset.sha256))).toBe(false);
    await keepAll('assets');
  });
});

describe('a dispute', () => {
  it('keeps what somebody claims something of, what it was made from and what shows it, until it is closed', async () => {
    const source = await upload();
    const { asset: claimed } = await edit(source);
    await growOld();
    await ageFiles(source.sha256, source.originalSha256, claimed.sha256, claimed.originalSha256);
    await ruleInForce('assets', { evidence: 'remove' });
    const reasons = async () => {
      const forecast = await preview('assets');
      return [source, claimed].map(({ id }) => forecast.get(id)?.keptBecause);
    };
    expect(await reasons()).toEqual([[], []]);
    const claim = {
      kind: 'copyright',
      receivedOn: '2026-11-30',
      claimant: 'Somebody',
      text: 'That is mine.',
    };
    const { id } = await answer<{ id: string }>(post(legal, `/v1/assets/${claimed.id}/claims`, claim), 201);
    expect(await reasons()).toEqual([['claim_open'], ['claim_open']]);
    await app.services.retentionRounds.runOnce();
    for (const one of [source, claimed]) expect((await content(one.id)).status).toBe(200);
    const answered = { outcome: 'upheld', text: 'It is theirs.' };
    await answer(post(legal, `/v1/claims/${id}/answers`, answered), 201);
    expect(await reasons()).toEqual([['claim_open'], ['claim_open']]);
    await answer(post(legal, `/v1/claims/${id}/answers`, { outcome: 'settled', text: 'Paid.' }), 201);
    expect(await reasons()).toEqual([[], []]);

    // One that comes when the files are marked already, and still there, gives back all that it reaches.
    await mark('assets');
    for (const one of [source, claimed]) await expectProblem(await content(one.id), 'content_removed');
    const late = await answer<{ id: string }>(post(legal, `/v1/assets/${source.id}/claims`, claim), 201);
    await app.services.settleRemovedFiles.settle(organizationId);
    for (const one of [source, claimed]) {
      expect((await content(one.id)).status).toBe(200);
      expect(await about('content.restored', one.id)).toHaveLength(1);
    }
    await answer(post(legal, `/v1/claims/${late.id}/answers`, { outcome: 'withdrawn', text: 'Sorry.' }), 201);
    await app.services.retentionRounds.runOnce();
    for (const one of [source, claimed]) await expectProblem(await content(one.id), 'content_removed');
    expect(existsSync(pathOf(claimed.sha256))).toBe(false);
    await keepAll('assets');
  });

  it('that is recorded while a removal runs waits for its end, and the removal for it', async () => {
    const asset = await upload();
    await growOld();
    await ageFiles(asset.sha256, asset.originalSha256);
    await ruleInForce('assets');
    await mark('assets');
    const claim = { kind: 'copyright', receivedOn: '2026-11-30', claimant: 'S', text: 'Mine.' };
    let isRecorded = false;
    let claiming: Promise<void> | undefined;
    const { organizationTx, vault, store } = app.services;
    const settling = new SettleRemovedFiles(
      organizationTx,
      async (organization, sha256) => {
        // Files that an earlier removal left may come first, in a transaction of their own.
        if (![asset.sha256, asset.originalSha256].includes(sha256))
          return store.removeUnlessFresh(organization, sha256);
        claiming ??= post(legal, `/v1/assets/${asset.id}/claims`, claim).then(() => {
          isRecorded = true;
        });
        await eventually('the claim waits', async () => {
          const waiting = await inspector.query(
            `SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
              WHERE l.locktype = 'advisory' AND NOT l.granted`,
          );
          return waiting.length > 0 ? true : undefined;
        });
        expect(isRecorded).toBe(false);
        return store.removeUnlessFresh(organization, sha256);
      },
      new AppendEntry(vault, { now: () => new Date() }, () => undefined),
    );
    await settling.settle(organizationId);
    await claiming;
    expect(isRecorded).toBe(true);
    await expectProblem(await content(asset.id), 'content_removed');
    await keepAll('assets');
  });
});

describe('a process that dies', () => {
  it('after the mark leaves files that nobody gets, and the next round deletes them', async () => {
    const asset = await upload();
    await growOld();
    await ageFiles(asset.sha256, asset.originalSha256);
    await ruleInForce('assets');
    await mark('assets');
    await expectProblem(await content(asset.id), 'content_removed');
    expect(existsSync(pathOf(asset.sha256))).toBe(true);
    const removalId = (await assetOf(asset.id)).contentRemoval?.removalId ?? '';
    expect(await about('content.files_deleted', removalId)).toEqual([]);

    // It dies again, when the first file is deleted and nothing is written down.
    const { organizationTx, vault, store } = app.services;
    let deletions = 0;
    const dying = new SettleRemovedFiles(
      organizationTx,
      async (organization, sha256) => {
        if (++deletions > 1) throw new Error('killed');
        return store.removeUnlessFresh(organization, sha256);
      },
      new AppendEntry(vault, { now: () => new Date() }, () => undefined),
    );
    await expect(dying.settle(organizationId)).rejects.toThrow('killed');
    expect(await about('content.files_deleted', removalId)).toEqual([]);
    await app.services.retentionRounds.runOnce();
    for (const hash of [asset.sha256, asset.originalSha256]) expect(existsSync(pathOf(hash))).toBe(false);
    const deleted = (await about('content.files_deleted', removalId)).flatMap(({ data }) => data.deleted);
    expect(deleted).toEqual(expect.arrayContaining([asset.sha256, asset.originalSha256]));
    await keepAll('assets');
  });

  it('cannot mark anything without its entry: the database refuses the commit', async () => {
    const asset = await upload();
    await growOld();
    await ruleInForce('assets');
    const silent = app.services.organizationTx.run(organizationId, (tx) =>
      tx.query('SELECT apply_retention($1, $2, NULL, 100, $3)', [organizationId, 'assets', uuidOf(asset.id)]),
    );
    await expect(silent).rejects.toThrow('needs its entry in the log');
    expect((await content(asset.id)).status).toBe(200);
    await keepAll('assets');
  });
});

describe('words, attachments and reports', () => {
  it('of a run that led to no release lose their prompt; the dossier says why it is not there', async () => {
    const run = await runToEnd(app, productShot(app), maker.key);
    const assetId = run.steps.at(-1)?.assetId ?? '';
    const promptErased = async () =>
      (await answer<{ promptErased: unknown }>(ask(maker, `/v1/runs/${run.id}`))).promptErased;
    expect(await promptErased()).toBeNull();
    await growOld();
    await ruleInForce('prompts');
    expect((await preview('prompts')).get(run.id)).toMatchObject({ kind: 'prompts', remove: true });
    await app.services.retentionRounds.runOnce();
    const [row] = await inspector.query<{ sealed_inputs: string }>(
      'SELECT sealed_inputs FROM run WHERE id = $1',
      [uuidOf(run.id)],
    );
    expect(row?.sealed_inputs).toBe('');
    const openings = await inspector.query(
      `SELECT 1 FROM audit_opening o JOIN audit_entry e ON e.entry_id = o.entry_id WHERE e.subject_id = $1`,
      [run.id],
    );
    expect(openings).toEqual([]);
    expect(await about('content.removed', run.id)).toHaveLength(1);
    expect(await promptErased()).toMatchObject({ reason: 'retention_ended' });
    const dossier = await dossierOf(assetId);
    expect(dossier.runs[0]).toMatchObject({ promptErased: { reason: 'retention_ended' } });
    expect(dossier.gaps.map(({ text }) => text).join(' ')).toContain(`The prompt of ${run.id} was erased`);
    await keepAll('prompts');
  });

  it('go by their own rules, each with 410 afterwards, and the dossier names them', async () => {
    const source = await upload();
    const { asset, contributionId } = await edit(source);
    const attachment = await answer<{ id: string; sha256: string }>(
      ask(
        maker,
        `/v1/contributions/${contributionId}/attachments`,
        postForm(formWith(Buffer.from('layers of it'), 'l.psd', { attachment: { kind: 'layered_source' } })),
      ),
      201,
    );
    const { reportId } = await makeReport({ kind: 'asset', format: 'json', assetId: asset.id });
    await growOld();
    await ageFiles(attachment.sha256);
    for (const kind of ['attachments', 'reports']) await ruleInForce(kind);
    await app.services.retentionRounds.runOnce();
    await expectProblem(
      await ask(maker, `/v1/contributions/${contributionId}/attachments/${attachment.id}/content`),
      'content_removed',
    );
    expect(existsSync(pathOf(attachment.sha256))).toBe(false);
    await expectProblem(await ask(legal, `/v1/reports/${reportId}/content`), 'content_removed');
    for (const kind of ['attachments', 'reports']) await keepAll(kind);
    const dossier = await dossierOf(asset.id);
    expect(dossier.contributions[0]?.attachments?.[0]).toMatchObject({
      id: attachment.id,
      removed: { cause: 'retention' },
    });
  });
});

async function makeReport(body: object): Promise<{ reportId: string; bytes: Buffer }> {
  const { id } = await answer<{ id: string }>(post(legal, '/v1/reports', body), 202);
  await eventually('the report is made', async () => {
    const { state } = await answer<{ state: string }>(ask(legal, `/v1/reports/${id}`));
    expect(state).not.toBe('FAILED');
    return state === 'DONE' || undefined;
  });
  const response = await ask(legal, `/v1/reports/${id}/content`);
  expect(response.status).toBe(200);
  return { reportId: id, bytes: Buffer.from(await response.arrayBuffer()) };
}
interface Dossier {
  readonly runs: { readonly promptErased?: object }[];
  readonly gaps: { readonly text: string }[];
  readonly contributions: { readonly attachments?: { readonly id: string; readonly removed?: object }[] }[];
  readonly storyboards: object[];
}
async function dossierOf(assetId: string): Promise<Dossier> {
  const { bytes } = await makeReport({ kind: 'asset', format: 'json', assetId });
  return JSON.parse(bytes.toString()) as Dossier;
}
