import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { ATTACKS } from '../../src/provenance/testing/attack-strings.js';
import { C2paReader } from '../../src/provenance/adapters/c2pa-reader.js';
import { type VerifyBundleOptions } from '../../src/reports/verify/bundle-verification.js';
import { runVerifyBundle } from '../../src/reports/verify/verify-bundle.js';
import { ROLES } from '../../src/identity/domain/principal.js';
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
import { bundleFiles } from '../support/bundle-files.js';
import { ContributorKey } from '../support/contributor-key.js';
import { eventually } from '../support/eventually.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { PipelineRuns } from '../support/pipeline-runs.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** From a signed record to a recall, over HTTP, with a person for each part. */

interface Person {
  readonly key: string;
  readonly principalId: string;
}
interface AssetAnswer {
  readonly id: string;
  readonly sha256: string;
  readonly manifestLabel: string;
  readonly release: { readonly recalledAt: string | null; readonly recallReason: string | null } | null;
}

let app: TestApplication;
let maker: Person;
let first: Person;
let second: Person;
let manager: Person;
let me: { organizationId: string; principalId: string };
let signing: ContributorKey;
let keyId: string;
let source: AssetAnswer;
let variants: string[];
let edited: Buffer;
let assetId: string;
let contributionId: string;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const ask = (who: Person, path: string, init: RequestInit = {}) =>
  app.request(path, { ...init, key: who.key });
const post = (who: Person, path: string, body: unknown) => ask(who, path, json(body));
async function answer<T>(asked: Promise<Response>, status = 200): Promise<T> {
  const response = await asked;
  const body = await response.text();
  expect([response.status, body]).toEqual([status, body]);
  return JSON.parse(body) as T;
}
const get = <T>(who: Person, path: string) => answer<T>(ask(who, path));
async function reportOf(who: Person, request: object): Promise<Buffer> {
  const { id } = await answer<{ id: string }>(post(who, '/v1/reports', request), 202);
  await eventually('the report is made', async () => {
    const { state } = await get<{ state: string }>(who, `/v1/reports/${id}`);
    expect(state).not.toBe('FAILED');
    return state === 'DONE' || undefined;
  });
  return Buffer.from(await (await ask(who, `/v1/reports/${id}/content`)).arrayBuffer());
}
const settingsPath = () => `/v1/projects/${app.instance.projectId}/use-cases/hero-image/review-settings`;
const setReview = (needs: object) => answer(app.request(settingsPath(), { ...json(needs), method: 'PUT' }));
const decide = (who: Person, id: string, decision: string, confirmed: string[] = []) =>
  post(who, `/v1/assets/${id}/reviews`, { decision, comment: 'seen', confirmed });
const release = (id: string) => post(manager, `/v1/assets/${id}/release`, {});

const reading = (): VerifyBundleOptions => ({
  expectedVkey: app.instance.log.vkey,
  verifyMedia: (media, anchorsPem) => new C2paReader({ trust: { name: 'bundle', anchorsPem } }).verify(media),
});
const ENGAGEMENT = {
  status: 'employee',
  assignment: 'work_made_for_hire',
  employer: 'Acme',
  document: null,
  country: 'US',
};
const SAID = { ...RETOUCH, engagement: ENGAGEMENT };
function recordOf(file: Uint8Array, signedAt: string, changes: object = {}) {
  const { tool, statement, actionType, basis, capture, engagement } = SAID;
  return {
    v: 1,
    type: 'colophon.contribution',
    organizationId: me.organizationId,
    contributorId: me.principalId,
    parentAssetId: source.id,
    beforeSha256: source.sha256,
    afterSha256: sha256(file),
    ...{ actionType, basis, capture, engagement, tool, statement },
    shown: [],
    signedAt,
    ...changes,
  };
}
function contribute(who: Person, file: Uint8Array, contribution: object, parentId = source.id) {
  return ask(
    who,
    `/v1/assets/${parentId}/contributions`,
    postForm(formWith(file, 'e.png', { contribution })),
  );
}

beforeAll(async () => {
  app = await startTestApplication();
  maker = await addPerson(app, ['creator']);
  first = await addPerson(app, ['reviewer']);
  second = await addPerson(app, ['reviewer']);
  manager = await addPerson(app, ['asset_manager']);
  me = await get(maker, '/v1/me');
  signing = new ContributorKey();
  const registered = post(maker, '/v1/signature-keys', await signing.registration(me));
  keyId = (await answer<{ id: string }>(registered, 201)).id;
  const run = await runToEnd(app, productShot(app), maker.key);
  variants = run.steps.flatMap((step) => step.assetId ?? []);
  source = await get(maker, `/v1/assets/${variants.at(-1)}`);
  const content = await ask(maker, `/v1/assets/${source.id}/content`);
  edited = await retouched(Buffer.from(await content.arrayBuffer()));
});
afterAll(() => app.close());

