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

  it('of which the picture is not whole stays refused', async () => {
    const jpeg = await noise().jpeg().toBuffer();
    expect(await mended(jpeg.subarray(0, -300))).toBeUndefined();
  });
});

describe('a GIF', () => {
  it('gets the end that it lacks', async () => {
    const gif = await noise().gif().toBuffer();
    for (const cut of [1, 2])
      expect(await mended(gif.subarray(0, -cut))).toEqual({
        removed: [],
        added: ['end of the picture'],
        bytes: gif,
      });
  });

  it('loses what stands behind its last whole block', async () => {
    const gif = await noise().gif().toBuffer();
    const open = gif.subarray(0, -1);
    for (const tail of ['garbage', [0x21, 0xf9, 4, 0], [0x21, 0xfe, 9, 65], Buffer.alloc(8)])
      expect((await mended(joined(open, tail)))?.bytes).toEqual(gif);
    expect((await mended(joined(gif, 'PK\x03\x04')))?.bytes).toEqual(gif);
  });

  it('loses zeros between blocks and extensions that nobody shows', async () => {
    const gif = await noise().gif().toBuffer();
    const open = gif.subarray(0, -1);
    const plainText = joined([0x21, 0x01, 12], Buffer.alloc(12), [2, 65, 66, 0]);
    expect(await mended(joined(open, [0, 0], plainText, [0x3b]))).toEqual({
      removed: ['zeros between blocks', 'extension that is not shown'],
      added: [],
      bytes: gif,
    });
  });

  it('of which a frame is not whole stays refused', async () => {
    const gif = await noise().gif().toBuffer();
    expect(await mended(gif.subarray(0, -200))).toBeUndefined();
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
