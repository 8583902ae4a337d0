import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createDevelopmentOrganization,
  type Instance,
} from '../../src/identity/application/create-development-organization.js';
import {
  addPerson,
  formWith,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  RETOUCH,
  type RunAnswer,
  runToEnd,
} from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Hold {
  readonly id: string;
  readonly scope: { kind: string; id: string | null };
  readonly inForce: boolean;
  readonly reason?: string | null;
  readonly liftedReason?: string | null;
}
interface Erasure {
  readonly id: string;
  readonly erasedCount: number;
  readonly erased: readonly { entryId: string; index: number | null; type: string; field: string }[];
  readonly entryIds: readonly string[];
  readonly kept: readonly string[];
  readonly withdrawnReportIds: readonly string[];
}

const REASON = 'data_subject_request';

let app: TestApplication;
let inspector: Inspector;
let foreign: Omit<Instance, 'url'>;
let legal: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  foreign = await createDevelopmentOrganization(app.services, new URL(app.url).host);
  ({ key: legal } = await addPerson(app, ['legal']));
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const post = (path: string, body: unknown, key = legal, headers: Record<string, string> = {}) =>
  app.request(path, { ...json(body, headers), key });
const erase = (principalId: string, key = legal) =>
  post('/v1/erasures', { principalId, reason: REASON }, key);

async function placeHold(scope: Record<string, string>, key = legal): Promise<Hold> {
  const answer = await post('/v1/legal-holds', { scope, reason: 'Quince v. Medlar' }, key);
  expect(answer.status).toBe(201);
  return (await answer.json()) as Hold;
}

async function listHolds(query = '', key = legal): Promise<{ items: Hold[]; nextCursor: string | null }> {
  return (await (await app.request(`/v1/legal-holds${query}`, { key })).json()) as {
    items: Hold[];
    nextCursor: string | null;
  };
}

const entriesAbout = async (subject: string) =>
  (
    (await (await app.request(`/v1/audit/entries?subject=${subject}`)).json()) as {
      items: { entry: { type: string; data: unknown; actor: unknown } }[];
    }
  ).items.map(({ entry }) => entry);

/** Every entry has its index. */
const nothingPending = () =>
  eventually('all entries have an index', async () => {
    const pending = await inspector.query('SELECT 1 FROM audit_pending LIMIT 1');
    return pending.length === 0 || undefined;
  });

