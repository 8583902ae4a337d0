import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { CompactRange } from '../core/compact-range.js';
import { cosignedNote } from '../core/cosigned-note.js';
import { type Hash } from '../core/merkle.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { consistencyProofFromTiles } from '../core/tile-reading.js';
import { parseSignatureLine } from '../core/signed-note.js';
import {
  formatWitnessPolicy,
  keyNameOf,
  policyForLog,
  type WitnessPolicy,
  witnessKeyName,
} from '../core/witness-policy.js';
import { type AnchoredCheckpoints, type TimeStamp } from './anchored-checkpoints.js';
import { type LogKeys } from './log-keys.port.js';
import { openOwnCheckpoint } from './own-checkpoint.js';
import { asLogDamage, logDamaged, PublishedLeaves } from './published-leaves.js';
import { tileReaderOf } from './published-tiles.js';
import { type LoggedEntry, type ReadLog } from './read-log.js';
import { type TileStores } from './tile-store.port.js';

/** A state of the log that it signed; size 0 was never signed and needs no signature. */
export interface PeriodEnd {
  readonly size: number;
  readonly root: Hash;
  /** The right edge of the tree, largest subtree first: enough to go on from it. */
  readonly edge: readonly Hash[];
  /** The signed note with its cosignatures; `undefined` for size 0. */
  readonly note: Buffer | undefined;
  /** The key that signed it. */
  readonly vkey: string | undefined;
}

/**
 * All entries of a time lie in `[first.size, last.size)`; a few before and after may, too, because a checkpoint covers
 * what was integrated together.
 */
export interface LogPeriod {
  readonly origin: string;
  readonly first: PeriodEnd;
  readonly last: PeriodEnd & { readonly note: Buffer; readonly vkey: string };
  /** RFC 6962 section 2.1.2, from first to last. */
  readonly consistencyProof: readonly Hash[];
  /** The newest state, under which lie the entries around the period. */
  readonly newest: PeriodEnd & { readonly note: Buffer; readonly vkey: string };
  /** From last to newest. */
  readonly consistencyToNewest: readonly Hash[];
  /** RFC 3161 tokens over the last checkpoint, where it got any. */
  readonly timeStamps: readonly TimeStamp[];
  /** C2SP tlog-policy of the operator, with the key of the last checkpoint. */
  readonly policy: string;
}

/** An entry in its canonical bytes, and its C2SP tlog-proof under the newest state. */
export interface ProvedEntry {
  readonly entry: Buffer;
  readonly proof: Buffer;
}

interface CheckpointRow {
  size: string;
  edge: Buffer[];
  note: string;
}

/** Entries in memory at once: at most 16 MiB, as an entry has at most 65,535 bytes. */
const PAGE = 256;
/** So long an export waits until what is committed when it begins is published as well. */
const PUBLICATION_TIMEOUT_MS = 10_000;

