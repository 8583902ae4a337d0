import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { verifyReportPdf } from '../../src/reports/verify/pdf/verify-report-pdf.js';
import { runVerifyPeriod } from '../../src/reports/verify/verify-period.js';
import { addPerson, json, productShot, runToEnd } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Report {
  readonly id: string;
  readonly state: string;
  readonly errorCode: string | null;
  readonly sha256: string;
  readonly signature: { readonly certificateSha256: string; readonly timeStamp: string | null } | null;
}
interface Link {
  readonly id: string;
  readonly token: string;
  readonly url: string;
}

let app: TestApplication;
let inspector: Inspector;
let legal: string;
let assetIds: string[];
let folder: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  folder = await mkdtemp(join(tmpdir(), 'colophon-counsel-'));
  ({ key: legal } = await addPerson(app, ['legal']));
  const run = await runToEnd(app, productShot(app));
  assetIds = run.steps.flatMap(({ assetId }) => assetId ?? []);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

async function made(body: Record<string, unknown>): Promise<{ report: Report; bytes: Buffer }> {
  const asked = await app.request('/v1/reports', { ...json(body), key: legal });
  const { id } = (await asked.json()) as Report;
  expect([JSON.stringify(body), asked.status]).toEqual([JSON.stringify(body), 202]);
  const report = await eventually('the report is done', async () => {
    const view = (await (await app.request(`/v1/reports/${id}`, { key: legal })).json()) as Report;
    expect([JSON.stringify(body), view.errorCode]).toEqual([JSON.stringify(body), null]);
    return view.state === 'DONE' ? view : undefined;
  });
  const content = await app.request(`/v1/reports/${id}/content`, { key: legal });
  return { report, bytes: Buffer.from(await content.arrayBuffer()) };
}

const entriesOf = (type: string) =>
  inspector.query<{ entry: Buffer }>(
    `SELECT entry FROM (SELECT entry_id, entry FROM audit_entry WHERE entry_type = $1
       UNION ALL SELECT entry_id, entry FROM audit_pending WHERE entry_type = $1) AS e ORDER BY entry_id`,
    [type],
  );

