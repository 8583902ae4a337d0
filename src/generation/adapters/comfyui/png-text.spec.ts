import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { pngChunk, withTexts } from '../../../../test/fakes/comfyui/fake-comfyui.js';
import { removePromptTexts, UncleanableFileError } from './png-text.js';

const picture = () =>
  sharp({ create: { width: 16, height: 16, channels: 3, background: '#336699' } })
    .png()
    .toBuffer();
const GRAPH = { '5': { inputs: { text: 'A SECRET bottle' } } };

describe('the texts of ComfyUI in a PNG', () => {
  it('are taken out whole, are named, and nothing else changes', async () => {
    const clean = await picture();
    const received = withTexts(clean, GRAPH);
    const { bytes, preparation } = removePromptTexts(received);
    expect(bytes.toString('latin1')).not.toContain('SECRET');
    expect(preparation).toEqual({
      kind: 'png-text-removed',
      receivedSha256: createHash('sha256').update(received).digest('hex'),
      removed: ['prompt', 'workflow'],
    });
    // The chunk `Software` and all of the picture are still there.
    const afterHeader = 33;
    const expected = [
      clean.subarray(0, afterHeader),
      pngChunk('tEXt', 'Software\0ComfyUI'),
      clean.subarray(afterHeader),
    ];
    expect(bytes.equals(Buffer.concat(expected))).toBe(true);
    expect((await sharp(bytes).raw().toBuffer()).equals(await sharp(clean).raw().toBuffer())).toBe(true);
  });

  it.each(['zTXt', 'iTXt'])('are found in %s as well, whatever the case of the keyword', async (type) => {
    const clean = await picture();
    const received = Buffer.concat([
      clean.subarray(0, 33),
      pngChunk(type, 'Prompt\0\0packed'),
      clean.subarray(33),
    ]);
    expect(removePromptTexts(received).bytes.equals(clean)).toBe(true);
  });

  it('are found among very many', async () => {
    const clean = await picture();
    const chunk = pngChunk('tEXt', 'prompt\0');
    const received = Buffer.concat([
      clean.subarray(0, 33),
      ...Array.from({ length: 200_000 }, () => chunk),
      clean.subarray(33),
    ]);
    const started = process.cpuUsage();
    expect(removePromptTexts(received).bytes.equals(clean)).toBe(true);
    const { user, system } = process.cpuUsage(started);
    // Some 300 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });

  it('give the same bytes each time, and none the second time', async () => {
    const received = withTexts(await picture(), GRAPH);
    const first = removePromptTexts(received);
    expect(removePromptTexts(received).bytes.equals(first.bytes)).toBe(true);
    expect(removePromptTexts(first.bytes).preparation).toBeUndefined();
  });

  it('are not touched under a C2PA manifest, which would break: the file is refused', async () => {
    expect(() => removePromptTexts(withTexts(Buffer.alloc(0), GRAPH, true))).not.toThrow();
    const signed = withTexts(await picture(), GRAPH, true);
    expect(() => removePromptTexts(signed)).toThrow(UncleanableFileError);
  });

  it.each([
    ['EXIF of a WebP', Buffer.from('RIFF....WEBPEXIF prompt:{"5":{"class_type": "CLIPTextEncode"}}')],
    ['metadata of an MP4', Buffer.from('....ftypisom....udta{"5":{"class_type":"KSampler"}}')],
  ])('are not signed in another format: %s', (_name, bytes) => {
    expect(() => removePromptTexts(bytes)).toThrow('where it cannot be removed');
  });

  it('are not signed under another keyword', async () => {
    const clean = await picture();
    const other = pngChunk('tEXt', 'Comment\0{"5":{"class_type":"KSampler"}}');
    const bytes = Buffer.concat([clean.subarray(0, 33), other, clean.subarray(33)]);
    expect(() => removePromptTexts(bytes)).toThrow('where it cannot be removed');
  });

  it('leave everything else as it came: other formats, pictures without them, broken files', async () => {
    const clean = await picture();
    for (const bytes of [clean, Buffer.from('not a picture'), clean.subarray(0, 100), Buffer.alloc(0)]) {
      const prepared = removePromptTexts(bytes);
      expect(prepared.bytes).toBe(bytes);
      expect(prepared.preparation).toBeUndefined();
    }
  });
});
