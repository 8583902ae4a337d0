import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../src/shared/bytes.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { ClearanceStanding } from '../../src/licenses/application/clearance-standing.js';
import { EffectiveRegistry } from '../../src/licenses/application/effective-registry.js';
import { indexListings } from '../../src/licenses/domain/listing-index.js';
import { seedListings } from '../../src/licenses/registry/seed.js';
import { type Listing } from '../../src/licenses/domain/listing.js';
import { addPerson, formWith, json, postForm, productShot, runToEnd } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { licenseFact, ownLicenseText, ownListing } from '../support/registry-rows.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

let app: TestApplication;
let inspector: Inspector;
let legal: string;
let legalId: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  ({ key: legal, principalId: legalId } = await addPerson(app, ['legal']));
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const asLegal = (path: string, body: unknown) => app.request(path, { ...json(body), key: legal });
async function made<T = Record<string, unknown>>(asked: Promise<Response>, status = 201): Promise<T> {
  const response = await asked;
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.anything()]);
  return JSON.parse(text) as T;
}
const get = <T>(path: string, key?: string) =>
  made<T>(app.request(path, key === undefined ? {} : { key }), 200);
const text = (licenseKey: string, words: string, more: Record<string, unknown> = {}) =>
  asLegal('/v1/license-texts', { licenseKey, text: words, readOn: '2026-11-22', ...more });
/** With the text behind it. */
async function record(listing: Listing): Promise<Record<string, string>> {
  await made(asLegal('/v1/license-texts', ownLicenseText(listing)));
  return made<Record<string, string>>(asLegal('/v1/models', { listing }));
}
const evidence = { title: 'Contract', quote: 'You may sell the outputs.', dateRead: '2026-11-22' };
const FACTS = {
  purpose: 'commercial',
  audienceCountries: ['US'],
  organizationRevenueUsd: 1_000_000,
  generatedOn: '2026-11-25',
} as const;

interface ClearanceAnswer {
  id: string;
  decision: string;
  findings: { listingId: string; ruleId: string; severity: string }[];
  standing: { kind: string; changes: { licenseKey: string }[]; lastDecisionId: string };
}
const ask = (listingId: string) =>
  made<ClearanceAnswer>(
    app.request(
      '/v1/clearances',
      json({ lineage: { components: [{ listingId, role: 'generator', stepKey: 'a' }] }, facts: FACTS }),
    ),
  );
const standingOf = async (id: string) => (await get<ClearanceAnswer>(`/v1/clearances/${id}`)).standing;
const isSame = async (id: string) => (await get<{ same: boolean }>(`/v1/clearances/${id}/replay`)).same;

/** The studio's license, by the one finding of which nothing else hangs: every run of the studio rests on it. */
const STUDIO = 'studio-convert@studio';
/** Its clearance is "review"; the sandbox plays it. */
const MODEL = 'flux-1-schnell@fal';
const SANDBOX_INPUTS = { prompt: 'a bottle', model: MODEL, width: 256, height: 256 };
const studioTexts = ['studio-scene', 'studio-cut-out', 'studio-recolor', 'studio-convert', 'studio-crop'].map(
  (name) => `${name}@studio`,
);

