/**
 * The program of the child process in which files of strangers are parsed and decoded. It knows no secrets (empty environment),
 * fetches nothing, has no network where the system allows that, and may die at any time: the parent turns that into a
 * clear error.
 */
import { type ProbedMedia } from '../../assets/domain/media-probe/media-probe.port.js';
import { type NormalizedPicture } from '../../assets/domain/picture-fingerprint.js';
import { ColophonError } from '../../shared/errors.js';
import { C2paReader } from './c2pa-reader.js';
import { crJsonOfFile, isTrap } from './cr-json.js';
import { type TrustList } from '../domain/trust-list.js';
import { readReservations } from './reservations/read-reservations.js';
import {
  type NormalizedPixels,
  type VerificationAnswer,
  type VerificationJob,
} from './verification-protocol.js';

/** The library works on its own threads, so this timer fires while a manifest expands in native memory. */
const MEMORY_CHECK_INTERVAL_MS = 20;

let memoryLimitBytes = Number.POSITIVE_INFINITY;

function answer(message: VerificationAnswer): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ ...message, cpuMs: (user + system) / 1000 });
}

/** Reading dozens of certificates costs more than most files, and they stay the same from file to file. */
let heldLists: { readonly key: string; readonly lists: readonly TrustList[] } | undefined;
let heldReader: { readonly key: string; readonly reader: C2paReader } | undefined;

function listsFor({ listsKey }: VerificationJob): readonly TrustList[] {
  if (heldLists?.key !== listsKey) throw new Error('the trust lists of this job were never sent');
  return heldLists.lists;
}

function readerFor(job: VerificationJob): C2paReader {
  const { trust, listsKey } = job;
  const key = JSON.stringify([trust, listsKey]);
  const lists = listsFor(job);
  if (heldReader?.key !== key)
    heldReader = { key, reader: new C2paReader({ trust: trust ?? undefined, lists }) };
  return heldReader.reader;
}

async function work(job: VerificationJob): Promise<void> {
  memoryLimitBytes = job.memoryLimitBytes;
  if (job.lists !== undefined) heldLists = { key: job.listsKey, lists: job.lists };
  try {
    answer(await done(job));
  } catch (error) {
    const known = error instanceof ColophonError;
    const code = known ? error.code : 'manifest_malformed';
    answer({ kind: 'refused', code, detail: known ? error.message : 'The file cannot be parsed.' });
    // A trap leaves the memory of the module in a state that nobody knows.
    if (isTrap(error)) process.exit(0);
  }
}

async function done(job: VerificationJob): Promise<VerificationAnswer> {
  switch (job.task) {
    case 'crjson':
      return { kind: 'represented', crJson: await crJsonOfFile(job, listsFor(job)) };
    case 'probe':
      return { kind: 'probed', media: await probe(job.path) };
    case 'pixels':
      return { kind: 'normalized', pixels: await normalizedPixels(job.path) };
    case 'verify':
      return { kind: 'verified', verification: await readerFor(job).verify(job) };
    case 'reservations': {
      const verification = await readerFor(job).verify(job);
      return { kind: 'read', reservations: await readReservations(job.path, verification) };
    }
  }
}

/** Loaded on demand: a child that only verifies needs no decoder, which takes 50 MB. */
async function probe(path: string): Promise<Omit<ProbedMedia, 'picture'> & { picture?: NormalizedPixels }> {
  const { SharpMediaProbe } = await import('../../assets/adapters/sharp-media-probe.js');
  const { picture, ...media } = await new SharpMediaProbe().probe({ path });
  return { ...media, ...(picture && { picture: inBase64(picture) }) };
}

async function normalizedPixels(path: string): Promise<NormalizedPixels> {
  const { normalizePicture } = await import('../../assets/adapters/normalize-picture.js');
  return inBase64(await normalizePicture(path));
}

function inBase64({ trimmed, whole, thumbnail }: NormalizedPicture): NormalizedPixels {
  return { trimmed: base64(trimmed), whole: base64(whole), thumbnail: base64(thumbnail) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

setInterval(() => {
  if (process.memoryUsage.rss() > memoryLimitBytes) process.kill(process.pid, 'SIGKILL');
}, MEMORY_CHECK_INTERVAL_MS).unref();

process.on('message', (job: VerificationJob) => void work(job));
// The parent is gone: nobody waits for an answer.
process.on('disconnect', () => process.exit(0));
answer({ kind: 'ready' });