describe('reports for counsel', () => {
  it('of a campaign say what is owed, what was used and what it cost, and what changed since the last one', async () => {
    const { projectId } = app.instance;
    const body = { kind: 'campaign', projectId, useCase: 'hero-image' };
    const pdf = await made({ ...body, format: 'pdf' });
    expect(pdf.bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.report.signature).toMatchObject({ timeStamp: 'not_configured' });
    const report = JSON.parse((await made({ ...body, format: 'json' })).bytes.toString()) as {
      assets: { id: string; state: string }[];
      models: { listingId: string; steps: number; shareBasisPoints: number }[];
      matrix: unknown[];
      changes: { since?: { reportId: string } };
    };
    expect(report.assets.map(({ id, state }) => [id, state])).toEqual([[assetIds.at(-1), 'not_reviewed']]);
    expect(report.models.length).toBeGreaterThan(2);
    const shares = report.models.reduce((sum, { shareBasisPoints }) => sum + shareBasisPoints, 0);
    expect(Math.abs(shares - 10_000)).toBeLessThan(report.models.length);
    expect(report.changes.since?.reportId).toBe(pdf.report.id);
    const { bytes: csv } = await made({ ...body, format: 'csv' });
    expect(csv.toString()).toContain(assetIds.at(-1));
    const { bytes: jws, report: signed } = await made({ ...body, format: 'jws' });
    expect(jws.toString().split('.')).toHaveLength(3);
    expect(signed.signature?.timeStamp).toBeNull();
    const elsewhere = { kind: 'campaign', projectId: `prj_${'0'.repeat(32)}`, format: 'pdf' };
    await expectProblem(await app.request('/v1/reports', { ...json(elsewhere), key: legal }), 'not_found');
  });

  it('on a model say how each fact is known and how it was used', async () => {
    const body = { kind: 'model', listingId: 'studio-scene@studio' };
    const file = JSON.parse((await made({ ...body, format: 'json' })).bytes.toString()) as {
      use: { steps: number; decisions: { allow: number } };
      gaps: { severity: string }[];
    };
    expect(file.use.steps).toBeGreaterThan(0);
    expect(file.use.decisions.allow).toBeGreaterThan(0);
    expect((await made({ ...body, format: 'pdf' })).bytes.length).toBeGreaterThan(10_000);
    expect((await made({ ...body, format: 'csv' })).bytes.toString()).toContain('studio-scene@studio');
    const unknown = { kind: 'model', listingId: 'nothing@nowhere', format: 'pdf' };
    await expectProblem(await app.request('/v1/reports', { ...json(unknown), key: legal }), 'not_found');
  });

  it('on a period hold every entry of it, and verify offline', async () => {
    const { bytes } = await made({ kind: 'period', format: 'bundle' });
    const path = join(folder, 'period.zip');
    await writeFile(path, bytes);
    const whole = await runVerifyPeriod(path, { expectedVkey: app.instance.log.vkey });
    expect([whole.verdict, whole.findings]).toEqual(['valid', []]);
    // The key was active before this log began: the log names it all the same, once, before the first report.
    await app.services.sequencer.runOnce();
    expect(await entriesOf('report_key.activated')).toHaveLength(1);
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const csv = await made({ kind: 'period', format: 'csv', from });
    expect(csv.bytes.toString().split('\r\n').length).toBeGreaterThan(whole.subject?.lastSize ?? 0);
    const later = await made({
      kind: 'period',
      format: 'bundle',
      from: new Date(Date.now() + 1000).toISOString(),
    });
    await writeFile(path, later.bytes);
    const nothing = await runVerifyPeriod(path, { expectedVkey: app.instance.log.vkey });
    expect([nothing.verdict, nothing.findings, nothing.subject?.span]).toEqual(['valid', [], undefined]);
    expect((await runVerifyPeriod(path, {})).verdict).toBe('unproved');
    const { key: manager } = await addPerson(app, ['asset_manager']);
    const period = { kind: 'period', format: 'csv' };
    await expectProblem(await app.request('/v1/reports', { ...json(period), key: manager }), 'forbidden');
    const readOnly = await app.request(`/v1/reports/${csv.report.id}/content`, { key: manager });
    await expectProblem(readOnly, 'forbidden');
  });

  it('in PDF verify by themselves: a dossier by the log, the others by the authority for reports', async () => {
    const { bytes } = await made({ kind: 'asset', format: 'pdf', assetId: assetIds.at(-1) });
    const dossier = await verifyReportPdf(bytes, { expectedVkey: app.instance.log.vkey });
    expect([dossier.verdict, dossier.findings]).toEqual(['valid', []]);
    const { projectId } = app.instance;
    const campaign = await made({ kind: 'campaign', projectId, format: 'pdf' });
    const model = await made({ kind: 'model', listingId: 'studio-scene@studio', format: 'pdf' });
    for (const report of [campaign, model]) {
      const { verdict, findings } = await verifyReportPdf(report.bytes, {});
      expect([verdict, findings]).toEqual(['unproved', []]);
    }
  });

  it('name in the log the certificate that signed them', async () => {
    const { report } = await made({ kind: 'asset', format: 'jws', assetId: assetIds.at(-1) });
    await app.services.sequencer.runOnce();
    const created = await entriesOf('report.created');
    const named = created.map(
      ({ entry }) => JSON.parse(entry.toString()) as { subject: { id: string }; data: object },
    );
    expect(named.find(({ subject }) => subject.id === report.id)?.data).toMatchObject({
      kind: 'asset',
      format: 'jws',
      sha256: report.sha256,
      certificateSha256: report.signature?.certificateSha256,
    });
  });
});

