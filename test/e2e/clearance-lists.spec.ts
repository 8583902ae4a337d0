import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, type JsonValue } from '../../src/shared/canonical-json.js';
import { newId, parsePublicId, publicId } from '../../src/shared/ids.js';
import { addPerson, HARMLESS_FACTS, json, productShot } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { ownLicenseText, ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { dayAhead, IN_A_YEAR } from '../support/days-ahead.js';

let app: TestApplication;
let legal: string;
let ownerId: string;

beforeAll(async () => {
  app = await startTestApplication();
  ({ key: legal } = await addPerson(app, ['legal']));
  ({ principalId: ownerId } = await get<{ principalId: string }>('/v1/me'));
});
afterAll(async () => {
  await app.close();
});

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}
interface ListedWaiver {
  id: string;
  state: string;
  endedBecause: string | null;
  endedAt: string | null;
  changes: { listingId: string; because: string }[];
  clearanceId: string | null;
  finding: { listingId: string; ruleId: string } | null;
}
interface ListedClearance {
  id: string;
  decision: string;
  listingIds: string[];
  findings: unknown[];
  projectId: string | null;
  indemnity: { listingId: string; result: string }[];
}

async function get<T>(path: string): Promise<T> {
  const response = await app.request(path);
  const text = await response.text();
  expect([response.status, text]).toEqual([200, expect.anything()]);
  return JSON.parse(text) as T;
}
async function made<T>(path: string, body: unknown, key = legal, status = 201): Promise<T> {
  const response = await app.request(path, { ...json(body), key });
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.anything()]);
  return JSON.parse(text) as T;
}

/** A listing with a license of its own, of which nobody says that the text is the one in force: review. */
async function listed(name: string): Promise<{ id: string; licenseKey: string }> {
  const licenseKey = `LicenseRef-${name}`;
  const license = { ...ownListing().license, spdxOrRef: licenseKey, status: 'unverified' as const };
  const listing = ownListing({ id: `${name.toLowerCase()}.v1@self-hosted`, license });
  await made('/v1/license-texts', ownLicenseText(listing));
  const { id } = await made<{ id: string }>('/v1/models', { listing });
  return { id, licenseKey };
}
const ask = (listingId: string, facts: Record<string, unknown> = HARMLESS_FACTS) =>
  made<{ id: string; decision: string }>(
    '/v1/clearances',
    { lineage: { components: [{ listingId, role: 'generator', stepKey: 'a' }] }, facts },
    app.instance.keys.live,
  );
const TERMS = { reason: 'LEGAL_OPINION', comment: 'as read', expiresAt: IN_A_YEAR };
const waive = async (listingId: string, expiresAt = TERMS.expiresAt) => {
  const { id } = await ask(listingId);
  return made<{ id: string }>('/v1/waivers', { clearanceId: id, ...TERMS, expiresAt });
};
const waiveFinding = (listingId: string) =>
  made<{ id: string }>('/v1/waivers', {
    finding: { listingId, ruleId: 'license-status' },
    projectId: app.instance.projectId,
    requestedBy: ownerId,
    ...TERMS,
  });
const changeText = ({ id, licenseKey }: { id: string; licenseKey: string }) =>
  made('/v1/license-texts', { licenseKey, text: `another ${id}`, readOn: '2026-11-22' });
