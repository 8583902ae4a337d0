import { openCheckpoint } from '../../audit/core/checkpoint.js';
import { type EntryEnvelope, parseEntry } from '../../audit/core/entry.js';
import { leafHash } from '../../audit/core/merkle.js';
import { verifyConsistency, verifyInclusion } from '../../audit/core/merkle-proof.js';
import { ed25519Verifier, parseVkey } from '../../audit/core/note-key.js';
import { formatBase64, parseBase64 } from '../../audit/core/strict-encoding.js';
import { parseTlogProof } from '../../audit/core/tlog-proof.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import { PERIOD_PATHS, PERIOD_VERSION, type PeriodIndex } from '../domain/period-format.js';
import { type Checklist } from './checklist.js';

type CurrentIndex = Extract<PeriodIndex, { v: typeof PERIOD_VERSION }>;
type SmallFiles = ReadonlyMap<string, { readonly bytes: Buffer }>;

/** A time of which no entry can be missing. RFC 3339; `undefined`: from the beginning of the log. */
export interface ProvedSpan {
  readonly from: string | undefined;
  readonly until: string;
}

interface Around {
  readonly span: ProvedSpan | undefined;
  /** Proved entries about keys that sign reports. */
  readonly keys: readonly EntryEnvelope[];
}

const NOTHING: Around = { span: undefined, keys: [] };

/** Entries take their place when they are committed and their time before that, and the clock is the operator's. */
const FORWARD_TIMES =
  'That an entry further away in the log does not name a time of the export, too, is not proved: only its neighbours are shown. The order of the log is proved, its times are not, and they need not ascend.';

const NO_EDGES =
  'An export of format 1 does not show what stands before and after its entries, so it may be one of a shorter time than it names.';

/**
 * That the time asked for ends where the export ends: the entries before and after it, each proved to be the neighbour,
 * are of times outside. Where none follows, the log ended there when the export was made.
 *
 * @param lastAt time of the last entry of the export
 */
export async function checkAround(
  files: SmallFiles,
  index: PeriodIndex,
  lastAt: string | undefined,
  { acceptOlderFormat = false }: { readonly acceptOlderFormat?: boolean | undefined },
  checklist: Checklist,
): Promise<Around> {
  if (index.v !== PERIOD_VERSION) {
    if (acceptOlderFormat) checklist.notProved.push(NO_EDGES);
    else
      checklist.unproved(`${NO_EDGES} Verify again with --older-format to have it judged as far as it goes.`);
    return NOTHING;
  }
  return checklist.ask(
    ({ span }) =>
      span === undefined
        ? 'The time asked for begins after the newest entry of the log.'
        : `The export begins and ends where the time from ${span.from ?? 'the beginning of the log'} to ${span.until} does: its neighbours in the log are of other times.`,
    'The entries around the period do not show that it is whole.',
    () => new AroundCheck(files, index, lastAt, checklist).all(),
  );
}

class AroundCheck {
  constructor(
    private readonly files: SmallFiles,
    private readonly index: CurrentIndex,
    private readonly lastAt: string | undefined,
    private readonly checklist: Checklist,
  ) {}

  all(): Around {
    const { first, last, newest, asked } = this.index;
    if (!this.newestState()) return NOTHING;
    const before = this.neighbour(
      PERIOD_PATHS.before,
      PERIOD_PATHS.beforeProof,
      first.size - 1,
      first.size > 0,
    );
    const hasAfter = newest.size > last.size;
    const after = this.neighbour(PERIOD_PATHS.after, PERIOD_PATHS.afterProof, last.size, hasAfter);
    if (before && (asked.from === undefined || new Date(before.at) >= new Date(asked.from)))
      this.checklist.fault(
        PERIOD_PATHS.before,
        `The entry before the export is of ${before.at}, which belongs to the time asked for: the beginning is missing.`,
      );
    if (after && (asked.until === undefined || new Date(after.at) < new Date(asked.until)))
      this.checklist.fault(
        PERIOD_PATHS.after,
        `The entry after the export is of ${after.at}, which belongs to the time asked for: the end is missing.`,
      );
    const key = this.proved(PERIOD_PATHS.reportKey, PERIOD_PATHS.reportKeyProof);
    this.checklist.notProved.push(FORWARD_TIMES);
    return { span: this.span(before, after), keys: key ? [key.entry] : [] };
  }

