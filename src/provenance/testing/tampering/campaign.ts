import { copyFile, open, readFile } from 'node:fs/promises';
import { isColophonError } from '../../../shared/errors.js';
import { VerifyFile } from '../../application/verify-file.js';
import { type MediaVerification } from '../../domain/media-verifier.port.js';
import { OWN_TRUST_LIST } from '../../domain/trust-list.js';
import { type SignableMediaType } from '../../domain/media-types.js';
import { type SignedMedia } from '../../domain/media-signer.port.js';
import { replaceStore } from '../../adapters/store-replacement.js';
import { readManifestStore } from '../../adapters/carried-store.js';
import { mediaVector } from '../media-vectors.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  PICTURE_TYPES,
  type PictureType,
  type SigningWorkshop,
} from '../signing-workshop.js';
import { cuts, partsOf, rearrangements } from './container-parts.js';
import { KnownFiles } from './known-files.js';

/**
 * What became of a tampered file. `refused`: it is not read at all. `broken`. `none`: no manifest is found any more.
 * `changed`: our signature holds over the manifest, and the log says that these are not the bytes that it recorded; what
 * the manifest says is what we signed. `stranger`: intact, but by nobody whom we know. `unchanged`: the change changed
 * nothing. `LIE`: it passes for ours.
 */
export type Outcome = 'refused' | 'broken' | 'none' | 'changed' | 'stranger' | 'LIE';

export interface Tally {
  readonly counts: Record<Outcome, number>;
  /** The first lies, with what was done. */
  readonly lies: string[];
}

export const LOG_ORIGIN = 'example.org/logs/org_1';

/** Everything that is signed here, and what it takes to sign it. */
export const TAMPERED_KINDS: readonly string[] = [
  ...PICTURE_TYPES,
  ...['still.heic', 'still.jxl', 'drawing.svg', 'clip.mp4', 'clip.mov', 'tone.wav', 'tone.mp3', 'tone.m4a'],
  ...['tone.flac', 'clip.webm', 'clip.mkv', 'tone.ogg', 'triangle.glb', 'triangle.gltf', 'triangle.obj'],
  ...['triangle.stl', 'triangle.usdz', 'words.txt', 'facts.json'],
];

export interface Victim extends MediaFile {
  readonly signed: SignedMedia;
  /** Of the honest file, to compare with. */
  readonly verification: MediaVerification;
}

export interface CampaignVerifier {
  verify(file: {
    readonly path: string;
    readonly mediaType: string;
    readonly manifestPath?: string | undefined;
  }): Promise<MediaVerification>;
}

/** Tampers with signed files in all the ways of a forger who has no key, and asks the public verification. */
export class TamperingCampaign {
  readonly known = new KnownFiles(LOG_ORIGIN);
  private readonly question: VerifyFile;

  constructor(
    private readonly workshop: SigningWorkshop,
    verifier: CampaignVerifier,
  ) {
    const none = (): Promise<never> => Promise.reject(new Error('not asked for'));
    this.question = new VerifyFile(
      { verify: (file) => verifier.verify(file), crJson: none, manifestStore: none },
      this.known,
      () => undefined,
      () => Promise.resolve(undefined),
    );
  }

  async victim(kind: string): Promise<Victim> {
    return this.signed(kind, await this.source(kind));
  }

  /** Another one of the same kind: for files that are always the same, with something harmless added. */
  async otherVictim(kind: string): Promise<Victim> {
    const source = await this.source(kind);
    if ((PICTURE_TYPES as string[]).includes(kind)) return this.signed(kind, source);
    for (const bytes of variantsOf(await readFile(source.path))) {
      const path = await this.workshop.write(bytes);
      const signed = await this.signed(kind, { ...source, path }).catch(() => undefined);
      if (signed !== undefined) return signed;
    }
    throw new Error(`of ${kind} no second file could be made`);
  }

  private async signed(kind: string, source: MediaFile, plan = generatedPlan()): Promise<Victim> {
    const file = await this.workshop.sign(source, plan);
    this.known.add(file.signed);
    const { verification, log } = await this.question.verify(file.path, { manifestPath: file.manifestPath });
    if (verification.verdict !== 'intact_and_trusted' || log.status !== 'in_log')
      throw new Error(`${kind} does not verify before anything was done to it`);
    return { ...file, verification };
  }

  async source(kind: string): Promise<MediaFile> {
    if ((PICTURE_TYPES as string[]).includes(kind)) return this.workshop.picture(kind as PictureType);
    const path = await this.workshop.write(await mediaVector(kind));
    const { mediaType } = await readManifestStore(path);
    return { path, mediaType };
  }

