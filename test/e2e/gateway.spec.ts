import { GoogleGenAI } from '@google/genai';
import { GoogleGenAI as GoogleGenAINext } from 'genai-next';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI, { toFile } from 'openai';
import OpenAINext from 'openai-next';
// The client of Google sends through the dispatcher that undici leaves in the global object: here, that of the tests.
import 'undici';
import { createDevelopmentOrganization } from '../../src/identity/application/create-development-organization.js';
import { sharp } from '../../src/assets/adapters/libvips.js';
import { addPerson, HARMLESS_FACTS, json, OWN_RIGHTS } from '../support/api.js';
import { CuttingRelay } from '../support/cutting-relay.js';
import { eventually } from '../support/eventually.js';
import { GatewayWorld, MODELS } from '../support/gateway-world.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

/** Unmodified SDKs of both major versions against the whole product, with one line changed: the address. */

let world: GatewayWorld;
let key: string;

beforeAll(async () => {
  world = await GatewayWorld.start();
  await world.newUseCase('closed');
  ({ key } = await addPerson(world.app, ['creator']));
});
afterAll(() => world.close());

interface Options {
  readonly apiKey?: string;
  readonly useCase?: string;
  readonly projectId?: string;
}

const openai = ({ apiKey = key, useCase, projectId }: Options = {}) =>
  new OpenAI({ apiKey, baseURL: `${world.root('openai', useCase, projectId)}/v1` });
/** Seen as the older one: the calls that are made here are in both. */
const openaiNext = ({ apiKey = key, useCase, projectId }: Options = {}) =>
  new OpenAINext({
    apiKey,
    baseURL: `${world.root('openai', useCase, projectId)}/v1`,
  }) as unknown as OpenAI;
const gemini = ({ apiKey = key, useCase }: Options = {}) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: world.root('gemini', useCase) } });
const geminiNext = ({ apiKey = key, useCase }: Options = {}) =>
  new GoogleGenAINext({ apiKey, httpOptions: { baseUrl: world.root('gemini', useCase) } });

let serial = 0;
/** Like no other: equal requests are one request. */
const prompt = () => `a bottle of bitter orange, number ${++serial}`;

const submits = () => world.openai.ledger.charges.length;
const decoded = (base64: string | null | undefined) => Buffer.from(base64 ?? '', 'base64');
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${world.root('openai')}/v1/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
  });

/** What the SDK throws, whichever major it is. */
async function refusalOf(
  asked: PromiseLike<unknown>,
): Promise<{ status: number; code: string; message: string }> {
  const thrown = await Promise.resolve(asked).then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error,
  );
  return thrown as { status: number; code: string; message: string };
}

describe('settings of a use case', () => {
  it('are needed: without them every call is refused, with what to do', async () => {
    const refusal = await refusalOf(openai().images.generate({ model: MODELS.openai, prompt: prompt() }));
    expect(refusal).toMatchObject({ status: 403, code: 'gateway_closed' });
    expect(refusal.message).toContain('PUT /v1/projects/{id}/use-cases/{name}/gateway');
    expect(submits()).toBe(0);
  });

  it('are set by legal or admin with a live key, versioned, and in the log', async () => {
    const body = { ...json({ open: true, facts: HARMLESS_FACTS, inputRights: null }), method: 'PUT' };
    const path = world.settingsPath('closed');
    await expectProblem(await world.app.request(path, { ...body, key }), 'forbidden');
    const test = await addPerson(world.app, ['legal'], { mode: 'test' });
    await expectProblem(await world.app.request(path, { ...body, key: test.key }), 'wrong_mode');
    await expectProblem(await world.app.request(path), 'not_found');
    for (const basis of ['none', 'unknown', 'produced-here']) {
      const rights = { ...OWN_RIGHTS, rightsBasis: basis };
      const wrong = { ...json({ open: true, facts: HARMLESS_FACTS, inputRights: rights }), method: 'PUT' };
      await expectProblem(await world.app.request(path, wrong), 'invalid_request');
    }
    await world.open();
    await world.open({ inputRights: null }, 'closed');
    await world.open({ open: false }, 'closed');
    const read = (await (await world.app.request(path)).json()) as Record<string, unknown>;
    expect(read).toMatchObject({ open: false, version: 2, facts: { purpose: 'commercial' } });
    const entries = (await world.entriesOf('use_case.gateway_set')).map(({ data }) => data);
    expect(entries).toMatchObject([
      { useCase: 'hero-image', open: true, purpose: 'commercial', inputRightsBasis: 'owned' },
      { useCase: 'closed', open: true },
      { useCase: 'closed', open: false, settingsSha256: read.settingsSha256 },
    ]);
    const refusal = await refusalOf(
      openai({ useCase: 'closed' }).images.generate({ model: MODELS.openai, prompt: 'x' }),
    );
    expect(refusal).toMatchObject({ status: 403, code: 'gateway_closed' });
  });
});

