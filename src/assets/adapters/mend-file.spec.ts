import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { mediaVector } from '../../provenance/testing/media-vectors.js';
import { mendFile } from './mend-file.js';
import { SharpMediaProbe } from './sharp-media-probe.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-mend-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const noise = () =>
  sharp({
    create: {
      width: 64,
      height: 48,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  });
const probe = new SharpMediaProbe();
const joined = (...parts: (Buffer | string | number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );

/** A file that the probe refuses, and what is made of it. */
async function mended(bytes: Buffer) {
  const path = join(folder, 'received');
  const target = join(folder, 'mended');
  await rm(target, { force: true });
  await writeFile(path, bytes);
  await expect(probe.probe({ path })).rejects.toThrow();
  const done = await mendFile(path, target);
  if (done === undefined) return undefined;
  await probe.probe({ path: target });
  return { ...done, bytes: await readFile(target) };
}

describe('a JPEG', () => {
  it('ends where its last whole picture does', async () => {
    const jpeg = await noise().jpeg().toBuffer();
    const film = await mediaVector('clip.mp4');
    const behind = { removed: ['bytes behind the end of the picture'], added: [], bytes: jpeg };
    for (const tail of [film, '\r\n', 'PK\x03\x04', jpeg.subarray(0, -40)])
      expect(await mended(joined(jpeg, tail))).toEqual(behind);
  });

  it('may have further pictures behind zeros', async () => {
    const jpeg = await noise().jpeg({ progressive: true }).toBuffer();
    const bytes = joined(jpeg, Buffer.alloc(40), jpeg);
    expect((await probe.probe({ bytes })).mediaType).toBe('image/jpeg');
  });

  it('of which the picture is not whole, or was ended too early, stays refused', async () => {
    const jpeg = await noise().jpeg().toBuffer();
    expect(await mended(jpeg.subarray(0, -300))).toBeUndefined();
    const middle = jpeg.length - 400;
    const endedEarly = joined(jpeg.subarray(0, middle), [0xff, 0xd9], jpeg.subarray(middle));
    expect(await mended(endedEarly)).toBeUndefined();
  });
});

describe('a GIF', () => {
  it('gets the trailer that it lacks, and loses what stands behind it', async () => {
    const gif = await noise().gif().toBuffer();
    expect(await mended(gif.subarray(0, -1))).toEqual({
      removed: [],
      added: ['trailer behind the last whole block'],
      bytes: gif,
    });
    const behind = { removed: ['bytes behind the end of the picture'], added: [], bytes: gif };
    for (const tail of ['garbage', 'PK\x03\x04', [0, 1]])
      expect(await mended(joined(gif, tail))).toEqual(behind);
  });

  it('stays refused where what is wrong may have to do with what is shown', async () => {
    const gif = await noise().gif().toBuffer();
    const screen = 13 + 3 * 2 ** (((gif[10] ?? 0) & 7) + 1);
    const [open, head, images] = [gif.subarray(0, -1), gif.subarray(0, screen), gif.subarray(screen)];
    const plainText = joined([0x21, 0x01, 12], Buffer.alloc(12), [2, 65, 66, 0]);
    const longControl = [0x21, 0xf9, 5, 0, 200, 0, 0, 0, 0];
    const noPixels = joined(head, [0x2c, 0, 0, 0, 0, 64, 0, 48, 0, 0, 8]);
    const wrong = [
      gif.subarray(0, -2), // an image without its end
      gif.subarray(0, -200),
      noPixels,
      joined(open, 'garbage'),
      joined(open, [0x21, 0xf9, 4, 0]),
      joined(open, [0, 0], [0x3b]),
      joined(head, longControl, images),
      joined(open, plainText, [0x3b]),
    ];
    for (const [index, bytes] of wrong.entries())
      expect([index, await mended(bytes)]).toEqual([index, undefined]);
  });
});

describe('an MP3', () => {
  const sevenBits = (length: number): number[] => [21, 14, 7, 0].map((shift) => (length >> shift) & 0x7f);
  const tag = (version: number, flags: number, body: Buffer): Buffer => {
    const rest = joined([version, 0, flags], sevenBits(body.length));
    return joined('ID3', rest, body, ...(flags & 0x10 ? ['3DI', rest] : []));
  };
  const title = joined('TIT2', sevenBits(6), [0, 0, 0], 'Hello');

  it('loses the footer of its tag', async () => {
    const sound = await mediaVector('tone-without-tags.mp3');
    expect(await mended(joined(tag(4, 0x10, title), sound))).toEqual({
      removed: ['footer of the tag'],
      added: [],
      bytes: joined(tag(4, 0, title), sound),
    });
  });

  it('loses bytes between its sound and the tags behind it', async () => {
    const sound = await mediaVector('tone-without-tags.mp3');
    const old = joined('TAG', Buffer.alloc(125, 0x20));
    expect((await mended(joined(sound, 'garbage', old)))?.bytes).toEqual(joined(sound, old));
  });

  it('stays refused where sound may follow what is none', async () => {
    const sound = await mediaVector('tone-without-tags.mp3');
    for (const between of [tag(4, 0, title), joined('TAG', Buffer.alloc(125, 0x20)), [0, 0, 0, 0], 'x'])
      expect(await mended(joined(sound, between, sound))).toBeUndefined();
  });

  it('may have tags of all kinds in front and behind', async () => {
    const sound = await mediaVector('tone-without-tags.mp3');
    const lyrics = 'LYRICSBEGININD0000200EAL00005words';
    const files = [
      joined(tag(2, 0, joined('TT2', [0, 0, 6, 0], 'Hello')), sound),
      joined(tag(3, 0, Buffer.alloc(20)), tag(4, 0, title), sound),
      joined(tag(4, 0, title), Buffer.alloc(300), sound),
      joined(sound, tag(4, 0x10, title)),
      joined(sound, lyrics, '000034LYRICS200', 'TAG', Buffer.alloc(125)),
      joined(sound, 'TAG+', Buffer.alloc(223), 'TAG', Buffer.alloc(125)),
    ];
    for (const bytes of files) expect((await probe.probe({ bytes })).mediaType).toBe('audio/mpeg');
  });
});