describe('a share link', () => {
  const linkTo = async (scope: Record<string, unknown>): Promise<Link> => {
    const answer = await app.request('/v1/share-links', { ...json(scope), key: legal });
    expect(answer.status).toBe(201);
    return (await answer.json()) as Link;
  };
  const with_ = (token: string, path = '/v1/shared') =>
    app.request(path, { key: null, headers: { authorization: `Bearer ${token}` } });
  let own: Report;
  let other: Report;
  beforeAll(async () => {
    ({ report: own } = await made({ kind: 'asset', format: 'json', assetId: assetIds.at(-1) }));
    ({ report: other } = await made({ kind: 'asset', format: 'json', assetId: assetIds[0] }));
  });

  it('opens the reports on one asset and nothing else, and each use is in the log', async () => {
    const link = await linkTo({ assetId: assetIds.at(-1) });
    expect(link.url).toContain('/shared#cls_');
    const listed = (await (await with_(link.token)).json()) as { items: Report[] };
    expect(listed.items.map(({ id }) => id)).toContain(own.id);
    expect(listed.items.map(({ id }) => id)).not.toContain(other.id);
    const content = await with_(link.token, `/v1/shared/reports/${own.id}/content`);
    expect(content.status).toBe(200);
    await content.arrayBuffer();
    await expectProblem(await with_(link.token, `/v1/shared/reports/${other.id}/content`), 'not_found');
    await expectProblem(await with_(link.token, '/v1/reports'), 'invalid_api_key');
    const used = (await entriesOf('share_link.used')).map(
      ({ entry }) => JSON.parse(entry.toString()) as { actor: { id: string }; data: { reportId?: string } },
    );
    expect(used.filter(({ actor }) => actor.id === link.id).map(({ data }) => data.reportId)).toEqual([
      undefined,
      own.id,
    ]);
    const [row] = await inspector.query<{ stored: string }>(
      `SELECT row_to_json(l)::text AS stored FROM report_share_link l WHERE id = $1`,
      [parsePublicId('shareLink', link.id)],
    );
    expect(row?.stored).not.toContain(link.token.slice(-43));
  });

  it('on one report opens no other one of the same asset', async () => {
    const link = await linkTo({ reportId: other.id });
    const listed = (await (await with_(link.token)).json()) as { items: Report[] };
    expect(listed.items.map(({ id }) => id)).toEqual([other.id]);
    await expectProblem(await with_(link.token, `/v1/shared/reports/${own.id}/content`), 'not_found');
  });

  it('opens nothing when it was revoked, has expired, was changed or is nobody\u2019s', async () => {
    const revoked = await linkTo({ assetId: assetIds.at(-1) });
    expect(
      (await app.request(`/v1/share-links/${revoked.id}/revoke`, { method: 'POST', key: legal })).status,
    ).toBe(200);
    const expired = await linkTo({ assetId: assetIds.at(-1), expiresInHours: 1 });
    await inspector.query(`UPDATE report_share_link SET expires_at = now() WHERE id = $1`, [
      parsePublicId('shareLink', expired.id),
    ]);
    const live = await linkTo({ assetId: assetIds.at(-1) });
    const elsewhere = live.token.replace(/^cls_[0-9a-f]{32}/, `cls_${'0'.repeat(32)}`);
    const altered = `${live.token.slice(0, -1)}${live.token.endsWith('A') ? 'E' : 'A'}`;
    for (const token of [revoked.token, expired.token, elsewhere, altered, 'cls_', 'x'.repeat(300)]) {
      for (const path of ['/v1/shared', `/v1/shared/reports/${own.id}/content`])
        await expectProblem(await with_(token, path), 'invalid_share_link');
    }
  });

  it('is made by legal alone, for what there is', async () => {
    const { key: manager } = await addPerson(app, ['asset_manager']);
    const body = { assetId: assetIds.at(-1) };
    await expectProblem(await app.request('/v1/share-links', { ...json(body), key: manager }), 'forbidden');
    const nothing = { assetId: `ast_${'0'.repeat(32)}` };
    await expectProblem(await app.request('/v1/share-links', { ...json(nothing), key: legal }), 'not_found');
    const both = { ...body, reportId: own.id };
    await expectProblem(
      await app.request('/v1/share-links', { ...json(both), key: legal }),
      'invalid_request',
    );
  });
});

