import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { Webhook } from 'standardwebhooks';
import { createDevelopmentOrganization } from '../../src/identity/application/create-development-organization.js';
import { addPerson, json } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}
interface Message {
  readonly type: string;
  readonly timestamp: string;
  readonly data: { entryId: string; index: number; subject: { id: string }; facts: Record<string, unknown> };
}
interface Endpoint {
  readonly id: string;
  readonly secret: string;
  readonly state: string;
  readonly host: string;
}
interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

let app: TestApplication;
let inspector: Inspector;
let receiver: Server;
let url: string;
let received: Received[];
/** What the receiver answers, one each; then 204. */
let answers: number[];
/** Calls to `/silent`, which are not answered. */
let unanswered: ServerResponse[];
/** Calls at hand at the same time, at most. */
let mostAtOnce: number;

/** Of the event loop: whatever else was sent at the same time has come by then. */
const HELD_TURNS = 200;
function afterTurns(turns: number, answer: () => unknown): unknown {
  return turns === 0 ? answer() : setImmediate(() => afterTurns(turns - 1, answer));
}

beforeAll(async () => {
  let atOnce = 0;
  receiver = createServer((request, response) => {
    let body = '';
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    response.on('close', () => (atOnce -= 1));
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.url === '/silent') return unanswered.push(response);
      received.push({ headers: request.headers as Record<string, string>, body });
      const status = answers.shift() ?? 204;
      const elsewhere = status === 302 ? { location: 'http://169.254.169.254/' } : {};
      const answer = () =>
        response.writeHead(status, elsewhere).end(status === 500 ? 'x'.repeat(1_000_000) : undefined);
      return request.url === '/held' ? afterTurns(HELD_TURNS, answer) : answer();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  url = `http://${host}/hook?token=in-the-address`;
  // The tests are the worker.
  app = await startTestApplication({
    COLOPHON_ROLES: 'http,sequencer',
    COLOPHON_WEBHOOK_ALLOWED_HOSTS: host,
  });
  inspector = await Inspector.open(app.database);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});
beforeEach(async () => {
  // One test hears nothing of the one before it.
  await inspector.query(`UPDATE webhook_endpoint SET state = 'removed'`);
  await inspector.query(`UPDATE webhook_delivery SET state = 'given_up'`);
  received = [];
  answers = [];
  unanswered = [];
  mostAtOnce = 0;
});

async function create(events: readonly string[], where = url): Promise<Endpoint> {
  const answer = await app.request('/v1/webhook-endpoints', json({ url: where, events }));
  expect(answer.status).toBe(201);
  return (await answer.json()) as Endpoint;
}

async function something(name: string): Promise<string> {
  const answer = await app.request('/v1/projects', json({ name }));
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

/** What is in the log and published is told. */
async function rounds(): Promise<void> {
  await app.services.sequencer.runOnce();
  await app.services.webhookRounds.runOnce();
}

/** As if the pause before the next attempt were over. */
const pauseIsOver = () =>
  inspector.query(`UPDATE webhook_delivery SET next_attempt_at = now() WHERE state = 'due'`);

const messages = (): Message[] => received.map(({ body }) => JSON.parse(body) as Message);

async function deliveriesOf({ id }: Endpoint): Promise<Delivery[]> {
  const answer = await app.request(`/v1/webhook-endpoints/${id}/deliveries`);
  return ((await answer.json()) as { items: Delivery[] }).items;
}

describe('a system that is told of what happens', () => {
  it('hears of what it asked for, once, as the log has it, and can check the signature with public libraries', async () => {
    const before = await something('before it asked');
    const endpoint = await create(['project.created']);
    const id = await something('a launch');
    await rounds();
    await rounds();
    expect(messages().map(({ data }) => data.subject.id)).toEqual([id]);
    expect(before).not.toBe(id);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(new Webhook(endpoint.secret).verify(body, headers)).toEqual(JSON.parse(body));
    const openai = new OpenAI({ apiKey: 'none', webhookSecret: endpoint.secret });
    await expect(openai.webhooks.verifySignature(body, headers)).resolves.toBeUndefined();
    const forged = body.replace(id, before);
    expect(() => new Webhook(endpoint.secret).verify(forged, headers)).toThrow();
    const [{ data, timestamp } = { data: { entryId: '', index: 0, facts: {} }, timestamp: '' }] = messages();
    const entry = (await (await app.request(`/v1/audit/entries/${data.entryId}`)).json()) as {
      index: number;
      entry: { at: string; data: unknown };
    };
    expect(data.index).toBe(entry.index);
    expect({ at: timestamp, data: data.facts }).toMatchObject({ at: entry.entry.at, data: entry.entry.data });
  });

  it('hears of all of a kind, and of everything, when it asks so', async () => {
    await create(['project.*']);
    await create(['*']);
    await addPerson(app, ['creator']);
    await something('of a kind');
    await rounds();
    const types = messages().map(({ type }) => type);
    expect(types.filter((type) => type === 'project.created')).toHaveLength(2);
    expect(types).toContain('principal.created');
    expect(types).toContain('webhook_endpoint.set');
  });

  it('is told again what it did not take, with the same id, at a pause, and nothing it says is kept', async () => {
    const endpoint = await create(['project.created']);
    await something('a slow receiver');
    answers = [500, 302, 429];
    await rounds();
    expect(await deliveriesOf(endpoint)).toMatchObject([{ state: 'due', attempts: 1, lastStatus: 500 }]);
    await rounds();
    expect(received).toHaveLength(1);
    for (let attempt = 2; attempt <= 4; attempt += 1) {
      await pauseIsOver();
      await rounds();
      expect(received).toHaveLength(attempt);
    }
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    const [delivery] = await deliveriesOf(endpoint);
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 4, lastStatus: 204, lastError: null });
    expect(delivery?.id).toBe(received[0]?.headers['webhook-id']);
  });

  it('is told once however many workers there are, and again after one that died', async () => {
    await create(['project.created']);
    for (let at = 0; at < 12; at += 1) await something(`at once ${at}`);
    await app.services.sequencer.runOnce();
    await Promise.all(Array.from({ length: 4 }, () => app.services.webhookRounds.runOnce()));
    await app.services.webhookRounds.runOnce();
    expect(new Set(messages().map(({ data }) => data.entryId)).size).toBe(12);
    expect(received).toHaveLength(12);
    // A worker that was killed after the receiver took the message: its attempt is not recorded.
    await inspector.query(
      `UPDATE webhook_delivery SET state = 'due', attempts = 0, next_attempt_at = now() - interval '1 s'
        WHERE id = (SELECT max(id::text)::uuid FROM webhook_delivery)`,
    );
    await rounds();
    expect(received).toHaveLength(13);
    expect(received[12]?.body).toBe(
      received.find((each, at) => at < 12 && each.body === received[12]?.body)?.body,
    );
  });

  it('hears of everything in the order of the log while it takes it, whoever tells it', async () => {
    await create(['*'], new URL('/held', url).href);
    for (let at = 0; at < 20; at += 1) await something(`in order ${at}`);
    await app.services.sequencer.runOnce();
    await Promise.all(Array.from({ length: 3 }, () => app.services.webhookRounds.runOnce()));
    await app.services.webhookRounds.runOnce();
    const indices = messages().map(({ data }) => data.index);
    expect(indices.length).toBeGreaterThanOrEqual(20);
    expect(indices).toEqual([...indices].sort((one, other) => one - other));
    expect(mostAtOnce).toBe(1);
  });

  it('hears of the later ones in their order, and of those it did not take in between', async () => {
    await create(['project.created']);
    const ids: string[] = [];
    for (let at = 0; at < 4; at += 1) ids.push(await something(`one fails ${at}`));
    answers = [204, 500];
    await rounds();
    await pauseIsOver();
    ids.push(await something('after the pause'));
    await rounds();
    const subjects = messages().map(({ data }) => data.subject.id);
    expect(subjects.slice(0, 4)).toEqual(ids.slice(0, 4));
    expect(subjects.slice(4).sort()).toEqual([ids[1], ids[4]].sort());
  });

  it('that is gone is asked no more, which the log says, and hears of the rest when it is back', async () => {
    const endpoint = await create(['project.created']);
    answers = [410];
    const first = await something('while it was gone');
    await rounds();
    const second = await something('later');
    await rounds();
    expect(received).toHaveLength(1);
    const disabled = await inspector.query<{ entry: Buffer }>(
      `SELECT entry FROM audit_entry WHERE entry_type = 'webhook_endpoint.disabled'
       UNION ALL SELECT entry FROM audit_pending WHERE entry_type = 'webhook_endpoint.disabled'`,
    );
    expect(disabled.map(({ entry }) => (JSON.parse(entry.toString()) as { data: unknown }).data)).toEqual([
      { host: endpoint.host, because: 'gone' },
    ]);
    const path = `/v1/webhook-endpoints/${endpoint.id}`;
    await expectProblem(await app.request(`${path}/trial`, { method: 'POST' }), 'conflict');
    const active = { ...json({ state: 'active' }), method: 'PATCH' };
    expect((await app.request(path, active)).status).toBe(200);
    const [lost] = await deliveriesOf(endpoint);
    const again = await app.request(`${path}/deliveries/${lost?.id}/send-again`, { method: 'POST' });
    expect(again.status).toBe(202);
    await rounds();
    expect(
      messages()
        .map(({ data }) => data.subject.id)
        .sort(),
    ).toEqual([first, first, second].sort());
  });

  it('that has taken nothing for five days is disabled', async () => {
    const endpoint = await create(['project.created']);
    await something('nobody listens');
    answers = [503, 503];
    await rounds();
    await inspector.query(`UPDATE webhook_endpoint SET failing_since = now() - interval '5 days 1 minute'
      WHERE state = 'active'`);
    await pauseIsOver();
    await rounds();
    const { items } = (await (await app.request('/v1/webhook-endpoints')).json()) as { items: Endpoint[] };
    expect(items.find(({ id }) => id === endpoint.id)?.state).toBe('disabled');
  });

  it('changes its secret without a message that fails: both sign for a day', async () => {
    const endpoint = await create(['project.created']);
    const rotated = await app.request(`/v1/webhook-endpoints/${endpoint.id}/secret`, { method: 'POST' });
    const { secret } = (await rotated.json()) as { secret: string };
    expect(secret).not.toBe(endpoint.secret);
    await something('two signatures');
    await rounds();
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    for (const either of [secret, endpoint.secret])
      expect(new Webhook(either).verify(body, headers)).toEqual(JSON.parse(body));
  });

  it('is not held up by another one of the organization that never answers', async () => {
    const silent = await create(['*'], new URL('/silent', url).href);
    await create(['project.created']);
    for (let at = 0; at < 12; at += 1) await something(`beside a silent one ${at}`);
    const round = rounds();
    await eventually('the other one has heard of all', () => received.length === 12 || undefined, 10_000);
    await eventually('the silent one is asked', () => unanswered.length === 1 || undefined);
    // Gone, so that the round comes to its end.
    unanswered[0]?.writeHead(410).end();
    await round;
    expect(unanswered).toHaveLength(1);
    expect((await deliveriesOf(silent)).filter(({ state }) => state === 'due').length).toBeGreaterThan(10);
  });

  it('can be tried before anything happens', async () => {
    const endpoint = await create(['asset.released']);
    const path = `/v1/webhook-endpoints/${endpoint.id}/trial`;
    expect((await app.request(path, { method: 'POST' })).status).toBe(202);
    await rounds();
    expect(messages()).toMatchObject([{ type: 'webhook_endpoint.trial' }]);
  });
});

