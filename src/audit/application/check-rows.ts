import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { type ParsedCheckpoint } from '../core/checkpoint.js';
import { CompactRange } from '../core/compact-range.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { TlogError } from '../core/tlog-error.js';
import { MAX_FINDINGS, type LogFinding, type LogSource } from '../verify/log-report.js';
import { verifyLog } from '../verify/verify-log.js';
import { type LogKeyRing, type LogKeys } from './log-keys.port.js';
import { type LogWriter } from './log-writer.js';
import { openOwnCheckpoint } from './own-checkpoint.js';
import { CHECKPOINT_PATH } from './publish-log.js';
import { PublishedHashes } from './published-hashes.js';
import { ROW_COLUMNS, RowComparison, type StoredRow } from './row-comparison.js';
import { type TileStores } from './tile-store.port.js';

export interface RowFinding {
  /** `row 17`, `rows 17 to 20`, `head`, `recorded checkpoint 300`, or a file such as `tile/0/005`. */
  readonly what: string;
  readonly code: LogFinding['code'] | RowFindingCode;
  readonly detail: string;
}

/**
 * - `row_changed`: its bytes are not those that were published.
 * - `row_missing`, `row_surplus`: an index without a row, or a row beyond the head.
 * - `row_columns`: columns by which people search say something else than the entry.
 * - `head_mismatch`: size or edge of the head do not follow from the rows, or are behind what is published.
 * - `checkpoint_row`: what is recorded of the published checkpoint is not what was published.
 */
export type RowFindingCode =
  'row_changed' | 'row_missing' | 'row_surplus' | 'row_columns' | 'head_mismatch' | 'checkpoint_row';

export interface CheckResult {
  readonly outcome: 'clean' | 'damaged';
  /** Entries under the checkpoint that was compared with. */
  readonly size: number;
  readonly rows: number;
  readonly findings: readonly RowFinding[];
  /** There is more than this: the check ended after {@link MAX_FINDINGS} findings. */
  readonly stoppedEarly: boolean;
  /** Public id of the entry that tells of this check. */
  readonly entryId: string;
}

export interface CheckProgress {
  readonly phase: 'files' | 'rows';
  readonly done: number;
  readonly of: number;
}

/** Rows in memory at once: at most 64 MiB, as an entry has at most 65,535 bytes. */
const PAGE = 1_024;

class EnoughFindings extends Error {}

/**
 * Compares what the database holds of a log with what was published of it, row by row, and the published files with
 * the signed root. Whoever can write to the database or to the store, but not sign, is found here. O(size), constant
 * memory, reads only.
 */
export class CheckRows {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly stores: TileStores,
    private readonly keys: LogKeys,
    private readonly writer: LogWriter,
  ) {}

  /**
   * The result is returned when the log has an entry that tells of it.
   * @param onProgress may throw to end the check
   */
  async run(principal: Principal, onProgress: (progress: CheckProgress) => void): Promise<CheckResult> {
    const { organizationId } = principal;
    const check = new Check(
      <T>(work: (tx: Tx) => Promise<T>) => this.organizationTx.run(organizationId, work),
      this.stores.ofLog(organizationId),
      await this.keys.ofLog(organizationId),
      onProgress,
    );
    const found = await check.run();
    const { outcome, size, rows, findings } = found;
    const { entryId } = await this.writer.append(organizationId, {
      type: 'log.checked',
      actor: actorOf(principal),
      subject: { kind: 'organization', id: publicId('organization', organizationId) },
      data: { outcome, size, rows, findings: findings.length },
    });
    return { ...found, entryId: publicId('entry', entryId) };
  }
}

class Check {
  private readonly findings: RowFinding[] = [];
  private rows = 0;
  private size = 0;

  constructor(
    private readonly inTx: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
    private readonly store: LogSource,
    private readonly keys: LogKeyRing,
    private readonly onProgress: (progress: CheckProgress) => void,
  ) {}

  async run(): Promise<Omit<CheckResult, 'entryId'>> {
    let stoppedEarly: boolean;
    try {
      stoppedEarly = await this.compare();
    } catch (error) {
      if (!(error instanceof EnoughFindings)) throw error;
      stoppedEarly = true;
    }
    const { findings, rows, size } = this;
    return { outcome: findings.length === 0 ? 'clean' : 'damaged', size, rows, findings, stoppedEarly };
  }

  private readonly report = (what: string, code: RowFinding['code'], detail: string): void => {
    this.findings.push({ what, code, detail });
    if (this.findings.length >= MAX_FINDINGS) throw new EnoughFindings();
  };

  /** @returns whether the published files have more faults than were listed */
  private async compare(): Promise<boolean> {
    const note = await this.usableCheckpoint();
    if (note === undefined) {
      await this.compareRows(undefined, []);
      return false;
    }
    const { checkpoint, signedBy } = openOwnCheckpoint(note, this.keys);
    this.size = checkpoint.size;
    const source: LogSource = {
      read: (path) => (path === CHECKPOINT_PATH ? Promise.resolve(note) : this.store.read(path)),
    };
    const trust = { origin: this.keys.origin, log: signedBy.verifier };
    const files = await verifyLog(source, trust, {
      onProgress: ({ entries, size }) => this.onProgress({ phase: 'files', done: entries, of: size }),
    });
    for (const { path, code, detail } of files.findings) this.report(path, code, detail);
    await this.compareRows(checkpoint, files.findings);
    return files.stoppedEarly;
  }

