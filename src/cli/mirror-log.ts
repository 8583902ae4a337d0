import { findTile } from '../audit/application/published-tiles.js';
import { type Checkpoint, type CheckpointTrust, openCheckpoint } from '../audit/core/checkpoint.js';
import { decodeBundle, encodeBundle } from '../audit/core/entry-bundle.js';
import { filesOfLog } from '../audit/core/log-files.js';
import { leafHash } from '../audit/core/merkle.js';
import { rootFromHashes } from '../audit/core/merkle-proof.js';
import { bytesEqual, formatBase64 } from '../audit/core/strict-encoding.js';
import { TileHashReader } from '../audit/core/tile-reading.js';
import { hashCountAtLevel, type Tile, tilePath, TILE_WIDTH, type TileReader } from '../audit/core/tiles.js';
import { TlogError } from '../audit/core/tlog-error.js';
import { AuthenticTiles, hashAt } from '../audit/verify/authentic-tiles.js';
import { type LogSource } from '../audit/verify/log-report.js';
import { type LogFolder } from './log-folder.js';

/**
 * Why a copy was not brought up to date. The copy is as it was.
 *
 * - `fork`: the log shows another history than the one it signed before; both checkpoints together prove it.
 * - `damaged`: a file is not what the signed checkpoint says, or is missing.
 * - `checkpoint`: the checkpoint is not one of the expected log.
 * - `copy_damaged`: the checkpoint or the tiles held here cannot be verified.
 */
export class MirrorRefused extends Error {
  constructor(
    readonly code: 'fork' | 'damaged' | 'checkpoint' | 'copy_damaged',
    message: string,
  ) {
    super(message);
  }
}

export interface Mirrored {
  /** `older`: the source shows an earlier state of the same log than the one held, e.g. out of a cache. */
  readonly outcome: 'copied' | 'grown' | 'up_to_date' | 'older';
  readonly heldSize: number;
  readonly size: number;
  /** Standard base64, of the checkpoint that is held afterwards. */
  readonly rootHash: string;
}

export interface MirrorOptions {
  /** When the log has changed its key: what the held checkpoint may be signed by as well. */
  readonly formerTrust?: CheckpointTrust | undefined;
  readonly onProgress?: (progress: { readonly entries: number; readonly size: number }) => void;
}

/** Files on their way at the same time. A bundle has at most 16 MiB, mostly a hundredth of it. */
const PARALLEL = 8;

/**
 * Copies a log into a folder, or brings such a copy up to date, and takes nothing unproved: the checkpoint must be
 * signed by the log's key, the new tree must have the held one as its beginning, every hash tile must lie under the
 * signed root, every bundle must hash to its tile. The checkpoint is replaced last, so a process that is killed anywhere
 * leaves the old copy or the new one; what it had fetched is used by the next one, after the same checks.
 *
 * @throws MirrorRefused
 */
export async function mirrorLog(
  source: LogSource,
  folder: LogFolder,
  trust: CheckpointTrust,
  options: MirrorOptions = {},
): Promise<Mirrored> {
  const note = await source.read('checkpoint');
  if (note === undefined) throw new MirrorRefused('checkpoint', 'there is no checkpoint at this address');
  const shown = open(note, trust, 'checkpoint', 'the checkpoint shown');
  const heldNote = await folder.read('checkpoint');
  const held = heldNote && openHeld(heldNote, trust, options.formerTrust);
  const mirror = new Mirror(source, folder, shown, held, options);
  const outcome = await mirror.run();
  if (outcome !== 'older') await mirror.publish(note);
  const kept = outcome === 'older' ? (held as Checkpoint) : shown;
  return { outcome, heldSize: held?.size ?? 0, size: kept.size, rootHash: formatBase64(kept.root) };
}

function open(
  note: Uint8Array,
  trust: CheckpointTrust,
  code: 'checkpoint' | 'copy_damaged',
  what: string,
): Checkpoint {
  try {
    return openCheckpoint(note, trust).checkpoint;
  } catch (error) {
    if (error instanceof TlogError) throw new MirrorRefused(code, `${what} is refused: ${error.message}`);
    throw error;
  }
}

function openHeld(note: Uint8Array, trust: CheckpointTrust, former: CheckpointTrust | undefined): Checkpoint {
  const what = 'the checkpoint held';
  if (former === undefined) return open(note, trust, 'copy_damaged', what);
  try {
    return open(note, former, 'copy_damaged', what);
  } catch {
    // A run that was killed after it replaced the checkpoint: that one is signed by the new key.
    return open(note, trust, 'copy_damaged', what);
  }
}

class Mirror {
  private readonly heldSize: number;

  constructor(
    private readonly source: LogSource,
    private readonly folder: LogFolder,
    private readonly shown: Checkpoint,
    private readonly held: Checkpoint | undefined,
    private readonly options: MirrorOptions,
  ) {
    this.heldSize = held?.size ?? 0;
  }

