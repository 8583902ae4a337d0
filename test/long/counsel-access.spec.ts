import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDevelopmentOrganization } from '../../src/identity/application/create-development-organization.js';
import { ROLES, type Role } from '../../src/identity/domain/principal.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { addPerson, formWith, json, OWN_RIGHTS, postForm, RETOUCH } from '../support/api.js';
import { ContributorKey } from '../support/contributor-key.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture, retouched } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** What can be done with human work, reviews, claims, reports, links and holds, and which roles may. */
const LOOK = 'creator reviewer legal asset_manager auditor admin';
const OPEN = 'creator reviewer legal asset_manager auditor';
const MANAGE = 'legal asset_manager';
const REPORT = 'legal auditor asset_manager';

const WORDS = { text: 'x' };
const DAY = '2026-01-02';
const CLAIM = { kind: 'other', receivedOn: DAY, claimant: 'A. Stranger', text: 'x' };
const EXAMINED = { examinedOn: DAY, text: 'x' };
const SEARCH = { question: 'similar_works', result: 'none_found', index: 'i', matches: 0, ...EXAMINED };

/** [route, roles, body]. `{name}` is an id of the world below; a body is JSON, or a form that is made when it is sent. */
const TABLE: readonly [string, string, (object | 'contribution' | 'attachment')?][] = [
  ['POST /v1/assets/{asset}/contributions', 'creator', 'contribution'],
  ['GET /v1/assets/{asset}/contributions', LOOK],
  ['POST /v1/assets/{asset}/selections', 'creator', { shown: ['{asset}', '{other}'], statement: 'x' }],
  ['GET /v1/assets/{asset}/authorship', LOOK],
  ['GET /v1/contributions/{contribution}', OPEN],
  ['POST /v1/contributions/{contribution}/corrections', 'creator legal', { kind: 'withdrawn', text: 'x' }],
  ['POST /v1/contributions/{contribution}/attachments', 'creator', 'attachment'],
  ['GET /v1/contributions/{contribution}/attachments/{attachment}/content', OPEN],
  ['GET /v1/contributions/{contribution}/difference', OPEN],
  ['POST /v1/signature-keys', 'creator', {}],
  ['GET /v1/signature-keys', LOOK],
  ['POST /v1/signature-keys/{key}/revoke', 'creator admin', { reason: 'lost' }],
  ['POST /v1/storyboards', 'creator', { assetIds: ['{asset}', '{other}'], rationale: 'x' }],
  ['POST /v1/storyboards/{board}/orders', 'creator', { assetIds: ['{other}', '{asset}'], rationale: 'x' }],
  ['GET /v1/storyboards/{board}', LOOK],
  ['POST /v1/assets/{asset}/review-requests', 'creator asset_manager', {}],
  ['GET /v1/assets/{asset}/review', LOOK],
  ['GET /v1/assets/{asset}/review/comments', OPEN],
  ['POST /v1/assets/{asset}/review/comments', 'creator reviewer legal asset_manager', WORDS],
  ['POST /v1/assets/{asset}/reviews', 'reviewer', { decision: 'request_changes', comment: 'x' }],
  ['GET /v1/reviews', LOOK],
  ['GET /v1/projects/{project}/use-cases/hero-image/review-settings', LOOK],
  [
    'PUT /v1/projects/{project}/use-cases/hero-image/review-settings',
    'legal admin',
    { approvals: 1, humanContribution: false, checklist: false },
  ],
  ['POST /v1/assets/{asset}/release', 'asset_manager reviewer', {}],
  ['POST /v1/assets/{asset}/recall', MANAGE, { reason: 'other', text: 'x' }],
  ['GET /v1/assets/{asset}/obligations', LOOK],
  ['GET /v1/obligations', LOOK],
  [
    'POST /v1/assets/{asset}/obligations/{obligation}/proof',
    'reviewer legal asset_manager',
    { outcome: 'done', text: 'x' },
  ],
  ['POST /v1/assets/{asset}/examinations', 'reviewer legal asset_manager', SEARCH],
  ['GET /v1/assets/{asset}/examinations', LOOK],
  ['POST /v1/assets/{asset}/claims', MANAGE, CLAIM],
  ['GET /v1/assets/{asset}/claims', 'reviewer legal asset_manager auditor'],
  ['GET /v1/claims', 'reviewer legal asset_manager auditor'],
  ['POST /v1/claims/{claim}/answers', 'legal', { outcome: 'acknowledged', text: 'x' }],
  ['POST /v1/reports', REPORT, { kind: 'asset', format: 'json', assetId: '{asset}' }],
  ['GET /v1/reports', LOOK],
  ['GET /v1/reports/{report}', LOOK],
  ['GET /v1/reports/{report}/content', REPORT],
  ['GET /v1/assets/{asset}/certificate', LOOK],
  ['GET /v1/assets/{asset}/bom', LOOK],
  [
    'POST /v1/report-schedules',
    MANAGE,
    { kind: 'asset', format: 'json', cadence: 'monthly', assetId: '{asset}' },
  ],
  ['GET /v1/report-schedules', LOOK],
  ['GET /v1/report-schedules/{schedule}', LOOK],
  ['POST /v1/report-schedules/{schedule}/pause', MANAGE, {}],
  ['POST /v1/report-schedules/{schedule}/resume', MANAGE, {}],
  ['POST /v1/report-schedules/{schedule}/end', MANAGE, {}],
  ['POST /v1/share-links', 'legal', { assetId: '{asset}' }],
  ['GET /v1/share-links', 'legal admin'],
  ['POST /v1/share-links/{link}/revoke', 'legal admin', {}],
  ['POST /v1/legal-holds', 'legal', { scope: { kind: 'asset', id: '{asset}' }, reason: 'x' }],
  ['GET /v1/legal-holds', 'legal auditor'],
  ['GET /v1/legal-holds/{hold}', 'legal auditor'],
  ['POST /v1/legal-holds/{hold}/lift', 'legal', { reason: 'x' }],
  ['GET /v1/retention/rules', 'legal auditor admin'],
  ['PUT /v1/retention/rules/prompts', 'legal admin', { action: 'keep' }],
  ['GET /v1/retention/preview?kind=prompts', 'legal auditor admin'],
  ['POST /v1/erasures', 'legal admin', { principalId: '{person}', reason: 'data_subject_request' }],
];

