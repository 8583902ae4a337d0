import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createFalClient, type FalClient } from '@fal-ai/client';
import { beforeAll, expect, it, describe } from '@jest/globals';
import { addPerson, json } from '../../support/api.js';
import { openGateway } from '../../support/gateway-world.js';
import { JOB_MODELS, type JobWorld, UPLOAD_MAX_BYTES } from '../../support/job-world.js';
import { noisePicture } from '../../support/pictures.js';

/** Files as existing code gives them: by addresses elsewhere, in parts, and of every kind. */

let world: JobWorld;
let key: string;
let serial = 0;
const prompt = (): string => `a bottle of green tea, number ${++serial}`;

const client = (useCase?: string): FalClient =>
  createFalClient({
    credentials: key,
    proxyUrl: { url: `${world.root('fal', useCase)}/proxy`, when: 'always' },
    fetch: world.fetch,
  });

interface Refusal {
  status: number;
  message: string;
  body: { error_type: string };
}

async function refusalOf(
  asked: Promise<unknown>,
): Promise<{ status: number; code: string; message: string }> {
  return asked.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => {
      const { status, body, message } = error as Refusal;
      return { status, code: body.error_type, message };
    },
  );
}

const edit = (image_url: string, useCase?: string, more: Record<string, unknown> = {}) =>
  client(useCase).run(JOB_MODELS.fal, { input: { prompt: prompt(), image_url, ...more } }) as Promise<{
    data: { images: { url: string }[] };
    requestId: string;
  }>;