describe('an address', () => {
  it.each([
    'http://example.com/hook',
    'https://127.0.0.1/hook',
    'https://[::ffff:10.0.0.1]/hook',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/hook',
    'https://example.com:8443/hook',
    'https://user:password@example.com/hook',
    'file:///etc/passwd',
  ])('%s is refused before anything is kept', async (where) => {
    const count = async () => (await inspector.query('SELECT id FROM webhook_endpoint')).length;
    const before = await count();
    const answer = await app.request('/v1/webhook-endpoints', json({ url: where, events: ['*'] }));
    await expectProblem(answer, 'url_blocked');
    expect(await count()).toBe(before);
  });

  it('and its secret lie sealed, and are gone when it is removed', async () => {
    const endpoint = await create(['*']);
    const rows = async () => JSON.stringify(await inspector.query('SELECT * FROM webhook_endpoint'));
    for (const secret of ['in-the-address', endpoint.secret, endpoint.secret.slice(6)])
      expect(await rows()).not.toContain(secret);
    const path = `/v1/webhook-endpoints/${endpoint.id}`;
    await something('never told');
    await app.services.sequencer.runOnce();
    expect((await app.request(path, { method: 'DELETE' })).status).toBe(200);
    await rounds();
    expect(received).toEqual([]);
    await expectProblem(await app.request(`${path}/deliveries`), 'not_found');
    const [kept] = await inspector.query(
      `SELECT state, sealed FROM webhook_endpoint ORDER BY created_at DESC, id DESC LIMIT 1`,
    );
    expect(kept).toEqual({ state: 'removed', sealed: '' });
  });
});