/** Beyond the role: what the body asks for needs another permission. */
const BODIES: readonly [string, string, object][] = [
  [
    'POST /v1/assets/{asset}/examinations',
    'legal',
    { question: 'exclusivity', result: 'unknown', ...EXAMINED },
  ],
  [
    'POST /v1/assets/{asset}/examinations',
    'legal',
    { question: 'claims', result: 'none_known', ...EXAMINED },
  ],
  [
    'POST /v1/assets/{asset}/obligations/{obligation}/proof',
    'legal',
    { outcome: 'not_applicable', text: 'x' },
  ],
  ['POST /v1/reports', 'legal auditor', { kind: 'period', format: 'csv' }],
  ['POST /v1/report-schedules', 'legal', { kind: 'period', format: 'csv', cadence: 'monthly' }],
];

/** Routes of these words are in the table, or a test fails: a new one is not forgotten. */
const SURFACES =
  /contribution|selection|authorship|signature-key|storyboard|review|release|recall|obligation|examination|claims|report|share-link|legal-hold|retention|erasure|certificate|assets\/\{id\}\/bom/;

type Ids = Readonly<Record<string, string>>;

let app: TestApplication;
let inspector: Inspector;
let own: Ids;
let foreign: Ids;
let keys: Record<Role, string>;
let picture: Buffer;
let edit: Buffer;

