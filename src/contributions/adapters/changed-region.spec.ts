import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sharp } from '../../assets/adapters/libvips.js';
import { changedRegion } from './changed-region.js';
import { sharedChange } from './difference-picture.js';

const SIDE = 320;

let directory: string;
let count = 0;
let original: Buffer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'changed-region-'));
  original = await scene().png().toBuffer();
});
afterAll(() => rm(directory, { recursive: true }));

/** Nothing in it is the same in another place, and half of it is transparent. */
function scene() {
  const shapes = `<svg width="${SIDE}" height="${SIDE}"><defs><linearGradient id="g"><stop offset="0" stop-color="#204060"/>
    <stop offset="1" stop-color="#e0c080"/></linearGradient></defs><rect width="160" height="${SIDE}" fill="url(#g)"/>
    <circle cx="70" cy="90" r="40" fill="#d03020"/><rect x="20" y="210" width="100" height="37" fill="#10a040"/></svg>`;
  return sharp({ create: { width: SIDE, height: SIDE, channels: 4, background: '#00000000' } }).composite([
    { input: Buffer.from(shapes) },
  ]);
}

async function written(bytes: Buffer): Promise<string> {
  count += 1;
  const path = join(directory, String(count));
  await writeFile(path, bytes);
  return path;
}

async function compared(after: Buffer, before = original) {
  return changedRegion(await written(before), await written(after));
}

async function pixels(change: (data: Buffer) => void): Promise<Buffer> {
  const { data, info } = await sharp(original).raw().toBuffer({ resolveWithObject: true });
  change(data);
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

const painted = (left: number, top: number, side: number) =>
  sharp(original)
    .composite([
      { input: { create: { width: side, height: side, channels: 3, background: '#2020ff' } }, left, top },
    ])
    .png()
    .toBuffer();

describe('what differs between two versions', () => {
  it('is what is seen: color under transparent pixels is none', async () => {
    const recolored = await pixels((data) => {
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 0) data.set([200, 10, 90], i);
    });
    expect(await compared(recolored)).toBeUndefined();
    const half = await pixels((data) => {
      for (let i = 3; i < data.length; i += 4) data[i] = (data[i] ?? 0) / 2;
    });
    expect((await compared(half))?.region.changedShare).toBeCloseTo(0.5, 1);
  });

  it.each(['#000000', '#ffffff'])(
    'is nothing where a format without transparency put %s',
    async (background) => {
      expect(await compared(await sharp(original).flatten({ background }).png().toBuffer())).toBeUndefined();
      const jpeg = await sharp(original).flatten({ background }).jpeg({ quality: 92 }).toBuffer();
      const kind = (await compared(jpeg))?.kind ?? 'resampled';
      expect(['resampled', 'trifling']).toContain(kind);
    },
  );

  it('is a background that somebody put there, and one that somebody took away', async () => {
    const red = await sharp(original).flatten({ background: '#c02020' }).png().toBuffer();
    expect(await compared(red)).toMatchObject({ kind: 'changed' });
    const white = await sharp(original).flatten({ background: '#ffffff' }).png().toBuffer();
    expect(await compared(original, white)).toMatchObject({ kind: 'changed' });
  });

  it('is what was painted, with its place', async () => {
    expect(await compared(await painted(200, 50, 30))).toMatchObject({
      kind: 'changed',
      changedPixels: 900,
      region: { left: 200, top: 50, width: 30, height: 30 },
    });
  });

  it('is trifling where hardly a pixel differs', async () => {
    const one = await pixels((data) => {
      const at = 4 * (90 * SIDE + 70);
      data[at] = (data[at] ?? 0) - 13;
    });
    expect(await compared(one)).toMatchObject({ kind: 'trifling', changedPixels: 1 });
  });

  it('is resampling where noise or compression would explain it', async () => {
    const noisy = await pixels((data) => {
      for (let i = 0; i < data.length; i += 4)
        data[i] = Math.max(
          0,
          Math.min(255, (data[i] ?? 0) + ((i / 4 + Math.floor(i / 4 / SIDE)) % 2 ? 14 : -14)),
        );
    });
    expect(await compared(noisy)).toMatchObject({ kind: 'resampled' });
    const doubled = await sharp(original)
      .resize(2 * SIDE, 2 * SIDE, { kernel: 'cubic' })
      .png()
      .toBuffer();
    expect((await compared(doubled))?.kind ?? 'resampled').toBe('resampled');
  });
});

describe('a change that a single command makes', () => {
  it.each([
    ['mirrored', () => sharp(original).flop()],
    ['upside down', () => sharp(original).flip()],
    ['turned by 90 degrees', () => sharp(original).rotate(90)],
    ['turned by 180 degrees', () => sharp(original).rotate(180)],
    ['turned by 270 degrees', () => sharp(original).rotate(270)],
    ['mirrored and turned', () => sharp(original).flop().rotate(90)],
  ])('is known: %s', async (_what, make) => {
    expect(await compared(await make().png().toBuffer())).toMatchObject({ kind: 'mirrored_or_turned' });
  });

  it('is known of a picture that is wider than high', async () => {
    const wide = await sharp(original)
      .extract({ left: 0, top: 60, width: SIDE, height: 200 })
      .png()
      .toBuffer();
    const turned = await sharp(wide).rotate(90).png().toBuffer();
    expect(await compared(turned, wide)).toMatchObject({ kind: 'mirrored_or_turned' });
  });

  it('is known: a part that was cut out', async () => {
    const part = await sharp(original)
      .extract({ left: 13, top: 37, width: 211, height: 190 })
      .png()
      .toBuffer();
    expect(await compared(part)).toMatchObject({ kind: 'cropped' });
  });

  it('is not taken for work beside it', async () => {
    const mirroredAndPainted = await sharp(
      await sharp(await painted(200, 50, 30))
        .flop()
        .png()
        .toBuffer(),
    )
      .png()
      .toBuffer();
    expect(await compared(mirroredAndPainted)).toMatchObject({ kind: 'changed' });
    const cutAndPainted = await sharp(await painted(60, 60, 40))
      .extract({ left: 13, top: 37, width: 211, height: 190 })
      .png()
      .toBuffer();
    expect(await compared(cutAndPainted)).toMatchObject({ kind: 'changed' });
  });
});

describe('what two changes have in common', () => {
  it('is the share of the picture that changed in both', async () => {
    const first = await compared(await painted(100, 100, 64));
    const second = await compared(await painted(132, 100, 64));
    const elsewhere = await compared(await painted(10, 10, 20));
    if (!first || !second || !elsewhere) throw new Error('painting is a change');
    const path = await written(first.picture);
    expect(await sharedChange(path, second.picture)).toBeCloseTo((32 * 64) / SIDE ** 2, 5);
    expect(await sharedChange(path, elsewhere.picture)).toBe(0);
    const smaller = await sharp(elsewhere.picture).resize(64, 64).png().toBuffer();
    expect(await sharedChange(path, smaller)).toBeUndefined();
  });
});
