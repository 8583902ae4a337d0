import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import sharp from 'sharp';
import { parseVkey, ed25519Verifier } from '../../src/audit/core/note-key.js';
import { verifyEntry } from '../../src/audit/verify/verify-entry.js';
import { recover } from '../../src/cli/recover.js';
import {
  createDevelopmentOrganization,
  type Instance,
} from '../../src/identity/application/create-development-organization.js';
import { parsePrinted, printUnit } from '../../src/recovery/domain/iscc/iscc-unit.js';
import { imageUnit } from '../../src/recovery/domain/iscc/image-code.js';
import { pictureFingerprint } from '../support/picture-fingerprint.js';
import { valueOfImageCode } from '../../src/recovery/domain/soft-binding-value.js';
import { addPerson, formWith, json, OWN_RIGHTS, postForm } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { pngThatClaims, scenePicture } from '../support/pictures.js';
import { SbrContract } from '../support/sbr-contract.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** Recovery of stripped manifests, as a stranger, the owner and another organization see it: over HTTP alone. */

const MAX_BYTES = 400_000;
const contract = new SbrContract();

interface Asset {
  readonly id: string;
  readonly manifestLabel: string;
  readonly manifestSha256: string;
}
interface Match {
  readonly manifestId: string;
  readonly similarityScore: number;
}

let app: TestApplication;
let inspector: Inspector;
let other: Instance;
let reviewerKey: string;
let released: Asset;
let held: Asset;
let releasedPicture: Buffer;
let heldPicture: Buffer;