beforeAll(async () => {
  app = await startTestApplication({ COLOPHON_VERIFICATIONS_PER_MINUTE: '60' });
  inspector = await Inspector.open(app.database);
  picture = await noisePicture();
  const people = await Promise.all(ROLES.map(async (role) => [role, (await addPerson(app, [role])).key]));
  keys = Object.fromEntries(people) as Record<Role, string>;
  own = await world(app.instance.keys.live, app.instance.projectId);
  const other = await createDevelopmentOrganization(app.services, new URL(app.url).host);
  foreign = await world(other.keys.live, other.projectId);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

/** One of everything, in the organization of a key. */
async function world(key: string, project: string): Promise<Ids> {
  const made = async (path: string, init: RequestInit): Promise<Record<string, string>> => {
    const answer = await app.request(path, { ...init, key });
    const body = (await answer.json()) as Record<string, string>;
    expect([path, answer.status < 300, answer.status < 300 ? '' : body]).toEqual([path, true, '']);
    return body;
  };
  const id = async (path: string, body: unknown): Promise<string> => (await made(path, json(body))).id ?? '';
  const upload = async (): Promise<string> => {
    const form = formWith(await noisePicture(), 'a.png', {
      declaration: { projectId: project, rights: OWN_RIGHTS },
    });
    return (await made('/v1/assets', postForm(form))).id ?? '';
  };
  const [asset, other] = [await upload(), await upload()];
  const content = await app.request(`/v1/assets/${asset}/content`, { key });
  edit = await retouched(Buffer.from(await content.arrayBuffer()));
  const act = formWith(edit, 'b.png', { contribution: RETOUCH });
  const { id: contributionId = '' } = await made(`/v1/assets/${asset}/contributions`, postForm(act));
  const attached = formWith(Buffer.from('x'), 'a.psd', { attachment: { kind: 'other' } });
  const { id: attachment = '' } = await made(
    `/v1/contributions/${contributionId}/attachments`,
    postForm(attached),
  );
  const me = (await made('/v1/me', {})) as { organizationId: string; principalId: string };
  const owed = (await made(`/v1/assets/${asset}/obligations`, {})) as unknown as { items: { id: string }[] };
  const report = await id('/v1/reports', { kind: 'asset', format: 'json', assetId: asset });
  await eventually('the report is made', async () => {
    const { state } = await made(`/v1/reports/${report}`, {});
    return state === 'DONE' || undefined;
  });
  const link = await made('/v1/share-links', json({ reportId: report }));
  return {
    ...{ asset, other, project, attachment, report, contribution: contributionId },
    person: me.principalId,
    key: await id('/v1/signature-keys', await new ContributorKey().registration(me)),
    board: await id('/v1/storyboards', { assetIds: [asset, other], rationale: 'x' }),
    obligation: owed.items[0]?.id ?? '',
    claim: await id(`/v1/assets/${asset}/claims`, CLAIM),
    schedule: await id('/v1/report-schedules', {
      ...{ kind: 'campaign', format: 'json', cadence: 'monthly' },
      projectId: project,
    }),
    link: link.id ?? '',
    token: link.token ?? '',
    hold: await id('/v1/legal-holds', { scope: { kind: 'project', id: project }, reason: 'x' }),
  };
}

const filled = (text: string, ids: Ids): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => ids[name] ?? whole);

function send(route: string, body: (typeof TABLE)[number][2], ids: Ids, key: string): Promise<Response> {
  const [method = '', path = ''] = filled(route, ids).split(' ');
  if (body === 'contribution')
    return app.request(path, { ...postForm(formWith(edit, 'e.png', { contribution: RETOUCH })), key });
  if (body === 'attachment') {
    const form = formWith(picture, 'e.png', { attachment: { kind: 'other' } });
    return app.request(path, { ...postForm(form), key });
  }
  if (body === undefined) return app.request(path, { method, key });
  return app.request(path, { ...json(JSON.parse(filled(JSON.stringify(body), ids))), method, key });
}

const isAllowed = (roles: string, role: Role): boolean => roles.split(' ').includes(role);
const NEEDS_ID = /\{\w+\}/;
/** A creator may do this with their own work only; what is asked for here is that of somebody else. */
const OWN_WORK_ALONE = [
  'POST /v1/contributions/{contribution}/corrections',
  'POST /v1/contributions/{contribution}/attachments',
  'POST /v1/signature-keys/{key}/revoke',
];

describe('what each role may do', () => {
  it('is said here for every route of these surfaces', async () => {
    const document = (await (await app.request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const routes = Object.entries(document.paths)
      .filter(([path]) => SURFACES.test(path) && !path.startsWith('/v1/shared'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    const plain = (route: string): string =>
      route
        .replaceAll(/\{\w+\}/g, '*')
        .replace('use-cases/hero-image/', 'use-cases/*/')
        .replace('rules/prompts', 'rules/*')
        .replace(/\?.*$/, '');
    const said = new Set(TABLE.map(([route]) => plain(route)));
    expect(routes.map(plain).filter((route) => !said.has(route))).toEqual([]);
  });

  it('is refused to the others, and nothing is done', async () => {
    const before = await inspector.footprint();
    for (const [route, roles, body] of TABLE)
      for (const role of ROLES.filter((each) => !isAllowed(roles, each))) {
        const { status } = await send(route, body, own, keys[role]);
        expect([role, route, status]).toEqual([role, route, 403]);
      }
    for (const [route, roles, body] of BODIES) {
      const [, mayAsk = ''] = TABLE.find(([each]) => each === route) ?? [];
      for (const role of ROLES.filter((each) => isAllowed(mayAsk, each) && !isAllowed(roles, each))) {
        const { status } = await send(route, body, own, keys[role]);
        expect([role, route, body, status]).toEqual([role, route, body, 403]);
      }
    }
    expect(await inspector.footprint()).toEqual(before);
  });

  it('finds nothing of another organization, whatever the role', async () => {
    const before = await inspector.footprint();
    for (const [route, roles, body] of TABLE.filter(([path, , asked]) =>
      NEEDS_ID.test(`${path}${JSON.stringify(asked ?? '')}`),
    ))
      for (const role of ROLES.filter((each) => isAllowed(roles, each))) {
        const { status } = await send(route, body, foreign, keys[role]);
        expect([role, route, status]).toEqual([role, route, 404]);
      }
    expect(await inspector.footprint()).toEqual(before);
  });

  it('ends with the key: a revoked one, and a share link in its place, do nothing anywhere', async () => {
    const { key } = await addPerson(app, ROLES);
    const { keyId } = (await (await app.request('/v1/me', { key })).json()) as { keyId: string };
    await app.request(`/v1/api-keys/${keyId}/revoke`, json({}));
    const before = await inspector.footprint();
    for (const bearer of [key, own.token ?? ''])
      for (const [route, , body] of TABLE)
        expect([route, (await send(route, body, own, bearer)).status]).toEqual([route, 401]);
    expect(await inspector.footprint()).toEqual(before);
  });

  it('does not reach over from one file to another', async () => {
    const key = app.instance.keys.live;
    const other = { ...own, asset: own.other ?? '' };
    const proof = 'POST /v1/assets/{asset}/obligations/{obligation}/proof';
    await expectProblem(await send(proof, { outcome: 'done', text: 'x' }, other, key), 'not_found');
    const elsewhere = { ...own, attachment: foreign.attachment ?? '' };
    const file = 'GET /v1/contributions/{contribution}/attachments/{attachment}/content';
    await expectProblem(await send(file, undefined, elsewhere, key), 'not_found');
    const evidence = { ...SEARCH, evidenceAssetId: foreign.asset };
    await expectProblem(await send('POST /v1/assets/{asset}/examinations', evidence, own, key), 'not_found');
  });
});

describe('a share link', () => {
  const look = (token: string, path: string): Promise<Response> =>
    app.request(path, { key: null, headers: { authorization: `Bearer ${token}` } });

  it('opens its one report, and neither another one nor that of another organization', async () => {
    const legal = keys.legal;
    const made = await app.request('/v1/share-links', { ...json({ reportId: own.report }), key: legal });
    const { id, token } = (await made.json()) as { id: string; token: string };
    const content = (report: string): Promise<Response> =>
      look(token, `/v1/shared/reports/${report}/content`);
    expect((await content(own.report ?? '')).status).toBe(200);
    await expectProblem(await content(foreign.report ?? ''), 'not_found');
    await expectProblem(await content(`rep_${'0'.repeat(32)}`), 'not_found');
    for (const scope of [{ reportId: foreign.report }, { assetId: foreign.asset }])
      await expectProblem(await app.request('/v1/share-links', { ...json(scope), key: legal }), 'not_found');
    for (const end of ['expires_at = now()', "expires_at = now() + '1 day', revoked_at = now()"]) {
      await inspector.query(`UPDATE report_share_link SET ${end} WHERE id = $1`, [
        parsePublicId('shareLink', id),
      ]);
      await expectProblem(await content(own.report ?? ''), 'invalid_share_link');
      await expectProblem(await look(token, '/v1/shared'), 'invalid_share_link');
    }
    for (const role of ROLES) await expectProblem(await look(keys[role], '/v1/shared'), 'invalid_share_link');
  });

  it('opens nothing while whoever made it is disabled, and an admin sees that and ends it', async () => {
    const counsel = await addPerson(app, ['legal']);
    const asked = { ...json({ reportId: own.report }), key: counsel.key };
    const made = (await (await app.request('/v1/share-links', asked)).json()) as {
      id: string;
      token: string;
    };
    const disable = (how: string) =>
      inspector.query(`UPDATE principal SET disabled_at = ${how} WHERE id = $1`, [
        parsePublicId('principal', counsel.principalId),
      ]);
    const listed = async () => {
      const answer = await app.request('/v1/share-links', { key: keys.admin });
      const { items } = (await answer.json()) as {
        items: { id: string; state: string; createdBy: string }[];
      };
      return items.find(({ id }) => id === made.id);
    };
    expect((await look(made.token, '/v1/shared')).status).toBe(200);
    await disable('now()');
    await expectProblem(await look(made.token, '/v1/shared'), 'invalid_share_link');
    const path = `/v1/shared/reports/${own.report}/content`;
    await expectProblem(await look(made.token, path), 'invalid_share_link');
    expect(await listed()).toMatchObject({ state: 'creator_disabled', createdBy: counsel.principalId });
    await disable('NULL');
    expect((await look(made.token, '/v1/shared')).status).toBe(200);
    const revoke = { ...json({}), key: keys.admin };
    expect((await app.request(`/v1/share-links/${made.id}/revoke`, revoke)).status).toBe(200);
    expect(await listed()).toMatchObject({ state: 'revoked' });
    await expectProblem(await look(made.token, '/v1/shared'), 'invalid_share_link');
  });

  it('can be tried only so often from one address, however the tries are written', async () => {
    const guess = (n: number): string => `cls_${String(n).padStart(32, '0')}_${'A'.repeat(43)}`;
    const ways = ['/v1/shared', '/v1/%73hared', '/v1/shared?x=1', `/v1/shared/reports/${own.report}/content`];
    let last: Response | undefined;
    for (let n = 0; n < 70 && last?.status !== 429; n++)
      last = await look(guess(n), ways[n % ways.length] ?? '');
    if (last === undefined) throw new Error('nothing was tried');
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    await expectProblem(last, 'rate_limited');
    for (const way of ways) await expectProblem(await look(guess(99), way), 'rate_limited');
    // Whoever holds a key is not held up by that.
    expect((await app.request('/v1/me')).status).toBe(200);
  });
});

// Last, because somebody is erased by it.
describe('what each role may do, done', () => {
  it('is granted to those who are named, and the domain decides the rest', async () => {
    for (const [route, roles, body] of [...BODIES, ...TABLE])
      for (const role of ROLES.filter((each) => isAllowed(roles, each))) {
        const { status } = await send(route, body, own, keys[role]);
        // 400: a form of its own (a key's proof); 404: what was erased or is no file; 409: decided by the state of things.
        const fitting =
          role === 'creator' && OWN_WORK_ALONE.includes(route) ? [403] : [200, 201, 202, 400, 404, 409];
        expect([role, route, status, fitting.includes(status)]).toEqual([role, route, status, true]);
      }
  });
});