describe('what was found out and claimed', () => {
  const DAY = '2026-01-02';
  let assetId: string;
  let parentId: string;
  const post = (path: string, body: unknown, key = legal) => app.request(path, { ...json(body), key });
  const dossier = async () =>
    JSON.parse((await made({ kind: 'asset', format: 'json', assetId })).bytes.toString()) as {
      examinations: { question: string; result: string; text: string }[];
      claims: { claimant: string; state: string; assetId: string }[];
      gaps: { severity: string; text: string }[];
    };
  beforeAll(() => {
    assetId = assetIds.at(-1) ?? '';
    parentId = assetIds[0] ?? '';
  });

  it('is recorded, sealed in the log, listed without the words, and answers the questions of the dossier', async () => {
    const path = `/v1/assets/${assetId}/examinations`;
    const examined = { examinedOn: DAY, text: 'a cup without a mark' };
    const matter = [{ kind: 'trademarks', found: 'none_seen' }];
    const first = await post(path, { question: 'third_party_matter', matter, ...examined });
    expect(await first.json()).toMatchObject({ result: 'inconclusive', matter: expect.any(Array) });
    const search = {
      question: 'similar_works',
      index: 'Example Index',
      tool: { name: 'Finder', version: '3' },
    };
    expect((await post(path, { ...search, result: 'none_found', matches: 0, ...examined })).status).toBe(201);
    for (const wrong of [
      { ...search, result: 'none_found', matches: 2, ...examined },
      { ...search, result: 'found', matches: 0, ...examined },
      { question: 'third_party_matter', matter: [{ kind: 'fonts', found: 'shown' }], ...examined },
      { question: 'third_party_matter', matter: [...matter, ...matter], ...examined },
      { ...search, result: 'none_found', matches: 0, ...examined, examinedOn: '2999-01-01' },
    ])
      await expectProblem(await post(path, wrong), 'invalid_request');
    const listed = await (await app.request(path, { key: legal })).text();
    expect(JSON.parse(listed)).toMatchObject({ items: [{ question: 'third_party_matter' }, { matches: 0 }] });
    expect(listed).not.toContain('a cup without');
    const logged = (await entriesOf('asset.examined')).map(({ entry }) => entry.toString()).join(' ');
    expect(logged).toContain('"index":"Example Index"');
    expect(logged).not.toContain('a cup without');
    const { examinations } = await dossier();
    expect(examinations.map(({ result, text }) => [result, text])).toEqual([
      ['inconclusive', 'a cup without a mark'],
      ['none_found', 'a cup without a mark'],
    ]);
  });

  it('holds back the release of everything that was made from it until it is closed', async () => {
    const claim = { kind: 'copyright', receivedOn: DAY, claimant: 'A. Stranger', text: 'this is mine' };
    const { id } = (await (await post(`/v1/assets/${parentId}/claims`, claim)).json()) as { id: string };
    const { key: reviewer } = await addPerson(app, ['reviewer', 'asset_manager']);
    expect(
      (await post(`/v1/assets/${assetId}/reviews`, { decision: 'approve', comment: 'x' }, reviewer)).status,
    ).toBe(201);
    const state = (await (await app.request(`/v1/assets/${assetId}/review`)).json()) as {
      checklist: { items: { key: string }[] };
    };
    expect(JSON.stringify(state)).toContain(`claim:${id}`);
    const release = () => post(`/v1/assets/${assetId}/release`, {}, reviewer);
    await expectProblem(await release(), 'claim_open');
    const open = await dossier();
    expect(open.claims).toMatchObject([{ claimant: 'A. Stranger', state: 'open', assetId: parentId }]);
    expect(open.gaps.find(({ text }) => text.includes(id))).toMatchObject({ severity: 'open' });
    const answers = `/v1/claims/${id}/answers`;
    const said = (outcome: string) => post(answers, { outcome, text: 'see the letter' });
    expect(await (await said('upheld')).json()).toMatchObject({ state: 'upheld' });
    await expectProblem(await release(), 'claim_open');
    const both = await Promise.all([said('withdrawn'), said('withdrawn')]);
    expect(both.map(({ status }) => status).sort()).toEqual(
      both.every(({ status }) => status === 201) ? [201, 201] : [201, 409],
    );
    const of = (await (await app.request(`/v1/assets/${assetId}/claims`, { key: legal })).json()) as {
      items: { id: string; state: string }[];
    };
    expect(of.items).toMatchObject([{ id, state: 'closed' }]);
    const { bytes } = await made({ kind: 'campaign', projectId: app.instance.projectId, format: 'json' });
    expect(JSON.parse(bytes.toString())).toMatchObject({ claims: [{ id, state: 'closed' }] });
    const released = await release();
    expect([released.status, await released.text()]).toMatchObject([200, expect.any(String)]);
  });

  it('shows in the campaign report what was released and taken back, each file once', async () => {
    const { key: reviewer } = await addPerson(app, ['reviewer']);
    const campaign = async () =>
      JSON.parse(
        (
          await made({ kind: 'campaign', projectId: app.instance.projectId, format: 'json' })
        ).bytes.toString(),
      ) as { assets: { id: string; state: string }[]; gaps: { text: string }[] };
    expect((await campaign()).assets.map(({ id, state }) => [id, state])).toEqual([[assetId, 'released']]);
    // Two people who decide make no second line of the file.
    await post(`/v1/assets/${parentId}/reviews`, { decision: 'request_changes', comment: 'x' }, reviewer);
    const recall = await post(`/v1/assets/${assetId}/recall`, { reason: 'rights_claim', text: 'x' });
    expect(recall.status).toBe(200);
    const after = await campaign();
    expect(after.assets.map(({ id, state }) => [id, state])).toEqual([[assetId, 'recalled']]);
    expect(after.gaps.map(({ text }) => text)).toContain('1 file was recalled: not to be used any more.');
  });
});

