import { type PassThrough, Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Checkpoint } from '../core/checkpoint.js';
import { filesOfLog } from '../core/log-files.js';
import { type Tile, tilePath, type TileReader } from '../core/tiles.js';
import { formatWitnessPolicy, policyForLog, type WitnessPolicy } from '../core/witness-policy.js';
import { type AnchoredCheckpoints } from './anchored-checkpoints.js';
import { type LogWriter } from './log-writer.js';
import { tileReaderOf } from './published-tiles.js';
import { type PublishedCheckpoint, type ReadLog } from './read-log.js';
import { type TileStores } from './tile-store.port.js';

export interface StartedArchive {
  readonly checkpoint: Checkpoint;
  /** The zip. Destroying it ends the reading. */
  readonly stream: Readable;
}

/** A zip names each file twice and keeps the second list in memory. Larger logs are copied with `colophon log mirror`. */
const MAX_ARCHIVE_ENTRIES = 10_000_000;
const PUBLICATION_TIMEOUT_MS = 10_000;

interface SmallFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The whole log as a zip of the static files of C2SP tlog-tiles, which `colophon log fsck` reads: `checkpoint`,
 * `tile/...`, `vkey`, `policy` when there is one, and `time-stamps/` with the tokens over its last time-stamped
 * checkpoint. The checkpoint is read first and the tiles are exactly its own, so the log may grow meanwhile.
 */
export class ExportArchive {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly log: ReadLog,
    private readonly stores: TileStores,
    private readonly anchored: AnchoredCheckpoints,
    private readonly policy: WitnessPolicy,
    private readonly writer: LogWriter,
  ) {}

  /**
   * What an archive would hold: nothing is shown, so nothing is written down.
   * @throws ColophonError `audit_unavailable`, `log_damaged`, `payload_too_large`
   */
  async announce(organizationId: string): Promise<PublishedCheckpoint> {
    const published = await this.log.settled(organizationId, PUBLICATION_TIMEOUT_MS);
    if (published.checkpoint.size > MAX_ARCHIVE_ENTRIES)
      throw new ColophonError(
        'payload_too_large',
        `An archive holds at most ${MAX_ARCHIVE_ENTRIES} entries. Copy this log with "colophon log mirror".`,
      );
    return published;
  }

  /**
   * When this resolves, the log says that the archive was made; no byte has left yet.
   * @throws ColophonError `audit_unavailable`, `log_damaged`, `payload_too_large`
   */
  async start(principal: Principal): Promise<StartedArchive> {
    const { organizationId } = principal;
    const { checkpoint, note, vkey } = await this.announce(organizationId);
    const small = await this.smallFiles(organizationId, { size: checkpoint.size, note, vkey });
    await this.writer.append(organizationId, {
      type: 'log.exported',
      actor: actorOf(principal),
      subject: { kind: 'organization', id: publicId('organization', organizationId) },
      data: { format: 'archive', size: checkpoint.size, filter: {} },
    });
    const tiles = tileReaderOf(this.stores.ofLog(organizationId));
    return { checkpoint, stream: zipOf(small, filesOfLog(checkpoint.size), tiles) };
  }

  private async smallFiles(
    organizationId: string,
    { size, note, vkey }: { size: number; note: Uint8Array; vkey: string },
  ): Promise<SmallFile[]> {
    const files = [
      { path: 'checkpoint', bytes: Buffer.from(note) },
      { path: 'vkey', bytes: Buffer.from(`${vkey}\n`, 'utf8') },
    ];
    if (this.policy.witnesses.length > 0) {
      const text = formatWitnessPolicy(policyForLog(this.policy, vkey));
      files.push({ path: 'policy', bytes: Buffer.from(text, 'utf8') });
    }
    return [...files, ...(await this.timeStamps(organizationId, size))];
  }

  private async timeStamps(organizationId: string, size: number): Promise<SmallFile[]> {
    const stamped = await this.organizationTx.run(organizationId, (tx) =>
      this.anchored.newestTimeStamped(tx, size),
    );
    if (stamped === undefined) return [];
    const folder = `time-stamps/${stamped.size}`;
    return [
      { path: `${folder}/checkpoint`, bytes: stamped.note },
      ...stamped.timeStamps.map(({ token }, i) => ({ path: `${folder}/token-${i + 1}.der`, bytes: token })),
    ];
  }
}

/** A regular file, readable by everybody. */
const FILE_MODE = 0o100644;
/** Equal logs give equal archives: zip times are local, and say nothing here. */
const NO_TIME = new Date(1980, 0, 1, 12);

/** Stored, not compressed: hashes do not shrink, and a reader sees that nothing can explode. */
function zipOf(small: readonly SmallFile[], tiles: Iterable<Tile>, reader: TileReader): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as PassThrough;
  const options = { compress: false, mtime: NO_TIME, mode: FILE_MODE, forceDosTimestamp: true };
  const fail = (error: unknown): void => void output.destroy(error as Error);
  zip.on('error', fail);
  for (const { path, bytes } of small) zip.addBuffer(bytes, path, options);
  for (const tile of tiles)
    // Opened when its turn has come, and the turn comes when the reader has taken what was before.
    zip.addReadStreamLazy(tilePath(tile), options, (callback) => {
      if (output.destroyed) return;
      reader
        .readTile(tile)
        .then((bytes) => callback(null, Readable.from([bytes], { objectMode: false })), fail);
    });
  zip.end();
  return output;
}