describe('POST /v1/erasures', () => {
  it('erases, says what is gone and what is not, and records it without the person', async () => {
    const person = await addPerson(app, ['creator']);
    const run: RunAnswer = await runToEnd(app, productShot(app), person.key);
    await nothingPending();
    const answer = await erase(person.principalId);
    expect(answer.status).toBe(201);
    const erasure = (await answer.json()) as Erasure;
    expect(erasure).toMatchObject({
      principalId: person.principalId,
      reason: REASON,
      erasedCount: 2,
      nameErased: true,
      withdrawnReportIds: [],
    });
    expect(erasure.erased.map(({ type, field }) => [type, field])).toEqual([
      ['principal.created', 'displayName'],
      ['run.accepted', 'prompt'],
    ]);
    for (const { entryId, index } of erasure.erased) {
      expect(entryId).toMatch(/^ent_[0-9a-f]{32}$/);
      const entry = await app.request(`/v1/audit/entries/${index}`);
      expect(await entry.json()).toMatchObject({ id: entryId, entry: { sealed: expect.anything() } });
    }
    const kept = erasure.kept.join(' ');
    for (const word of ['commitments', 'Backups', 'data_subject_key', 'never sealed', 'downloaded'])
      expect(kept).toContain(word);
    await nothingPending();
    const recorded = (await entriesAbout(person.principalId)).filter(({ type }) => type === 'opening.erased');
    expect(recorded.map(({ data }) => data)).toEqual([
      {
        subjectId: person.principalId,
        reason: REASON,
        openings: 2,
        entryIds: erasure.erased.map(({ entryId }) => entryId).sort(),
        part: 1,
        parts: 1,
      },
    ]);
    // The person's runs can still be read; what they said cannot.
    const shown = await (await app.request(`/v1/runs/${run.id}`)).json();
    expect(shown).toMatchObject({ promptErased: { reason: REASON } });
  });

  it('takes what the person attached and the names of files they sent, and says what stays and why', async () => {
    const person = await addPerson(app, ['creator']);
    const other = await addPerson(app, ['creator']);
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const send = async (
      path: string,
      bytes: Uint8Array,
      field: object,
      who: { key: string },
      name: string,
    ) => {
      const response = await app.request(path, {
        ...postForm(formWith(bytes, name, { ...field })),
        key: who.key,
      });
      expect(response.status).toBe(201);
      return (await response.json()) as {
        id: string;
        sha256: string;
        asset: { id: string };
      };
    };
    const picture = await noisePicture();
    const source = await send('/v1/assets', picture, { declaration }, person, 'Quentin Quince.png');
    const edited = await send(
      `/v1/assets/${source.id}/contributions`,
      await retouched(picture),
      { contribution: RETOUCH },
      person,
      'Quentin Quince.png',
    );
    const theirs = await send(
      `/v1/assets/${source.id}/contributions`,
      await sharp(await retouched(picture))
        .negate()
        .png()
        .toBuffer(),
      { contribution: RETOUCH },
      other,
      'Quentin Quince.png',
    );
    const attachment = { attachment: { kind: 'screen_recording' } };
    const path = (contribution: string) => `/v1/contributions/${contribution}/attachments`;
    const mine = await send(path(edited.id), Buffer.from('me at work'), attachment, person, 'a.mov');
    const both = await send(path(edited.id), Buffer.from('both of us'), attachment, person, 'b.mov');
    await send(path(theirs.id), Buffer.from('both of us'), attachment, other, 'b.mov');
    const answer = await erase(person.principalId);
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({
      titlesErased: 3,
      erasedAttachments: [
        { attachmentId: mine.id, sha256: mine.sha256, file: 'deleted' },
        { attachmentId: both.id, sha256: both.sha256, file: 'kept_for_another_record' },
      ],
      keptCounts: { assets: 2, releasedAssets: 0, contributions: 1, storyboardOrders: 0, reviews: 0 },
    });
    for (const id of [source.id, edited.asset.id, theirs.asset.id]) {
      const shown = await (await app.request(`/v1/assets/${id}`)).text();
      expect(shown).not.toContain('Quince');
      expect(shown).toContain('(title erased)');
    }
    const gone = `/v1/contributions/${edited.id}/attachments/${mine.id}/content`;
    await expectProblem(await app.request(gone), 'content_removed');
    await nothingPending();
    const told = (await entriesAbout(edited.id)).filter(({ type }) => type === 'content.removed');
    expect(told.map(({ data }) => data)).toMatchObject([
      { thingId: mine.id, cause: 'erasure', reason: REASON, sha256: [mine.sha256] },
      { thingId: both.id, cause: 'erasure', reason: REASON, sha256: [both.sha256] },
    ]);
    // The bytes came in just now: somebody could be about to refer to them. The next round deletes them.
    const [row] = await inspector.query<{ id: string }>(
      'SELECT organization_id AS id FROM contribution LIMIT 1',
    );
    const file = (sha256: string) => join(app.home, 'assets', row?.id ?? '', sha256.slice(0, 2), sha256);
    const before = new Date(Date.now() - 86_400_000);
    for (const { sha256 } of [mine, both]) await utimes(file(sha256), before, before);
    await app.services.retentionRounds.runOnce();
    expect([existsSync(file(mine.sha256)), existsSync(file(both.sha256))]).toEqual([false, true]);
    // Erased again, with nothing new.
    expect(await (await erase(person.principalId)).json()).toMatchObject({
      titlesErased: 0,
      erasedAttachments: [],
    });
  });

  it('is for legal and admin, with a live key', async () => {
    const person = await addPerson(app, ['creator']);
    const before = await inspector.footprint();
    for (const role of ['creator', 'reviewer', 'asset_manager', 'auditor']) {
      const { key } = await addPerson(app, [role]);
      await expectProblem(await erase(person.principalId, key), 'forbidden');
    }
    const test = await addPerson(app, ['legal'], { mode: 'test' });
    await expectProblem(await erase(person.principalId, test.key), 'wrong_mode');
    await expectProblem(await app.request('/v1/erasures', { ...json({}), key: null }), 'unauthenticated');
    expect(await inspector.footprint()).toMatchObject({ erasure: before.erasure });
    const admin = await addPerson(app, ['admin']);
    expect((await erase(person.principalId, admin.key)).status).toBe(201);
  });

  it('is done once for each Idempotency-Key', async () => {
    const person = await addPerson(app, ['creator']);
    const body = { principalId: person.principalId, reason: REASON };
    await expectProblem(
      await app.request('/v1/erasures', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
        key: legal,
      }),
      'idempotency_key_required',
    );
    const once = { 'idempotency-key': randomUUID() };
    const first = await post('/v1/erasures', body, legal, once);
    const again = await post('/v1/erasures', body, legal, once);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.json()).toEqual(await first.json());
    const other = { ...body, reason: 'court_order' };
    await expectProblem(await post('/v1/erasures', other, legal, once), 'idempotency_key_reused');
    const rows = await inspector.query(
      `SELECT 1 FROM erasure WHERE replace(subject_id::text, '-', '') = $1`,
      [person.principalId.slice(4)],
    );
    expect(rows).toHaveLength(1);
  });

  it('refuses what it cannot understand, and people of another organization', async () => {
    const before = await inspector.footprint();
    for (const body of [
      {},
      { principalId: 'prn_1', reason: REASON },
      { principalId: `prn_${'0'.repeat(32)}`, reason: 'because' },
      { principalId: `prn_${'0'.repeat(32)}`, reason: REASON, extra: 1 },
    ]) {
      await expectProblem(await post('/v1/erasures', body), 'invalid_request');
    }
    const { principalId } = (await (await app.request('/v1/me', { key: foreign.keys.live })).json()) as {
      principalId: string;
    };
    await expectProblem(await erase(principalId), 'not_found');
    await expectProblem(await erase(`prn_${'0'.repeat(32)}`), 'not_found');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('is refused while a hold covers the person, and names the hold', async () => {
    const person = await addPerson(app, ['creator']);
    const hold = await placeHold({ kind: 'data_subject', id: person.principalId });
    const before = await inspector.footprint();
    const problem = await expectProblem(await erase(person.principalId), 'legal_hold');
    expect(problem).toMatchObject({ holdIds: [hold.id] });
    expect(await inspector.footprint()).toEqual(before);
    expect((await post(`/v1/legal-holds/${hold.id}/lift`, { reason: 'settled' })).status).toBe(200);
    expect((await erase(person.principalId)).status).toBe(201);
  });
});