describe('a schedule', () => {
  interface Schedule {
    readonly id: string;
    readonly state: string;
    readonly nextDueAt: string | null;
    readonly lastReport: { id: string; scheduledFor: string; state: string } | null;
    readonly lastFailure: { errorCode: string } | null;
  }
  const create = async (body: Record<string, unknown>): Promise<Schedule> => {
    const answer = await app.request('/v1/report-schedules', { ...json(body), key: legal });
    expect([JSON.stringify(body), answer.status]).toEqual([JSON.stringify(body), 201]);
    return (await answer.json()) as Schedule;
  };
  const view = async (id: string): Promise<Schedule> =>
    (await (await app.request(`/v1/report-schedules/${id}`, { key: legal })).json()) as Schedule;
  const act = (id: string, what: string) =>
    app.request(`/v1/report-schedules/${id}/${what}`, { method: 'POST', key: legal });
  const uuid = (id: string): string => parsePublicId('reportSchedule', id) ?? '';
  const makeDue = (id: string): Promise<void> =>
    app.services.makeDueReports.makeDue(
      parsePublicId('organization', app.instance.organizationId) ?? '',
      uuid(id),
    );
  /** Midnight, UTC, so many days from today. */
  const day = (offset: number): string => {
    const now = new Date();
    return new Date(
      Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + offset),
    ).toISOString();
  };
  /** As if nobody had been there since. */
  const dueSince = (id: string, offset: number) =>
    inspector.query('UPDATE report_schedule SET next_due_at = $2 WHERE id = $1', [uuid(id), day(offset)]);
  const askedFor = async (id: string): Promise<string[]> =>
    (
      await inspector.query<{ due: string }>(
        `SELECT parameters->>'scheduledFor' AS due FROM report WHERE parameters->>'scheduleId' = $1 ORDER BY id`,
        [id],
      )
    ).map(({ due }) => due);
  const entriesAbout = async (id: string): Promise<{ type: string; data: Record<string, unknown> }[]> =>
    (
      await inspector.query<{ entry: Buffer }>(
        `SELECT entry FROM audit_entry WHERE subject_id = $1 UNION ALL SELECT entry FROM audit_pending WHERE subject_id = $1`,
        [id],
      )
    ).map(({ entry }) => JSON.parse(entry.toString()) as { type: string; data: Record<string, unknown> });

  it('of each kind makes the report of the time that has ended, once, however many workers are woken', async () => {
    const { projectId } = app.instance;
    const bodies = [
      { kind: 'campaign', projectId, useCase: 'hero-image', format: 'json' },
      { kind: 'model', listingId: 'studio-scene@studio', format: 'csv' },
      { kind: 'asset', assetId: assetIds.at(-1), format: 'json' },
      { kind: 'period', format: 'csv' },
    ];
    for (const body of bodies) {
      const { id, nextDueAt, state } = await create({ ...body, cadence: 'daily' });
      expect([state, nextDueAt, await askedFor(id)]).toEqual(['active', day(1), []]);
      await makeDue(id);
      expect(await askedFor(id)).toEqual([]);
      await dueSince(id, 0);
      await Promise.all([makeDue(id), makeDue(id), makeDue(id)]);
      expect(await askedFor(id)).toEqual([day(0)]);
      const done = await eventually('the scheduled report is done', async () => {
        const { lastReport } = await view(id);
        expect(lastReport?.state).not.toBe('FAILED');
        return lastReport?.state === 'DONE' ? lastReport : undefined;
      });
      expect(done.scheduledFor).toBe(day(0));
      expect((await act(id, 'end')).status).toBe(200);
      await dueSince(id, 0);
      await makeDue(id);
      expect([await askedFor(id), (await view(id)).state]).toEqual([[day(0)], 'ended']);
    }
    const [first] = await inspector.query<{ parameters: Record<string, string> }>(
      `SELECT parameters FROM report WHERE parameters->>'scheduledFor' = $1 AND kind = 'campaign'`,
      [day(0)],
    );
    expect(first?.parameters).toMatchObject({ from: day(-1), until: day(0), useCase: 'hero-image' });
  });

  it('makes up for the last seven times after a rest, one after another, and says in the log what it left out', async () => {
    const { id } = await create({ kind: 'period', format: 'csv', cadence: 'daily' });
    await dueSince(id, -9);
    // Each wake-up asks for one report; the last of these finds nothing that is due.
    for (let i = 0; i < 8; i++) await makeDue(id);
    expect(await askedFor(id)).toEqual([-6, -5, -4, -3, -2, -1, 0].map(day));
    const skipped = (await entriesAbout(id)).filter(({ type }) => type === 'report_schedule.skipped');
    expect(skipped.map(({ data }) => data)).toEqual([{ count: 3, first: day(-9), last: day(-7) }]);
    await act(id, 'end');
  });

  it('that cannot ask for its report says so, and goes on', async () => {
    const { id } = await create({
      ...{ kind: 'campaign', projectId: app.instance.projectId, useCase: 'hero-image' },
      ...{ format: 'json', cadence: 'daily' },
    });
    await inspector.query(`UPDATE report_schedule SET use_case = 'gone' WHERE id = $1`, [uuid(id)]);
    await dueSince(id, 0);
    await makeDue(id);
    expect(await view(id)).toMatchObject({
      lastFailure: { errorCode: 'not_found', scheduledFor: day(0) },
      nextDueAt: day(1),
      lastReport: null,
    });
    expect((await entriesAbout(id)).map(({ type }) => type)).toContain('report_schedule.failed');
    await inspector.query(`UPDATE report_schedule SET use_case = 'hero-image' WHERE id = $1`, [uuid(id)]);
    await dueSince(id, 0);
    await makeDue(id);
    expect(await view(id)).toMatchObject({ lastFailure: null, lastReport: { scheduledFor: day(0) } });
    await act(id, 'end');
  });

  it('asks for nothing while it is paused, and afterwards not for what was due meanwhile', async () => {
    const { id } = await create({ kind: 'period', format: 'csv', cadence: 'daily' });
    expect((await act(id, 'pause')).status).toBe(200);
    expect(await view(id)).toMatchObject({ state: 'paused', nextDueAt: null });
    await dueSince(id, -3);
    await makeDue(id);
    expect(await askedFor(id)).toEqual([]);
    expect((await act(id, 'resume')).status).toBe(200);
    expect(await view(id)).toMatchObject({ state: 'active', nextDueAt: day(1) });
    await makeDue(id);
    expect(await askedFor(id)).toEqual([]);
    expect((await act(id, 'end')).status).toBe(200);
    await expectProblem(await act(id, 'resume'), 'conflict');
    expect((await entriesAbout(id)).map(({ type }) => type).sort()).toEqual(
      ['created', 'ended', 'paused', 'resumed'].map((what) => `report_schedule.${what}`),
    );
  });

  it('ends with the key of who made it', async () => {
    const person = await addPerson(app, ['legal']);
    const body = { kind: 'period', format: 'csv', cadence: 'daily' };
    const answer = await app.request('/v1/report-schedules', { ...json(body), key: person.key });
    const { id } = (await answer.json()) as Schedule;
    await inspector.query('UPDATE principal SET disabled_at = now() WHERE id = $1', [
      parsePublicId('principal', person.principalId),
    ]);
    await dueSince(id, 0);
    await makeDue(id);
    expect([await askedFor(id), (await view(id)).state]).toEqual([[], 'ended']);
  });

  it('is made for what there is, in a form in which it can be had', async () => {
    for (const [body, code] of [
      [{ kind: 'asset', assetId: `ast_${'0'.repeat(32)}`, format: 'json', cadence: 'daily' }, 'not_found'],
      [{ kind: 'model', listingId: 'nothing@nowhere', format: 'json', cadence: 'daily' }, 'not_found'],
      [{ kind: 'period', format: 'pdf', cadence: 'daily' }, 'invalid_request'],
      [{ kind: 'period', format: 'csv', cadence: 'hourly' }, 'invalid_request'],
    ] as const)
      await expectProblem(await app.request('/v1/report-schedules', { ...json(body), key: legal }), code);
  });
});