  /** The published checkpoint, or the last recorded one when the published one is no longer one of this log. */
  private async usableCheckpoint(): Promise<Uint8Array | undefined> {
    const published = await this.store.read(CHECKPOINT_PATH);
    const fault = published && this.faultOf(published);
    if (published === undefined) this.report(CHECKPOINT_PATH, 'checkpoint_missing', 'the file is missing');
    else if (fault !== undefined) this.report(CHECKPOINT_PATH, 'checkpoint_invalid', fault);
    if (published !== undefined && fault === undefined) {
      await this.compareRecorded(openOwnCheckpoint(published, this.keys).checkpoint);
      return published;
    }
    const [newest] = await this.recorded('ORDER BY size DESC LIMIT 1', []);
    return newest !== undefined && this.faultOf(newest.note) === undefined ? newest.note : undefined;
  }

  private faultOf(note: Uint8Array): string | undefined {
    try {
      openOwnCheckpoint(note, this.keys);
      return undefined;
    } catch (error) {
      if (error instanceof TlogError) return error.message;
      throw error;
    }
  }

  private async compareRecorded({ size, root }: ParsedCheckpoint): Promise<void> {
    const what = `recorded checkpoint ${size}`;
    const [row] = await this.recorded('AND size = $2', [size]);
    if (row === undefined)
      return this.report(what, 'checkpoint_row', 'it was published, but is not recorded');
    const fault = this.faultOf(row.note);
    if (fault !== undefined) return this.report(what, 'checkpoint_row', fault);
    const same = bytesEqual(openOwnCheckpoint(row.note, this.keys).checkpoint.root, root);
    if (!same) this.report(what, 'checkpoint_row', 'another root than the published one is recorded');
    else if (!bytesEqual(rootOf(size, row.edge) ?? Buffer.alloc(0), root))
      this.report(what, 'checkpoint_row', 'the recorded edge does not lead to the signed root');
  }

  private async recorded(
    condition: string,
    values: readonly unknown[],
  ): Promise<{ note: Buffer; edge: Buffer[] }[]> {
    const rows = await this.inTx((tx) =>
      tx.query<{ note: string; edge: Buffer[] }>(
        `SELECT note, edge FROM audit_checkpoint WHERE organization_id = $1 ${condition}`,
        [tx.organizationId, ...values],
      ),
    );
    return rows.map(({ note, edge }) => ({ note: Buffer.from(note, 'utf8'), edge }));
  }

  private async compareRows(
    checkpoint: ParsedCheckpoint | undefined,
    fileFindings: readonly LogFinding[],
  ): Promise<void> {
    // The head is read after the checkpoint, so an honest one is never behind it.
    const [head] = await this.inTx((tx) =>
      tx.query<{ size: string; edge: Buffer[] }>(
        'SELECT size, edge FROM audit_log WHERE organization_id = $1',
        [tx.organizationId],
      ),
    );
    const headSize = Number(head?.size ?? 0);
    if (headSize < this.size)
      this.report('head', 'head_mismatch', `it has ${headSize} entries, and ${this.size} are published`);
    const hashes = checkpoint && new PublishedHashes(this.store, checkpoint, fileFindings);
    const comparison = new RowComparison(hashes, Math.max(headSize, this.size), this.report);
    await this.eachPage(comparison, headSize);
    await comparison.finish();
    this.rows = comparison.rows;
    // Rows that are wrong were named already; of a head that is behind it was said.
    if (comparison.range?.size !== headSize || headSize < this.size) return;
    const root = rootOf(headSize, head?.edge ?? []);
    if (root === undefined || !bytesEqual(root, comparison.range.root()))
      this.report('head', 'head_mismatch', 'its edge is not that of the entries');
  }

  private async eachPage(comparison: RowComparison, headSize: number): Promise<void> {
    for (let from = 0; ;) {
      const page = await this.inTx((tx) =>
        tx.query<StoredRow>(
          `SELECT ${ROW_COLUMNS} FROM audit_entry WHERE organization_id = $1 AND index >= $2
            ORDER BY index LIMIT ${PAGE}`,
          [tx.organizationId, from],
        ),
      );
      for (const row of page) {
        // Rows that came in after the head was read belong to the next check.
        if (Number(row.index) >= headSize && !(await this.isSurplus(Number(row.index)))) return;
        await comparison.compare(row);
      }
      this.onProgress({ phase: 'rows', done: comparison.rows, of: headSize });
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return;
      from = Number(last.index) + 1;
    }
  }

  private async isSurplus(index: number): Promise<boolean> {
    const [head] = await this.inTx((tx) =>
      tx.query<{ size: string }>('SELECT size FROM audit_log WHERE organization_id = $1', [
        tx.organizationId,
      ]),
    );
    return index >= Number(head?.size ?? 0);
  }
}

/** `undefined` when it cannot be the edge of a tree of this size. */
function rootOf(size: number, edge: readonly Uint8Array[]): Uint8Array | undefined {
  try {
    return new CompactRange(size, edge).root();
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}