async function waiver(id: string): Promise<ListedWaiver | undefined> {
  return (await get<Page<ListedWaiver>>('/v1/waivers?limit=200')).items.find((item) => item.id === id);
}
describe('the list of waivers', () => {
  it('tells what each one accepts and that it is in force', async () => {
    const { id: listingId } = await listed('Alpha');
    const ofClearance = await waive(listingId);
    const ofFinding = await waiveFinding(listingId);
    expect(await waiver(ofClearance.id)).toMatchObject({
      state: 'in-force',
      finding: null,
      endedBecause: null,
    });
    expect(await waiver(ofFinding.id)).toMatchObject({
      state: 'in-force',
      finding: { listingId, ruleId: 'license-status' },
      clearanceId: null,
      projectId: app.instance.projectId,
      changes: [],
    });
    // What people wrote is sealed.
    expect(JSON.stringify(await get('/v1/waivers'))).not.toContain('comment');
  });

  it('has none that a program granted, whatever roles its key has', async () => {
    const { id: listingId } = await listed('Omicron');
    const { id: clearanceId } = await ask(listingId);
    const { key } = await addPerson(app, ['legal', 'admin'], { kind: 'service' });
    await made('/v1/waivers', { clearanceId, ...TERMS }, key, 403);
    await made('/v1/waivers', { clearanceId, ...TERMS });
  });

  it('has none without an end that is near, and none without a word on why', async () => {
    const { id: listingId } = await listed('Sigma');
    const { id: clearanceId } = await ask(listingId);
    const refused = (changes: Record<string, string>) =>
      made('/v1/waivers', { clearanceId, ...TERMS, ...changes }, legal, 400);
    for (const expiresAt of ['9999-12-31T23:59:59Z', `${dayAhead(740)}T00:00:00Z`])
      await refused({ expiresAt });
    for (const comment of [' ', '...', '\n']) await refused({ comment });
    await made('/v1/waivers', { clearanceId, ...TERMS, expiresAt: `${dayAhead(720)}T00:00:00Z` });
  });

  it('tells that a changed license text killed it, of both kinds', async () => {
    const listing = await listed('Beta');
    const ids = [(await waive(listing.id)).id, (await waiveFinding(listing.id)).id];
    await changeText(listing);
    for (const id of ids) {
      const found = await waiver(id);
      expect(found).toMatchObject({
        state: 'dead',
        endedBecause: 'license-text',
        changes: [{ listingId: listing.id, because: 'license-text' }],
      });
      expect(Date.parse(found?.endedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
    }
  });

  it('tells that a corrected fact killed it', async () => {
    const { id: listingId } = await listed('Gamma');
    const { id } = await waive(listingId);
    const correction = { kind: 'term-absent', termId: 'commercial-use-of-outputs' };
    const evidence = { title: 'Contract', quote: 'nothing of it may be sold', dateRead: '2026-11-22' };
    await made('/v1/curations', { listingId, correction, evidence, reason: 'r' });
    expect(await waiver(id)).toMatchObject({ state: 'dead', endedBecause: 'facts' });
  });

  it('tells that its day has come, also when the text changed afterwards', async () => {
    const listing = await listed('Delta');
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const [over, first] = [await waive(listing.id, expiresAt), await waiveFinding(listing.id)];
    await eventually('its day has come', async () =>
      (await waiver(over.id))?.state === 'ended' ? true : undefined,
    );
    expect(await waiver(over.id)).toMatchObject({ endedBecause: 'date', endedAt: expiresAt });
    await changeText(listing);
    expect(await waiver(over.id)).toMatchObject({ state: 'ended', endedBecause: 'date' });
    expect(await waiver(first.id)).toMatchObject({ state: 'dead' });
  });

  it('stays dead after the decision was made again without it', async () => {
    const listing = await listed('Epsilon');
    const { id: clearanceId } = await ask(listing.id);
    const { id } = await made<{ id: string }>('/v1/waivers', { clearanceId, ...TERMS });
    await changeText(listing);
    await made(`/v1/clearances/${clearanceId}/decide-again`, {}, app.instance.keys.live);
    // The change of the text came first, and it is what ended the waiver.
    expect(await waiver(id)).toMatchObject({ state: 'dead', endedBecause: 'license-text' });
  });

  it('shows one state only, page by page, newest first', async () => {
    for (const state of ['in-force', 'ended', 'dead']) {
      const all = await get<Page<ListedWaiver>>(`/v1/waivers?state=${state}&limit=200`);
      expect(new Set(all.items.map((item) => item.state))).toEqual(new Set([state]));
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Page<ListedWaiver> = await get(
          `/v1/waivers?state=${state}&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(seen).toEqual(all.items.map(({ id }) => id));
      expect(seen).toEqual([...seen].sort().reverse());
    }
    await expectProblem(await app.request('/v1/waivers?state=asleep'), 'invalid_request');
    await expectProblem(await app.request('/v1/waivers?cursor=eA'), 'invalid_cursor');
  });
});

describe('the list of clearances', () => {
  it('shows decisions newest first, by decision, listing and project', async () => {
    const { id: listingId } = await listed('Zeta');
    const review = await ask(listingId);
    const run = await made<{ clearanceId: string }>(
      '/v1/runs',
      productShot(app),
      app.instance.keys.live,
      202,
    );
    const all = await get<Page<ListedClearance>>('/v1/clearances?limit=200');
    expect(all.items.slice(0, 2).map(({ id }) => id)).toEqual([run.clearanceId, review.id]);
    expect(all.items[1]).toMatchObject({
      decision: 'review',
      listingIds: [listingId],
      findings: [{ ruleId: 'license-status', severity: 'review', listingId }],
      projectId: null,
      indemnity: [{ listingId, result: 'none' }],
    });
    const of = (query: string) => get<Page<ListedClearance>>(`/v1/clearances?limit=200&${query}`);
    expect((await of(`listingId=${listingId}`)).items.map(({ id }) => id)).toEqual([review.id]);
    expect((await of('decision=deny')).items).toEqual([]);
    const ofProject = await of(`projectId=${app.instance.projectId}`);
    expect(ofProject.items.map(({ id }) => id)).toEqual([run.clearanceId]);
    const page = await get<Page<ListedClearance>>('/v1/clearances?limit=1');
    const next = await get<Page<ListedClearance>>(`/v1/clearances?limit=1&cursor=${page.nextCursor}`);
    expect([...page.items, ...next.items].map(({ id }) => id)).toEqual([run.clearanceId, review.id]);
  });

  it('one of them shows everything it says: obligations, alternatives, indemnity, versions and hashes', async () => {
    const facts = { ...HARMLESS_FACTS, audienceCountries: ['DE'], labelPlanned: 'yes' };
    const asked = await ask('hunyuan-image-3.0@self-hosted', facts);
    const shown = await get<Record<string, unknown> & { findings: { alternatives: string[] }[] }>(
      `/v1/clearances/${asked.id}`,
    );
    expect(shown).toMatchObject({
      ...asked,
      decision: 'deny',
      engineVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      termsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      createdBy: ownerId,
      projectId: null,
      indemnity: [{ listingId: 'hunyuan-image-3.0@self-hosted', result: expect.any(String) }],
      standing: { kind: 'denied' },
    });
    expect(shown.obligations).not.toEqual([]);
    expect(shown.findings.flatMap(({ alternatives }) => alternatives)).not.toEqual([]);
    // What was answered at once is what is kept.
    expect(asked).toMatchObject({ indemnity: shown.indemnity, obligations: shown.obligations });
  });
});

/** What is written once for many decisions, as the database has it. */
describe('decisions that rest on the same', () => {
  const LISTING = 'hunyuan-image-3.0@self-hosted';
  let inspector: Inspector;
  beforeAll(async () => {
    inspector = await Inspector.open(app.database);
  });
  afterAll(() => inspector.close());

  const decided = (revenueUsd: number, listingId = LISTING) =>
    ask(listingId, { ...HARMLESS_FACTS, audienceCountries: ['DE'], organizationRevenueUsd: revenueUsd });
  const shown = (id: string) => get<Record<string, unknown>>(`/v1/clearances/${id}`);
  const isSame = async (id: string) => (await get<{ same: boolean }>(`/v1/clearances/${id}/replay`)).same;
  const uuid = (id: string) => parsePublicId('clearance', id) ?? '';
  const rowsOf = (id: string) =>
    inspector.query('SELECT 1 FROM clearance_listing WHERE clearance_id = $1', [uuid(id)]);
  const said = ({
    id: _id,
    createdAt: _at,
    input: _input,
    standing: _standing,
    ...rest
  }: Record<string, unknown>) => rest;

  it('refer to the first of them, and each says all of it, stands by itself and is found', async () => {
    const listingId = 'qwen-image@self-hosted';
    const first = await decided(1_000_000, listingId);
    const second = await decided(2_000_000, listingId);
    expect([(await rowsOf(first.id)).length > 0, (await rowsOf(second.id)).length]).toEqual([true, 0]);
    const [one, other] = [await shown(first.id), await shown(second.id)];
    expect(other).toMatchObject({ ...second });
    expect(other).toMatchObject({ findings: one.findings, obligations: one.obligations });
    expect(other.inputSha256).not.toBe(one.inputSha256);
    expect([await isSame(first.id), await isSame(second.id)]).toEqual([true, true]);
    const found = await get<Page<ListedClearance>>(`/v1/clearances?listingId=${listingId}`);
    expect(found.items.slice(0, 2).map(({ id }) => id)).toEqual([second.id, first.id]);
    const [stored] = await inspector.query<{ size: number }>(
      'SELECT octet_length(outcome) AS size FROM clearance WHERE id = $1',
      [uuid(second.id)],
    );
    expect(stored?.size).toBeLessThan(JSON.stringify(said(other)).length / 2);
  });

  it('say the same as one that was stored in full, before they referred to anything', async () => {
    const { id, createdAt, policies, ...outcome } = (await decided(3_000_000)) as Record<string, unknown> & {
      id: string;
    };
    expect([createdAt, policies]).toEqual([expect.any(String), null]);
    const old = newId();
    await inspector.query(
      `INSERT INTO clearance (organization_id, id, decision, input, result, created_by, created_at, registry_version)
       SELECT organization_id, $2, decision, input, $3, created_by, created_at, registry_version FROM clearance WHERE id = $1`,
      [uuid(id), old, canonicalJson(outcome as JsonValue)],
    );
    await inspector.query(
      `INSERT INTO clearance_listing
       SELECT l.organization_id, $2, listing_id, sha256, decisive_sha256, license_key, license_text_sha256
         FROM clearance_listing l JOIN clearance c ON l.clearance_id = coalesce(c.basis_id, c.id) WHERE c.id = $1`,
      [uuid(id), old],
    );
    const [before, since] = [await shown(publicId('clearance', old)), await shown(id)];
    // Its entry says the hash of the input in clear, so nothing has to be opened.
    expect(before.inputSalt).toBeNull();
    expect(said({ ...before, inputSalt: since.inputSalt })).toEqual(said(since));
    expect(before.input).toEqual(since.input);
    expect(before.standing).toMatchObject({ kind: 'denied', lastDecisionId: publicId('clearance', old) });
    expect([await isSame(publicId('clearance', old)), await isSame(id)]).toEqual([true, true]);
  });

  it('are not read, and allow nothing, when a part is gone, or another one was put beside it', async () => {
    const gone = await decided(1_000_000, 'flux-1-schnell@self-hosted');
    const more = await decided(1_000_000, 'flux-1-dev@fal');
    await inspector.query(`BEGIN; ALTER TABLE outlook_archive DISABLE TRIGGER ALL;
      DELETE FROM outlook_archive WHERE listing_id = 'flux-1-schnell@self-hosted';
      ALTER TABLE outlook_archive ENABLE TRIGGER ALL; ALTER TABLE outlook_archive ENABLE ALWAYS TRIGGER append_only_row;
      ALTER TABLE outlook_archive ENABLE ALWAYS TRIGGER append_only_truncate; COMMIT`);
    await inspector.query(
      `INSERT INTO clearance_listing SELECT organization_id, clearance_id, 'other@x', sha256, decisive_sha256, license_key,
              license_text_sha256, outlook_sha256 FROM clearance_listing WHERE clearance_id = $1 LIMIT 1`,
      [uuid(more.id)],
    );
    for (const { id } of [gone, more])
      await expectProblem(await app.request(`/v1/clearances/${id}`), 'internal');
  });

  it('cannot be stored by halves: words that do not have their hash, neither form, or a basis that is nowhere', async () => {
    const { id } = await decided(4_000_000);
    const insert = (columns: string, values: string) =>
      inspector.query(
        `INSERT INTO clearance (organization_id, id, decision, input, created_by, created_at, ${columns})
         SELECT organization_id, '${newId()}', decision, input, created_by, created_at, ${values} FROM clearance WHERE id = $1`,
        [uuid(id)],
      );
    await expect(insert('outcome', 'outcome')).rejects.toThrow(/clearance_form_check/);
    await expect(insert('basis_id', 'id')).rejects.toThrow(/clearance_form_check/);
    await expect(insert('outcome, basis_id', `outcome, '${newId()}'`)).rejects.toThrow(
      /clearance_basis_fkey/,
    );
    await expect(
      inspector.query(
        `INSERT INTO outlook_archive SELECT organization_id, repeat('a', 64), listing_id, outlook FROM outlook_archive LIMIT 1`,
      ),
    ).rejects.toThrow(/outlook_archive_sha256_check/);
  });
});
