import { openAsBlob, readFileSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFalClient } from '@fal-ai/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, fetch as fetchBy } from 'undici';
import { CrashBench } from '../crash/support/crash-bench.js';

/**
 * A film of 200 MB through the gateway, both ways: the client's own upload in parts, on to the vendor in parts, and the
 * vendor's film back, captured and signed. The server is a process of its own; what is measured is its memory.
 */

const MEBIBYTE = 1024 * 1024;
const HALF_BYTES = 100 * MEBIBYTE;
const FILM_BYTES = 200 * MEBIBYTE;
/** A film goes through the program six times (parts, whole, signed, sent on, captured, signed): copies of it would show. */
const MOST_BYTES = 600 * MEBIBYTE;
const MODEL = 'brand/motion/v1';

/** This process plays client and vendor of large films: ten seconds, the usual limit, can pass before it sees that a connection stands. */
const patient = new Agent({ connect: { timeout: 120_000 } });

let bench: CrashBench;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-films-'));
  const servers = join(folder, 'servers.json');
  const price = {
    family: 'per-image',
    tiers: [{ microUsd: 5_000 }],
    source: 'a contract',
    dateRead: '2026-11-22',
    verified: true,
  };
  await writeFile(
    servers,
    JSON.stringify({
      offerings: [
        { listingId: 'brand-motion.v1@fal', provider: 'fal', endpoint: MODEL, operations: ['animate'] },
      ],
      prices: [{ provider: 'fal', endpoint: MODEL, price }],
    }),
    { mode: 0o600 },
  );
  bench = await CrashBench.start({ COLOPHON_SERVERS_FILE: servers });
  await bench.recordListing('brand-motion.v1@fal');
  await bench.openGatewayWithRights();
}, 120_000);
afterAll(async () => {
  await patient.close();
  await bench.stop();
  await rm(folder, { recursive: true });
});

/** A real film with so much more media data behind it. */
async function filmOf(sizeBytes: number): Promise<string> {
  const path = join(folder, `${sizeBytes}.mp4`);
  const clip = await readFile(new URL('../vectors/media/clip.mp4', import.meta.url));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(sizeBytes - clip.byteLength);
  head.write('mdat', 4, 'latin1');
  await writeFile(path, Buffer.concat([clip, head]));
  const piece = Buffer.alloc(MEBIBYTE, 0x5a);
  for (let left = sizeBytes - clip.byteLength - 8; left > 0; left -= MEBIBYTE)
    await appendFile(path, piece.subarray(0, left));
  return path;
}

/** Most memory of the server that was resident at once since its start. Linux only. */
function peakBytes(): number {
  const status = readFileSync(`/proc/${bench.program.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function animate(sizeBytes: number): Promise<{ uploadSeconds: number; runSeconds: number }> {
  const { projectId, keys, url } = bench.program.instance;
  const fal = createFalClient({
    credentials: keys.live,
    fetch: ((url: string, init: object) => fetchBy(url, { ...init, dispatcher: patient })) as typeof fetch,
    proxyUrl: { url: `${url}/gateway/fal/p/${projectId}/hero-image/proxy`, when: 'always' },
  });
  bench.fake.plan({ filmBytes: sizeBytes });
  const begunAt = performance.now();
  const blob = await openAsBlob(await filmOf(sizeBytes), { type: 'video/mp4' });
  const address = await fal.storage.upload(blob);
  const uploadedAt = performance.now();
  const { data } = (await fal.subscribe(MODEL, {
    input: { prompt: `a film of ${sizeBytes} bytes`, video_url: address },
    pollInterval: 200,
  })) as { data: { video: { url: string; file_size: number } } };
  const endedAt = performance.now();
  expect(data.video.file_size).toBeGreaterThan(sizeBytes);
  const answer = await fetchBy(data.video.url, { dispatcher: patient });
  let readBytes = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>)
    readBytes += chunk.byteLength;
  expect(readBytes).toBe(data.video.file_size);
  // What the vendor got is what was sent, signed: in parts, because it is large.
  const upload = bench.fake.uploads().at(-1);
  expect(upload?.bytes?.byteLength).toBeGreaterThan(sizeBytes);
  return { uploadSeconds: (uploadedAt - begunAt) / 1000, runSeconds: (endedAt - uploadedAt) / 1000 };
}

describe('a film of 200 MB', () => {
  it('goes through the gateway both ways in less memory than its copies would take', async () => {
    await animate(MEBIBYTE);
    const small = peakBytes();
    await animate(HALF_BYTES);
    const before = peakBytes();
    const { uploadSeconds, runSeconds } = await animate(FILM_BYTES);
    process.stdout.write(
      `upload ${uploadSeconds.toFixed(1)} s, run ${runSeconds.toFixed(1)} s, peak memory with 1, 100 and 200 MiB: ${[small, before, peakBytes()].map((bytes) => Math.round(bytes / MEBIBYTE)).join(', ')} MiB\n`,
    );
    expect(peakBytes()).toBeLessThan(MOST_BYTES);
  }, 600_000);
});
