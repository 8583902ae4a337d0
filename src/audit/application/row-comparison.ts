import { CompactRange } from '../core/compact-range.js';
import { type Hash, leafHash } from '../core/merkle.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { type PublishedHashes } from './published-hashes.js';

export interface StoredRow {
  readonly index: string;
  readonly entry: Buffer;
  readonly entry_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor_id: string;
  readonly recorded_at: Date;
}

export const ROW_COLUMNS = 'index, entry, entry_type, subject_kind, subject_id, actor_id, recorded_at';

type Report = (
  what: string,
  code: 'row_changed' | 'row_missing' | 'row_surplus' | 'row_columns',
  detail: string,
) => void;

/** Compares rows, in the order of the log, with what was published of them, and derives the tree that they make. */
export class RowComparison {
  rows = 0;
  /** The tree of the rows as they should be; `undefined` once that is not known for one of them. */
  range: CompactRange | undefined = CompactRange.empty();
  private next = 0;
  private pending: Hash[] = [];

  /** @param size entries that there should be */
  constructor(
    private readonly published: PublishedHashes | undefined,
    private readonly size: number,
    private readonly report: Report,
  ) {}

  async compare(row: StoredRow): Promise<void> {
    const index = Number(row.index);
    this.rows += 1;
    if (index >= this.size) return this.report(`row ${index}`, 'row_surplus', 'it lies beyond the head');
    await this.missing(index);
    this.next = index + 1;
    const derived = leafHash(row.entry);
    const expected = await this.published?.of(index);
    const changed = expected !== undefined && !bytesEqual(expected, derived);
    if (changed) this.report(`row ${index}`, 'row_changed', 'its entry is not the one that was published');
    else this.compareColumns(index, row);
    const isUnknown = expected === undefined && index < (this.published?.size ?? 0);
    this.add(isUnknown ? undefined : (expected ?? derived));
  }

  /** What is missing at the end. */
  async finish(): Promise<void> {
    await this.missing(this.size);
    this.flush();
  }

  private async missing(until: number): Promise<void> {
    if (this.next >= until) return;
    const [first, last] = [this.next, until - 1];
    const what = first === last ? `row ${first}` : `rows ${first} to ${last}`;
    this.report(what, 'row_missing', 'the log has it, the database does not');
    for (; this.next < until; this.next++) this.add(await this.published?.of(this.next));
  }

  private compareColumns(index: number, row: StoredRow): void {
    const wrong = differingColumns(row);
    if (wrong.length > 0)
      this.report(`row ${index}`, 'row_columns', `${wrong.join(', ')}: not what the entry says`);
  }

  private add(hash: Hash | undefined): void {
    if (hash === undefined) this.range = undefined;
    if (this.range === undefined || hash === undefined) return;
    this.pending.push(hash);
    if (this.pending.length >= 1_024) this.flush();
  }

  private flush(): void {
    this.range = this.range?.append(this.pending);
    this.pending = [];
  }
}

interface Said {
  readonly type?: unknown;
  readonly at?: unknown;
  readonly actor?: { readonly id?: unknown };
  readonly subject?: { readonly kind?: unknown; readonly id?: unknown };
}

/** The project is not among them: the canonical bytes do not hold it. */
function differingColumns(row: StoredRow): string[] {
  const said = parse(row.entry);
  const pairs: [string, unknown, unknown][] = [
    ['entry_type', row.entry_type, said.type],
    ['subject_kind', row.subject_kind, said.subject?.kind],
    ['subject_id', row.subject_id, said.subject?.id],
    ['actor_id', row.actor_id, said.actor?.id],
    ['recorded_at', row.recorded_at.toISOString(), said.at],
  ];
  return pairs.filter(([, column, entry]) => column !== entry).map(([name]) => name);
}

function parse(entry: Buffer): Said {
  try {
    return JSON.parse(entry.toString('utf8')) as Said;
  } catch {
    return {};
  }
}