describe('images.generate', () => {
  it.each([
    ['6', openai],
    ['7', openaiNext],
  ])('of openai %s gives the signed picture', async (_, client) => {
    const { data, response } = await client()
      .images.generate({ model: MODELS.openai, prompt: prompt(), size: '1024x1024', user: 'u-1' })
      .withResponse();
    const picture = decoded(data.data?.[0]?.b64_json);
    const assetId = response.headers.get('x-colophon-asset-ids') ?? '';
    expect(response.headers.get('x-colophon-run-id')).toMatch(/^run_/);
    expect(response.headers.get('x-colophon-clearance-id')).toMatch(/^clr_/);
    expect(response.headers.get('x-colophon-ignored')).toBe('user');
    const served = await world.app.request(`/v1/assets/${assetId}/content`);
    expect(picture.equals(Buffer.from(await served.arrayBuffer()))).toBe(true);
    expect(data).toMatchObject({
      created: expect.any(Number),
      output_format: 'png',
      size: '64x64',
      quality: 'medium',
      usage: { input_tokens: 12, output_tokens: 1056, total_tokens: 1068 },
    });
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(picture)]), 'a.png');
    const verified = await world.app.request('/v1/verify', { method: 'POST', body: form, key: null });
    expect(await verified.json()).toMatchObject({ testWork: null, log: { status: 'in_log' } });
    const attempt = world.openai.ledger.attempts.at(-1);
    expect(attempt?.fields).toMatchObject({ model: MODELS.openai, n: 1, size: '1024x1024' });
    expect(JSON.stringify(attempt?.fields)).not.toContain('u-1');
    const [read] = (await world.entriesOf('asset.read')).slice(-1);
    expect(read?.data).toMatchObject({ assetId, what: 'content' });
  });

  it('gives n pictures, each an asset of one run', async () => {
    const before = submits();
    const { data, response } = await openai()
      .images.generate({ model: MODELS.openai, prompt: prompt(), n: 2 })
      .withResponse();
    expect(data.data).toHaveLength(2);
    expect(data.usage?.total_tokens).toBe(2 * 1068);
    expect(submits() - before).toBe(2);
    expect(new Set(response.headers.get('x-colophon-asset-ids')?.split(',')).size).toBe(2);
  });

  it('is all or an error that names what was made: nobody counts pictures', async () => {
    world.openai.ledger.plan({ result: 'moderation' }, {});
    const refusal = (await refusalOf(
      openai().images.generate({ model: MODELS.openai, prompt: prompt(), n: 2 }),
    )) as unknown as { code: string; status: number; error: { colophon: { assetIds?: string[] } } };
    expect(['generation_failed', 'moderation_blocked']).toContain(refusal.code);
    const { assetIds = [] } = refusal.error.colophon;
    expect(assetIds.length).toBeLessThan(2);
    for (const id of assetIds) expect((await world.app.request(`/v1/assets/${id}/content`)).status).toBe(200);
  });

  it('gives addresses that work without a key, for that asset, for an hour, as long as the key does', async () => {
    const person = await addPerson(world.app, ['creator']);
    const { data } = await openai({ apiKey: person.key }).images.generate({
      model: MODELS.openai,
      prompt: prompt(),
      response_format: 'url',
    });
    const url = data?.[0]?.url ?? '';
    const fetched = await fetch(url);
    expect([fetched.status, fetched.headers.get('content-type')]).toEqual([200, 'image/png']);
    const [read] = (await world.entriesOf('asset.read')).slice(-1);
    expect(read?.data).toMatchObject({ what: 'content', via: 'capability_url' });
    const [, token = ''] = /files\/([^/]+)\//.exec(url) ?? [];
    const flipped = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
    const last = token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1);
    for (const wrong of [flipped, last, token.slice(1), `${token}A`, 'x', token.toUpperCase()])
      await expectProblem(await fetch(url.replace(token, wrong)), 'not_found');
    const me = await world.app.request('/v1/me', { key: person.key });
    const { keyId } = (await me.json()) as { keyId: string };
    expect((await world.app.request(`/v1/api-keys/${keyId}/revoke`, json({}))).status).toBe(200);
    await expectProblem(await fetch(url), 'not_found');
  });

  it('streams one finished picture and no partial one', async () => {
    const events = [];
    const asked = { model: MODELS.openai, prompt: prompt(), stream: true, partial_images: 2 } as const;
    for await (const event of await openai().images.generate(asked)) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['image_generation.completed']);
    expect(decoded(events[0]?.b64_json).subarray(1, 4).toString()).toBe('PNG');
    const attempt = world.openai.ledger.attempts.at(-1);
    expect(attempt?.fields).toMatchObject({ stream: false });
    expect(attempt?.fields).not.toHaveProperty('partial_images');
  });

  it.each(['png', 'jpeg', 'webp'] as const)('plays with a test key as %s', async (format) => {
    const asked = { model: MODELS.openai, prompt: prompt(), output_format: format };
    const { data, output_format: told } = await openai({
      apiKey: world.app.instance.keys.test,
    }).images.generate(asked);
    expect([told, (await sharp(decoded(data?.[0]?.b64_json)).metadata()).format]).toEqual([format, format]);
  });

  it('plays with a test key, in the same shape and the wanted size', async () => {
    const { key: apiKey } = await addPerson(world.app, ['creator'], { mode: 'test' });
    const before = submits();
    const answer = await openaiNext({ apiKey }).images.generate({
      model: 'sandbox-generator',
      prompt: prompt(),
      size: '512x256',
      n: 2,
    });
    expect(answer).toMatchObject({ size: '512x256', usage: { total_tokens: 0 } });
    const [first, second] = (answer.data ?? []).map(({ b64_json: text }) => text);
    expect(first).not.toBe(second);
    expect(submits()).toBe(before);
    // Whoever gets the picture from somebody else is told, although it is signed like every other.
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(decoded(first))]), 'a.png');
    const verified = await world.app.request('/v1/verify', { method: 'POST', body: form, key: null });
    expect(await verified.json()).toMatchObject({
      verdict: 'intact_and_trusted',
      testWork: 'file',
      headline: expect.stringContaining('It is a test'),
      sentences: expect.arrayContaining([expect.stringContaining('made with a test key')]),
      log: { status: 'in_log', text: expect.stringContaining('made with a test key') },
    });
    const live = await refusalOf(openai().images.generate({ model: 'sandbox-generator', prompt: 'x' }));
    expect(live).toMatchObject({ status: 403, code: 'wrong_mode' });
  });
});