describe('a record of human work', () => {
  it('is taken only with a signature over exactly this work, by a key of the person', async () => {
    const signedAt = new Date().toISOString();
    const good = signing.sign(recordOf(edited, signedAt));
    const stranger = new ContributorKey();
    const refused = (jws: string) =>
      contribute(maker, edited, { ...SAID, signature: { keyId, jws, signedAt } });
    for (const jws of [
      stranger.sign(recordOf(edited, signedAt)),
      signing.sign(recordOf(edited, signedAt, { statement: 'painted everything' })),
      signing.sign(recordOf(edited, signedAt, { afterSha256: source.sha256 })),
      signing.sign(recordOf(edited, signedAt), { b64: false, crit: ['b64'] }),
      signing.sign(recordOf(edited, signedAt), { jwk: stranger.jwk }),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}..AA`,
    ])
      await expectProblem(await refused(jws), 'signature_invalid');
    // Somebody else who copied it whole.
    const thief = await addPerson(app, ['creator']);
    const copied = { ...SAID, signature: { keyId, jws: good, signedAt } };
    await expectProblem(await contribute(thief, edited, copied), 'signature_invalid');
    const registration = await signing.registration(me);
    await expectProblem(await post(thief, '/v1/signature-keys', registration), 'signature_invalid');
    await expectProblem(await post(maker, '/v1/signature-keys', registration), 'conflict');
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const stale = { keyId, jws: signing.sign(recordOf(edited, yesterday)), signedAt: yesterday };
    await expectProblem(await contribute(maker, edited, { ...SAID, signature: stale }), 'invalid_request');

    const made = await answer<{ id: string; asset: AssetAnswer; signed: boolean; differenceUrl: string }>(
      contribute(maker, edited, copied),
      201,
    );
    expect(made.signed).toBe(true);
    contributionId = made.id;
    assetId = made.asset.id;
    const opened = await get<Record<string, string>>(maker, `/v1/contributions/${contributionId}`);
    expect(JSON.parse(opened.record ?? '')).toEqual(recordOf(edited, signedAt));
    expect(opened.signature).toBe(good);
  });

  it('shows where the picture changed, computed from the files', async () => {
    const picture = await ask(first, `/v1/contributions/${contributionId}/difference`);
    expect(picture.headers.get('content-disposition')).toMatch(/^attachment/);
    const { data, info } = await sharp(Buffer.from(await picture.arrayBuffer()))
      .extractChannel(0)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const white = [...data].flatMap((value, i) =>
      value === 255 ? [[i % info.width, Math.floor(i / info.width)]] : [],
    );
    // The patch of 8 x 8 at 2, 2 and nothing else.
    expect(white.length).toBeGreaterThan(48);
    for (const [x = 0, y = 0] of white) expect([x >= 2 && x < 10, y >= 2 && y < 10]).toEqual([true, true]);
  });

  it('keeps attachments as bytes of nobody’s making, bounded, and gives them out as downloads only', async () => {
    const attach = (who: Person, bytes: Uint8Array) =>
      ask(
        who,
        `/v1/contributions/${contributionId}/attachments`,
        postForm(formWith(bytes, 'x.html', { attachment: { kind: 'layered_source' } })),
      );
    const page = Buffer.from('<script>alert(1)</script>');
    const { contentUrl, sha256: kept } = await answer<{ contentUrl: string; sha256: string }>(
      attach(maker, page),
      201,
    );
    expect(kept).toBe(sha256(page));
    const got = await ask(first, contentUrl);
    expect(Buffer.from(await got.arrayBuffer()).equals(page)).toBe(true);
    expect(got.headers.get('content-type')).toBe('application/octet-stream');
    expect(got.headers.get('content-disposition')).toMatch(/^attachment; filename="att_[0-9a-f]{32}\.bin"$/);
    expect(got.headers.get('content-security-policy')).toContain('sandbox');
    const other = await addPerson(app, ['creator']);
    await expectProblem(await attach(other, page), 'forbidden');
    for (let i = 1; i < 20; i++) await answer(attach(maker, Buffer.from(`layer ${i}`)), 201);
    await expectProblem(await attach(maker, Buffer.from('one too many')), 'conflict');
  });

  it('is corrected only by adding, and only by the person, or withdrawn by the role legal', async () => {
    const act = await answer<{ id: string; capture: string }>(
      post(maker, `/v1/assets/${source.id}/selections`, { shown: variants, statement: 'the calm one' }),
      201,
    );
    expect(act.capture).toBe('automatic');
    const path = `/v1/contributions/${act.id}/corrections`;
    const amend = { kind: 'amended', basis: 'assistive_only', text: 'it was less' };
    const other = await addPerson(app, ['creator']);
    await expectProblem(await post(other, path, amend), 'forbidden');
    await expectProblem(await post(other, path, { kind: 'withdrawn', text: 'x' }), 'forbidden');
    const { record } = await get<{ record: string }>(maker, `/v1/contributions/${act.id}`);
    const jws = signing.sign(JSON.parse(record));
    const sign = (text: string) => ({ kind: 'signed', text: 'mine', signature: { keyId, jws: text } });
    await expectProblem(await post(maker, path, sign(signing.sign({ v: 1 }))), 'signature_invalid');
    await answer(post(maker, path, sign(jws)), 201);
    await answer(post(maker, path, amend), 201);
    const legal = await addPerson(app, ['legal']);
    const full = await answer<{ basis: string; corrections: { kind: string }[] }>(
      post(legal, path, { kind: 'withdrawn', text: 'not theirs' }),
      201,
    );
    // As it was made, and all that was said since.
    expect(full.basis).toBe('selection_coordination_arrangement');
    expect(full.corrections.map(({ kind }) => kind)).toEqual(['signed', 'amended', 'withdrawn']);
    await expectProblem(await post(maker, path, amend), 'conflict');
    const { record: after } = await get<{ record: string }>(maker, `/v1/contributions/${act.id}`);
    expect(after).toBe(record);
  });

  it('carries the statement: claimed, disclaimed, uncertain, with words for the form', async () => {
    const stated = await get<Record<string, never>>(maker, `/v1/assets/${assetId}/authorship`);
    expect(stated).toMatchObject({
      claimed: [{ contributionId, actionType: 'RETOUCH', signed: true }],
      registration: { authorCreated: 'hand retouching of the image' },
      sufficientForUseCases: true,
      promptHistory: [
        {
          personId: maker.principalId,
          runs: [{ promptCommitment: expect.any(String) as unknown, relation: 'behind' }],
        },
      ],
    });
    const bare = await get<{ claimed: unknown[]; notes: string[] }>(
      maker,
      `/v1/assets/${variants[0]}/authorship`,
    );
    expect(bare.claimed).toEqual([]);
    expect(bare.notes[0]).toContain('Prompts alone do not make authorship');
  });

  it('of a mask is made by itself, for the picture that was changed, whatever else came with it', async () => {
    const tester = await addPerson(app, ['creator'], { mode: 'test' });
    const runs = new PipelineRuns(app, tester.key);
    const step = {
      key: 'inpaint',
      operation: 'edit',
      model: 'sandbox-generator@sandbox',
      parameters: { prompt: 'a green handle' },
      // The changed picture is neither the first one nor alone.
      images: { mask: { input: 'region' }, image_2: { input: 'table' }, image: { input: 'photo' } },
    };
    const pipeline = await runs.define(step);
    const send = async () => {
      const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
      const form = postForm(formWith(await noisePicture(), 'p.png', { declaration }));
      return answer<AssetAnswer & { originalSha256: string }>(ask(tester, '/v1/assets', form), 201);
    };
    const [photo, table, region] = [await send(), await send(), await send()];
    const images = { photo: photo.id, table: table.id, region: region.id };
    const run = await runs.ended(await runs.start(pipeline, images));
    const made = run.steps[0]?.assetId ?? '';
    const { items } = await get<{ items: Record<string, unknown>[] }>(
      tester,
      `/v1/assets/${made}/contributions`,
    );
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      assetId: made,
      parentAssetId: photo.id,
      actionType: 'MASK_INPAINT',
      basis: 'modification',
      capture: 'automatic',
      contributorId: tester.principalId,
      beforeSha256: photo.sha256,
    });
    // Without a mask, or with one that no person sent, nobody did anything.
    const bare = await runs.define({ ...step, images: { image: { input: 'photo' } } });
    const plain = await runs.ended(await runs.start(bare, { photo: photo.id }));
    const none = await get<{ items: unknown[] }>(
      tester,
      `/v1/assets/${plain.steps[0]?.assetId}/contributions`,
    );
    expect(none.items).toEqual([]);
    const chained = await runs.define(
      { ...step, key: 'draw', operation: 'generate', images: {} },
      { ...step, images: { mask: { step: 'draw' }, image: { input: 'photo' } } },
    );
    const machine = await runs.ended(await runs.start(chained, { photo: photo.id }));
    const nobody = await get<{ items: unknown[] }>(
      tester,
      `/v1/assets/${machine.steps.at(-1)?.assetId}/contributions`,
    );
    expect(nobody.items).toEqual([]);
  });

  it('of an order and of an attachment is in the dossier and the bundle, which verifies offline', async () => {
    const body = { assetIds: [variants[0], assetId], rationale: 'from clay to glaze' };
    const board = await answer<{ id: string }>(post(maker, '/v1/storyboards', body), 201);
    const turned = { ...body, assetIds: body.assetIds.toReversed() };
    await answer(post(maker, `/v1/storyboards/${board.id}/orders`, turned), 201);
    const form = () =>
      postForm(formWith(Buffer.from('a layer'), 'l.psd', { attachment: { kind: 'sketch' } }));
    const other = (await contribute(maker, await retouched(edited), SAID).then((made) => made.json())) as {
      id: string;
      asset: { id: string };
    };
    const path = `/v1/contributions/${other.id}/attachments`;
    const attached = await answer<{ id: string; sha256: string }>(ask(maker, path, form()), 201);
    const legal = await addPerson(app, ['legal']);
    const ordered = { assetIds: [source.id, other.asset.id], rationale: 'the retouched one last' };
    await answer(post(maker, '/v1/storyboards', ordered), 201);
    const wanted = { kind: 'asset', format: 'bundle', assetId: other.asset.id, attachments: [attached.id] };
    await expectProblem(await post(legal, '/v1/reports', { ...wanted, format: 'json' }), 'invalid_request');
    await expectProblem(await post(legal, '/v1/reports', { ...wanted, assetId: source.id }), 'not_found');
    const bundle = join(app.home, 'bundle.zip');
    const bytes = await reportOf(legal, wanted);
    await writeFile(bundle, bytes);
    const result = await runVerifyBundle(bundle, reading());
    expect([result.verdict, result.findings]).toEqual(['valid', []]);
    expect(result.notProved.join(' ')).not.toContain('attachments of human work are not in the bundle');
    const files = await bundleFiles(bytes);
    expect(files.get(`attachments/${attached.id}.bin`)?.toString()).toBe('a layer');
    const dossier = JSON.parse(files.get('dossier.json')?.toString() ?? '') as {
      storyboards: { id: string; version: number; assetIds: string[]; rationale: string }[];
    };
    expect(dossier.storyboards).toContainEqual(
      expect.objectContaining({ version: 1, ...ordered, orderedBy: expect.objectContaining({}) as unknown }),
    );
    // The order in which an ancestor stands, in both of its versions.
    const versions = dossier.storyboards.filter(({ id }) => id === board.id).map(({ version }) => version);
    expect(versions).toEqual([1, 2]);
  });

  it('of a storyboard holds every order with who made it', async () => {
    const body = { assetIds: variants, rationale: 'from far to near' };
    const board = await answer<{ id: string }>(post(maker, '/v1/storyboards', body), 201);
    const path = `/v1/storyboards/${board.id}/orders`;
    await expectProblem(await post(maker, path, body), 'conflict');
    await answer(post(maker, path, { ...body, assetIds: variants.toReversed() }), 201);
    const { versions } = await get<{ versions: { assetIds: string[]; orderedBy: string }[] }>(
      first,
      `/v1/storyboards/${board.id}`,
    );
    expect(versions.map(({ assetIds }) => assetIds)).toEqual([variants, variants.toReversed()]);
    expect(versions[0]?.orderedBy).toBe(maker.principalId);
  });

  it('is not signed by a key that was revoked, and never made by a service', async () => {
    const lost = new ContributorKey('ES256');
    const registered = post(maker, '/v1/signature-keys', await lost.registration(me));
    const { id } = await answer<{ id: string }>(registered, 201);
    await answer(post(maker, `/v1/signature-keys/${id}/revoke`, { reason: 'lost' }));
    const signedAt = new Date().toISOString();
    const signature = { keyId: id, jws: lost.sign(recordOf(edited, signedAt)), signedAt };
    await expectProblem(await contribute(maker, edited, { ...SAID, signature }), 'signature_invalid');
    const service = await answer<{ id: string }>(
      app.request('/v1/principals', json({ kind: 'service', displayName: 'bot', roles: ['creator'] })),
      201,
    );
    const { key } = await answer<{ key: string }>(
      app.request('/v1/api-keys', json({ principalId: service.id, mode: 'live' })),
      201,
    );
    const bot = { key, principalId: service.id };
    await expectProblem(await contribute(bot, edited, SAID), 'forbidden');
    const chosen = { shown: variants, statement: 'x' };
    await expectProblem(await post(bot, `/v1/assets/${source.id}/selections`, chosen), 'forbidden');
  });

  it('names only candidates of its project and mode, and is no file that came out of here', async () => {
    const { id: projectId } = await answer<{ id: string }>(
      app.request('/v1/projects', json({ name: 'Elsewhere' })),
      201,
    );
    const uploaded = async (file: Uint8Array, project: string, key = maker.key) => {
      const declaration = { projectId: project, rights: OWN_RIGHTS };
      return app.request('/v1/assets', { ...postForm(formWith(file, 'u.png', { declaration })), key });
    };
    const noise = await noisePicture(40);
    const elsewhere = await answer<AssetAnswer>(uploaded(noise, projectId), 201);
    const drawn = await answer<AssetAnswer>(
      uploaded(noise, app.instance.projectId, app.instance.keys.test),
      201,
    );
    const picture = await retouched(await noisePicture(44));
    const shown = (id: string) => ({ ...SAID, shown: [source.id, id] });
    await expectProblem(await contribute(maker, picture, shown(elsewhere.id)), 'invalid_request');
    await expectProblem(await contribute(maker, picture, shown(drawn.id)), 'wrong_mode');
    const asked = ask(maker, `/v1/assets/${elsewhere.id}/content`);
    const signed = Buffer.from(await (await asked).arrayBuffer());
    await expectProblem(await contribute(maker, signed, SAID), 'conflict');
    const card = await app.request(`/v1/assets/${drawn.id}/content`, { key: app.instance.keys.test });
    const sandboxed = Buffer.from(await card.arrayBuffer());
    await expectProblem(await uploaded(sandboxed, app.instance.projectId), 'wrong_mode');
  });
});

describe('a review', () => {
  it('goes by queue, checklist, two people, release and recall, and everybody who verifies is told', async () => {
    await setReview({ approvals: 2, humanContribution: true, checklist: true });
    await answer(post(maker, `/v1/assets/${assetId}/review-requests`, {}), 201);
    interface Queue {
      readonly items: { assetId: string; risk: string; mayDecide: boolean; approvalsNeeded: number }[];
      readonly counts: { risk: string; assets: number }[];
    }
    const queued = (await get<Queue>(first, '/v1/reviews')).items.find((item) => item.assetId === assetId);
    expect(queued).toMatchObject({ mayDecide: true, approvalsNeeded: 2 });
    expect((await get<Queue>(first, `/v1/reviews?risk=${queued?.risk}`)).items).toHaveLength(1);
    expect((await get<Queue>(maker, '/v1/reviews')).items[0]?.mayDecide).toBe(false);

    const state = await get<{ standing: string; checklist: { items: { key: string }[] } }>(
      first,
      `/v1/assets/${assetId}/review`,
    );
    const keys = state.checklist.items.map(({ key }) => key);
    expect(keys.length).toBeGreaterThan(0);
    await expectProblem(await decide(first, assetId, 'approve', keys.slice(1)), 'checklist_open');
    await expectProblem(await decide(first, assetId, 'approve', ['obligation:made-up']), 'invalid_request');
    await answer(decide(first, assetId, 'request_changes'), 201);
    await answer(post(maker, `/v1/assets/${assetId}/review/comments`, { text: 'It is meant so.' }), 201);
    await answer(decide(first, assetId, 'approve', keys), 201);
    await expectProblem(await decide(first, assetId, 'approve', keys), 'conflict');
    await expectProblem(await release(assetId), 'not_approved');
    await answer(decide(second, assetId, 'approve', keys), 201);
    const recall = { reason: 'rights_claim', text: 'a letter came' };
    await expectProblem(await post(manager, `/v1/assets/${assetId}/recall`, recall), 'conflict');
    await answer(release(assetId));
    await expectProblem(await decide(second, assetId, 'reject'), 'conflict');

    const asset = await get<AssetAnswer>(maker, `/v1/assets/${assetId}`);
    const shown = `/sbr/manifests/${asset.manifestLabel}`;
    expect((await app.request(shown, { key: null })).status).toBe(200);
    await answer(post(manager, `/v1/assets/${assetId}/recall`, recall));
    expect((await app.request(shown, { key: null })).status).toBe(404);
    await expectProblem(await post(manager, `/v1/assets/${assetId}/recall`, recall), 'conflict');
    await expectProblem(await release(assetId), 'conflict');
    expect((await get<AssetAnswer>(maker, `/v1/assets/${assetId}`)).release).toMatchObject({
      recalledAt: expect.any(String) as unknown,
      recallReason: 'rights_claim',
    });
    const content = Buffer.from(await (await ask(maker, `/v1/assets/${assetId}/content`)).arrayBuffer());
    const verified = await answer<{ headline: string; verdict: string; log: object }>(
      app.request('/v1/verify', { ...postForm(formWith(content, 'a.png', {})), key: null }),
    );
    expect(verified.headline).toContain('Recalled by its publisher');
    expect(verified.log).toMatchObject({ status: 'in_log', recall: { reason: 'rights_claim' } });
    expect(JSON.stringify(verified)).not.toContain('a letter came');
    const said = await get<{ items: { text: string }[] }>(second, `/v1/assets/${assetId}/review/comments`);
    expect(said.items.map(({ text }) => text)).toEqual([
      'seen',
      'It is meant so.',
      'seen',
      'seen',
      'a letter came',
    ]);
  });

  it('does not release what has no sufficient record where the use case demands one', async () => {
    await setReview({ approvals: 1, humanContribution: true, checklist: false });
    const [id = ''] = variants;
    await answer(decide(second, id, 'approve'), 201);
    await expectProblem(await release(id), 'contribution_required');
  });

  it('of one’s own work is refused, and so is work on what one has approved, however many ask at once', async () => {
    await setReview({ approvals: 1, humanContribution: false, checklist: false });
    const both = await addPerson(app, ['creator', 'reviewer']);
    const own = await retouched(edited);
    const blue = { create: { width: 9, height: 9, channels: 3, background: '#00d' } } as const;
    const file = await sharp(own)
      .composite([{ input: blue, left: 30, top: 30 }])
      .png()
      .toBuffer();
    const { asset } = await answer<{ asset: AssetAnswer }>(contribute(both, file, SAID), 201);
    await expectProblem(await decide(both, asset.id, 'approve'), 'four_eyes_required');
    const [scene = '', other = ''] = variants;
    const selection = { shown: [other, scene], statement: 'x' };
    const answers = await Promise.all([
      decide(both, other, 'approve'),
      post(both, `/v1/assets/${other}/selections`, selection),
      decide(both, other, 'approve'),
    ]);
    const statuses = answers.map(({ status }) => status);
    // Either the person approved, once, or is a contributor: never both.
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(2);
  });
});

describe('a file that comes back', () => {
  it('keeps its origin: makers, demands and recall stay with it, and what is made of that verifies', async () => {
    await setReview({ approvals: 1, humanContribution: true, checklist: false });
    const [id = ''] = variants;
    const bytes = Buffer.from(await (await ask(maker, `/v1/assets/${id}/content`)).arrayBuffer());
    const sender = await addPerson(app, ['creator']);
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const form = postForm(formWith(bytes, 'again.png', { declaration }));
    const again = await answer<AssetAnswer>(ask(sender, '/v1/assets', form), 201);
    const { parents } = await get<{ parents: { assetId: string }[] }>(sender, `/v1/assets/${again.id}`);
    expect(parents).toEqual([expect.objectContaining({ assetId: id })]);
    await answer(decide(first, again.id, 'approve'), 201);
    await expectProblem(await release(again.id), 'contribution_required');
    await setReview({ approvals: 1, humanContribution: false, checklist: false });
    const path = join(app.home, 'again.zip');
    const legal = await addPerson(app, ['legal']);
    await writeFile(path, await reportOf(legal, { kind: 'asset', format: 'bundle', assetId: again.id }));
    const { verdict, findings } = await runVerifyBundle(path, reading());
    expect([verdict, findings]).toEqual(['valid', []]);
  });
});

describe('what a program is not asked', () => {
  it('is an approval, whatever roles its key has', async () => {
    const roles = ['reviewer', 'legal'];
    const { id: principalId } = await answer<{ id: string }>(
      app.request('/v1/principals', json({ kind: 'service', displayName: 'bot', roles })),
      201,
    );
    const { key } = await answer<{ key: string }>(
      app.request('/v1/api-keys', json({ principalId, mode: 'live' })),
      201,
    );
    const bot = { key, principalId };
    await expectProblem(await decide(bot, source.id, 'approve'), 'forbidden');
    const withdrawn = { kind: 'withdrawn', text: 'x' };
    const path = `/v1/contributions/${contributionId}/corrections`;
    await expectProblem(await post(bot, path, withdrawn), 'forbidden');
  });
});

describe('runs of one person in one use case', () => {
  it('count for a file when something recorded ties them to it, and are told without weight else', async () => {
    const pat = await addPerson(app, ['creator']);
    const made: string[] = [];
    for (let i = 0; i < 3; i++) {
      const run = await runToEnd(app, productShot(app), pat.key);
      made.push(run.steps.at(-1)?.assetId ?? '');
    }
    const [tried, , last] = made;
    const stated = () =>
      get<{
        promptHistory: { runs: { relation: string }[] }[];
        jurisdictions: { code: string; supports: string[]; lacks: string[] }[];
        notes: string[];
      }>(pat, `/v1/assets/${last}/authorship`);
    const read = ({ promptHistory, jurisdictions, notes }: Awaited<ReturnType<typeof stated>>) => ({
      relations: promptHistory[0]?.runs.map(({ relation }) => relation),
      attempts: jurisdictions.find(({ code }) => code === 'JP')?.supports[0],
      lacksSequence: JSON.stringify(jurisdictions.find(({ code }) => code === 'CN')?.lacks).includes(
        'a sequence of prompts',
      ),
      others: notes.find((note) => note.includes('same person in the same use case')),
    });
    expect(read(await stated())).toEqual({
      relations: ['other', 'other', 'behind'],
      attempts: '1 recorded attempt',
      lacksSequence: true,
      others: expect.stringMatching(/^2 other runs .* not counted/),
    });
    const chosen = { shown: [tried, last], statement: 'the calm one' };
    const { id } = await answer<{ id: string }>(post(pat, `/v1/assets/${last}/selections`, chosen), 201);
    expect(read(await stated())).toMatchObject({
      relations: ['attempt', 'other', 'behind'],
      attempts: '2 recorded attempts',
      lacksSequence: false,
      others: expect.stringMatching(/^One other run /),
    });
    // A choice that was taken back ties nothing.
    const path = `/v1/contributions/${id}/corrections`;
    await answer(post(pat, path, { kind: 'withdrawn', text: 'never looked' }), 201);
    expect(read(await stated()).relations).toEqual(['other', 'other', 'behind']);
  });
});

describe('the tool that an erased person named', () => {
  it('goes with their words, and a record changes in nothing else', async () => {
    const gone = await addPerson(app, ['creator']);
    const tool = { name: 'Plug-in of Jane Doe', version: '1' };
    const file = await sharp(edited).negate({ alpha: false }).rotate(180).png().toBuffer();
    const form = formWith(file, 'turned.png', { contribution: { ...SAID, statement: 'mine', tool } });
    const { id, asset } = await answer<{ id: string; asset: { id: string } }>(
      ask(gone, `/v1/assets/${source.id}/contributions`, postForm(form)),
      201,
    );
    const legal = await addPerson(app, ['legal']);
    const seen = async () => {
      const { items } = await get<{ items: { id: string; tool: string }[] }>(
        legal,
        `/v1/assets/${asset.id}/contributions`,
      );
      return items.find((one) => one.id === id);
    };
    const before = await seen();
    expect(before?.tool).toBe('Plug-in of Jane Doe 1');
    const erasure = { principalId: gone.principalId, reason: 'data_subject_request' };
    await answer(post(legal, '/v1/erasures', erasure), 201);
    expect(await seen()).toEqual({ ...before, tool: '(tool erased)' });
    const dossier = await reportOf(legal, { kind: 'asset', format: 'json', assetId: asset.id });
    expect(Buffer.from(dossier).toString('utf8')).not.toContain('Jane Doe');
    expect(Buffer.from(dossier).toString('utf8')).toContain('"toolErased":{');
  });
});

describe('the title of a file that an erased person sent', () => {
  it('is in no campaign report any more', async () => {
    const gone = await addPerson(app, ['creator']);
    const contribution = { ...SAID, statement: 'mine' };
    const file = await sharp(edited).negate({ alpha: false }).png().toBuffer();
    const form = formWith(file, 'by-Jane-Doe.png', { contribution });
    await answer(ask(gone, `/v1/assets/${source.id}/contributions`, postForm(form)), 201);
    const legal = await addPerson(app, ['legal']);
    const body = { kind: 'campaign', format: 'json', projectId: app.instance.projectId };
    const { id } = await answer<{ id: string }>(post(legal, '/v1/reports', body), 202);
    const content = await eventually('the report is made', async () => {
      const response = await ask(legal, `/v1/reports/${id}/content`);
      return response.status === 200 ? response.text() : undefined;
    });
    expect(content).toContain('by-Jane-Doe');
    const erasure = { principalId: gone.principalId, reason: 'data_subject_request' };
    await answer(post(legal, '/v1/erasures', erasure), 201);
    await expectProblem(await ask(legal, `/v1/reports/${id}/content`), 'conflict');
  });
});

describe('who may do what', () => {
  const body: Record<string, [method: string, path: () => string, body: unknown]> = {
    'signature_keys:register': ['POST', () => '/v1/signature-keys', {}],
    'reviews:set': ['PUT', settingsPath, {}],
    'reviews:request': ['POST', () => `/v1/assets/${source.id}/review-requests`, { useCase: 7 }],
    'reviews:comment': ['POST', () => `/v1/assets/${source.id}/review/comments`, {}],
    'reviews:decide': ['POST', () => `/v1/assets/${source.id}/reviews`, {}],
    'assets:recall': ['POST', () => `/v1/assets/${source.id}/recall`, {}],
    'contributions:create': ['POST', () => '/v1/storyboards', {}],
    'contributions:create (selection)': ['POST', () => `/v1/assets/${source.id}/selections`, {}],
    'contributions:create (order)': ['POST', () => `/v1/storyboards/stb_${'0'.repeat(32)}/orders`, {}],
    'contributions:withdraw': ['POST', () => `/v1/contributions/${contributionId}/corrections`, {}],
    'signature_keys:revoke': ['POST', () => `/v1/signature-keys/${keyId}/revoke`, {}],
    'human_work:open': ['GET', () => `/v1/contributions/${contributionId}`, undefined],
    'human_work:open (difference)': [
      'GET',
      () => `/v1/contributions/${contributionId}/difference`,
      undefined,
    ],
    'human_work:open (comments)': ['GET', () => `/v1/assets/${source.id}/review/comments`, undefined],
    'organization:read': ['GET', () => '/v1/reviews', undefined],
  };
  /** Written from the roles' jobs, not from the table in the code. */
  const allowed: Record<string, readonly string[]> = {
    'signature_keys:register': ['creator'],
    'reviews:set': ['legal', 'admin'],
    'reviews:request': ['creator', 'asset_manager'],
    'reviews:comment': ['creator', 'reviewer', 'legal', 'asset_manager'],
    'reviews:decide': ['reviewer'],
    'assets:recall': ['asset_manager', 'legal'],
    'contributions:create': ['creator'],
    'contributions:withdraw': ['creator', 'legal'],
    'signature_keys:revoke': ['creator', 'admin'],
    'human_work:open': ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor'],
    'organization:read': [...ROLES],
  };

  it('is decided by role before anything is looked at', async () => {
    for (const role of ROLES) {
      const person = await addPerson(app, [role]);
      for (const [name, [method, path, sent]] of Object.entries(body)) {
        const init = sent === undefined ? {} : { ...json(sent), method };
        const { status } = await ask(person, path(), init);
        const isAllowed = allowed[name.split(' ')[0] ?? '']?.includes(role) === true;
        // An empty body is refused as such only to those who may send one.
        expect([role, name, status === 403]).toEqual([role, name, !isAllowed]);
      }
    }
  });
});

describe('attack strings where people write', () => {
  it('come back as data, whole, or are refused: comments, reasons, statements, corrections, employers', async () => {
    const id = variants[1] ?? '';
    const taken: string[] = [];
    for (const attack of ATTACKS) {
      const text = attack.slice(0, 3900);
      const commented = await post(maker, `/v1/assets/${id}/review/comments`, { text });
      expect([201, 400]).toContain(commented.status);
      if (commented.status === 201) taken.push(text);
      const engagement = { ...ENGAGEMENT, employer: attack.slice(0, 150) };
      const chosen = { shown: variants, statement: text, engagement };
      const selected = await post(maker, `/v1/assets/${source.id}/selections`, chosen);
      expect([201, 400]).toContain(selected.status);
      if (selected.status !== 201) continue;
      const act = ((await selected.json()) as { id: string }).id;
      const opened = await ask(first, `/v1/contributions/${act}`);
      expect(opened.headers.get('content-type')).toMatch(/^application\/json/);
      const { record } = (await opened.json()) as { record: string };
      expect(JSON.parse(record)).toMatchObject({ statement: text, engagement });
      const withdrawn = { kind: 'withdrawn', text };
      expect((await post(maker, `/v1/contributions/${act}/corrections`, withdrawn)).status).toBe(201);
    }
    expect(taken.length).toBeGreaterThan(0);
    const said = await ask(first, `/v1/assets/${id}/review/comments`);
    expect(said.headers.get('x-content-type-options')).toBe('nosniff');
    const { items } = (await said.json()) as { items: { kind: string; text: string }[] };
    expect(items.filter(({ kind }) => kind === 'comment').map(({ text }) => text)).toEqual(taken);
    for (const name of [`<b>${randomUUID()}</b>`, "' OR 1=1 --"]) {
      const path = `/v1/projects/${app.instance.projectId}/use-cases/${encodeURIComponent(name)}/review-settings`;
      await expectProblem(await ask(first, path), 'not_found');
    }
  });
});
