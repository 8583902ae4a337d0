import {
  type CheckpointTrust,
  openCheckpoint,
  type OpenedCheckpoint,
  type ParsedCheckpoint,
} from '../core/checkpoint.js';
import { parseEntry } from '../core/entry.js';
import { leafHash } from '../core/merkle.js';
import { formatBase64 } from '../core/strict-encoding.js';
import { type Tile, tilePath, TILE_WIDTH, tileWidth } from '../core/tiles.js';
import { TlogError } from '../core/tlog-error.js';
import {
  type LogFinding,
  type LogReport,
  type LogSource,
  MAX_FINDINGS,
  MAX_UNKNOWN_TYPES,
} from './log-report.js';
import { logStatuses } from './log-status.js';
import { findStrayFiles } from './stray-files.js';
import { TileSource } from './tile-source.js';
import { TreeCheck } from './tree-check.js';
import { isPolicyMet } from './witness-status.js';

export interface VerifyLogOptions {
  /** Called after each bundle. */
  readonly onProgress?: (progress: { readonly entries: number; readonly size: number }) => void;
  /** Set for logs of other programs: entries are hashed, but not read as entries of this one. */
  readonly opaqueEntries?: boolean;
}

/** Thrown to leave the loops once there are enough findings. */
class TooManyFindings extends Error {}

/** Bundles requested ahead of the one being checked, so that a remote log is not read at one file a round trip. */
const READ_AHEAD = 4;

/**
 * Re-derives a whole log from its entries: opens the checkpoint, hashes every entry, rebuilds every tile, compares
 * the root. Collects all findings and names the file of each. O(size) time, constant memory.
 *
 * What it cannot see: whether the same operator showed another log to somebody else (witnesses, or an earlier
 * checkpoint and a consistency proof, answer that), and whether the entries are true.
 */
export async function verifyLog(
  source: LogSource,
  trust: CheckpointTrust,
  options: VerifyLogOptions = {},
): Promise<LogReport> {
  const check = new LogCheck(source, trust, options);
  return check.run();
}

class LogCheck {
  readonly #findings: LogFinding[] = [];
  readonly #unknownTypes = new Map<string, number>();
  #entriesRead = 0;

  constructor(
    private readonly source: LogSource,
    private readonly trust: CheckpointTrust,
    private readonly options: VerifyLogOptions,
  ) {}

  async run(): Promise<LogReport> {
    const opened = await this.#openCheckpoint();
    const checkpoint = opened?.checkpoint;
    let stoppedEarly = false;
    try {
      if (checkpoint) {
        await this.#checkTree(checkpoint);
        const sizeNow = (): Promise<number> => this.#sizeNow(checkpoint.size);
        await findStrayFiles(this.source, checkpoint.size, sizeNow, this.#report);
      }
    } catch (error) {
      if (!(error instanceof TooManyFindings)) throw error;
      stoppedEarly = true;
    }
    const found = {
      ok: this.#findings.length === 0,
      entriesRead: this.#entriesRead,
      findings: this.#findings,
      stoppedEarly,
    };
    const { origin, policy } = this.trust;
    return {
      ...found,
      origin,
      ...(checkpoint && { size: checkpoint.size, rootHash: formatBase64(checkpoint.root) }),
      statuses: logStatuses(found, opened, this.trust),
      ...(opened && policy && { policyMet: isPolicyMet(opened, policy) }),
      unknownEntryTypes: Object.fromEntries(this.#unknownTypes),
    };
  }

  readonly #report = (finding: LogFinding): void => {
    this.#findings.push(finding);
    if (this.#findings.length >= MAX_FINDINGS) throw new TooManyFindings();
  };

  async #openCheckpoint(): Promise<OpenedCheckpoint | undefined> {
    const path = 'checkpoint';
    const bytes = await this.source.read(path);
    if (bytes === undefined) {
      this.#report({ code: 'checkpoint_missing', path, detail: 'the file is missing' });
      return undefined;
    }
    try {
      return openCheckpoint(bytes, this.trust);
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      this.#report({ code: 'checkpoint_invalid', path, detail: error.message });
      return undefined;
    }
  }

  /** The log may have gone on meanwhile. What lies there now is believed only if it is signed. */
  async #sizeNow(atFirst: number): Promise<number> {
    try {
      const bytes = await this.source.read('checkpoint');
      return bytes === undefined ? atFirst : openCheckpoint(bytes, this.trust).checkpoint.size;
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      return atFirst;
    }
  }

  async #checkTree({ size, root }: ParsedCheckpoint): Promise<void> {
    const tiles = new TileSource(this.source, this.#report);
    const tree = new TreeCheck(size, tiles, this.#report);
    for await (const { bundle, entries } of readBundles(tiles, size)) {
      if (entries) this.#checkEntries(bundle, entries);
      const leaves = entries?.map(leafHash) ?? Array.from({ length: bundle.width }, () => undefined);
      await tree.addLeaves(bundle.index, leaves);
      this.#entriesRead += entries?.length ?? 0;
      this.options.onProgress?.({ entries: bundle.index * TILE_WIDTH + bundle.width, size });
    }
    await tree.finish(root);
  }

  #checkEntries(bundle: Tile, entries: readonly Uint8Array[]): void {
    if (this.options.opaqueEntries) return;
    entries.forEach((bytes, i) => {
      try {
        const { schema, entry } = parseEntry(bytes);
        if (schema !== 'known') this.#countUnknown(entry.type);
      } catch (error) {
        if (!(error instanceof TlogError)) throw error;
        const detail = `entry ${bundle.index * TILE_WIDTH + i}: ${error.message}`;
        this.#report({ code: 'entry_malformed', path: tilePath(bundle), detail });
      }
    });
  }

  #countUnknown(type: string): void {
    const key = this.#unknownTypes.has(type) || this.#unknownTypes.size < MAX_UNKNOWN_TYPES ? type : 'others';
    this.#unknownTypes.set(key, (this.#unknownTypes.get(key) ?? 0) + 1);
  }
}

interface BundleRead {
  readonly bundle: Tile;
  readonly entries: Uint8Array[] | undefined;
}

/** Bundles of a log in order, a few of them requested ahead. */
async function* readBundles(tiles: TileSource, size: number): AsyncGenerator<BundleRead> {
  const count = Math.ceil(size / TILE_WIDTH);
  const requests: Promise<BundleRead>[] = [];
  for (let next = 0, index = 0; index < count; index++) {
    for (; next < count && next <= index + READ_AHEAD; next++) {
      const bundle: Tile = { level: 'entries', index: next, width: tileWidth('entries', next, size) };
      const request = tiles.entries(bundle).then((entries) => ({ bundle, entries }));
      // It is awaited in its turn; until then a failure must not count as unhandled.
      request.catch(() => undefined);
      requests.push(request);
    }
    yield (await requests.shift()) as BundleRead;
  }
}
