import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { TrustmarkWatermark } from './trustmark-watermark.js';

const BITS = '01'.repeat(34);
let folder: string;
let picture: string;
let watermark: TrustmarkWatermark;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colophon-models-'));
  picture = join(folder, 'picture.png');
  await sharp({ create: { width: 64, height: 64, channels: 3, background: '#777' } })
    .png()
    .toFile(picture);
  watermark = new TrustmarkWatermark({
    modelsFolder: folder,
    childModuleUrl: new URL('./trustmark-child.ts', import.meta.url),
    childExecArgv: ['--import', new URL('../../testing/typescript-loader.js', import.meta.url).href],
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function model(name: string, sizeBytes: number): void {
  writeFileSync(join(folder, name), 'no model');
  truncateSync(join(folder, name), sizeBytes);
}

describe('TrustMark', () => {
  it('has the name that C2PA lists', () => {
    expect(watermark).toMatchObject({ algorithm: 'com.adobe.trustmark.P', payloadBits: 68 });
  });

  it.each(['encoder_P.onnx', 'decoder_P.onnx'])(
    'refuses to work without %s, and says so',
    async (missing) => {
      model(missing === 'encoder_P.onnx' ? 'decoder_P.onnx' : 'encoder_P.onnx', 11 * 1024 * 1024);
      const refused = { code: 'watermark_unavailable', message: expect.stringContaining(missing) };
      await expect(watermark.embed(picture, BITS)).rejects.toMatchObject(refused);
      await expect(watermark.detect(picture)).rejects.toMatchObject(refused);
    },
  );

  it('refuses a model that was cut off', async () => {
    for (const name of ['encoder_P.onnx', 'decoder_P.onnx']) model(name, 1000);
    await expect(watermark.detect(picture)).rejects.toMatchObject({
      code: 'watermark_unavailable',
      message: expect.stringContaining('too small'),
    });
  });

  it('fails in its own process on files that are no models, without asking the network for others', async () => {
    for (const name of ['encoder_P.onnx', 'decoder_P.onnx']) model(name, 11 * 1024 * 1024);
    await expect(watermark.detect(picture)).rejects.toMatchObject({
      code: 'watermark_unavailable',
      cause: { message: expect.not.stringMatching(/download|http/i) },
    });
  });

  it('carries a mark of one length only', async () => {
    await expect(watermark.embed(picture, '0101')).rejects.toMatchObject({ code: 'internal' });
  });
});
