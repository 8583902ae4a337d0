import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Builder, CallbackSigner, Reader } from '@contentauth/c2pa-node';
import { builderSettings, readerSettings } from '../src/provenance/adapters/c2pa-settings.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  SigningWorkshop,
} from '../src/provenance/testing/signing-workshop.js';
import {
  type BenchmarkResult,
  type BenchmarkRow,
  inParallel,
  percentile,
  type StandaloneBenchmark,
  timeEach,
} from './benchmark.js';

const SIDE_PIXELS = 1024;
const ROUNDS = 200;
/** The program signs for hours; what its first calls cost more is not what is asked. */
const WARM_UP = 100;
const STEPS = 20;
const PARALLEL = 64;
/** As PNG, which keeps noise as it is: some 10 MB. */
const LARGE_SIDE_PIXELS = 1850;

/**
 * What signing and reading back cost for one picture, beside hashing its bytes and beside the library's own two calls;
 * pictures per second; a chain of twenty steps; and how long the event loop waits while 64 large pictures are signed.
 */
export const signingBenchmark: StandaloneBenchmark = { needs: 'nothing', run };

async function run(): Promise<BenchmarkResult> {
  const workshop = await SigningWorkshop.create();
  try {
    const rows: BenchmarkRow[] = [];
    for (const type of ['image/jpeg', 'image/png'] as const) {
      const picture = await workshop.picture(type, SIDE_PIXELS);
      rows.push(...(await onePicture(workshop, picture)));
    }
    rows.push(...(await chain(workshop)), await loopDelay(workshop));
    return { rows, notes: NOTES };
  } finally {
    await workshop.close();
  }
}

const NOTES = [
  'bare: Builder.signAsync and Reader.fromAsset of c2pa-node with the same settings, trust anchor and key and an action alone, without a thumbnail; nothing is checked, nothing is synced',
  'ours: hash and compare the source, look for a manifest in it, sign, fsync, read back with our own judgement of the signature beside that of the library, hash what was read, compare with the plan, publish under its name',
];

async function onePicture(workshop: SigningWorkshop, picture: MediaFile): Promise<BenchmarkRow[]> {
  const { path, mediaType } = picture;
  const { size } = await stat(path);
  const bare = bareCalls(workshop, picture);
  const sign = await signing(workshop, picture);
  for (let round = 0; round < WARM_UP; round++) {
    await timed(sign);
    await timed(bare);
  }
  // In turn, so that whatever else happens on the machine happens to all of them.
  const times: Record<'hash' | 'bare' | 'ours', number[]> = { hash: [], bare: [], ours: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.hash.push(...(await timeEach(1, () => hash(path))));
    times.bare.push(await timed(bare));
    times.ours.push(await timed(sign));
  }
  const p50 = (name: keyof typeof times): number =>
    percentile(
      times[name].sort((a, b) => a - b),
      0.5,
    );
  const ratio = (name: 'hash' | 'bare'): number => Math.round((p50('ours') / p50(name)) * 100) / 100;
  const rows: BenchmarkRow[] = [
    { what: `${mediaType}, ${Math.round(size / 1000)} kB: hash of the bytes`, p50Ms: p50('hash') },
    { what: `${mediaType}: bare sign and read`, p50Ms: p50('bare') },
    { what: `${mediaType}: ours`, p50Ms: p50('ours'), toBare: ratio('bare'), toHash: ratio('hash') },
  ];
  for (const clients of [1, 4]) {
    const seconds = await inParallel(ROUNDS * 2, clients, () => timed(sign));
    const perSecond = Math.round((ROUNDS * 2) / seconds);
    rows.push({ what: `${mediaType}: ours, ${clients} at once`, perSecond });
  }
  return rows;
}

/** Makes a signed file. */
type Signing = () => Promise<string>;

/** Milliseconds; removing the file again is not counted, and costs more for one that was synced. */
async function timed(sign: Signing): Promise<number> {
  const before = performance.now();
  const path = await sign();
  const ms = performance.now() - before;
  await rm(path);
  return ms;
}

/** What the program does with bytes that it captured: their hash is known, and is compared. */
async function signing(workshop: SigningWorkshop, picture: MediaFile): Promise<Signing> {
  const origin = {
    kind: 'captured_from_provider',
    originalSha256: await hash(picture.path),
    stepRunId: 'stp_bench',
  } as const;
  return async () => {
    const destinationPath = workshop.newPath();
    await workshop.signer.sign({ source: picture, destinationPath, origin, plan: generatedPlan() });
    return destinationPath;
  };
}