/** @param started the product, once it runs */
export function fileCases(started: () => JobWorld): void {
  beforeAll(async () => {
    world = started();
    ({ key } = await addPerson(world.app, ['creator'], { mode: 'test' }));
  });

  describe('a file that lies elsewhere', () => {
    it('is fetched once, received under the declared rights, and its address is sealed in the log', async () => {
      const bytes = await noisePicture();
      const url = world.host.file('/shop/bottle.png?token=SECRET', bytes);
      const { data } = await edit(url);
      const [, assetId = ''] = /(ast_[0-9a-f]+)\.png$/.exec(data.images[0]?.url ?? '') ?? [];
      const lineage = (await (await world.app.request(`/v1/assets/${assetId}/lineage`)).json()) as {
        items: { id: string; origin: string }[];
      };
      const upload = lineage.items.find(({ origin }) => origin === 'upload');
      expect(upload).toBeDefined();
      const rows = await world.inspector.query<{ entry: Buffer }>(
        `SELECT entry FROM (SELECT subject_id, entry_type, entry FROM audit_entry
           UNION ALL SELECT subject_id, entry_type, entry FROM audit_pending) e
          WHERE entry_type = 'asset.received' AND subject_id = $1`,
        [upload?.id],
      );
      const entry = rows[0]?.entry.toString() ?? '';
      expect(JSON.parse(entry)).toMatchObject({
        data: {
          fetched: true,
          sha256: createHash('sha256').update(bytes).digest('hex'),
          gatewaySettingsSha256: expect.any(String),
        },
        sealed: { sourceAddress: expect.any(String) },
      });
      expect(entry).not.toContain('SECRET');
      expect(world.host.asked.filter((path) => path.startsWith('/shop/bottle.png'))).toHaveLength(1);
    });

    it('is not fetched again for the same request', async () => {
      const url = world.host.file('/shop/once.png', await noisePicture());
      const body = JSON.stringify({ prompt: prompt(), image_url: url });
      const submit = async () => {
        const answer = await fetch(`${world.root('fal')}/queue/${JOB_MODELS.fal}`, {
          method: 'POST',
          body,
          headers: {
            authorization: `Key ${key}`,
            'content-type': 'application/json',
            'idempotency-key': `once ${serial}`,
          },
        });
        return ((await answer.json()) as { request_id: string }).request_id;
      };
      expect(await submit()).toBe(await submit());
      expect(world.host.asked.filter((path) => path === '/shop/once.png')).toHaveLength(1);
    });

    it('may lie behind redirects, each of which is judged', async () => {
      const { host } = world;
      host.redirect('/moved/1', host.file('/moved/2', await noisePicture()));
      expect((await edit(host.url('/moved/1'))).data.images).toHaveLength(1);
      host.redirect('/relative/1', '/moved/2');
      expect((await edit(host.url('/relative/1'))).data.images).toHaveLength(1);
      for (const location of [
        'http://169.254.169.254/latest/meta-data/',
        'https://127.0.0.1/a.png',
        'https://[::ffff:127.0.0.1]/a.png',
        'http://example.com/a.png',
        'file:///etc/passwd',
        'https://user:password@example.com/a.png',
        'https://',
      ]) {
        host.redirect('/moved/away', location);
        expect({ location, ...(await refusalOf(edit(host.url('/moved/away')))) }).toMatchObject({
          status: 422,
          code: 'url_blocked',
        });
      }
      host.redirect('/loop', '/loop');
      expect(await refusalOf(edit(host.url('/loop')))).toMatchObject({ status: 422, code: 'url_blocked' });
      expect(host.asked.filter((path) => path === '/loop')).toHaveLength(4);
    });

    it.each([
      'http://169.254.169.254/latest/meta-data/',
      'https://127.0.0.1/a.png',
      'https://localhost/a.png',
      'https://[::1]/a.png',
      'https://2130706433/a.png',
      'https://example.com:8443/a.png',
      'http://example.com/a.png',
    ])('is not fetched from %s', async (url) => {
      expect(await refusalOf(edit(url))).toMatchObject({ status: 422, code: 'url_blocked' });
    });

    it('is not fetched from the hosts that the operator opened for models', async () => {
      const refusal = await refusalOf(edit(`${world.fal.origin}/files/x`));
      expect(refusal).toMatchObject({ status: 422, code: 'url_blocked' });
    });

    it('that is not there, is too large or is no media is refused with a status that nobody repeats', async () => {
      const { host } = world;
      const before = await world.inspector.query('SELECT 1 FROM run');
      expect(await refusalOf(edit(host.url('/missing.png')))).toMatchObject({
        status: 422,
        code: 'input_unreachable',
        message: expect.stringContaining('404'),
      });
      const large = host.answer('/large.png', (response) =>
        response.writeHead(200, { 'content-length': String(UPLOAD_MAX_BYTES + 1) }).end('x'),
      );
      expect(await refusalOf(edit(large))).toMatchObject({ status: 422, code: 'input_unreachable' });
      const cut = host.answer('/cut.png', (response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('x');
        setImmediate(() => response.destroy());
      });
      expect(await refusalOf(edit(cut))).toMatchObject({ status: 422, code: 'input_unreachable' });
      const page = host.file('/page.png', Buffer.from('<!doctype html><p>Log in'), 'text/html');
      expect(await refusalOf(edit(page))).toMatchObject({ status: 415, code: 'unsupported_media' });
      expect(await world.inspector.query('SELECT 1 FROM run')).toHaveLength(before.length);
    });

    it('is not even asked for where no rights are declared', async () => {
      await world.newUseCase('none-declared');
      await openGateway(world.app, { inputRights: null }, 'none-declared');
      const url = world.host.file('/undeclared.png', await noisePicture());
      expect(await refusalOf(edit(url, 'none-declared'))).toMatchObject({
        status: 403,
        code: 'input_rights_undeclared',
      });
      expect(world.host.asked).not.toContain('/undeclared.png');
    });
  });

  describe('a file in parts', () => {
    const announce = async (): Promise<{ upload_url: string; file_url: string }> => {
      const path = 'rest/storage/upload/initiate-multipart?storage_type=fal-cdn-v3';
      const answer = await fetch(`${world.root('fal')}/${path}`, {
        ...json({ content_type: 'image/png', file_name: 'a.png' }),
        headers: { authorization: `Key ${key}`, 'content-type': 'application/json' },
      });
      if (!answer.ok) throw Object.assign(new Error('refused'), { status: answer.status });
      return (await answer.json()) as { upload_url: string; file_url: string };
    };
    const put = async (url: string, part: number | string, body: Uint8Array) => {
      const answer = await world.fetch(`${url}/${part}`, { method: 'PUT', body: new Uint8Array(body) });
      return { status: answer.status, ...((await answer.json()) as { partNumber: number; etag: string }) };
    };
    const complete = (url: string, parts: readonly unknown[]) =>
      world.fetch(`${url}/complete`, {
        method: 'POST',
        body: JSON.stringify({ parts }),
        headers: { 'content-type': 'application/json' },
      });

    it('becomes one asset, whatever the order of the parts, and once', async () => {
      const picture = await noisePicture();
      const { upload_url: to, file_url: from } = await announce();
      const half = Math.floor(picture.length / 2);
      const two = await put(to, 2, picture.subarray(half));
      await put(to, 1, Buffer.from('sent wrongly at first'));
      const one = await put(to, 1, picture.subarray(0, half));
      expect([one.status, two.status]).toEqual([200, 200]);
      const parts = [one, two].map(({ partNumber, etag }) => ({ partNumber, etag }));
      expect((await complete(to, parts)).status).toBe(200);
      expect((await complete(to, parts)).status).toBe(200);
      expect((await put(to, 1, picture)).status).toBe(409);
      expect((await world.fetch(from)).status).toBe(200);
      expect((await edit(from)).data.images).toHaveLength(1);
    });

    it('is refused where parts are missing, exchanged, too many or too large', async () => {
      const picture = await noisePicture();
      const { upload_url: to, file_url: from } = await announce();
      const one = await put(to, 1, picture);
      const named = { partNumber: 1, etag: one.etag };
      for (const parts of [
        [],
        [{ partNumber: 2, etag: one.etag }],
        [named, { partNumber: 2, etag: one.etag }],
        [{ partNumber: 1, etag: 'f'.repeat(64) }],
        [named, named],
        [{ partNumber: 0, etag: one.etag }],
        ['x'],
      ])
        expect({ parts, status: (await complete(to, parts)).status }).toEqual({ parts, status: 422 });
      for (const part of ['0', '-1', '1.5', 'x', '99999', '100000'])
        expect([404, 413]).toContain((await put(to, part, picture)).status);
      expect((await put(to, 4, picture)).status).toBe(413);
      expect((await put(to, 2, Buffer.alloc(10 * 1024 * 1024 + 1))).status).toBe(413);
      // The address for parts takes no whole file, and the one to read takes neither.
      expect((await world.fetch(to, { method: 'PUT', body: new Uint8Array(picture) })).status).toBe(404);
      expect((await put(from, 1, picture)).status).toBe(404);
      expect((await world.fetch(from)).status).toBe(404);
      expect((await complete(to, [named])).status).toBe(200);
    });

    it('counts for its key until it is whole', async () => {
      ({ key } = await addPerson(world.app, ['creator'], { mode: 'test' }));
      for (let open = 0; open < 10; open++) await announce();
      await expect(announce()).rejects.toMatchObject({ status: 409 });
    });
  });

  it('a film is an input of its own kind', async () => {
    const film = await readFile(new URL('../../vectors/media/clip.mp4', import.meta.url));
    const url = await client().storage.upload(new Blob([new Uint8Array(film)], { type: 'video/mp4' }));
    const refusal = await refusalOf(edit(url));
    expect(refusal).toMatchObject({ status: 422, code: 'invalid_request' });
    const { data } = (await client().run(JOB_MODELS.falVideo, {
      input: { prompt: prompt(), video_url: url, voice_setting: { voice_id: 'calm', speed: 1.2 } },
    })) as { data: { video: { url: string; content_type: string } } };
    expect(data.video.content_type).toBe('video/mp4');
    const [, assetId = ''] = /(ast_[0-9a-f]+)\.mp4$/.exec(data.video.url) ?? [];
    const lineage = await (await world.app.request(`/v1/assets/${assetId}/lineage`)).text();
    expect(lineage).toContain('"relationship":"inputTo"');
  });

  it('answers in the member that the model answers in', async () => {
    const url = world.host.file('/shop/cut.png', await noisePicture());
    const { data } = (await client().run(JOB_MODELS.falCutOut, { input: { image_url: url } })) as {
      data: unknown;
    };
    // `fal-ai/birefnet` answers with one picture in `image`, although it was asked for an edit here.
    expect(data).toEqual({ image: expect.objectContaining({ content_type: 'image/png' }) });
  });
}