describe('a listing of one\u2019s own', () => {
  it('is recorded once, found among those of the product, and decided with', async () => {
    const license = { ...ownListing().license, spdxOrRef: 'LicenseRef-Alpha' };
    const listing = ownListing({ id: 'alpha.v1@self-hosted', name: 'Alpha look', license });
    const first = await record(listing);
    expect(first).toMatchObject({ id: listing.id, outcome: 'recorded' });
    expect(await record(listing)).toMatchObject({ sha256: first.sha256, outcome: 'unchanged' });
    const { items } = await get<{ items: { id: string; origin: string }[] }>('/v1/models?q=alpha&origin=own');
    expect(items.map(({ id, origin }) => [id, origin])).toEqual([[listing.id, 'own']]);
    expect((await ask(listing.id)).decision).toBe('allow');
    expect((await get<{ sha256: string }>(`/v1/models/${listing.id}`)).sha256).toBe(first.sha256);
  });

  it('allows nothing before its license text is kept; the text opens what was decided without it', async () => {
    const license = { ...ownListing().license, spdxOrRef: 'LicenseRef-Zeta' };
    const listing = ownListing({ id: 'zeta.v1@self-hosted', license });
    const typed = await made<{ notes: string[] }>(asLegal('/v1/models', { listing }));
    expect(typed.notes[0]).toMatch(/^no text of the license is kept/);
    const asked = await ask(listing.id);
    expect(asked.decision).toBe('review');
    const read = await made<{ change: string; reopened: unknown }>(
      asLegal('/v1/license-texts', ownLicenseText(listing)),
    );
    expect(read).toMatchObject({ change: 'unchanged', reopened: { clearanceIds: [asked.id] } });
    expect((await standingOf(asked.id)).changes).toMatchObject([{ because: 'facts' }]);
    expect((await ask(listing.id)).decision).toBe('allow');
  });

  it('never takes the place of one that comes with the product', async () => {
    const [entry] = seedListings().all;
    if (!entry) throw new Error('no seed');
    const before = await inspector.footprint();
    await expectProblem(await asLegal('/v1/models', { listing: entry.listing }), 'conflict');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('is refused with the field when it is none', async () => {
    const listing = { ...ownListing(), channel: 'elsewhere' };
    const problem = await expectProblem(await asLegal('/v1/models', { listing }), 'invalid_request');
    expect(problem.errors?.[0]?.path).toBe('listing');
    const half = ownListing({ name: '\ud800' });
    await expectProblem(await asLegal('/v1/models', { listing: half }), 'invalid_request');
  });

  it('is what a person with the role legal records, and nobody else', async () => {
    const { key } = await addPerson(app, ['creator', 'reviewer', 'asset_manager', 'auditor', 'admin']);
    const before = await inspector.footprint();
    for (const path of ['/v1/models', '/v1/license-texts', '/v1/curations'])
      await expectProblem(await app.request(path, { ...json({}), key }), 'forbidden');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('in several pages, each shown once', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: { id: string }[]; nextCursor: string | null } = await get(
        `/v1/models?limit=40${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen.length).toBeGreaterThan(seedListings().all.length);
  });
});

describe('a changed license text', () => {
  it('opens decisions again, names the license, and lets the decision be made anew', async () => {
    const license = { ...ownListing().license, spdxOrRef: 'LicenseRef-Beta' };
    const listing = ownListing({ id: 'beta.v1@self-hosted', license });
    await record(listing);
    const allowed = await ask(listing.id);
    expect([allowed.decision, (await standingOf(allowed.id)).kind]).toEqual(['allow', 'holds']);
    const unchanged = await made(text('LicenseRef-Beta', 'training contract, 2026'));
    expect(unchanged).toMatchObject({ change: 'unchanged', reopened: { clearanceIds: [], waiverIds: [] } });
    expect((await standingOf(allowed.id)).kind).toBe('holds');

    const changed = await made(text('LicenseRef-Beta', 'training contract, 2027'));
    expect(changed).toMatchObject({
      change: 'changed',
      affectedListingIds: [listing.id],
      reopened: { clearanceIds: [allowed.id] },
    });
    expect(await standingOf(allowed.id)).toMatchObject({
      kind: 'reopened',
      changes: [{ listingId: listing.id, licenseKey: 'LicenseRef-Beta', because: 'license-text' }],
    });
    const { items } = await get<{ items: { id: string }[] }>(
      '/v1/clearances/reopened?licenseKey=LicenseRef-Beta',
    );
    expect(items.map(({ id }) => id)).toEqual([allowed.id]);
    expect((await ask(listing.id)).decision).toBe('review');

    const again = await made<ClearanceAnswer>(
      app.request(`/v1/clearances/${allowed.id}/decide-again`, json({})),
    );
    expect([again.decision, (await standingOf(allowed.id)).kind]).toEqual(['review', 'open']);
    const waiver = { reason: 'LEGAL_OPINION', comment: 'read it', expiresAt: IN_A_YEAR };
    const approved = await made<{ restsOn: unknown }>(
      asLegal('/v1/waivers', { clearanceId: again.id, ...waiver }),
    );
    expect(approved.restsOn).toEqual([
      { listingId: listing.id, licenseKey: 'LicenseRef-Beta', textSha256: license.textSha256 },
    ]);
    expect((await standingOf(allowed.id)).kind).toBe('holds');

    // The waiver dies with the text on which it rests, long before its day.
    const third = await made<{ reopened: { waiverIds: string[] } }>(
      text('LicenseRef-Beta', 'contract, 2028'),
    );
    expect(third.reopened.waiverIds).toHaveLength(1);
    expect((await standingOf(allowed.id)).kind).toBe('reopened');
    await expectProblem(await asLegal('/v1/waivers', { clearanceId: allowed.id, ...waiver }), 'conflict');
    // All that was decided can be made once more from what is stored.
    expect([await isSame(allowed.id), await isSame(again.id)]).toEqual([true, true]);
  });

  it('stops the release of an asset, and the steps of a run, until somebody has decided anew', async () => {
    const run = await runToEnd(app, productShot(app));
    expect(run.state).toBe('SUCCEEDED');
    const assetId = run.steps.at(-1)?.assetId ?? '';
    const reviewer = await addPerson(app, ['reviewer']);
    await made(
      app.request(`/v1/assets/${assetId}/reviews`, {
        ...json({ decision: 'approve', comment: 'ok' }),
        key: reviewer.key,
      }),
    );
    await made(text('Apache-2.0', 'another text', { listingIds: studioTexts }));
    const release = () => app.request(`/v1/assets/${assetId}/release`, json({}));
    const refusal = await expectProblem(await release(), 'clearance_under_review');
    expect(refusal.detail).toContain('Apache-2.0');
    const [reopened] = (
      await get<{ items: { id: string; runIds: string[]; assetIds: string[] }[] }>(
        '/v1/clearances/reopened?licenseKey=Apache-2.0&limit=200',
      )
    ).items.filter(({ id }) => id === run.clearanceId);
    expect(reopened?.runIds).toEqual([run.id]);
    expect(reopened?.assetIds).toContain(assetId);
    // A new run waits, because the permission is gone for everybody.
    const waiting = await made<{ state: string; id: string }>(
      app.request('/v1/runs', json(productShot(app))),
      202,
    );
    expect(waiting.state).toBe('WAITING_FOR_WAIVER');

    // The old text is back (the other one was a mistake): decided anew, it is allowed again.
    const [studio] = seedListings().all.filter(({ listing }) => listing.id === STUDIO);
    expect(studio?.listing.license.textSha256).not.toBeNull();
    await curateLicense(studioTexts, sha256Hex('another text'));
    const again = await made<{ decision: string }>(
      app.request(`/v1/clearances/${run.clearanceId}/decide-again`, json({})),
    );
    expect(again.decision).toBe('allow');
    expect((await release()).status).toBe(200);
    const started = await made<{ startedRunIds: string[] }>(
      app.request(
        `/v1/clearances/${(await get<{ clearanceId: string }>(`/v1/runs/${waiting.id}`)).clearanceId}/decide-again`,
        json({}),
      ),
    );
    expect(started.startedRunIds).toEqual([waiting.id]);
  });

  async function curateLicense(listingIds: readonly string[], textSha256: string): Promise<void> {
    for (const listingId of listingIds) {
      const { license } = await get<{ license: Listing['license'] }>(`/v1/models/${listingId}`);
      const fact = licenseFact(license, { textSha256, status: 'current', statusReason: '' });
      const correction = { kind: 'license', license: fact };
      const body = {
        listingId,
        correction,
        evidence: { ...evidence, quote: null, textSha256 },
        reason: 'read it',
      };
      await made(asLegal('/v1/curations', body));
    }
  }
});

describe('a curation', () => {
  const listing = ownListing({
    id: 'gamma.v1@self-hosted',
    license: { ...ownListing().license, spdxOrRef: 'LicenseRef-Gamma' },
  });
  const outputs = {
    kind: 'term',
    term: {
      id: 'commercial-use-of-outputs',
      kind: 'commercial-use-of-outputs',
      value: 'no',
      clause: '4',
      paraphrase: 'Outputs may not be sold.',
    },
  };

  it('corrects a fact for every decision from now on, opens the earlier ones, and is shown with its evidence', async () => {
    await record(listing);
    const allowed = await ask(listing.id);
    const curation = await made<{ id: string; reopened: unknown; fact: string }>(
      asLegal('/v1/curations', {
        listingId: listing.id,
        correction: outputs,
        evidence,
        reason: 'read clause 4',
      }),
    );
    expect(curation).toMatchObject({
      fact: 'term:commercial-use-of-outputs',
      reopened: { clearanceIds: [allowed.id] },
    });
    expect((await ask(listing.id)).decision).toBe('deny');
    expect(await standingOf(allowed.id)).toMatchObject({ kind: 'reopened', changes: [{ because: 'facts' }] });
    const terms = await get<{ facts: { fact: string; curationId: string | null; source: string }[] }>(
      `/v1/models/${listing.id}/terms`,
    );
    expect(terms.facts.find(({ fact }) => fact === curation.fact)).toMatchObject({
      curationId: curation.id,
      source: 'Contract',
      dateRead: '2026-11-22',
      verified: 'secondary',
    });
    expect(terms.facts.find(({ fact }) => fact === 'term:commercial-use-of-weights')?.curationId).toBeNull();
    expect(await isSame(allowed.id)).toBe(true);
    // Why is for the court: sealed in the entry, and in no table.
    expect(JSON.stringify(terms)).not.toContain('read clause 4');
  });

  it('without evidence, or with a text that nobody kept, is none', async () => {
    // A run that the test before let start is still at work.
    await inspector.atRest();
    const before = await inspector.footprint();
    const base = { listingId: listing.id, correction: outputs, reason: 'r' };
    const without = { title: 'Contract', dateRead: '2026-11-22' };
    await expectProblem(await asLegal('/v1/curations', { ...base, evidence: without }), 'invalid_request');
    const unkept = { ...without, textSha256: sha256Hex('nobody kept it') };
    await expectProblem(await asLegal('/v1/curations', { ...base, evidence: unkept }), 'invalid_request');
    const wrong = { kind: 'term', term: { id: 'cap', kind: 'revenue-cap', clause: null, paraphrase: 'p' } };
    const refused = await asLegal('/v1/curations', { ...base, correction: wrong, evidence });
    expect((await expectProblem(refused, 'invalid_request')).errors?.[0]?.path).toMatch(/^correction\.terms/);
    const nowhere = { ...base, listingId: 'nobody@nowhere', evidence };
    await expectProblem(await asLegal('/v1/curations', nowhere), 'unknown_model');
    const unread = { kind: 'license', license: licenseFact(ownListing().license, {}) };
    await expectProblem(
      await asLegal('/v1/curations', { ...base, correction: unread, evidence }),
      'invalid_request',
    );
    expect(await inspector.footprint()).toEqual(before);
  });

  it('quotes what stands in the text that it names', async () => {
    await record(listing);
    const { sha256: textSha256 } = await made<{ sha256: string }>(
      text('LicenseRef-Gamma-Letter', 'Outputs may be sold \u2014 by the licensee only.'),
    );
    const quoting = (quote: string) => {
      const shown = { title: 'Letter', dateRead: '2026-11-22', textSha256, quote };
      return asLegal('/v1/curations', {
        listingId: listing.id,
        correction: outputs,
        evidence: shown,
        reason: 'r',
      });
    };
    const before = await inspector.footprint();
    const refused = await expectProblem(await quoting('Outputs may be sold by anybody.'), 'invalid_request');
    expect(refused.detail).toMatch(/^evidence\.quote: /);
    expect(await inspector.footprint()).toEqual(before);
    await made(quoting('may be sold - by the licensee'));
  });

  it('by a text of another license allows no more than a quotation, until the text is recorded for the listing', async () => {
    const other = ownListing({
      id: 'gamma.v2@self-hosted',
      license: { ...ownListing().license, spdxOrRef: 'LicenseRef-Gamma-2' },
    });
    const terms = other.terms.map((term) => ({ ...term, value: 'no' as const })) as Listing['terms'];
    await record({ ...other, terms: [terms[1], other.terms[0]].filter((term) => term !== undefined) });
    expect((await ask(other.id)).decision).toBe('deny');
    const letter = (more: object) =>
      made<{ sha256: string; change: string; affectedListingIds: string[] }>(
        text('LicenseRef-Letter', 'All models may be used for everything.', { ...more }),
      );
    const { sha256: textSha256 } = await letter({});
    const permit = (shown: object = {}) =>
      asLegal('/v1/curations', {
        listingId: other.id,
        correction: { ...outputs, term: { ...outputs.term, value: 'yes' } },
        evidence: { title: 'Letter', dateRead: '2026-11-22', textSha256, ...shown },
        reason: 'r',
      });
    interface Curation {
      notes: string[];
      evidence: { countsAs?: string };
    }
    const strange = await made<Curation>(permit());
    expect(strange.notes).toHaveLength(1);
    expect(strange.evidence.countsAs).toBe('quotation');
    const asked = await ask(other.id);
    expect(asked.decision).toBe('review');
    // What it counts as is found out by looking.
    await expectProblem(await permit({ countsAs: 'quotation' }), 'invalid_request');

    // It is the license of no listing, so it opens nothing.
    expect(await letter({ listingIds: [other.id] })).toMatchObject({ affectedListingIds: [] });
    expect((await ask(other.id)).decision).toBe('review');
    expect(await made<Curation>(permit())).toMatchObject({ notes: [], evidence: { textSha256 } });
    expect((await ask(other.id)).decision).toBe('allow');
    expect(await isSame(asked.id)).toBe(true);
    // A document on one listing is no license of another one.
    const onOne = await made<{ sha256: string }>(
      text('LicenseRef-On-One', 'This model may be sold.', { listingIds: [listing.id] }),
    );
    const given = { spdxOrRef: 'LicenseRef-On-One', textSha256: onOne.sha256 };
    const licensed = await asLegal('/v1/curations', {
      listingId: other.id,
      correction: { kind: 'license', license: licenseFact(other.license, given) },
      evidence: { title: 'Letter', dateRead: '2026-11-22', textSha256: onOne.sha256 },
      reason: 'r',
    });
    await expectProblem(licensed, 'invalid_request');
    // A key that is a license of listings names those of it.
    const stray = text('LicenseRef-Gamma', 'another', { listingIds: [other.id] });
    await expectProblem(await stray, 'unknown_model');
    await expectProblem(await text('LicenseRef-Letter', 'x', { listingIds: ['no@where'] }), 'unknown_model');
  });

  it('is not for whoever waits for it', async () => {
    const both = await addPerson(app, ['creator', 'legal']);
    const testKey = await made<{ key: string }>(
      app.request('/v1/api-keys', json({ principalId: both.principalId, mode: 'test' })),
    );
    const body = productShot(app, { inputs: { ...SANDBOX_INPUTS } });
    const waiting = await made<{ state: string }>(
      app.request('/v1/runs', { ...json(body), key: testKey.key }),
      202,
    );
    expect(waiting.state).toBe('WAITING_FOR_WAIVER');
    const correction = { ...outputs, term: { ...outputs.term, value: 'yes' } };
    const curation = { listingId: MODEL, correction, evidence, reason: 'r' };
    await expectProblem(
      await app.request('/v1/curations', { ...json(curation), key: both.key }),
      'four_eyes_required',
    );
    await expectProblem(
      await app.request('/v1/curations', { ...json(curation), key: testKey.key }),
      'wrong_mode',
    );
  });

  it('is not for them by another way: the listing again, or the text that is missing behind it', async () => {
    const both = await addPerson(app, ['creator', 'legal']);
    const listing = ownListing({
      id: 'epsilon.v1@self-hosted',
      license: { ...ownListing().license, spdxOrRef: 'LicenseRef-Epsilon' },
    });
    await made(asLegal('/v1/models', { listing }));
    const lineage = { components: [{ listingId: listing.id, role: 'generator', stepKey: 'a' }] };
    const question = { lineage, facts: FACTS, projectId: app.instance.projectId };
    const asked = await made<ClearanceAnswer>(
      app.request('/v1/clearances', { ...json(question), key: both.key }),
    );
    expect(asked.decision).toBe('review');
    const asBoth = (path: string, body: unknown) => app.request(path, { ...json(body), key: both.key });
    const missing = ownLicenseText(listing);
    await expectProblem(await asBoth('/v1/license-texts', missing), 'four_eyes_required');
    const again = { listing: { ...listing, name: 'Another name' } };
    await expectProblem(await asBoth('/v1/models', again), 'four_eyes_required');
    // That there is another text now is for everybody to say.
    await made(asBoth('/v1/license-texts', { ...missing, text: 'a later contract' }));
    await made(asLegal('/v1/models', again));
    await made(asLegal('/v1/license-texts', missing));
  });
});

describe('a waiver of a finding', () => {
  it('lets later runs of the project go on, but not those of whoever approved it, and dies with the text', async () => {
    const license = { ...ownListing().license, spdxOrRef: 'LicenseRef-Delta', status: 'unverified' as const };
    await record(ownListing({ id: 'delta.v1@self-hosted', license }));
    const finding = { listingId: 'delta.v1@self-hosted', ruleId: 'license-status' };
    const { principalId } = await get<{ principalId: string }>('/v1/me');
    const terms = { reason: 'LEGAL_OPINION', comment: 'as read', expiresAt: IN_A_YEAR };
    const scope = { finding, projectId: app.instance.projectId, useCase: 'hero-image' };
    const own = await asLegal('/v1/waivers', { ...scope, requestedBy: legalId, ...terms });
    await expectProblem(own, 'four_eyes_required');
    const waiver = await made<{ id: string; restsOn: unknown[] }>(
      asLegal('/v1/waivers', { ...scope, requestedBy: principalId, ...terms }),
    );
    expect(waiver.restsOn).toHaveLength(1);
    const [row] = await inspector.query<{ scope: string }>('SELECT scope FROM waiver WHERE id = $1', [
      parsePublicId('waiver', waiver.id),
    ]);
    expect(row?.scope).toBe('finding');
    const wrong = { ...scope, useCase: 'no-such-thing', requestedBy: principalId, ...terms };
    await expectProblem(await asLegal('/v1/waivers', wrong), 'not_found');
    expect((await app.request(`/v1/models/${finding.listingId}`)).status).toBe(200);
    const dies = await made<{ reopened: { waiverIds: string[] } }>(text('LicenseRef-Delta', 'new'));
    expect(dies.reopened.waiverIds).toEqual([waiver.id]);
  });
});

describe('at the same time', () => {
  const listing = ownListing({
    id: 'epsilon.v1@self-hosted',
    license: { ...ownListing().license, spdxOrRef: 'LicenseRef-Epsilon' },
  });

  it('decisions and a change of the text: none that was allowed under the old text holds afterwards', async () => {
    await record(listing);
    const ask20 = () => Promise.all(Array.from({ length: 20 }, () => ask(listing.id)));
    const [before, changed, after] = await Promise.all([
      ask20(),
      made<{ reopened: { clearanceIds: string[] } }>(text('LicenseRef-Epsilon', 'contract, 2027')),
      ask20(),
    ]);
    const all = [...before, ...after];
    const allowed = all.filter(({ decision }) => decision === 'allow').map(({ id }) => id);
    // The answer and the log name exactly those that were recorded before it.
    expect([...changed.reopened.clearanceIds].sort()).toEqual([...allowed].sort());
    for (const { id, decision } of all)
      expect((await standingOf(id)).kind).toBe(decision === 'allow' ? 'reopened' : 'open');
  });

  it('several curations of one fact: all are kept, one after the other, and the last one counts', async () => {
    const correction = (value: string) => ({
      kind: 'term',
      term: {
        id: 'commercial-use-of-outputs',
        kind: 'commercial-use-of-outputs',
        value,
        clause: null,
        paraphrase: value,
      },
    });
    const values = ['yes', 'no', 'unknown', 'no', 'yes', 'unknown'];
    await Promise.all(
      values.map((value) =>
        made(
          asLegal('/v1/curations', {
            listingId: listing.id,
            correction: correction(value),
            evidence,
            reason: 'r',
          }),
        ),
      ),
    );
    const { items } = await get<{ items: { inForce: boolean; correction: { term: { value: string } } }[] }>(
      `/v1/curations?listingId=${listing.id}`,
    );
    expect(items.map(({ inForce }) => inForce)).toEqual([true, ...values.slice(1).map(() => false)]);
    const { terms } = await get<{ terms: { id: string; value: string }[] }>(`/v1/models/${listing.id}/terms`);
    expect(terms.find(({ id }) => id === 'commercial-use-of-outputs')?.value).toBe(
      items[0]?.correction.term.value,
    );
  });
});

describe('waivers of all findings that a model gives in a project', () => {
  const start = (useCase = 'hero-image', key = app.instance.keys.test) =>
    made<{ state: string; id: string; clearanceId: string }>(
      app.request('/v1/runs', { ...json(productShot(app, { inputs: SANDBOX_INPUTS, useCase })), key }),
      202,
    );

  it('let its runs start without waiting, in that use case only, and only as long as they are in force', async () => {
    const waiting = await start();
    expect(waiting.state).toBe('WAITING_FOR_WAIVER');
    const { findings } = await get<ClearanceAnswer>(`/v1/clearances/${waiting.clearanceId}`);
    const open = findings.filter(({ severity }) => severity === 'review');
    const { principalId } = await get<{ principalId: string }>('/v1/me');
    for (const { listingId, ruleId } of open) {
      const waiver = {
        finding: { listingId, ruleId },
        projectId: app.instance.projectId,
        useCase: 'hero-image',
        requestedBy: principalId,
        reason: 'LEGAL_OPINION',
        comment: 'for a season',
        expiresAt: IN_A_YEAR,
      };
      await made(asLegal('/v1/waivers', waiver));
    }
    expect((await start()).state).toBe('RUNNING');
    expect((await start('feed-thumbnail')).state).toBe('WAITING_FOR_WAIVER');
    // Of several readings of one text the first that is another one ends them.
    await made(text('Apache-2.0', 'a text of 2027', { listingIds: [MODEL] }));
    expect((await start()).state).toBe('WAITING_FOR_WAIVER');
  });
});

describe('an import', () => {
  const importing = (content: string, fields: Record<string, unknown>, key?: string) =>
    app.request('/v1/models/import', {
      ...postForm(formWith(Buffer.from(content), 'catalog', { import: fields }), key),
      headers: { 'idempotency-key': key ?? randomUUID(), authorization: `Bearer ${legal}` },
    });
  interface Report {
    summary: Record<string, number>;
    items: {
      outcome: string;
      listingId: string | null;
      problems: { code: string; line: number }[];
      notes: string[];
    }[];
  }

  it('of a catalog tells of each item what was understood, and is done once', async () => {
    const lines = [
      JSON.stringify(ownListing({ id: 'imported.a@self-hosted' })),
      JSON.stringify({ ...ownListing({ id: 'imported.b@self-hosted' }), surprise: true }),
      '{"id":"x","id":"y"}',
      JSON.stringify(seedListings().all[0]?.listing),
      JSON.stringify({
        format: 'hugging-face-model',
        name: 'acme/poster',
        content: '---\nlicense: apache-2.0\npipeline_tag: text-to-image\n---\n# Poster\n',
      }),
    ].join('\n');
    const report = await made<Report>(importing(lines, { format: 'catalog' }));
    expect(report.summary).toEqual({ items: 5, recorded: 2, unchanged: 0, notUnderstood: 3 });
    expect(report.items.map(({ outcome, problems }) => [outcome, problems[0]?.code ?? null])).toEqual([
      ['recorded', null],
      ['not-understood', 'unrecognized_keys'],
      ['not-understood', 'duplicate-key'],
      ['not-understood', 'comes-with-product'],
      ['recorded', null],
    ]);
    expect(report.items[2]?.problems[0]?.line).toBe(3);
    // A permission with no text behind it is none, whatever the catalog says.
    expect((await ask('imported.a@self-hosted')).decision).toBe('review');
    const again = await made<Report>(importing(lines, { format: 'catalog' }));
    expect(again.summary).toEqual({ items: 5, recorded: 0, unchanged: 2, notUnderstood: 3 });
  });

  it('links a base that is in the registry for certain; any other base sends to review', async () => {
    const license = { ...ownListing().license, spdxOrRef: 'LicenseRef-Base' };
    await record(ownListing({ id: 'base.one@self-hosted', name: 'acme/Base-One', license }));
    for (const id of ['base.two-a@self-hosted', 'base.two-b@self-hosted'])
      await record(ownListing({ id, name: 'acme/base-two', license }));
    const card = (name: string, base: string) =>
      JSON.stringify({
        format: 'hugging-face-model',
        name,
        content: `---\nlicense: mit\nbase_model: ${base}\nbase_model_relation: adapter\npipeline_tag: text-to-image\n---\n`,
      });
    const lines = [
      card('acme/l1', 'acme/base-one'),
      card('acme/l2', 'acme/base-two'),
      card('acme/l3', 'acme/none'),
    ];
    const report = await made<Report>(importing(lines.join('\n'), { format: 'catalog' }));
    const bases = await Promise.all(
      report.items.map(async ({ listingId }) => {
        const { base } = await get<{ base: Listing['base'] }>(`/v1/models/${listingId}/terms`);
        return base?.listingId;
      }),
    );
    expect(bases).toEqual([
      'base.one@self-hosted',
      'unlisted.acme.base-two@self-hosted',
      'unlisted.acme.none@self-hosted',
    ]);
    const rules = async (at: number) =>
      (await ask(report.items[at]?.listingId ?? '')).findings.map(
        ({ ruleId, listingId }) => `${ruleId} ${listingId}`,
      );
    expect(await rules(0)).not.toContain('component-unknown base.one@self-hosted');
    expect(await rules(1)).toContain('component-unknown unlisted.acme.base-two@self-hosted');
    expect(await rules(2)).toContain('component-unknown unlisted.acme.none@self-hosted');
  });

  it('of a file that is no catalog changes nothing', async () => {
    await inspector.atRest();
    const before = await inspector.footprint();
    await expectProblem(await importing('[{"a":1}', { format: 'catalog' }), 'invalid_request');
    await expectProblem(await importing('[]', { format: 'xml' }), 'invalid_request');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('of 2,000 listings is one change of the registry', async () => {
    const listings = Array.from({ length: 2000 }, (_, i) =>
      JSON.stringify(ownListing({ id: `bulk-${i}@self-hosted`, name: `Bulk ${i}` })),
    );
    const start = performance.now();
    const report = await made<Report>(importing(listings.join('\n'), { format: 'catalog' }));
    const importMs = performance.now() - start;
    expect(report.summary).toMatchObject({ items: 2000, recorded: 2000 });
    const asked = performance.now();
    expect((await ask('bulk-1999@self-hosted')).decision).toBe('review');
    const askMs = performance.now() - asked;
    process.stdout.write(
      `import of 2,000 listings: ${importMs.toFixed(0)} ms; the next clearance: ${askMs.toFixed(0)} ms\n`,
    );
    const rows = await inspector.query(
      `SELECT DISTINCT version FROM listing_version WHERE listing_id LIKE 'bulk-%'`,
    );
    expect(rows).toHaveLength(1);
  });
});

describe('what changed since a day', () => {
  it('tells listings, texts, curations and waivers in their order, and nothing of before', async () => {
    const { items } = await get<{ items: { kind: string; at: string }[] }>(
      '/v1/models/changes?since=2026-01-01',
    );
    const kinds = new Set(items.map(({ kind }) => kind));
    for (const kind of ['listing', 'license-text', 'curation', 'waiver-approved', 'waiver-ended'])
      expect(kinds).toContain(kind);
    expect(items.map(({ at }) => at)).toEqual(items.map(({ at }) => at).sort());
    expect(await get('/v1/models/changes?since=2099-01-01')).toEqual({ items: [], nextCursor: null });
    await expectProblem(await app.request('/v1/models/changes'), 'invalid_request');
  });

  it('tells old and new values, the text or curation behind them, and which decisions are open again', async () => {
    interface Change {
      kind: string;
      id: string;
      listingId?: string;
      version: number;
      changes: {
        listingId: string;
        added: boolean;
        facts: { fact: string; before: unknown; after: unknown }[];
      }[];
      reopened: { clearances: number; clearanceIds: string[] };
    }
    const license = { ...ownListing().license, spdxOrRef: 'LicenseRef-Told' };
    const listing = ownListing({ id: 'told.v1@self-hosted', license });
    await record(listing);
    const first = await ask(listing.id);
    const outputs = { id: 'commercial-use-of-outputs', kind: 'commercial-use-of-outputs' };
    const told = { ...outputs, value: 'yes', clause: '9', paraphrase: 'Better words.' };
    const curate = (term: unknown) =>
      made<{ id: string; reopened: { clearanceIds: string[] } }>(
        asLegal('/v1/curations', {
          listingId: listing.id,
          correction: { kind: 'term', term },
          evidence,
          reason: 'r',
        }),
      );
    const forbids = await curate({ ...told, value: 'no' });
    const second = await ask(listing.id);
    const changed = await made<{ id: string; reopened: { clearanceIds: string[] } }>(
      text('LicenseRef-Told', 'another text'),
    );
    await made(asLegal('/v1/models', { listing: { ...listing, name: 'Another name' } }));

    const all: Change[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: Change[]; nextCursor: string | null } = await get(
        `/v1/models/changes?since=2026-01-01&limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      all.push(...page.items);
      cursor = page.nextCursor;
    }
    const [added, renamed] = all.filter(
      ({ kind, listingId }) => kind === 'listing' && listingId === listing.id,
    );
    expect(added).toMatchObject({ changes: [{ listingId: listing.id, added: true, facts: [] }] });
    expect(renamed?.changes[0]?.facts).toEqual([
      { fact: 'name', before: 'Brand look', after: 'Another name' },
    ]);
    expect(renamed?.reopened).toEqual({ clearances: 0, clearanceIds: [] });
    const curated = all.find(({ id }) => id === forbids.id);
    expect(curated).toMatchObject({
      evidence: { title: 'Contract', quote: 'You may sell the outputs.' },
      changes: [{ added: false, facts: [{ fact: 'term:commercial-use-of-outputs' }] }],
      reopened: { clearances: 1, clearanceIds: [first.id] },
    });
    expect(curated?.changes[0]?.facts[0]).toMatchObject({ before: { value: 'yes' }, after: { value: 'no' } });
    const read = all.find(({ id }) => id === changed.id);
    expect(read).toMatchObject({
      previousSha256: license.textSha256,
      changes: [
        { facts: [{ fact: 'license', before: { status: 'current' }, after: { status: 'superseded' } }] },
      ],
      reopened: { clearances: 1, clearanceIds: [second.id] },
    });
    // Exactly what the person was told who changed it.
    for (const [event, answer] of [
      [curated, forbids],
      [read, changed],
    ] as const)
      expect(event?.reopened.clearanceIds).toEqual(answer.reopened.clearanceIds);
  });

  it('tells what another release of the product brought, and replays what was decided with the old one', async () => {
    const decided = await ask('flux-1-schnell@fal');
    const seen = seedListings().all.map(({ listing, sha256 }) => ({
      id: listing.id,
      sha256: listing.id === 'flux-1-schnell@fal' ? 'f'.repeat(64) : sha256,
      licenseKey: listing.license.spdxOrRef,
      licenseTextSha256: listing.license.textSha256,
    }));
    const gone = { ...seen[0], id: 'gone@fal' };
    const organizationId = parsePublicId('organization', app.instance.organizationId);
    await inspector.query(`INSERT INTO seed_seen VALUES ($1, $2, '0.0.9', '2026-01-01', $3, '2026-02-01')`, [
      organizationId,
      'e'.repeat(64),
      JSON.stringify([...seen.slice(1), gone]),
    ]);
    const { items } = await get<{ items: { kind: string }[] }>(
      '/v1/models/changes?since=2026-03-01&limit=200',
    );
    const { items: first } = await get<{ items: { kind: string }[] }>(
      '/v1/models/changes?since=2026-03-01&limit=1',
    );
    expect(first).toHaveLength(1);
    const brought = items.find(({ kind }) => kind === 'product-listings');
    expect(brought).toMatchObject({
      added: [seen[0]?.id],
      removed: ['gone@fal'],
      changed: ['flux-1-schnell@fal'],
      licenseChanged: [],
    });
    const upgraded = indexListings(
      seedListings().all.map(({ listing }) =>
        listing.id === 'flux-1-schnell@fal' ? { ...listing, terms: listing.terms.slice(1) } : listing,
      ),
    );
    const standing = new ClearanceStanding(
      new EffectiveRegistry(upgraded),
      app.services.askPolicies,
      app.services.waiversInForce,
      { isUnfinished: () => Promise.resolve(false) },
      { now: () => new Date() },
    );
    const rootId = parsePublicId('clearance', decided.id) ?? '';
    const { kind } = await app.services.organizationTx.run(organizationId ?? '', (tx) =>
      standing.of(tx, rootId),
    );
    expect(kind).toBe('reopened');
    expect(await isSame(decided.id)).toBe(true);
  });
});