/** The log between two of its signed states. */
export class LogPeriods {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly log: ReadLog,
    private readonly stores: TileStores,
    private readonly keys: LogKeys,
    private readonly anchored: AnchoredCheckpoints,
    private readonly policy: WitnessPolicy,
  ) {}

  /**
   * The narrowest signed states around the entries of this time, by the times in the entries.
   * @throws ColophonError `audit_unavailable`, `log_damaged`
   */
  async find(
    organizationId: string,
    span: { readonly from?: Date | undefined; readonly until?: Date | undefined },
  ): Promise<LogPeriod> {
    const published = await this.log.settled(organizationId, PUBLICATION_TIMEOUT_MS);
    const publishedSize = published.checkpoint.size;
    const { first, last, newest, timeStamps } = await this.organizationTx.run(organizationId, async (tx) => {
      const { low, high } = await positions(tx, span, publishedSize);
      const firstRow = await checkpointBelow(tx, low);
      const lastRow = await checkpointAbove(
        tx,
        Math.max(high, Number(firstRow?.size ?? 0), 1),
        publishedSize,
      );
      if (lastRow === undefined) throw logDamaged('A published checkpoint is missing from the database.');
      return {
        first: await this.endOf(tx, firstRow),
        last: await this.endOf(tx, lastRow),
        newest: await this.endOf(tx, await checkpointAbove(tx, publishedSize, publishedSize)),
        timeStamps: await this.anchored.timeStampsOf(tx, Number(lastRow.size)),
      };
    });
    return {
      origin: published.checkpoint.origin,
      first,
      last: signed(last),
      consistencyProof: await this.consistency(organizationId, first, last),
      newest: signed(newest),
      consistencyToNewest: await this.consistency(organizationId, last, newest),
      timeStamps,
      policy: formatWitnessPolicy(policyForLog(this.policy, signed(last).vkey)),
    };
  }

  /** Every entry of the period in order, each compared with what was published of it. Constant memory. */
  async *pages(organizationId: string, { first, last, origin }: LogPeriod): AsyncGenerator<LoggedEntry[]> {
    const checkpoint = { origin, size: last.size, root: last.root };
    const leaves = new PublishedLeaves(this.stores.ofLog(organizationId), checkpoint);
    for (let fromIndex = first.size; fromIndex < last.size; fromIndex += PAGE) {
      const untilIndex = Math.min(fromIndex + PAGE, last.size);
      const page = await this.log.list(organizationId, { fromIndex, untilIndex, limit: PAGE });
      if (page.length !== untilIndex - fromIndex || page.some(({ index }, i) => index !== fromIndex + i))
        throw logDamaged(`An entry between ${fromIndex} and ${untilIndex} is missing from the database.`);
      await leaves.require(page);
      yield page;
    }
  }

  /**
   * The neighbours of the period, whose times show that none of its entries lies beyond its edges, and the entry that
   * names a key of the installation.
   * @throws ColophonError `audit_unavailable` while that entry is not published, `log_damaged`
   */
  async around(
    organizationId: string,
    period: LogPeriod,
    keyCertificateSha256: string,
  ): Promise<{
    readonly before: ProvedEntry | undefined;
    readonly after: ProvedEntry | undefined;
    readonly reportKey: ProvedEntry;
  }> {
    const { first, last, newest } = period;
    const named = await this.organizationTx.run(organizationId, (tx) =>
      this.log.bySubjects(tx, [keyCertificateSha256]),
    );
    const key = named.find(({ type }) => type === 'report_key.activated')?.index ?? newest.size;
    if (key >= newest.size)
      throw new ColophonError(
        'audit_unavailable',
        'The log has not published the entry of the report key yet.',
      );
    const at = (index: number): Promise<ProvedEntry> => this.proved(organizationId, period, index);
    return {
      before: first.size === 0 ? undefined : await at(first.size - 1),
      after: last.size === newest.size ? undefined : await at(last.size),
      reportKey: await at(key),
    };
  }

  private async proved(
    organizationId: string,
    { origin, newest: { size, root, note, vkey } }: LogPeriod,
    index: number,
  ): Promise<ProvedEntry> {
    const checkpoint = { origin, size, root, extensions: [] };
    const page = await this.log.list(organizationId, { fromIndex: index, untilIndex: index + 1, limit: 1 });
    const [logged] = page;
    if (logged === undefined) throw logDamaged(`Entry ${index} is missing from the database.`);
    await new PublishedLeaves(this.stores.ofLog(organizationId), checkpoint).require(page);
    const [proof] = await this.log.proofs(organizationId, [index], { checkpoint, note, vkey });
    if (proof === undefined) throw new Error('an entry has no proof');
    return { entry: logged.entry, proof };
  }

  private async endOf(tx: Tx, row: CheckpointRow | undefined): Promise<PeriodEnd> {
    const range = new CompactRange(Number(row?.size ?? 0), row?.edge ?? []);
    const { size, edge } = range;
    const root = range.root();
    if (row === undefined) return { size, edge, root, note: undefined, vkey: undefined };
    const recorded = await this.anchored.recorded(tx, size);
    const ring = await this.keys.ofLog(tx.organizationId);
    const named = new Set(this.policy.witnesses.map(witnessKeyName));
    try {
      // A witness is known by its key: the name in the policy is the operator's own.
      const cosignatures = (recorded?.cosignatures ?? []).filter((line) =>
        named.has(keyNameOf(parseSignatureLine(line))),
      );
      const note = cosignedNote(Buffer.from(row.note, 'utf8'), cosignatures);
      const { checkpoint, signedBy } = openOwnCheckpoint(note, ring, this.policy);
      if (checkpoint.size !== size || !bytesEqual(checkpoint.root, root))
        throw logDamaged(`The checkpoint of ${size} entries is not the one that was signed.`);
      return { size, edge, root, note, vkey: signedBy.vkey };
    } catch (error) {
      throw asLogDamage(error);
    }
  }

  private async consistency(organizationId: string, first: PeriodEnd, last: PeriodEnd): Promise<Hash[]> {
    const tiles = tileReaderOf(this.stores.ofLog(organizationId));
    try {
      const { oldRoot, proof } = await consistencyProofFromTiles(tiles, first.size, last.size, last.root);
      if (!bytesEqual(oldRoot, first.root))
        throw logDamaged(`The published log does not continue its own state of ${first.size} entries.`);
      return proof;
    } catch (error) {
      throw asLogDamage(error);
    }
  }
}

function signed(end: PeriodEnd): PeriodEnd & { readonly note: Buffer; readonly vkey: string } {
  const { note, vkey } = end;
  if (note === undefined || vkey === undefined)
    throw logDamaged('A published checkpoint is missing from the database.');
  return { ...end, note, vkey };
}

/** Indexes between which all entries of these times lie: `low` is the first one, `high` follows the last one. */
async function positions(
  tx: Tx,
  { from, until }: { readonly from?: Date | undefined; readonly until?: Date | undefined },
  size: number,
): Promise<{ low: number; high: number }> {
  const [row] = await tx.query<{ low: string | null; high: string | null }>(
    `SELECT (SELECT index FROM audit_entry WHERE organization_id = $1 AND index < $4
                AND ($2::timestamptz IS NULL OR recorded_at >= $2) ORDER BY index LIMIT 1) AS low,
            (SELECT index + 1 FROM audit_entry WHERE organization_id = $1 AND index < $4
                AND ($3::timestamptz IS NULL OR recorded_at < $3) ORDER BY index DESC LIMIT 1) AS high`,
    [tx.organizationId, from ?? null, until ?? null, size],
  );
  const high = Number(row?.high ?? 0);
  // Nothing was recorded since then: an empty period, at the end of what was recorded before.
  return { low: row?.low == null ? high : Math.min(Number(row.low), high), high };
}

async function checkpointBelow(tx: Tx, index: number): Promise<CheckpointRow | undefined> {
  const [row] = await tx.query<CheckpointRow>(
    `SELECT size, edge, note FROM audit_checkpoint WHERE organization_id = $1 AND size <= $2
      ORDER BY size DESC LIMIT 1`,
    [tx.organizationId, index],
  );
  return row;
}

async function checkpointAbove(tx: Tx, size: number, atMost: number): Promise<CheckpointRow | undefined> {
  const [row] = await tx.query<CheckpointRow>(
    `SELECT size, edge, note FROM audit_checkpoint WHERE organization_id = $1 AND size >= $2 AND size <= $3
      ORDER BY size LIMIT 1`,
    [tx.organizationId, size, atMost],
  );
  return row;
}