describe('/v1/legal-holds', () => {
  it('covers whoever put a held asset into an order', async () => {
    const [maker, editor] = [await addPerson(app, ['creator']), await addPerson(app, ['creator'])];
    const run = await runToEnd(app, productShot(app), maker.key);
    const assetIds = run.steps.flatMap(({ assetId }) => assetId ?? []);
    const order = { assetIds, rationale: 'as it was' };
    expect((await post('/v1/storyboards', order, editor.key)).status).toBe(201);
    const hold = await placeHold({ kind: 'asset', id: assetIds[0] ?? '' });
    await expectProblem(await erase(editor.principalId), 'legal_hold');
    await post(`/v1/legal-holds/${hold.id}/lift`, { reason: 'over' });
    expect((await erase(editor.principalId)).status).toBe(201);
  });

  it('are placed and lifted by legal alone, and read by legal and auditors', async () => {
    const scope = { kind: 'organization' };
    const mine = await placeHold(scope);
    for (const role of ['creator', 'reviewer', 'asset_manager', 'auditor', 'admin']) {
      const { key } = await addPerson(app, [role]);
      await expectProblem(await post('/v1/legal-holds', { scope, reason: 'x' }, key), 'forbidden');
      await expectProblem(await post(`/v1/legal-holds/${mine.id}/lift`, { reason: 'x' }, key), 'forbidden');
      const read = await app.request('/v1/legal-holds', { key });
      expect([role, read.status]).toEqual([role, role === 'auditor' ? 200 : 403]);
    }
    const test = await addPerson(app, ['legal'], { mode: 'test' });
    await expectProblem(await post('/v1/legal-holds', { scope, reason: 'x' }, test.key), 'wrong_mode');
    const lift = await post(`/v1/legal-holds/${mine.id}/lift`, { reason: 'x' }, test.key);
    await expectProblem(lift, 'wrong_mode');
    const done = await post(`/v1/legal-holds/${mine.id}/lift`, { reason: 'settled' });
    expect(await done.json()).toMatchObject({ id: mine.id, inForce: false });
    await expectProblem(await post(`/v1/legal-holds/${mine.id}/lift`, { reason: 'again' }), 'conflict');
  });

  it('are listed with their reasons, page by page; the reasons are sealed in the log', async () => {
    const run = await runToEnd(app, productShot(app));
    const scopes = [
      { kind: 'organization' },
      { kind: 'run', id: run.id },
      { kind: 'asset', id: run.steps.at(-1)?.assetId ?? '' },
      { kind: 'project', id: app.instance.projectId },
    ];
    const placed: Hold[] = [];
    for (const scope of scopes) placed.push(await placeHold(scope));
    const seen: Hold[] = [];
    for (let query = '?inForce=true&limit=1'; ;) {
      const page = await listHolds(query);
      seen.push(...page.items);
      if (page.nextCursor === null) break;
      query = `?inForce=true&limit=1&cursor=${page.nextCursor}`;
    }
    expect(seen.map(({ id }) => id)).toEqual(placed.map(({ id }) => id).reverse());
    expect(seen.map(({ scope }) => scope)).toEqual(scopes.map((scope) => ({ id: null, ...scope })).reverse());
    expect(seen.map(({ reason }) => reason)).toEqual(scopes.map(() => 'Quince v. Medlar'));
    await expectProblem(await app.request('/v1/legal-holds?cursor=x', { key: legal }), 'invalid_cursor');
    for (const { id } of placed) await post(`/v1/legal-holds/${id}/lift`, { reason: 'settled' });
    expect((await listHolds('?inForce=true')).items).toEqual([]);
    const one = (await (
      await app.request(`/v1/legal-holds/${placed[1]?.id}`, { key: legal })
    ).json()) as Hold;
    expect(one).toMatchObject({ inForce: false, reason: 'Quince v. Medlar', liftedReason: 'settled' });
    // Neither the log nor the answers that are kept for repetition say why.
    const clear = await inspector.query(
      `SELECT 1 FROM audit_entry WHERE convert_from(entry, 'UTF8') LIKE '%Medlar%'
       UNION ALL SELECT 1 FROM idempotency_key WHERE response_body LIKE '%Medlar%'`,
    );
    expect(clear).toEqual([]);
  });

  it('cannot be placed on things of another organization, nor seen or lifted from there', async () => {
    const { keys, projectId } = foreign;
    const me = (await (await app.request('/v1/me', { key: keys.live })).json()) as { principalId: string };
    const theirs = await placeHold({ kind: 'project', id: projectId }, keys.live);
    const before = await inspector.footprint();
    for (const scope of [
      { kind: 'project', id: projectId },
      { kind: 'data_subject', id: me.principalId },
      { kind: 'asset', id: `ast_${'0'.repeat(32)}` },
      { kind: 'run', id: `run_${'0'.repeat(32)}` },
    ]) {
      await expectProblem(await post('/v1/legal-holds', { scope, reason: 'x' }), 'not_found');
    }
    for (const scope of [
      { kind: 'asset' },
      { kind: 'organization', id: projectId },
      { kind: 'run', id: projectId },
    ])
      await expectProblem(await post('/v1/legal-holds', { scope, reason: 'x' }), 'invalid_request');
    await expectProblem(await post(`/v1/legal-holds/${theirs.id}/lift`, { reason: 'x' }), 'not_found');
    await expectProblem(await app.request(`/v1/legal-holds/${theirs.id}`, { key: legal }), 'not_found');
    expect(await inspector.footprint()).toEqual(before);
    expect((await listHolds('?limit=200')).items.map(({ id }) => id)).not.toContain(theirs.id);
  });
});