describe('who may', () => {
  it('is an admin of the organization, with a live key', async () => {
    const endpoint = await create(['*']);
    const neighbor = await createDevelopmentOrganization(app.services, new URL(app.url).host);
    const { key: creator } = await addPerson(app, [
      'creator',
      'legal',
      'reviewer',
      'auditor',
      'asset_manager',
    ]);
    const path = `/v1/webhook-endpoints/${endpoint.id}`;
    for (const [where, init] of [
      ['/v1/webhook-endpoints', json({ url, events: ['*'] })],
      ['/v1/webhook-endpoints', {}],
      [path, { ...json({ state: 'paused' }), method: 'PATCH' }],
      [`${path}/secret`, { method: 'POST' }],
      [`${path}/trial`, { method: 'POST' }],
      [`${path}/deliveries`, {}],
      [path, { method: 'DELETE' }],
    ] as const) {
      await expectProblem(await app.request(where, { ...init, key: creator }), 'forbidden');
      if (where !== '/v1/webhook-endpoints')
        await expectProblem(await app.request(where, { ...init, key: neighbor.keys.live }), 'not_found');
    }
    const test = { ...json({ url, events: ['*'] }), key: app.instance.keys.test };
    await expectProblem(await app.request('/v1/webhook-endpoints', test), 'wrong_mode');
  });

  it.each([
    [[]],
    [['no.such']],
    [['asset.released', 'asset.released']],
    [['asset.**']],
    [Array(51).fill('*')],
  ])('may not ask for %j', async (events) => {
    const answer = await app.request('/v1/webhook-endpoints', json({ url, events }));
    await expectProblem(answer, 'invalid_request');
  });
});
