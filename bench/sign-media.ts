import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { mediaVector } from '../src/provenance/testing/media-vectors.js';
import { type BenchmarkResult, type BenchmarkRow } from './benchmark.js';

const run = promisify(execFile);
const MEBIBYTE = 1024 * 1024;
const CHILD = fileURLToPath(new URL('./sign-media-child.js', import.meta.url));

interface Measured {
  readonly sourceMiB: number;
  readonly signMs: number;
  readonly readBackMs: number;
  readonly peakMiB: number;
}

/** Large files, each signed and read back in a process of its own, of which the most memory that it held is measured. */
export const signMediaBenchmark = {
  needs: 'nothing' as const,
  /** @param kinds beginnings of the names of those to measure, e.g. `WAV`; none: all */
  async run(kinds: readonly string[] = []): Promise<BenchmarkResult> {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-bench-media-'));
    try {
      const rows: BenchmarkRow[] = [];
      for (const [what, mediaType, make] of CASES) {
        if (kinds.length > 0 && !kinds.some((kind) => what.startsWith(kind))) continue;
        const path = join(folder, 'source');
        await make(path);
        const { stdout } = await run(process.execPath, [CHILD, path, mediaType, folder]);
        const { sourceMiB, signMs, readBackMs, peakMiB } = JSON.parse(stdout) as Measured;
        rows.push({ what, sourceMiB, signMs, readBackMs, peakMiB });
        await rm(path);
      }
      return {
        rows,
        notes: [
          'Sign: hash the source, hash and write the signed file, sync it, hash it and validate its manifest again (what an upload costs behind its reception).',
          'Read back: the public verification in the same process. peakMiB is the maximum resident memory of the whole process, some 95 MiB of which are Node and the libraries.',
        ],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Make = (path: string) => Promise<void>;

const CASES: readonly (readonly [what: string, mediaType: string, make: Make])[] = [
  ['MP4, 1 GiB', 'video/mp4', (path) => grownFilm(path, 1024)],
  ['MP4, 100 MiB', 'video/mp4', (path) => grownFilm(path, 100)],
  ['PNG, 4096 x 4096', 'image/png', noisePicture],
  ['WAV, 512 MiB', 'audio/wav', (path) => grownSound(path, 512)],
  ['MP3, 100 MiB', 'audio/mpeg', (path) => repeatedSound(path, 'tone-without-tags.mp3', 100)],
  ['WebM (sidecar), 512 MiB', 'video/webm', (path) => grownWebm(path, 512)],
];

/** A tiny film with a second part of media data at its end: valid, although nothing points there. */
async function grownFilm(path: string, mebibytes: number): Promise<void> {
  const film = await mediaVector('clip.mp4');
  const bytes = mebibytes * MEBIBYTE;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(bytes);
  head.write('mdat', 4, 'latin1');
  await writeFile(path, Buffer.concat([film, head]));
  await fill(path, bytes - 8);
}

async function grownSound(path: string, mebibytes: number): Promise<void> {
  const sound = await mediaVector('tone.wav');
  const data = sound.indexOf('data');
  const bytes = mebibytes * MEBIBYTE;
  const head = Buffer.from(sound.subarray(0, data + 8));
  head.writeUInt32LE(bytes, data + 4);
  head.writeUInt32LE(bytes + data, 4);
  await writeFile(path, head);
  await fill(path, bytes);
}

/** An element `Void` behind the segment. */
async function grownWebm(path: string, mebibytes: number): Promise<void> {
  const bytes = mebibytes * MEBIBYTE;
  const head = Buffer.from('ec0100000000000000', 'hex');
  head.writeUInt32BE(bytes, 5);
  await writeFile(path, Buffer.concat([await mediaVector('clip.webm'), head]));
  await fill(path, bytes);
}

async function repeatedSound(path: string, name: string, mebibytes: number): Promise<void> {
  const sound = await mediaVector(name);
  const block = Buffer.concat(Array.from({ length: Math.ceil(MEBIBYTE / sound.length) }, () => sound));
  const file = await open(path, 'w');
  for (let i = 0; i < mebibytes; i += 1) await file.appendFile(block);
  await file.close();
}

async function noisePicture(path: string): Promise<void> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  await sharp({ create: { width: 4096, height: 4096, channels: 3, background: '#888', noise } })
    .png({ compressionLevel: 1 })
    .toFile(path);
}

/** Bytes that are not all alike, so that nothing is left out as a hole of the file system. */
async function fill(path: string, bytes: number): Promise<void> {
  const block = Buffer.from(Array.from({ length: MEBIBYTE }, (_, i) => (i * 31) % 251));
  const file = await open(path, 'a');
  for (let left = bytes; left > 0; left -= block.length) {
    await file.appendFile(left < block.length ? block.subarray(0, left) : block);
  }
  await file.close();
  await stat(path);
}
