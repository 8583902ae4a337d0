import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { xmpPacket } from '../../src/provenance/testing/reserved-pictures.js';
import { parsePublicId } from '../../src/shared/ids.js';
import {
  addPerson,
  formWith,
  HARMLESS_FACTS,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  RETOUCH,
  runToEnd,
} from '../support/api.js';
import { ContributorKey } from '../support/contributor-key.js';
import { pngWithText } from '../../src/provenance/testing/reserved-pictures.js';
import { noisePicture, withManifestOf } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** What files say of themselves, and what of them is on record, against what people say of them. */

interface Person {
  readonly key: string;
  readonly principalId: string;
}
interface AssetAnswer {
  readonly id: string;
  readonly sha256: string;
  readonly originalSha256: string;
  readonly digitalSourceType: string | null;
  readonly parents: readonly { readonly assetId: string }[];
}
interface Made {
  readonly id: string;
  readonly asset: AssetAnswer;
}
interface Authorship {
  readonly claimed: readonly unknown[];
  readonly uncertain: readonly unknown[];
  readonly notClaimed: readonly { readonly reason: string }[];
  readonly registration: { readonly noteToOffice: string; readonly materialExcluded: string | null };
}

const PAINTED = { ...RETOUCH, actionType: 'MANUAL_PAINT', basis: 'human_material' };
const MODEL_MADE = xmpPacket(
  '',
  'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:AISystemUsed="Some Model 7" ' +
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"',
);

let app: TestApplication;
let zed: Person;
let eve: Person;
let organizationId: string;
let source: AssetAnswer;
let content: Buffer;

const ask = (who: Person, path: string, init: RequestInit = {}) =>
  app.request(path, { ...init, key: who.key });
async function answer<T>(asked: Promise<Response>, status = 200): Promise<T> {
  const response = await asked;
  const body = await response.text();
  expect([response.status, body]).toEqual([status, body]);
  return JSON.parse(body) as T;
}
const assetOf = (id: string) => answer<AssetAnswer>(ask(zed, `/v1/assets/${id}`));
const contentOf = async (id: string) =>
  Buffer.from(await (await ask(zed, `/v1/assets/${id}/content`)).arrayBuffer());
const authorshipOf = (id: string) => answer<Authorship>(ask(zed, `/v1/assets/${id}/authorship`));
const contribute = (who: Person, file: Uint8Array, contribution: object = RETOUCH, parentId = source.id) =>
  ask(who, `/v1/assets/${parentId}/contributions`, postForm(formWith(file, 'e.png', { contribution })));
const upload = (who: Person, file: Uint8Array) => {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  return ask(who, '/v1/assets', postForm(formWith(file, 'u.png', { declaration })));
};
const capturedBytes = ({ originalSha256: hash }: AssetAnswer) =>
  readFile(join(app.home, 'assets', organizationId, hash.slice(0, 2), hash));
const lastOf = async (who: Person) => {
  const facts = { ...HARMLESS_FACTS, audienceCountries: ['US', 'DE', 'CN'] };
  const run = await runToEnd(app, productShot(app, { facts }), who.key);
  return assetOf(run.steps.at(-1)?.assetId ?? '');
};
const painted = (picture: Uint8Array, color: string, left = 20) =>
  sharp(picture)
    .composite([
      { input: { create: { width: 60, height: 60, channels: 3, background: color } }, left, top: 20 },
    ])
    .png()
    .toBuffer();

beforeAll(async () => {
  app = await startTestApplication();
  zed = await addPerson(app, ['creator', 'reviewer']);
  eve = await addPerson(app, ['creator']);
  const me = await answer<{ organizationId: string }>(ask(zed, '/v1/me'));
  organizationId = parsePublicId('organization', me.organizationId) ?? '';
  source = await lastOf(zed);
  content = await contentOf(source.id);
});
afterAll(() => app.close());

describe('a file that says that a model made it', () => {
  it('is signed as such, and is nobody’s painting', async () => {
    const file = pngWithText(await noisePicture(256), Buffer.from(MODEL_MADE));
    const { asset } = await answer<Made>(contribute(zed, file, PAINTED), 201);
    expect(asset.digitalSourceType).toMatch(/\/compositeWithTrainedAlgorithmicMedia$/);
    const signed = (await contentOf(asset.id)).toString('latin1');
    expect(signed).not.toContain('digitalsourcetype/humanEdits');
    expect(signed).toContain('digitalsourcetype/compositeWithTrainedAlgorithmicMedia');
    const { claimed, notClaimed, registration } = await authorshipOf(asset.id);
    expect(claimed).toEqual([]);
    expect(notClaimed).toMatchObject([{ reason: expect.stringContaining('generative model made it') }]);
    expect(registration.noteToOffice).not.toContain('No file in the chain');
    const { items } = await answer<{ items: { key: string; applies: string }[] }>(
      ask(zed, `/v1/assets/${asset.id}/obligations`),
    );
    expect(items.find(({ key }) => key === 'law:cn-publisher-declaration')?.applies).toBe('yes');
  });

  it('is so as an upload, and in what a person makes of it', async () => {
    const file = pngWithText(await noisePicture(256), Buffer.from(MODEL_MADE));
    const received = await answer<AssetAnswer>(upload(zed, file), 201);
    expect(received.digitalSourceType).toMatch(/\/trainedAlgorithmicMedia$/);
    expect(await authorshipOf(received.id)).toMatchObject({
      registration: { materialExcluded: expect.stringContaining('generated by artificial intelligence') },
    });
    // An editor keeps what stands in the file: that is no word on what the person did.
    const kept = pngWithText(await painted(await contentOf(received.id), '#20d020'), Buffer.from(MODEL_MADE));
    const { asset } = await answer<Made>(contribute(zed, kept, PAINTED, received.id), 201);
    expect(asset.digitalSourceType).toMatch(/\/humanEdits$/);
    expect((await contentOf(asset.id)).toString('latin1')).toContain(
      'digitalsourcetype/compositeWithTrainedAlgorithmicMedia',
    );
    expect((await authorshipOf(asset.id)).claimed).toHaveLength(1);
  });
});