  /** One bit at a random place, in the file or in the manifest beside it. */
  async flips(victim: Victim, count: number, random: () => number): Promise<Tally> {
    const tally = newTally();
    const [file, manifest] = await bytesOf(victim);
    for (let i = 0; i < count; i += 1) {
      const target = manifest !== undefined && i % 2 === 1 ? 'manifest' : 'file';
      const bytes = Buffer.from(target === 'manifest' && manifest ? manifest : file);
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      const what = `bit of byte ${at} of the ${target}`;
      await this.ask(tally, victim, what, target === 'file' ? { file: bytes } : { manifest: bytes });
    }
    return tally;
  }

  /** Parts of the container removed, doubled, added and swapped, and pieces cut anywhere. */
  async rearrangements(victim: Victim, count: number, random: () => number): Promise<Tally> {
    const tally = newTally();
    const [file, manifest] = await bytesOf(victim);
    const parted = partsOf(file);
    const changed = [...(parted ? rearrangements(parted) : []), ...cuts(file, random, count)];
    for (const { what, bytes } of changed)
      if (!bytes.equals(file)) await this.ask(tally, victim, what, { file: bytes });
    for (const { what, bytes } of manifest ? cuts(manifest, random, count) : [])
      await this.ask(tally, victim, `manifest: ${what}`, { manifest: bytes });
    return tally;
  }

  /** The manifest of one of our files in another one of ours. */
  async swapped(victim: Victim, other: Victim): Promise<Tally> {
    const tally = newTally();
    if (victim.manifestPath !== undefined) {
      const manifest = await readFile(other.manifestPath ?? '');
      await this.ask(tally, victim, 'manifest of another file', { manifest });
      return tally;
    }
    const [own, others] = [await storeOf(victim), await storeOf(other)];
    if (own.length === others.length) {
      const file = await this.withStore(victim, own, others);
      await this.ask(tally, victim, 'manifest of another file', { file });
    }
    // What another installation signed beside a file: the same manifest, as a file of its own.
    const path = await this.workshop.write(others);
    const stripped = await this.source(kindOf(victim));
    await this.judge(tally, other, 'manifest of another file beside one without', {
      path: stripped.path,
      mediaType: victim.mediaType,
      manifestPath: path,
    });
    return tally;
  }

  /**
   * A file that was made from another one, with the manifest of a third one in its history: a forger gives it another
   * past. Nothing of the file itself is touched.
   */
  async ingredientReplaced(kind: string): Promise<Tally> {
    const tally = newTally();
    const [parent, stranger] = [await this.victim(kind), await this.otherVictim(kind)];
    const plan = generatedPlan({
      actions: [action('c2pa.edited', 'algorithmicallyEnhanced')],
      ingredients: [parentOf(parent)],
    });
    const child = await this.signed(kind, await this.source(kind), plan);
    const store = await storeOf(child);
    const [real, other] = [manifestIn(await storeOf(parent)), manifestIn(await storeOf(stranger))];
    const at = store.indexOf(real);
    if (at < 0 || real.length !== other.length) throw new Error(`the history of ${kind} cannot be exchanged`);
    const changed = Buffer.from(store);
    other.copy(changed, at);
    await this.ask(tally, child, 'another ingredient', { file: await this.withStore(child, store, changed) });
    // Whatever is said about the file itself: with another past it is not intact.
    if (tally.counts.broken + tally.counts.refused !== 1) tally.lies.push(`${kind}: another ingredient`);
    return tally;
  }

  /** The bytes of a signed file with another manifest store of the same length. */
  private async withStore({ path }: { readonly path: string }, from: Buffer, to: Buffer): Promise<Buffer> {
    const copy = this.workshop.newPath();
    await copyFile(path, copy);
    const handle = await open(copy, 'r+');
    try {
      await replaceStore({ handle, sizeBytes: (await handle.stat()).size }, from, to);
    } finally {
      await handle.close();
    }
    return readFile(copy);
  }

  /** A forgery that was made elsewhere. */
  async forged(what: string, original: Victim, file: MediaFile): Promise<Tally> {
    const tally = newTally();
    await this.judge(tally, original, what, file);
    return tally;
  }

  private async ask(
    tally: Tally,
    victim: Victim,
    what: string,
    { file, manifest }: { readonly file?: Buffer; readonly manifest?: Buffer },
  ): Promise<void> {
    const path = file === undefined ? victim.path : await this.workshop.write(file);
    const manifestPath = manifest === undefined ? victim.manifestPath : await this.workshop.write(manifest);
    try {
      await this.judge(tally, victim, what, { ...victim, path, manifestPath });
    } finally {
      if (file !== undefined) await this.workshop.discard(path);
      if (manifest !== undefined && manifestPath !== undefined) await this.workshop.discard(manifestPath);
    }
  }