  /** Where nothing follows, it is proved until the last entry: what is recorded later may belong to the time, too. */
  private span(before: EntryEnvelope | undefined, after: EntryEnvelope | undefined): ProvedSpan | undefined {
    const { asked, createdAt } = this.index;
    const last = this.lastAt ?? before?.at ?? createdAt;
    if (after !== undefined && asked.until !== undefined) return { from: asked.from, until: asked.until };
    this.checklist.notProved.push(
      `No entry followed when the export was made, at ${createdAt}. What was recorded after ${last} is not in it${asked.until === undefined ? '' : `, although the time asked for ends at ${asked.until}`}.`,
    );
    const isAhead = asked.from !== undefined && new Date(asked.from) > new Date(last);
    return isAhead ? undefined : { from: asked.from, until: last };
  }

  /** The newest state is signed, and continues the last one of the period. */
  private newestState(): boolean {
    const { origin, last, newest, consistencyToNewest } = this.index;
    return (
      this.attempt(PERIOD_PATHS.newestCheckpoint, () => {
        const log = ed25519Verifier(parseVkey(newest.vkey));
        const opened = openCheckpoint(this.bytes(PERIOD_PATHS.newestCheckpoint), { origin, log });
        const { size, root } = opened.checkpoint;
        if (log.name !== origin || size !== newest.size || formatBase64(root) !== newest.rootHash)
          throw new TlogError('malformed', 'the newest state is another one than that in period.json');
        const roots = {
          ...{ oldSize: last.size, oldRoot: parseBase64(last.rootHash, 'the root') },
          ...{ newSize: newest.size, newRoot: root },
        };
        verifyConsistency(
          roots,
          consistencyToNewest.map((hash) => parseBase64(hash, 'a hash')),
        );
        return true;
      }) ?? false
    );
  }

  private neighbour(
    path: string,
    proofPath: string,
    index: number,
    isExpected: boolean,
  ): EntryEnvelope | undefined {
    if (!isExpected) {
      if (this.files.has(path) || this.files.has(proofPath))
        this.checklist.fault(path, 'There is no entry beyond this edge, and yet the export holds one.');
      return undefined;
    }
    const found = this.proved(path, proofPath);
    if (found && found.index !== index) {
      this.checklist.fault(path, `This is entry ${found.index}, not the neighbour of the export.`);
      return undefined;
    }
    return found?.entry;
  }

  /** An entry under the newest state; `undefined`, with a finding, when it is not proved. */
  private proved(path: string, proofPath: string): { index: number; entry: EntryEnvelope } | undefined {
    const { newest } = this.index;
    return this.attempt(path, () => {
      const bytes = this.bytes(path);
      const proof = parseTlogProof(this.bytes(proofPath));
      if (!this.bytes(PERIOD_PATHS.newestCheckpoint).equals(proof.checkpoint))
        throw new TlogError('malformed', 'the proof leads to another state of the log');
      const root = parseBase64(newest.rootHash, 'the root');
      verifyInclusion(
        { index: proof.index, size: newest.size, leafHash: leafHash(bytes), root },
        proof.hashes,
      );
      return { index: proof.index, entry: parseEntry(bytes).entry };
    });
  }

  private bytes(path: string): Buffer {
    const bytes = this.files.get(path)?.bytes;
    if (bytes === undefined) throw new TlogError('malformed', `${path} is missing`);
    return bytes;
  }

  private attempt<T>(path: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      this.checklist.fault(path, `It is not proved: ${error.message}.`);
      return undefined;
    }
  }
}