describe('a file that is on record', () => {
  it('is not recorded as the work of a second person', async () => {
    const file = await painted(content, '#d02020');
    const { asset } = await answer<Made>(contribute(zed, file), 201);
    await expectProblem(await contribute(eve, file), 'conflict');
    const [one, two] = await Promise.all(
      [zed, eve].map(async (who) => contribute(who, await painted(content, '#d02090'))),
    );
    expect([one?.status, two?.status].sort()).toEqual([201, 409]);
    expect(asset.originalSha256).toBe(createHash('sha256').update(file).digest('hex'));
  });

  it('is no painting where a step captured it, and as an upload a version of that', async () => {
    const other = await lastOf(zed);
    const captured = await capturedBytes(other);
    await expectProblem(await contribute(eve, captured, PAINTED), 'conflict');
    const received = await answer<AssetAnswer>(upload(eve, captured), 201);
    const { parents } = await assetOf(received.id);
    // The same picture was made before: whoever made it stands behind it as well.
    expect(parents.map(({ assetId }) => assetId)).toEqual(expect.arrayContaining([source.id, other.id]));
    const approval = json({ decision: 'approve', comment: 'seen', confirmed: [] });
    await expectProblem(await ask(zed, `/v1/assets/${received.id}/reviews`, approval), 'four_eyes_required');
  });

  it('is known by the manifest in it when its bytes were changed', async () => {
    const other = await contentOf((await lastOf(zed)).id);
    const changed = withManifestOf(other, await noisePicture(256));
    await expectProblem(await contribute(eve, changed, PAINTED), 'conflict');
    expect((await assetOf((await answer<AssetAnswer>(upload(eve, changed), 201)).id)).parents).toHaveLength(
      1,
    );
    const own = withManifestOf(content, await painted(content, '#10b0b0'));
    await answer(contribute(eve, own), 201);
  });
});

describe('work that leaves no trace', () => {
  it('is not claimed: painted, and painted over', async () => {
    const first = await answer<Made>(contribute(zed, await painted(content, '#e0e000')), 201);
    expect((await authorshipOf(first.asset.id)).claimed).toHaveLength(1);
    const back = await sharp(content).png({ compressionLevel: 9 }).toBuffer();
    const undone = await answer<Made>(contribute(zed, back, RETOUCH, first.asset.id), 201);
    const { claimed, notClaimed } = await authorshipOf(undone.asset.id);
    expect(claimed).toEqual([]);
    expect(notClaimed).toHaveLength(2);
    const again = await painted(content, '#1010f0', 140);
    const redone = await answer<Made>(contribute(zed, again, RETOUCH, undone.asset.id), 201);
    expect(await authorshipOf(redone.asset.id)).toMatchObject({
      claimed: [{ contributionId: redone.id }],
      notClaimed: [{}, {}],
    });
  });

  it('is uncertain: a single pixel, and a mirrored picture', async () => {
    const { data, info } = await sharp(content).raw().toBuffer({ resolveWithObject: true });
    // The background is transparent: color under it is not seen.
    const at = info.channels * (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2));
    data[at + 3] = 255;
    data[at] = ((data[at] ?? 0) + 128) % 256;
    const { width, height, channels } = info;
    const pixel = await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
    for (const file of [pixel, await sharp(content).flop().png().toBuffer()]) {
      const { asset } = await answer<Made>(contribute(zed, file, PAINTED), 201);
      expect(await authorshipOf(asset.id)).toMatchObject({ claimed: [], uncertain: [{}] });
    }
  });
});

describe('a signature', () => {
  it('stands for one record', async () => {
    const me = await answer<{ organizationId: string; principalId: string }>(ask(zed, '/v1/me'));
    const signing = new ContributorKey();
    const registered = ask(zed, '/v1/signature-keys', json(await signing.registration(me)));
    const { id: keyId } = await answer<{ id: string }>(registered, 201);
    const engagement = {
      ...{
        status: 'employee',
        assignment: 'work_made_for_hire',
        employer: 'Acme',
        document: null,
        country: 'US',
      },
    };
    const file = await painted(content, '#707000');
    const signedAt = new Date().toISOString();
    const jws = signing.sign({
      ...{
        v: 1,
        type: 'colophon.contribution',
        organizationId: me.organizationId,
        contributorId: me.principalId,
      },
      ...{
        parentAssetId: source.id,
        beforeSha256: source.sha256,
        shown: [],
        signedAt,
        engagement,
        ...RETOUCH,
      },
      afterSha256: createHash('sha256').update(file).digest('hex'),
    });
    const said = { ...RETOUCH, engagement, signature: { keyId, jws, signedAt } };
    await answer(contribute(zed, file, said), 201);
    await expectProblem(await contribute(zed, file, said), 'conflict');
  });
});