  private async judge(tally: Tally, victim: Victim, what: string, file: MediaFile): Promise<void> {
    const outcome = await this.outcomeOf(victim, file);
    tally.counts[outcome] += 1;
    if (outcome === 'LIE' && tally.lies.length < 10) tally.lies.push(`${victim.mediaType}: ${what}`);
  }

  private async outcomeOf(victim: Victim, { path, manifestPath }: MediaFile): Promise<Outcome> {
    try {
      const { verification, log, headline } = await this.question.verify(path, { manifestPath });
      const { verdict, trustedBy } = verification;
      if (log.status === 'in_log') return 'LIE';
      if (verdict === 'none' || verdict === 'broken') return verdict;
      if (verdict === 'intact') return 'stranger';
      if (log.misusedKey !== undefined) return headline.includes('forgery') ? 'stranger' : 'LIE';
      // Signed by us, and the log knows other bytes: no more may hold than what we signed.
      const isHonest =
        trustedBy === OWN_TRUST_LIST &&
        log.status === 'changed' &&
        headline.includes('not these bytes') &&
        saysTheSame(verification, victim.verification);
      return isHonest ? 'changed' : 'LIE';
    } catch (error) {
      if (isColophonError(error) && error.status < 500) return 'refused';
      throw error;
    }
  }
}

/** What the manifest says is what was signed: nothing of it was exchanged under a signature that still holds. */
function saysTheSame(actual: MediaVerification, expected: MediaVerification): boolean {
  const said = ({ chain, manifestSha256, claimSha256, signer }: MediaVerification): string =>
    JSON.stringify([
      claimSha256,
      signer?.certificateSha256,
      chain?.title,
      chain?.actions,
      chain?.assertions,
      chain?.identities,
      manifestSha256 !== undefined,
    ]);
  return said(actual) === said(expected);
}

export function newTally(): Tally {
  return { counts: { refused: 0, broken: 0, none: 0, changed: 0, stranger: 0, LIE: 0 }, lies: [] };
}

export function addTally(sum: Tally, { counts, lies }: Tally): void {
  for (const [outcome, count] of Object.entries(counts) as [Outcome, number][]) sum.counts[outcome] += count;
  sum.lies.push(...lies);
}

/** The same medium with other bytes: a part more, some bytes more, another last byte, a comment. */
function* variantsOf(file: Buffer): Generator<Buffer> {
  const parted = partsOf(file);
  if (parted) {
    const { head, parts, tail, repair = (bytes: Buffer) => bytes } = parted;
    // What is signed of a film with padding says so in its manifest, and would differ from the other in length.
    const stranger = Buffer.from(parted.stranger.toString('latin1').replace('free', 'junk'), 'latin1');
    yield repair(Buffer.concat([head, ...parts.slice(0, -1), stranger, ...parts.slice(-1), tail]));
    yield repair(Buffer.concat([head, ...parts, stranger, tail]));
  }
  const text = file.toString('latin1');
  if (text.includes('</svg>')) yield Buffer.from(text.replace('</svg>', '<!-- another --></svg>'), 'latin1');
  if (text.startsWith('{')) yield Buffer.from(`${text} `, 'latin1');
  yield Buffer.concat([file, Buffer.from('\n# another\n')]);
  const changed = Buffer.from(file);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  yield changed;
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function kindOf({ mediaType }: Victim): string {
  const pictures: readonly string[] = PICTURE_TYPES;
  return pictures.includes(mediaType) ? mediaType : (KIND_OF_TYPE[mediaType] ?? 'image/png');
}

/** Another file of the same type, without a manifest. */
const KIND_OF_TYPE: Partial<Record<SignableMediaType, string>> = {
  'image/heic': 'still.heic',
  'image/jxl': 'still.jxl',
  'image/svg+xml': 'drawing.svg',
  'video/mp4': 'clip.mp4',
  'video/quicktime': 'clip.mov',
  'audio/wav': 'tone.wav',
  'audio/mpeg': 'tone.mp3',
  'audio/mp4': 'tone.m4a',
  'audio/flac': 'tone.flac',
};

async function bytesOf({ path, manifestPath }: MediaFile): Promise<[Buffer, Buffer | undefined]> {
  return [await readFile(path), manifestPath === undefined ? undefined : await readFile(manifestPath)];
}

async function storeOf({ path }: MediaFile): Promise<Buffer> {
  return (await readManifestStore(path)).store ?? Buffer.alloc(0);
}

/** The one manifest of a store: what stands behind the description of the store (ISO/IEC 19566-5 section 5). */
function manifestIn(store: Buffer): Buffer {
  const descriptionBytes = store.readUInt32BE(8);
  return store.subarray(8 + descriptionBytes);
}