describe('images.edit', () => {
  const file = (bytes: Buffer, name: string) => toFile(bytes, name, { type: 'image/png' });

  it('of openai 6 takes pictures and a mask, received under the declared rights, once', async () => {
    const pictures = await Promise.all([noisePicture(), noisePicture(), noisePicture()]);
    const edit = async (words: string) => {
      const [bottle, table, mask] = await Promise.all(pictures.map((bytes, i) => file(bytes, `${i}.png`)));
      if (!bottle || !table || !mask) throw new Error('three pictures');
      const asked = { model: MODELS.openai, prompt: words, image: [bottle, table], mask };
      return openai().images.edit(asked).withResponse();
    };
    const { data, response } = await edit('put it on a table');
    expect(decoded(data.data?.[0]?.b64_json).subarray(1, 4).toString()).toBe('PNG');
    const attempt = world.openai.ledger.attempts.at(-1);
    expect(attempt?.files.map(({ field }) => field)).toEqual(['image[]', 'image[]', 'mask']);
    const assetId = response.headers.get('x-colophon-asset-ids') ?? '';
    const lineage = (await (await world.app.request(`/v1/assets/${assetId}/lineage`)).json()) as {
      items: { origin: string }[];
    };
    expect(lineage.items.filter(({ origin }) => origin === 'upload')).toHaveLength(3);
    const received = (await world.entriesOf('asset.received')).slice(-3);
    for (const { data: entry } of received)
      expect(entry).toMatchObject({ rightsBasis: 'owned', gatewaySettingsSha256: expect.any(String) });
    await edit('put it on a chair');
    expect((await world.entriesOf('asset.received')).slice(-3)).toEqual(received);
  });

  it('of openai 7 takes a picture', async () => {
    const image = await file(await noisePicture(), 'bottle.png');
    const answer = await openaiNext().images.edit({ model: MODELS.openai, prompt: 'a hat', image });
    expect(decoded(answer.data?.[0]?.b64_json).subarray(1, 4).toString()).toBe('PNG');
  });

  it('keeps the history of a picture that was made here, without any declaration', async () => {
    const made = await openai().images.generate({ model: MODELS.openai, prompt: prompt() });
    const picture = decoded(made.data?.[0]?.b64_json);
    const received = (await world.entriesOf('asset.received')).length;
    await world.newUseCase('own-pictures');
    await world.open({ inputRights: null }, 'own-pictures');
    const client = openai({ useCase: 'own-pictures' });
    const ask = async (bytes: Buffer) =>
      client.images
        .edit({
          model: MODELS.openai,
          prompt: prompt(),
          image: await toFile(bytes, 'a.png', { type: 'image/png' }),
        })
        .withResponse();
    const { response } = await ask(picture);
    const lineage = await world.app.request(
      `/v1/assets/${response.headers.get('x-colophon-asset-ids')}/lineage`,
    );
    expect(((await lineage.json()) as { items: unknown[] }).items).toHaveLength(2);
    expect((await world.entriesOf('asset.received')).length).toBe(received);
    const foreign = await refusalOf(ask(await noisePicture()));
    expect(foreign).toMatchObject({ status: 403, code: 'input_rights_undeclared' });
  });

  it('refuses what is no picture, and too much', async () => {
    const ask = (form: FormData) =>
      fetch(`${world.root('openai')}/v1/images/edits`, {
        method: 'POST',
        body: form,
        headers: { authorization: `Bearer ${key}` },
      });
    const form = (fields: Record<string, string>, files: [string, Uint8Array][]) => {
      const made = new FormData();
      for (const [name, value] of Object.entries({ model: MODELS.openai, prompt: 'x', ...fields }))
        made.set(name, value);
      for (const [name, bytes] of files) made.append(name, new Blob([new Uint8Array(bytes)]), 'a.png');
      return made;
    };
    const picture = new Uint8Array(await noisePicture());
    const codeOf = async (response: Response) =>
      ((await response.json()) as { error: { code: string } }).error.code;
    const before = submits();
    expect(await codeOf(await ask(form({}, [['image', Buffer.from('no picture')]])))).toBe('not_a_picture');
    expect(await codeOf(await ask(form({}, [])))).toBe('invalid_request');
    expect(await codeOf(await ask(form({ n: '0' }, [['image', picture]])))).toBe('invalid_request');
    expect(await codeOf(await ask(form({}, [['../../etc/passwd', picture]])))).toBe('invalid_request');
    expect(await codeOf(await ask(form({ frame_count: '3' }, [['image', picture]])))).toBe(
      'gateway_unsupported',
    );
    const many = Array.from({ length: 9 }, (): [string, Uint8Array] => ['image[]', picture]);
    expect((await ask(form({}, many))).status).toBe(413);
    const large = Buffer.alloc(21 * 1024 * 1024);
    expect(await codeOf(await ask(form({}, [['image', large]])))).toBe('payload_too_large');
    const text = await fetch(`${world.root('openai')}/v1/images/edits`, {
      ...json({}),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    expect(await codeOf(text)).toBe('unsupported_content_type');
    expect(submits()).toBe(before);
  });
});

describe('refusals', () => {
  /** Counts what the SDK really sends. */
  const counting = (options: Options = {}) => {
    let sent = 0;
    const client = new OpenAI({
      apiKey: options.apiKey ?? key,
      baseURL: `${world.root('openai', options.useCase)}/v1`,
      fetch: (url, init) => {
        sent += 1;
        return fetch(url, init);
      },
    });
    return { client, sent: () => sent };
  };

  it('by the licenses name the findings, and no SDK repeats them', async () => {
    const { client, sent } = counting();
    const refusal = (await refusalOf(
      client.images.generate({ model: MODELS.forbidden, prompt: prompt() }),
    )) as unknown as { headers: Headers; error: { colophon: { findings: unknown[]; clearanceId: string } } };
    expect(refusal).toMatchObject({ status: 403, code: 'clearance_denied', type: 'permission_error' });
    expect(refusal.error.colophon.findings.length).toBeGreaterThan(0);
    expect(refusal.headers.get('x-should-retry')).toBe('false');
    expect(refusal.headers.get('x-colophon-clearance-id')).toBe(refusal.error.colophon.clearanceId);
    expect(sent()).toBe(1);
  });

  it('for want of a waiver say how to get one, and with it the same call runs', async () => {
    const model = 'gemini-3-pro-image-preview';
    const ask = () => geminiNext().models.generateContent({ model, contents: prompt() });
    const refusal = await refusalOf(ask());
    expect(refusal.status).toBe(403);
    const { error } = JSON.parse(refusal.message) as {
      error: {
        status: string;
        details: [
          { reason: string },
          { findings: { ruleId: string; listingId: string; severity: string }[] },
        ];
      };
    };
    expect([error.status, error.details[0].reason]).toEqual(['PERMISSION_DENIED', 'waiver_required']);
    const [waiting] = await world.inspector.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM run WHERE state = 'WAITING_FOR_WAIVER'`,
    );
    expect(waiting?.count).toBe(0);
    const legal = await addPerson(world.app, ['legal']);
    const { principalId } = (await (await world.app.request('/v1/me', { key })).json()) as {
      principalId: string;
    };
    const open = error.details[1].findings.filter(({ severity }) => severity === 'review');
    for (const { ruleId, listingId } of open) {
      const waiver = {
        finding: { ruleId, listingId },
        projectId: world.app.instance.projectId,
        requestedBy: principalId,
        reason: 'LEGAL_OPINION',
        comment: 'read',
        expiresAt: IN_A_YEAR,
      };
      expect((await world.app.request('/v1/waivers', { ...json(waiver), key: legal.key })).status).toBe(201);
    }
    const listed = [];
    for await (const { name } of await geminiNext().models.list()) listed.push(name);
    expect(listed).toContain(`models/${model}`);
    const answer = await ask();
    expect(answer.candidates?.[0]?.content?.parts?.[0]?.inlineData?.mimeType).toBe('image/png');
  });

  it('for want of a waiver come before those for want of a price', async () => {
    const asked = { model: 'gpt-image-2', prompt: prompt() };
    const refusal = await refusalOf(openai().images.generate(asked));
    expect(refusal).toMatchObject({
      status: 403,
      code: 'waiver_required',
      message: expect.stringMatching(/license-status.*another reason \(price_unknown\).*"quality".*"size"/),
      error: {
        colophon: { further: { code: 'price_unknown', errors: [{ path: 'quality' }, { path: 'size' }] } },
      },
    });
  });

  it('are not lifted by a waiver of their decision, which no call asks again: it is refused, with what to do', async () => {
    const asked = { model: 'gpt-image-1.5', quality: 'low', size: '1024x1024', prompt: prompt() } as const;
    const refusal = (await refusalOf(openai().images.generate(asked))) as unknown as {
      code: string;
      error: { colophon: { clearanceId: string } };
    };
    expect(refusal.code).toBe('waiver_required');
    const { key: legal } = await addPerson(world.app, ['legal']);
    const { clearanceId } = refusal.error.colophon;
    const terms = { reason: 'LEGAL_OPINION', comment: 'read', expiresAt: IN_A_YEAR };
    const approved = await world.app.request('/v1/waivers', {
      ...json({ clearanceId, ...terms }),
      key: legal,
    });
    const problem = await expectProblem(approved, 'conflict');
    expect(problem.detail).toContain('Accept the open findings in the project instead');
    expect(problem).toMatchObject({
      projectId: world.app.instance.projectId,
      openFindings: expect.arrayContaining([expect.objectContaining({ listingId: 'gpt-image-1.5@openai' })]),
    });
    const standing = (await (await world.app.request(`/v1/clearances/${clearanceId}`)).json()) as object;
    expect(standing).toMatchObject({ standing: { kind: 'open', waiverIds: [] } });
    expect(await refusalOf(openai().images.generate(asked))).toMatchObject({ code: 'waiver_required' });
  });

  it('for want of money are 402, and nothing is sent', async () => {
    const set = async (limitMicroUsd: string) => {
      const body = { limitMicroUsd, allowBelowCommitted: true };
      const answer = await world.app.request('/v1/budget', { ...json(body), method: 'PUT' });
      expect(answer.status).toBe(200);
    };
    const { limitMicroUsd } = (await (await world.app.request('/v1/budget')).json()) as Record<
      string,
      string
    >;
    await set('0');
    const { client, sent } = counting();
    const before = submits();
    const refusal = await refusalOf(client.images.generate({ model: MODELS.openai, prompt: prompt() }));
    expect(refusal).toMatchObject({ status: 402, code: 'budget_exceeded', type: 'insufficient_quota' });
    expect([sent(), submits()]).toEqual([1, before]);
    await set(limitMicroUsd ?? '');
  });

  it.each([
    ['a model that is not known', { model: 'gpt-image-9' }, 422, 'unknown_model'],
    ['a model of another vendor', { model: 'gemini-3.1-flash-image' }, 422, 'unknown_model'],
    ['a listing in place of a name', { model: 'flux-1-schnell@fal' }, 422, 'unknown_model'],
    ['a model that is retired', { model: 'gpt-image-1' }, 403, 'waiver_required'],
    ['a quality that does not exist', { quality: 'hd' }, 400, 'invalid_request'],
    ['a parameter that does not exist', { lora: 'x' }, 400, 'invalid_request'],
    ['a parameter of retired models', { style: 'vivid' }, 422, 'gateway_unsupported'],
    ['drawings', { output_format: 'svg' }, 400, 'invalid_request'],
    ['more than ten', { n: 11 }, 400, 'invalid_request'],
    ['no prompt', { prompt: '' }, 400, 'invalid_request'],
    ['a prompt that cannot be stored', { prompt: 'a\u0000b' }, 400, 'invalid_request'],
  ])('of %s come before anything is spent', async (_, change, status, code) => {
    const { client, sent } = counting();
    const before = submits();
    const body = { model: MODELS.openai, prompt: prompt(), ...change } as never;
    expect(await refusalOf(client.images.generate(body))).toMatchObject({ status, code });
    expect([sent(), submits()]).toEqual([1, before]);
  });

  it('of routes that would go round the record say why', async () => {
    const client = openai();
    const refused = [
      client.responses.create({ model: 'gpt-5', input: 'draw', tools: [{ type: 'image_generation' }] }),
      client.images.createVariation({ image: await toFile(await noisePicture(), 'a.png') }),
    ];
    for (const asked of refused)
      expect(await refusalOf(asked)).toMatchObject({ status: 422, code: 'gateway_unsupported' });
    for (const path of ['chat/completions', 'files', 'batches', 'videos', 'embeddings', '../v1/x'])
      expect((await post(path, {})).status).toBe(404);
    const unknown = await post('chat/completions', {});
    expect(await unknown.json()).toMatchObject({
      error: { code: 'not_served', message: expect.stringContaining('images/generations') },
    });
  });

  it('of strangers are in the form of the vendor', async () => {
    const ask = (options: Options) =>
      refusalOf(openai(options).images.generate({ model: MODELS.openai, prompt: 'x' }));
    expect(await ask({ apiKey: 'sk-somebody' })).toMatchObject({ status: 401, code: 'invalid_api_key' });
    const reviewer = await addPerson(world.app, ['reviewer']);
    expect(await ask({ apiKey: reviewer.key })).toMatchObject({ status: 403, code: 'forbidden' });
    const foreign = await createDevelopmentOrganization(world.app.services, 'elsewhere.example');
    const ofNobody = await ask({ projectId: `prj_${'0'.repeat(32)}` });
    const ofOthers = await ask({ projectId: foreign.projectId });
    expect(ofOthers).toMatchObject({ status: 404, code: 'not_found' });
    expect(ofOthers.message).toContain('a project that does not exist in the organization of this API key');
    // Whether another organization has it makes no difference.
    expect(ofOthers.message).toBe(ofNobody.message);
    for (const useCase of ['no-such', 'Hero%20Image']) {
      const unnamed = await ask({ useCase });
      expect(unnamed).toMatchObject({ status: 404, code: 'not_found' });
      expect(unnamed.message).toMatch(/no use case with the name that the address gives.* hero-image/);
      expect(unnamed).toMatchObject({
        error: { colophon: { knownUseCases: expect.arrayContaining(['closed', 'hero-image']) } },
      });
    }
    const unkeyed = await fetch(`${world.root('gemini')}/v1beta/models`);
    expect(await unkeyed.json()).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });
    const inUrl = await fetch(`${world.root('gemini')}/v1beta/models?key=${key}`);
    expect([inUrl.status, await inUrl.text()]).toEqual([401, expect.not.stringContaining(key)]);
  });

  it('of crooked addresses and bodies are plain', async () => {
    const { projectId } = world.app.instance;
    const base = `${world.app.url}/gateway/openai/p/${projectId}`;
    const paths = [
      `${base}/hero-image/v1/images%2Fgenerations`,
      `${base}/HERO-IMAGE/v1/images/generations`,
      `${base}/hero-image%2F..%2Fclosed/v1/images/generations`,
      `${base}/hero-image/v1/Images/Generations`,
      `${base}/hero-image/v2/images/generations`,
      `${base}//hero-image/v1/images/generations`,
      `${base.toUpperCase()}/hero-image/v1/images/generations`,
      `${base}/%00/v1/images/generations`,
      `${base}/hero-image/v1/images/generations/..%2f..%2fmodels`,
      `${world.app.url}/gateway/openai/p/${'a'.repeat(290)}/x/v1/images/generations`,
    ];
    const init = json({ model: MODELS.openai, prompt: prompt() }, { authorization: `Bearer ${key}` });
    for (const path of paths) expect([path, (await fetch(path, init)).status]).toEqual([path, 404]);
    const broken = await fetch(`${base}/hero-image/v1/images/%E0%A4%A`, init);
    expect(await broken.json()).toMatchObject({ error: { code: 'invalid_request' } });
    const notJson = await post('images/generations', undefined, {});
    expect(notJson.status).toBe(400);
    expect((await post('images/generations', [])).status).toBe(400);
    const get = await fetch(`${base}/hero-image/v1/images/generations`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('what is sent twice', () => {
  it('at once is one run: ten calls, one submit, one picture for all', async () => {
    const before = submits();
    const asked = { model: MODELS.openai, prompt: prompt() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => openai().images.generate(asked)));
    expect(submits() - before).toBe(1);
    expect(new Set(answers.map(({ data }) => data?.[0]?.b64_json)).size).toBe(1);
  });

  it('one after the other is two pictures', async () => {
    const before = submits();
    const asked = { model: MODELS.openai, prompt: prompt() };
    for (let time = 0; time < 2; time++) await openai().images.generate(asked);
    expect(submits() - before).toBe(2);
  });

  it('by an SDK that says so is answered again, and by another key is another request', async () => {
    const body = { model: MODELS.openai, prompt: prompt() };
    const before = submits();
    const first = await post('images/generations', body);
    const again = await post('images/generations', body, { 'x-stainless-retry-count': '1' });
    expect(again.headers.get('x-colophon-run-id')).toBe(first.headers.get('x-colophon-run-id'));
    expect(await again.text()).toBe(await first.text());
    expect(submits() - before).toBe(1);
    const other = await addPerson(world.app, ['creator']);
    const headers = { authorization: `Bearer ${other.key}`, 'x-stainless-retry-count': '1' };
    await (await post('images/generations', body, headers)).text();
    expect(submits() - before).toBe(2);
  });

  it('by a client that went away finds the run of before, which went on', async () => {
    const before = submits();
    let release: () => void = () => undefined;
    world.openai.ledger.plan({ until: new Promise<void>((resolve) => (release = resolve)) });
    const asked = { model: MODELS.openai, prompt: prompt() };
    const gone = new AbortController();
    const first = openai().images.generate(asked, { signal: gone.signal, maxRetries: 0 });
    await eventually('the vendor has it', () => submits() > before || undefined);
    gone.abort();
    await refusalOf(first);
    const second = openai().images.generate(asked);
    release();
    expect((await second).data).toHaveLength(1);
    expect(submits() - before).toBe(1);
  });

  it('after its answer was made and not fetched is given that answer', async () => {
    const before = submits();
    let release: () => void = () => undefined;
    world.openai.ledger.plan({ until: new Promise<void>((resolve) => (release = resolve)) });
    const asked = { model: MODELS.openai, prompt: prompt() };
    const gone = new AbortController();
    const first = openai().images.generate(asked, { signal: gone.signal, maxRetries: 0 });
    await eventually('the vendor has it', () => submits() > before || undefined);
    gone.abort();
    await refusalOf(first);
    release();
    await world.inspector.atRest();
    expect((await openai().images.generate(asked)).data).toHaveLength(1);
    expect(submits() - before).toBe(1);
    await openai().images.generate(asked);
    expect(submits() - before).toBe(2);
  });

  it('with an Idempotency-Key is the same request for ever, and never another', async () => {
    const before = submits();
    const body = { model: MODELS.openai, prompt: prompt() };
    const headers = { 'idempotency-key': `k-${prompt()}` };
    const first = await (await post('images/generations', body, headers)).text();
    const twins = [1, 2].map(async () => (await post('images/generations', body, headers)).text());
    expect(await Promise.all(twins)).toEqual([first, first]);
    const other = await post('images/generations', { ...body, n: 2 }, headers);
    expect([other.status, await other.json()]).toMatchObject([
      422,
      { error: { code: 'idempotency_key_reused' } },
    ]);
    expect(submits() - before).toBe(1);
    const crooked = await post('images/generations', body, { 'idempotency-key': 'é' });
    expect(crooked.status).toBe(400);
  });

  it('after a lost answer of the vendor is not sent to it again', async () => {
    const before = submits();
    world.openai.ledger.plan({ fault: 'reset-after-accept' });
    const asked = { model: MODELS.openai, prompt: prompt() };
    for (let time = 0; time < 2; time++)
      expect(await refusalOf(openai().images.generate(asked))).toMatchObject({
        status: 422,
        code: 'outcome_unknown',
      });
    expect(submits() - before).toBe(1);
  });

  it('after a definite failure is a new request, and prompts of others are not repeated', async () => {
    world.openai.ledger.plan({ result: 'moderation' });
    const asked = { model: MODELS.openai, prompt: prompt() };
    const refusal = await refusalOf(openai().images.generate(asked));
    // As OpenAI itself refuses content; what it is here stands beside it.
    expect(refusal).toMatchObject({
      status: 400,
      code: 'moderation_blocked',
      type: 'image_generation_user_error',
      error: { colophon: { code: 'generation_failed' } },
    });
    expect(refusal.message).not.toContain('SECRET');
    expect((await openai().images.generate(asked)).data).toHaveLength(1);
  });

  it('over another connection while the first is whole is a new one, and after a break is answered again', async () => {
    const relay = await CuttingRelay.start(world.app.url);
    const before = submits();
    const body = JSON.stringify({ model: MODELS.openai, prompt: prompt() });
    const ask = (origin: string) =>
      fetch(`${world.root('openai').replace(world.app.url, origin)}/v1/images/generations`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      });
    await (await ask(world.app.url)).text();
    await (await ask(relay.origin)).text();
    expect(submits() - before).toBe(2);
    relay.cutNext();
    await expect(ask(relay.origin).then((answer) => answer.text())).rejects.toThrow();
    expect(submits() - before).toBe(3);
    await (await ask(world.app.url)).text();
    expect(submits() - before).toBe(3);
    await relay.stop();
  });
});

describe('hostile words', () => {
  it('are data: in the prompt, in names of files, in headers', async () => {
    const attack = `'; DROP TABLE run; -- \${jndi:ldap://x} {{7*7}} <script>alert(1)</script> \u202e \ud83d\ude00 __proto__`;
    const answer = await openai().images.generate({ model: MODELS.openai, prompt: `${attack} ${prompt()}` });
    expect(answer.data).toHaveLength(1);
    expect(String(world.openai.ledger.attempts.at(-1)?.fields.prompt)).toContain(attack);
    const image = await toFile(await noisePicture(), '../../etc/passwd\u0000.png', { type: 'text/html' });
    expect((await openai().images.edit({ model: MODELS.openai, prompt: attack, image })).data).toHaveLength(
      1,
    );
    const polluted = await fetch(`${world.root('openai')}/v1/images/generations`, {
      method: 'POST',
      body: '{"model":"x","prompt":"x","__proto__":{"n":9}}',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    expect(polluted.status).toBe(400);
  });
});

describe('generateContent', () => {
  const image = async () => ({
    inlineData: { mimeType: 'image/png', data: (await noisePicture()).toString('base64') },
  });

  it.each([
    ['2', gemini],
    ['3', geminiNext],
  ])('of @google/genai %s makes and changes pictures', async (_, client) => {
    const made = await client().models.generateContent({
      model: MODELS.gemini,
      contents: prompt(),
      config: {
        responseModalities: ['TEXT', 'IMAGE'],
        imageConfig: { aspectRatio: '16:9', imageSize: '1K' },
      },
    });
    const part = made.candidates?.[0]?.content?.parts?.[0];
    expect(part?.inlineData?.mimeType).toBe('image/png');
    expect(decoded(part?.inlineData?.data).includes('c2pa')).toBe(true);
    expect(made.usageMetadata).toMatchObject({
      promptTokenCount: 7,
      candidatesTokenCount: 1300,
      thoughtsTokenCount: 100,
      totalTokenCount: 1407,
    });
    expect(made.responseId).toMatch(/^run_/);
    const edited = await client().models.generateContent({
      model: MODELS.gemini,
      contents: [{ text: 'a hat for it' }, await image(), part ?? {}],
      config: { responseModalities: ['IMAGE'] },
    });
    expect(edited.candidates?.[0]?.finishReason).toBe('STOP');
    const { contents } = world.google.ledger.attempts.at(-1)?.body as { contents: [{ parts: unknown[] }] };
    expect(contents[0].parts).toHaveLength(3);
  });

  it('streams the picture as one piece', async () => {
    const pieces = [];
    const asked = { model: MODELS.gemini, contents: prompt() };
    for await (const piece of await gemini().models.generateContentStream(asked)) pieces.push(piece);
    expect(pieces).toHaveLength(1);
    expect(decoded(pieces[0]?.data).subarray(1, 4).toString()).toBe('PNG');
  });

  it.each([
    ['blocked-prompt', { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }],
    ['blocked-image', { candidates: [{ finishReason: 'IMAGE_SAFETY' }] }],
  ] as const)('answers content that Google refuses as Google does: %s', async (result, shape) => {
    const asked = { model: MODELS.gemini, contents: prompt() };
    world.google.ledger.plan({ result });
    expect(await gemini().models.generateContent(asked)).toMatchObject(shape);
    world.google.ledger.plan({ result });
    const pieces: unknown[] = [];
    for await (const piece of await geminiNext().models.generateContentStream({
      ...asked,
      contents: prompt(),
    }))
      pieces.push(piece);
    expect(pieces).toMatchObject([shape]);
  });

  it('takes what the Python SDK sends: names in snake case, base64url', async () => {
    // As google-genai 3.6.1 sends it; the picture is another one.
    const data = (await noisePicture()).toString('base64url');
    const padded = data.padEnd(Math.ceil(data.length / 4) * 4, '=');
    const body = `{"contents": [{"parts": [{"text": "a hat"}, {"inlineData": {"data": "${padded}", "mime_type": "image/png"}}], "role": "user"}], "generationConfig": {"seed": 3, "responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"}}}`;
    const answer = await fetch(`${world.root('gemini')}/v1/models/${MODELS.gemini}:generateContent`, {
      method: 'POST',
      body,
      headers: { 'x-goog-api-key': key, 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    expect(world.google.ledger.attempts.at(-1)?.body).toMatchObject({
      generationConfig: { seed: 3, imageConfig: { aspectRatio: '16:9', imageSize: '1K' } },
    });
  });

  it('lists what is cleared, and says of the rest that it is not', async () => {
    const names = [];
    for await (const { name } of await gemini().models.list()) names.push(name);
    expect(names).toContain(`models/${MODELS.gemini}`);
    expect(names).not.toContain('models/gemini-2.5-flash-image');
    expect(await gemini().models.get({ model: MODELS.gemini })).toMatchObject({
      name: `models/${MODELS.gemini}`,
    });
    expect((await refusalOf(gemini().models.get({ model: 'gemini-2.5-flash-image' }))).status).toBe(404);
    const ids = [];
    for await (const { id } of openai().models.list()) ids.push(id);
    expect(ids).toEqual([MODELS.openai]);
    expect(await openaiNext().models.retrieve(MODELS.openai)).toMatchObject({
      object: 'model',
      id: MODELS.openai,
    });
    expect(await refusalOf(openai().models.retrieve(MODELS.forbidden))).toMatchObject({ status: 404 });
  });

  it.each([
    ['text alone', { config: { responseModalities: ['TEXT'] } }, 'must hold IMAGE'],
    ['a search', { config: { tools: [{ googleSearch: {} }] } }, 'tools'],
    ['an instruction beside the prompt', { config: { systemInstruction: 'x' } }, 'systemInstruction'],
    ['a temperature', { config: { temperature: 0.2 } }, 'temperature'],
    [
      'another safety',
      { config: { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }] } },
      'safety',
    ],
    [
      'a conversation',
      {
        contents: [
          { role: 'user', parts: [{ text: 'a' }] },
          { role: 'model', parts: [{ text: 'b' }] },
          { role: 'user', parts: [{ text: 'c' }] },
        ],
      },
      'one turn',
    ],
    [
      'a file that lies elsewhere',
      { contents: [{ text: 'x' }, { fileData: { fileUri: 'https://x/y', mimeType: 'image/png' } }] },
      'fileData',
    ],
  ])('refuses %s, with the reason', async (_, change, reason) => {
    const before = world.google.ledger.charges.length;
    const asked = { model: MODELS.gemini, contents: 'x', ...change } as never;
    const refusal = await refusalOf(geminiNext().models.generateContent(asked));
    expect(refusal).toMatchObject({ status: 422, message: expect.stringContaining(reason) });
    expect(world.google.ledger.charges.length).toBe(before);
  });

  it('has limits of size and no other methods', async () => {
    const ask = (path: string, body: string) =>
      fetch(`${world.root('gemini')}/${path}`, {
        method: 'POST',
        body,
        headers: { 'x-goog-api-key': key, 'content-type': 'application/json' },
      });
    const model = `v1beta/models/${MODELS.gemini}`;
    const large = {
      contents: [{ parts: [{ text: 'x' }, { inlineData: { data: 'A'.repeat(21 * 1024 * 1024) } }] }],
    };
    const answer = await ask(`${model}:generateContent`, JSON.stringify(large));
    expect([answer.status, await answer.json()]).toMatchObject([413, { error: { code: 413 } }]);
    const words = { contents: [{ parts: [{ text: 'x' }, { inlineData: { data: 'no base64!' } }] }] };
    expect((await ask(`${model}:generateContent`, JSON.stringify(words))).status).toBe(400);
    for (const [path, status] of [
      [`${model}:predict`, 422],
      [`${model}:batchGenerateContent`, 422],
      [`${model}:generateContent%2F..`, 422],
      [`v1beta/models/..%2F${MODELS.gemini}:generateContent`, 422],
      ['v1/interactions', 422],
      [`v2/models/${MODELS.gemini}:generateContent`, 404],
      ['upload/v1beta/files', 404],
      ['v1beta/cachedContents', 404],
    ] as const)
      expect([
        path,
        (await ask(path, JSON.stringify({ contents: [{ parts: [{ text: 'x' }] }] }))).status,
      ]).toEqual([path, status]);
  });
});
