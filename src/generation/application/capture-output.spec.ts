import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { FileAssetStore } from '../../assets/adapters/file-asset-store.js';
import { SharpMediaProbe } from '../../assets/adapters/sharp-media-probe.js';
import { StoredMedia } from '../../assets/application/stored-media.js';
import { mediaVector } from '../../provenance/testing/media-vectors.js';
import { sha256Hex } from '../../shared/bytes.js';
import { CaptureOutput } from './capture-output.js';

const ORGANIZATION = '0197a000-0000-7000-8000-000000000001';
let folder: string;
let store: FileAssetStore;
let capture: CaptureOutput;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-capture-'));
  store = new FileAssetStore(folder);
  const noDownload = { download: () => Promise.reject(new Error('nothing is downloaded here')) };
  capture = new CaptureOutput(store, noDownload, new StoredMedia(new SharpMediaProbe()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (bytes: Buffer) => ({ kind: 'bytes', bytes }) as const;
const picture = () =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: '#a83' } })
    .jpeg()
    .toBuffer();

it('of several files the first of the wanted kind is taken, and its number told', async () => {
  const [preview, model] = [await picture(), await mediaVector('triangle.glb')];
  const taken = await capture.capture(ORGANIZATION, [bytesOf(preview), bytesOf(model)], 'model3d');
  expect(taken).toEqual({ sha256: sha256Hex(model), mediaType: 'model/gltf-binary', number: 2 });
});

it('a file that is refused for what stands around it is mended, and says so', async () => {
  const jpeg = await picture();
  const received = Buffer.concat([jpeg, await mediaVector('clip.mp4')]);
  const taken = await capture.capture(ORGANIZATION, [bytesOf(received)], 'image');
  expect(taken).toEqual({
    sha256: sha256Hex(jpeg),
    mediaType: 'image/jpeg',
    number: 1,
    preparation: {
      kind: 'framing-mended',
      receivedSha256: sha256Hex(received),
      removed: ['bytes behind the end of the picture'],
    },
  });
  expect(await readFile(await store.localPath(ORGANIZATION, taken.sha256))).toEqual(jpeg);
});

it('a file that can be mended does not stand in for a whole one', async () => {
  const [preview, ordered] = [Buffer.concat([await picture(), Buffer.from('\r\n')]), await picture()];
  const taken = await capture.capture(ORGANIZATION, [bytesOf(preview), bytesOf(ordered)], 'image');
  expect(taken).toEqual({ sha256: sha256Hex(ordered), mediaType: 'image/jpeg', number: 2 });
  const mended = await capture.capture(ORGANIZATION, [bytesOf(preview)], 'image');
  expect(mended).toMatchObject({ number: 1, preparation: { kind: 'framing-mended' } });
});

it('without a usable file the reason is that of the first', async () => {
  const words = bytesOf(Buffer.from('no picture'));
  const outputs = [words, bytesOf(await mediaVector('tone.mp3'))];
  await expect(capture.capture(ORGANIZATION, outputs, 'image')).rejects.toThrow('It is text, not');
});