beforeAll(async () => {
  app = await startTestApplication({ COLOPHON_UPLOAD_MAX_BYTES: String(MAX_BYTES) });
  inspector = await Inspector.open(app.database);
  other = { url: app.url, ...(await createDevelopmentOrganization(app.services, 'other.example')) };
  reviewerKey = (await addPerson(app, ['reviewer', 'asset_manager'])).key;
  [releasedPicture, heldPicture] = await Promise.all([scenePicture(1), scenePicture(2)]);
  released = await upload(releasedPicture);
  held = await upload(heldPicture);
  await release(released.id);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

async function upload(picture: Buffer, key?: string): Promise<Asset> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  const form = postForm(formWith(picture, 'a.png', { declaration }));
  const response = await app.request('/v1/assets', { ...form, ...(key === undefined ? {} : { key }) });
  expect(response.status).toBe(201);
  return (await response.json()) as Asset;
}

async function release(id: string): Promise<void> {
  const review = json({ decision: 'approve', comment: 'good' });
  expect((await app.request(`/v1/assets/${id}/reviews`, { ...review, key: reviewerKey })).status).toBe(201);
  expect((await app.request(`/v1/assets/${id}/release`, { ...json({}), key: reviewerKey })).status).toBe(200);
}

const anywhere = { key: null } as const;
/** What comes back from a platform: half the size, another format, no manifest. */
const stripped = (picture: Buffer): Promise<Buffer> =>
  sharp(picture).resize({ width: 160 }).jpeg({ quality: 70 }).toBuffer();
const codeOf = async (picture: Buffer): Promise<Uint8Array> => (await pictureFingerprint(picture)).trimmed;

function byContent(picture: Buffer, key: string | null = null, query = ''): Promise<Response> {
  return app.request(`/sbr/matches/byContent${query}`, {
    method: 'POST',
    body: new Uint8Array(picture),
    headers: { 'content-type': 'image/jpeg' },
    key,
  });
}

async function matches(response: Response, path = '/matches/byContent', method = 'post'): Promise<Match[]> {
  const body = (await response.json()) as { matches: Match[] };
  expect([response.status, body]).toEqual([200, { matches: expect.any(Array) }]);
  for (const version of ['2.2', '2.4'] as const)
    expect(contract.faultsOf(version, method, path, 200, body)).toEqual([]);
  return body.matches;
}

/** A refusal in the form of this API, readable for a page of any origin. */
async function refusal(
  asked: Promise<Response>,
  status: number,
  path: string,
  method: string,
): Promise<string> {
  const response = await asked;
  const body = (await response.json()) as { error: string };
  expect([response.status, body]).toEqual([status, expect.objectContaining({ error: expect.any(String) })]);
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(contract.faultsOf('2.4', method, path, status, body)).toEqual([]);
  return body.error;
}

describe('discovery', () => {
  it.each([
    ['/.well-known/c2pa-soft-binding-resolution', '/.well-known/c2pa-soft-binding-resolution'],
    ['/sbr/services/capabilities', '/services/capabilities'],
    ['/sbr/services/status', '/services/status'],
    ['/sbr/services/supportedAlgorithms', '/services/supportedAlgorithms'],
  ])('%s is as the contract says', async (address, path) => {
    const response = await app.request(address, anywhere);
    const body: unknown = await response.json();
    expect(response.status).toBe(200);
    expect(contract.faultsOf('2.4', 'get', path, 200, body)).toEqual([]);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });

  it('leads to the API and names only what is there', async () => {
    const found = (await (
      await app.request('/.well-known/c2pa-soft-binding-resolution', anywhere)
    ).json()) as {
      apiEndpoint: string;
      capabilitiesEndpoint: string;
    };
    expect(found.apiEndpoint).toBe(`${app.url}/sbr`);
    expect(await (await fetch(found.capabilitiesEndpoint)).json()).toEqual({
      c2paSpecificationVersion: '2.4.0',
      supportedCapabilities: ['queryByContent'],
    });
  });

  it('lets pages of any origin ask, without a key', async () => {
    const response = await app.request('/sbr/matches/byContent', { method: 'OPTIONS', ...anywhere });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe('content-type');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(
      (await app.request('/v1/assets', { method: 'OPTIONS', ...anywhere })).headers.get(
        'access-control-allow-origin',
      ),
    ).toBeNull();
  });
});

describe('a stripped copy', () => {
  it('leads a stranger to the manifest of a released asset, byte for byte', async () => {
    const [match] = await matches(await byContent(await stripped(releasedPicture)));
    expect(match?.manifestId).toBe(released.manifestLabel);
    expect(match?.similarityScore).toBeGreaterThanOrEqual(90);
    const response = await app.request(`/sbr/manifests/${released.manifestLabel}`, anywhere);
    expect(response.headers.get('content-type')).toBe('application/c2pa');
    const store = Buffer.from(await response.arrayBuffer());
    expect(createHash('sha256').update(store).digest('hex')).toBe(released.manifestSha256);
    const active = await app.request(
      `/sbr/manifests/${released.manifestLabel}?returnActiveManifest=true`,
      anywhere,
    );
    const alone = Buffer.from(await active.arrayBuffer());
    expect(alone.readUInt32BE(0)).toBe(alone.length);
    expect(alone.toString('latin1', 4, 8)).toBe('jumb');
    expect(alone.includes(released.manifestLabel)).toBe(true);
    expect(store.includes(alone.subarray(alone.indexOf(released.manifestLabel)))).toBe(true);
  });

  it('says nothing to strangers and to other organizations of what was not released', async () => {
    for (const key of [null, other.keys.live]) {
      expect(await matches(await byContent(await stripped(heldPicture), key))).toEqual([]);
      for (const path of ['', '/receipts'])
        await refusal(
          app.request(`/sbr/manifests/${held.manifestLabel}${path}`, { key }),
          404,
          `/manifests/{manifestId}${path}`,
          'get',
        );
    }
  });

  it('leads the owner to it, and the reading is in the log', async () => {
    const [match] = await matches(await byContent(await stripped(heldPicture), app.instance.keys.live));
    expect(match?.manifestId).toBe(held.manifestLabel);
    const readings = () =>
      inspector.query(`SELECT 1 FROM audit_entry WHERE entry_type = 'asset.read' AND subject_id = $1`, [
        held.id,
      ]);
    const before = (await readings()).length;
    const response = await app.request(`/sbr/manifests/${held.manifestLabel}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect((await readings()).length).toBe(before + 1);
  });

  it('made with a test key is found by its owner alone', async () => {
    const picture = await scenePicture(3);
    const asset = await upload(picture, app.instance.keys.test);
    expect(await matches(await byContent(await stripped(picture)))).toEqual([]);
    const own = await matches(await byContent(await stripped(picture), app.instance.keys.test));
    expect(own.map(({ manifestId }) => manifestId)).toEqual([asset.manifestLabel]);
  });

  it('of an even area is like nothing', async () => {
    const blank = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    await upload(blank);
    expect(await matches(await byContent(blank, app.instance.keys.live))).toEqual([]);
  });

  it('is refused with a key that is none', async () => {
    const response = await byContent(releasedPicture, 'clp_live_nonsense');
    expect(response.status).toBe(401);
  });
});

describe('a soft binding value', () => {
  it.each([
    ['base64 of the unit', (code: Uint8Array) => valueOfImageCode(code)],
    ['base64 of the unit without padding', (code: Uint8Array) => valueOfImageCode(code).replace(/=+$/, '')],
    ['the printed form', (code: Uint8Array) => printUnit(imageUnit(code))],
    [
      'base64 of the printed form',
      (code: Uint8Array) => Buffer.from(printUnit(imageUnit(code))).toString('base64'),
    ],
  ])('is found as %s', async (_form, write) => {
    const value = write(await codeOf(releasedPicture));
    const address = `/sbr/matches/byBinding?alg=io.iscc.v0&value=${encodeURIComponent(value)}`;
    const found = await matches(await app.request(address, anywhere), '/matches/byBinding', 'get');
    expect(found).toEqual([{ manifestId: released.manifestLabel, similarityScore: 100 }]);
    const posted = json({ alg: 'io.iscc.v0', value });
    const same = await matches(
      await app.request('/sbr/matches/byBinding?maxResults=1', { ...posted, ...anywhere }),
      '/matches/byBinding',
      'post',
    );
    expect(same).toEqual(found);
  });

  it('without a unit for pictures finds nothing', async () => {
    const [text] = parsePrinted('ISCC:EADSKDNZNYGUUF5AMFEJLZ5P66CP5YKCOA3X7F36RWE4CIRCBTUWXYY');
    const value = printUnit(text as NonNullable<typeof text>);
    const response = await app.request('/sbr/matches/byBinding', {
      ...json({ alg: 'io.iscc.v0', value }),
      ...anywhere,
    });
    expect(await matches(response, '/matches/byBinding')).toEqual([]);
  });
});

describe('a receipt', () => {
  interface Receipt {
    '@type': string;
    repository: { manifestId: string };
    anchor: { proof: { value: string }; parameters: { entry: string; origin: string } };
    verified: boolean;
  }
  const path = () => `/sbr/manifests/${released.manifestLabel}/receipts`;
  const receiptOf = async (): Promise<Receipt> =>
    (await (await app.request(path(), anywhere)).json()) as Receipt;
  const check = async (receipt: unknown): Promise<{ verified: boolean; error?: string }> => {
    const response = await app.request(path(), { ...json(receipt), ...anywhere });
    expect(response.status).toBe(200);
    const body = (await response.json()) as { verified: boolean; error?: string };
    expect(contract.faultsOf('2.4', 'post', '/manifests/{manifestId}/receipts', 200, body)).toEqual([]);
    return body;
  };

  it('proves to a stranger, offline, that the log holds the manifest', async () => {
    const receipt = await receiptOf();
    expect(contract.faultsOf('2.4', 'get', '/manifests/{manifestId}/receipts', 200, receipt)).toEqual([]);
    const log = ed25519Verifier(parseVkey(app.instance.log.vkey));
    const { proof, parameters } = receipt.anchor;
    const evidence = {
      entry: Buffer.from(parameters.entry, 'base64'),
      proof: Buffer.from(proof.value, 'base64'),
    };
    const verified = verifyEntry(evidence, { origin: app.instance.log.origin, log });
    expect(verified.ok).toBe(true);
    expect(verified.entry).toMatchObject({
      type: 'asset.signed',
      data: { manifestLabel: released.manifestLabel, manifestSha256: released.manifestSha256 },
    });
    expect((await check(receipt)).verified).toBe(true);
  });

  it('that was changed does not hold', async () => {
    const receipt = await receiptOf();
    const { anchor } = receipt;
    const entry = Buffer.from(anchor.parameters.entry, 'base64');
    entry[entry.length - 20] = 48;
    for (const changed of [
      { ...receipt, repository: { ...receipt.repository, manifestId: held.manifestLabel } },
      {
        ...receipt,
        anchor: { ...anchor, parameters: { ...anchor.parameters, entry: entry.toString('base64') } },
      },
      { ...receipt, anchor: { ...anchor, proof: { ...anchor.proof, value: 'AAAA' } } },
      { ...receipt, anchor: { ...anchor, proof: { ...anchor.proof, alg: 'HMAC-SHA256' } } },
    ])
      expect(await check(changed)).toMatchObject({ verified: false, error: expect.any(String) });
  });

  it('that is none is refused', async () => {
    const asked = app.request(path(), { ...json({ '@type': 'x' }), ...anywhere });
    await refusal(asked, 400, '/manifests/{manifestId}/receipts', 'post');
  });
});

describe('a project that does not publish its manifests', () => {
  const setting = () => `/v1/projects/${app.instance.projectId}/manifest-publication`;
  const set = async (publishManifests: boolean, key?: string): Promise<number> => {
    const init = { ...json({ publishManifests }), method: 'PUT', ...(key === undefined ? {} : { key }) };
    return (await app.request(setting(), init)).status;
  };

  it('is found no more, until it says otherwise', async () => {
    expect(await (await app.request(setting())).json()).toMatchObject({ publishManifests: true });
    expect(await set(false)).toBe(200);
    expect(await matches(await byContent(releasedPicture))).toEqual([]);
    expect((await app.request(`/sbr/manifests/${released.manifestLabel}`, anywhere)).status).toBe(404);
    expect(await matches(await byContent(releasedPicture, app.instance.keys.live))).toHaveLength(1);
    expect(await set(true)).toBe(200);
    expect(await matches(await byContent(releasedPicture))).toHaveLength(1);
  });

  it('decides that itself, and not with a test key', async () => {
    expect(await set(false, other.keys.live)).toBe(404);
    expect(await set(false, app.instance.keys.test)).toBe(403);
    expect(await set(false, (await addPerson(app, ['creator'])).key)).toBe(403);
  });
});

describe('what is refused', () => {
  const bind = (query: string) => app.request(`/sbr/matches/byBinding?${query}`, anywhere);

  it.each([
    ['no value', 'alg=io.iscc.v0'],
    ['another algorithm', 'alg=com.adobe.trustmark.P&value=AAAA'],
    ['no base64', 'alg=io.iscc.v0&value=%3C%3E'],
    ['no unit', 'alg=io.iscc.v0&value=KAABAAAAAA%3D%3D'],
    ['no number', 'alg=io.iscc.v0&value=AAAA&maxResults=none'],
    ['no result', 'alg=io.iscc.v0&value=AAAA&maxResults=0'],
  ])('400: %s', async (_what, query) => {
    await refusal(bind(query), 400, '/matches/byBinding', 'get');
  });

  it('404: a manifest that nobody knows', async () => {
    await refusal(
      app.request('/sbr/manifests/urn:c2pa:nobody', anywhere),
      404,
      '/manifests/{manifestId}',
      'get',
    );
  });

  it('413: a file that is too large, also when its length is not told', async () => {
    const large = new Uint8Array(MAX_BYTES + 1);
    await refusal(byContent(Buffer.from(large)), 413, '/matches/byContent', 'post');
    // More than that is to come when the answer is given.
    const stream = new ReadableStream({ start: (controller) => controller.enqueue(large) });
    const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'content-type': 'image/png' } };
    await refusal(
      app.request('/sbr/matches/byContent', { ...init, ...anywhere } as RequestInit),
      413,
      '/matches/byContent',
      'post',
    );
  });

  it.each([
    ['a file', '/sbr/matches/byContent', 'image/png', MAX_BYTES * 3],
    ['JSON', '/sbr/matches/byReference', 'application/json', 3 * 1024 * 1024],
  ])('413 reaches whoever is still sending: %s', async (_what, path, type, sizeBytes) => {
    for (let i = 0; i < 20; i++) {
      const body = new Blob([new Uint8Array(sizeBytes)]);
      const init = { method: 'POST', headers: { 'content-type': type }, ...anywhere };
      const sent = i % 2 === 0 ? { body } : { body: body.stream(), duplex: 'half' };
      const response = await app.request(path, { ...init, ...sent } as RequestInit);
      expect([i, response.status]).toEqual([i, 413]);
      await response.arrayBuffer();
    }
  });

  it('414: a value that belongs into a body', async () => {
    await refusal(bind(`alg=io.iscc.v0&value=${'A'.repeat(4000)}`), 414, '/matches/byBinding', 'get');
  });

  it.each([
    ['a film', 'video/mp4', 'ftypisom'],
    ['a text', 'text/plain', 'hello'],
    ['JSON', 'application/json', '{}'],
  ])('415: %s', async (_what, type, body) => {
    const init = { method: 'POST', body, headers: { 'content-type': type }, ...anywhere };
    await refusal(app.request('/sbr/matches/byContent', init), 415, '/matches/byContent', 'post');
  });

  it('a bomb and half of a picture, which are decoded elsewhere, while others are served', async () => {
    const picture = await scenePicture(3);
    for (const bad of [pngThatClaims(30_000, 30_000), picture.subarray(0, picture.length / 2)]) {
      const [refused, served] = await Promise.all([byContent(bad), byContent(await stripped(picture))]);
      expect([415, 422]).toContain(refused.status);
      expect(served.status).toBe(200);
      const form = { ...postForm(formWith(bad, 'a.png', {})), key: null };
      const verified = (await (await app.request('/v1/verify', form)).json()) as {
        similar?: { text: string };
      };
      expect(verified.similar?.text ?? 'refused').toMatch(/could not be compared|refused/);
    }
  });

  it('a file on a route that takes JSON stays refused', async () => {
    const init = { method: 'POST', body: 'x', headers: { 'content-type': 'image/png' } };
    expect((await app.request('/v1/clearances', init)).status).toBe(415);
  });

  it('a reference, unless the operator allows it', async () => {
    const body = json({ referenceUrl: 'https://example.org/a.png', assetLength: 10 });
    expect((await app.request('/sbr/matches/byReference', { ...body, ...anywhere })).status).toBe(404);
  });

  it('a reference into the own network, also to a host that is open for the operator', async () => {
    const inside = createServer().listen(0, '127.0.0.1');
    let connections = 0;
    inside.on('connection', () => (connections += 1));
    await once(inside, 'listening');
    const host = `127.0.0.1:${(inside.address() as AddressInfo).port}`;
    const fetching = await startTestApplication({
      COLOPHON_SBR_BY_REFERENCE: 'on',
      COLOPHON_OUTBOUND_ALLOWED_HOSTS: host,
    });
    try {
      const body = json({ referenceUrl: `https://${host}/v1/secret`, assetLength: 10 });
      const answer = await fetching.request('/sbr/matches/byReference', { ...body, ...anywhere });
      expect([answer.status, connections]).toEqual([400, 0]);
    } finally {
      await fetching.close();
      inside.close();
    }
  });

  it('what clients of other services may store', async () => {
    const post = (path: string) => app.request(path, { ...json({}), ...anywhere });
    expect((await post('/sbr/manifests')).status).toBe(404);
    expect((await post('/sbr/bindings')).status).toBe(404);
    const remove = { method: 'DELETE', ...anywhere };
    expect((await app.request(`/sbr/manifests/${released.manifestLabel}`, remove)).status).toBe(405);
  });
});

describe('colophon recover', () => {
  async function run(picture: Buffer, ...more: string[]): Promise<{ code: number; out: string }> {
    const file = join(folder, 'stripped.jpg');
    writeFileSync(file, picture);
    const lines: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    try {
      return { code: await recover([file, '--url', app.url, ...more], {}), out: lines.join('\n') };
    } finally {
      log.mockRestore();
    }
  }
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'colophon-recover-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints what is similar and saves its manifest store, never over a file', async () => {
    const saved = join(folder, 'manifest.c2pa');
    const copy = await stripped(releasedPicture);
    const { code, out } = await run(copy, '--save', saved);
    expect(code).toBe(0);
    expect(out).toContain(released.manifestLabel);
    expect(out).toContain('Similar is not the same');
    expect(createHash('sha256').update(readFileSync(saved)).digest('hex')).toBe(released.manifestSha256);
    const errors = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    expect((await run(copy, '--save', saved)).code).toBe(2);
    errors.mockRestore();
  });

  it('says that nothing was found', async () => {
    expect(await run(await scenePicture(99), '--json')).toEqual({
      code: 1,
      out: JSON.stringify({ matches: [], saved: null }, null, 2),
    });
  });
});

describe('the verification of a file without a manifest', () => {
  const verify = async (picture: Buffer, key: string | null) => {
    const response = await app.request('/v1/verify', { ...postForm(formWith(picture, 'a.jpg', {})), key });
    expect(response.status).toBe(200);
    return (
      (await response.json()) as {
        similar: { text: string; items: { manifestId: string; assetId: string; isOwn: boolean }[] };
      }
    ).similar;
  };

  it('says that similar is not the same, and what is public', async () => {
    const { text, items } = await verify(await stripped(releasedPicture), null);
    expect(text).toContain('Similar is not the same');
    expect(items).toMatchObject([{ manifestId: released.manifestLabel, assetId: released.id, isOwn: false }]);
  });

  it('shows what is not public to its owner alone', async () => {
    const copy = await stripped(heldPicture);
    expect((await verify(copy, null)).items).toEqual([]);
    expect((await verify(copy, other.keys.live)).items).toEqual([]);
    expect((await verify(copy, app.instance.keys.live)).items).toMatchObject([
      { assetId: held.id, isOwn: true },
    ]);
  });
});
