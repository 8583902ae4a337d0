import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
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
    'SELECT entry FROM audit_entry WHERE entry_type = $1 UNION ALL SELECT entry FROM audit_pending WHERE entry_type = $1',
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
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const csv = await made({ kind: 'period', format: 'csv', from });
    expect(csv.bytes.toString().split('\r\n').length).toBeGreaterThan(whole.subject?.lastSize ?? 0);
    const later = await made({
      kind: 'period',
      format: 'bundle',
      from: new Date(Date.now() + 1000).toISOString(),
    });
    await writeFile(path, later.bytes);
    expect((await runVerifyPeriod(path, {})).verdict).toBe('valid');
    const { key: manager } = await addPerson(app, ['asset_manager']);
    const period = { kind: 'period', format: 'csv' };
    await expectProblem(await app.request('/v1/reports', { ...json(period), key: manager }), 'forbidden');
    const readOnly = await app.request(`/v1/reports/${csv.report.id}/content`, { key: manager });
    await expectProblem(readOnly, 'forbidden');
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

describe('a schedule', () => {
  it('makes the report of the time that has ended, once, and the next one when it is due', async () => {
    const { projectId, organizationId } = app.instance;
    const body = { projectId, useCase: 'hero-image', format: 'json', cadence: 'daily' };
    const answer = await app.request('/v1/report-schedules', { ...json(body), key: legal });
    const schedule = (await answer.json()) as { id: string; nextDueAt: string };
    expect([answer.status, Date.parse(schedule.nextDueAt) > Date.now()]).toEqual([201, true]);
    const [organization, id] = [
      parsePublicId('organization', organizationId) ?? '',
      parsePublicId('reportSchedule', schedule.id) ?? '',
    ];
    const makeDue = () => app.services.reportSchedules.makeDue(organization, id);
    const asked = async () =>
      (
        await inspector.query<{ parameters: { from: string; until: string } }>(
          `SELECT parameters FROM report WHERE parameters->>'scheduleId' = $1 ORDER BY id`,
          [schedule.id],
        )
      ).map(({ parameters }) => [parameters.from, parameters.until]);
    await makeDue();
    expect(await asked()).toEqual([]);
    // As if two days had passed.
    const day = (offset: number): string => {
      const now = new Date();
      return new Date(
        Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + offset),
      ).toISOString();
    };
    await inspector.query('UPDATE report_schedule SET next_due_at = $2 WHERE id = $1', [id, day(-1)]);
    await Promise.all([makeDue(), makeDue(), makeDue()]);
    expect(await asked()).toEqual([
      [day(-2), day(-1)],
      [day(-1), day(0)],
    ]);
    expect(
      (await app.request(`/v1/report-schedules/${schedule.id}/end`, { method: 'POST', key: legal })).status,
    ).toBe(200);
    await inspector.query('UPDATE report_schedule SET next_due_at = $2 WHERE id = $1', [id, day(-1)]);
    await makeDue();
    expect(await asked()).toHaveLength(2);
  });
});