async function hash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The two calls that any user of the library makes. */
function bareCalls(workshop: SigningWorkshop, { path, mediaType }: MediaFile): Signing {
  const { claimKey, caCertificatePem } = workshop.keystore;
  const trust = { name: 'bench', anchorsPem: caCertificatePem };
  const settings = readerSettings(trust);
  const building = builderSettings(trust);
  const certs = [Buffer.from(claimKey.certificateChainPem)];
  const signer = CallbackSigner.newSigner(
    { alg: claimKey.algorithm, certs, reserveSize: 10_000, directCoseHandling: false },
    (bytes: Buffer) => claimKey.sign(bytes).then((signature) => Buffer.from(signature)),
  );
  const definition = {
    claim_generator_info: [{ name: 'bench', version: '1' }],
    format: mediaType,
    title: 'bench',
    assertions: [
      {
        label: 'c2pa.actions.v2',
        data: {
          actions: [
            {
              action: 'c2pa.created',
              digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
            },
          ],
        },
      },
    ],
  };
  return async () => {
    const destination = workshop.newPath();
    const builder = Builder.withJson(definition, building);
    await builder.signAsync(
      signer,
      { path, mimeType: mediaType },
      { path: destination, mimeType: mediaType },
    );
    const reader = await Reader.fromAsset({ path: destination, mimeType: mediaType }, settings);
    const { validation_state: state } = reader?.json() as { validation_state?: string };
    if (state !== 'Trusted') throw new Error(`the bare call reads as ${state}`);
    return destination;
  };
}

/** Each step edits what the step before it made. */
async function chain(workshop: SigningWorkshop): Promise<BenchmarkRow[]> {
  let last = await workshop.sign(await workshop.picture('image/jpeg', SIDE_PIXELS));
  const times: number[] = [];
  for (let step = 2; step <= STEPS; step++) {
    // The picture is the same; what grows is the chain of manifests.
    const plan = generatedPlan({
      actions: [action('c2pa.edited', 'compositeWithTrainedAlgorithmicMedia', `Step ${step}`)],
      ingredients: [parentOf(last, `Step ${step - 1}`)],
    });
    const source = await workshop.picture('image/jpeg', SIDE_PIXELS);
    const before = performance.now();
    last = await workshop.sign(source, plan);
    times.push(performance.now() - before);
  }
  const beforeRead = performance.now();
  const { verdict } = await workshop.verify(last);
  const readMs = performance.now() - beforeRead;
  if (verdict !== 'intact_and_trusted') throw new Error(`the chain reads as ${verdict}`);
  const total = times.reduce((sum, each) => sum + each, 0);
  return [
    {
      what: `a chain of ${STEPS} steps, image/jpeg`,
      secondsInAll: Math.round(total / 10) / 100,
      lastStepMs: Math.round(times.at(-1) ?? 0),
      readMs: Math.round(readMs),
      kilobytes: Math.round((await readFile(last.path)).length / 1000),
    },
  ];
}

async function loopDelay(workshop: SigningWorkshop): Promise<BenchmarkRow> {
  const pictures: MediaFile[] = [];
  for (let i = 0; i < 8; i++) pictures.push(await workshop.picture('image/png', LARGE_SIDE_PIXELS));
  const { size } = await stat(pictures[0]?.path ?? '');
  const signings = await Promise.all(pictures.map((picture) => signing(workshop, picture)));
  for (const sign of signings) await timed(sign);
  // What making the pictures left behind shall not be counted.
  await pause(1000);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: PARALLEL }, async (_, i) => {
      const sign = signings[i % signings.length];
      if (sign !== undefined) await timed(sign);
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  delay.disable();
  const milliseconds = (nanoseconds: number): number => Math.round(nanoseconds / 1e5) / 10;
  return {
    what: `${PARALLEL} signings of ${Math.round(size / 1e6)} MB at once`,
    loopP99Ms: milliseconds(delay.percentile(99)),
    loopMaxMs: milliseconds(delay.max),
    perSecond: Math.round((PARALLEL / seconds) * 10) / 10,
  };
}
