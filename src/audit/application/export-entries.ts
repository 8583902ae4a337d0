import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Checkpoint } from '../core/checkpoint.js';
import { type EntryData } from '../core/entry-types.js';
import { leafHash } from '../core/merkle.js';
import { formatBase64 } from '../core/strict-encoding.js';
import { csvHeader, csvRecords } from './entry-csv.js';
import { type LogWriter } from './log-writer.js';
import { PublishedLeaves } from './published-leaves.js';
import { type EntryFilter, type LoggedEntry, type ReadLog } from './read-log.js';
import { type TileStores } from './tile-store.port.js';

export type EntriesFormat = 'ndjson' | 'csv';

export interface StartedExport {
  /** The export ends here: entries under the checkpoint that was published when it began. */
  readonly checkpoint: Checkpoint;
  /** The bytes, made as they are taken. Whoever stops taking them ends the reading. */
  readonly chunks: AsyncGenerator<Buffer>;
}

/** Entries in memory at once: at most 16 MiB, as an entry has at most 65,535 bytes. */
const PAGE = 256;
/** So long an export waits until what is committed when it begins is published as well. */
const PUBLICATION_TIMEOUT_MS = 10_000;

/** Entries of any number as one stream, each compared with what was published of it. Constant memory. */
export class ExportEntries {
  constructor(
    private readonly log: ReadLog,
    private readonly stores: TileStores,
    private readonly writer: LogWriter,
  ) {}

  /** What an export would reach to: nothing is shown, so nothing is written down. */
  async announce(organizationId: string): Promise<Checkpoint> {
    return (await this.log.settled(organizationId, PUBLICATION_TIMEOUT_MS)).checkpoint;
  }

  /**
   * When this resolves, the log says that the export was made; no byte has left yet.
   * @throws ColophonError `audit_unavailable`, `log_damaged`
   */
  async start(principal: Principal, format: EntriesFormat, filter: EntryFilter): Promise<StartedExport> {
    const { organizationId } = principal;
    const checkpoint = await this.announce(organizationId);
    await this.writer.append(organizationId, {
      type: 'log.exported',
      actor: actorOf(principal),
      subject: { kind: 'organization', id: publicId('organization', organizationId) },
      data: { format, size: checkpoint.size, filter: summaryOf(filter) },
      projectId: filter.projectId,
    });
    const pages = this.pages(organizationId, filter, checkpoint);
    return { checkpoint, chunks: format === 'csv' ? csv(pages) : ndjson(pages, checkpoint) };
  }

  private async *pages(
    organizationId: string,
    filter: EntryFilter,
    checkpoint: Checkpoint,
  ): AsyncGenerator<LoggedEntry[]> {
    const leaves = new PublishedLeaves(this.stores.ofLog(organizationId), checkpoint);
    const untilIndex = checkpoint.size;
    for (let fromIndex = 0; fromIndex < untilIndex;) {
      const page = await this.log.list(organizationId, { ...filter, fromIndex, untilIndex, limit: PAGE });
      await leaves.require(page);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      fromIndex = (page.at(-1)?.index as number) + 1;
    }
  }
}

function summaryOf(filter: EntryFilter): EntryData<'log.exported'>['filter'] {
  const { type, subjectId, actorId, projectId, recordedFrom, recordedUntil } = filter;
  return {
    ...(type !== undefined && { type }),
    ...(subjectId !== undefined && { subjectId }),
    ...(actorId !== undefined && { actorId }),
    ...(projectId !== undefined && { projectId: publicId('project', projectId) }),
    ...(recordedFrom && { from: recordedFrom.toISOString() }),
    ...(recordedUntil && { until: recordedUntil.toISOString() }),
  };
}

/** A cut-off CSV is told by the transfer that did not end: the format has no room for a last word. */
async function* csv(pages: AsyncGenerator<LoggedEntry[]>): AsyncGenerator<Buffer> {
  yield csvHeader();
  for await (const page of pages) yield csvRecords(page);
}

/**
 * One object a line, the entry in its canonical bytes as they were hashed. The last line is `{"export":{...}}`; without
 * it the export was cut off. When damage is found, the last line is `{"error":{...}}` instead.
 */
async function* ndjson(
  pages: AsyncGenerator<LoggedEntry[]>,
  { origin, size, root }: Checkpoint,
): AsyncGenerator<Buffer> {
  let entries = 0;
  try {
    for await (const page of pages) {
      entries += page.length;
      yield Buffer.concat(page.map(lineOf));
    }
  } catch (error) {
    if (!isColophonError(error)) throw error;
    yield jsonLine({ error: { code: error.code, detail: error.message } });
    return;
  }
  yield jsonLine({ export: { complete: true, entries, origin, size, rootHash: formatBase64(root) } });
}

/** The keys in the order of RFC 8785, so the line as a whole is canonical too. */
function lineOf({ entry, entryId, index, projectId }: LoggedEntry): Buffer {
  const project = projectId === undefined ? '' : `,"projectId":"${publicId('project', projectId)}"`;
  const rest = `,"id":"${publicId('entry', entryId)}","index":${index},"leafHash":"${hexOf(leafHash(entry))}"`;
  return Buffer.concat([Buffer.from('{"entry":'), entry, Buffer.from(`${rest}${project}}\n`)]);
}

function hexOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}

function jsonLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`, 'utf8');
}