  async run(): Promise<Mirrored['outcome']> {
    const { held, shown } = this;
    if (held && shown.size === held.size) {
      if (!bytesEqual(shown.root, held.root)) throw this.fork(held.root, shown.root, held.size);
      return 'up_to_date';
    }
    if (held && shown.size < held.size) {
      await this.requireBeginning(this.tilesOf([this.folder], held, 'copy_damaged'), held, shown);
      return 'older';
    }
    // What an interrupted run has fetched is as good as what the source has, once it is proved.
    const tiles = this.tilesOf([this.folder, this.source], shown, 'damaged');
    if (held) await this.requireBeginning(tiles, shown, held);
    await this.take(tiles);
    return held ? 'grown' : 'copied';
  }

  /** The files are there and durable before the checkpoint that needs them. */
  async publish(note: Uint8Array): Promise<void> {
    await this.folder.settle();
    await this.folder.write('checkpoint', note);
    await this.folder.settle();
    for (const tile of outgrown(this.heldSize, this.shown.size))
      await this.folder.removePartials(tilePath(tile));
  }

  /** Two trees of one log: the smaller one must be the beginning of the larger one. */
  private async requireBeginning(tiles: ProvedTiles, larger: Checkpoint, smaller: Checkpoint): Promise<void> {
    const root = await tiles.rootOf(larger.size, smaller.size);
    if (bytesEqual(root, smaller.root)) return;
    const [ours, theirs] = smaller === this.held ? [smaller.root, root] : [root, smaller.root];
    throw this.fork(ours, theirs, smaller.size);
  }

  private fork(ours: Uint8Array, theirs: Uint8Array, size: number): MirrorRefused {
    return new MirrorRefused(
      'fork',
      `the log shows another history: its first ${size} entries have the root ${formatBase64(theirs)}, ` +
        `and in this copy, signed with the same key, they have ${formatBase64(ours)}. ` +
        'Keep this copy and the checkpoint that is shown now: together they prove it.',
    );
  }

  private async take(tiles: ProvedTiles): Promise<void> {
    const { size } = this.shown;
    const work = filesOfLog(size, this.heldSize);
    let entries = this.heldSize;
    await inParallel(work, async (tile) => {
      await this.folder.write(tilePath(tile), await this.proved(tiles, tile));
      if (tile.level !== 'entries') return;
      entries = Math.min(size, entries + tile.width);
      this.options.onProgress?.({ entries, size });
    });
  }

  private async proved(tiles: ProvedTiles, tile: Tile): Promise<Uint8Array> {
    if (tile.level !== 'entries') return tiles.bytes(tile.level, tile.index);
    const leaves = await tiles.bytes(0, tile.index);
    for (const source of [this.folder, this.source]) {
      const entries = await entriesOf(source, tile);
      if (entries?.every((entry, i) => bytesEqual(leafHash(entry), hashAt(leaves, i))))
        return encodeBundle(entries);
    }
    throw new MirrorRefused(
      'damaged',
      `${tilePath(tile)}: missing, or not the entries under the signed root`,
    );
  }

  private tilesOf(
    sources: readonly LogSource[],
    tree: Checkpoint,
    code: 'damaged' | 'copy_damaged',
  ): ProvedTiles {
    return new ProvedTiles(new AuthenticTiles(sources.map(provingReader), tree.size, tree.root), code);
  }
}

/** {@link AuthenticTiles} that speak of a copy and its source. */
class ProvedTiles {
  constructor(
    private readonly tiles: AuthenticTiles,
    private readonly code: 'damaged' | 'copy_damaged',
  ) {}

  bytes(level: number, index: number): Promise<Uint8Array> {
    return this.named(() => this.tiles.bytes(level, index));
  }

  /** Root of the first `size` entries of the tree of `treeSize`. */
  rootOf(treeSize: number, size: number): Promise<Uint8Array> {
    return this.named(() => rootFromHashes(new TileHashReader(this.tiles, treeSize), size));
  }

  private async named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TlogError) throw new MirrorRefused(this.code, error.message);
      throw error;
    }
  }
}

/** A file that is missing is not proved, like one that is wrong: another source may have it. */
function provingReader(source: LogSource): TileReader {
  return {
    async readTile(tile) {
      const bytes = await findTile(source, tile);
      if (bytes === undefined) throw new TlogError('malformed', 'the file is missing');
      return bytes;
    },
  };
}

async function entriesOf(source: LogSource, tile: Tile): Promise<Uint8Array[] | undefined> {
  try {
    return decodeBundle(await provingReader(source).readTile(tile), tile.width);
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

/** Full tiles of the new size that were partial in the old one. */
function* outgrown(oldSize: number, newSize: number): Generator<Tile> {
  for (let level = 0; hashCountAtLevel(level, oldSize) > 0; level++) {
    const index = Math.floor(hashCountAtLevel(level, oldSize) / TILE_WIDTH);
    if ((index + 1) * TILE_WIDTH > hashCountAtLevel(level, newSize)) continue;
    yield { level, index, width: TILE_WIDTH };
    if (level === 0) yield { level: 'entries', index, width: TILE_WIDTH };
  }
}

async function inParallel<T>(items: Iterator<T>, work: (item: T) => Promise<void>): Promise<void> {
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = items.next(); !next.done && !failed; next = items.next()) {
      await work(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  // All of them end before the folder is closed under them.
  const results = await Promise.allSettled(Array.from({ length: PARALLEL }, worker));
  const fault = results.find(({ status }) => status === 'rejected');
  if (fault?.status === 'rejected') throw fault.reason as Error;
}
