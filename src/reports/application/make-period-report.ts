import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { csvHeader, csvRecords } from '../../audit/application/entry-csv.js';
import { type LogPeriod, type LogPeriods, type ProvedEntry } from '../../audit/application/log-periods.js';
import { formatBase64 } from '../../audit/core/strict-encoding.js';
import { type Clock } from '../../shared/clock.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import {
  PERIOD_FORMAT,
  PERIOD_PATHS,
  PERIOD_VERSION,
  type PeriodIndex,
  timeStampPath,
} from '../domain/period-format.js';
import { PERIOD_TYPE, REPORT_MEDIA_TYPES } from '../domain/report-kinds.js';
import { type OpenReportSigner } from '../domain/report-signature.js';
import { type ShownPeople } from './collect-dossier.js';
import { type MadeReport, type MakesReports, type ReportOrder } from './made-report.js';
import { signatureOf } from './make-asset-report.js';
import { inSteps } from './progress-steps.js';

/** Writes the zip, streaming; see writePeriodZip. */
export interface PeriodWriter {
  write(request: {
    readonly files: readonly { readonly path: string; readonly bytes: Buffer }[];
    readonly lines: AsyncIterable<Buffer>;
    readonly createdAt: Date;
    readonly destinationPath: string;
  }): Promise<void>;
  instructions(index: PeriodIndex): string;
  certification(index: PeriodIndex): string;
}

/** Entries hold commitments and ids, no names and no text of people: nobody's erasure withdraws an export. */
const NOBODY: readonly string[] = [];

/**
 * All entries of the log of a time, with what shows that none is missing: the two signed states around them, and the
 * right edge of the earlier one, from which the entries lead to the root of the later one and to no other.
 */
export class MakePeriodReport implements MakesReports {
  constructor(
    private readonly periods: LogPeriods,
    private readonly openSigner: OpenReportSigner,
    private readonly writer: PeriodWriter,
    private readonly reportAnchorsPem: () => Promise<string>,
    private readonly countErasures: (organizationId: string) => Promise<number>,
    private readonly clock: Clock,
  ) {}

  async make(order: ReportOrder): Promise<MadeReport> {
    const { organizationId, report } = order;
    const shown: ShownPeople = {
      principalIds: NOBODY,
      erasuresBefore: await this.countErasures(organizationId),
    };
    const { from, until } = report.parameters;
    // Before the period is looked up: the entry that names the key has to be published with it.
    const signer = report.format === 'csv' ? undefined : await this.openSigner(organizationId);
    const period = await this.periods.find(organizationId, {
      from: from === undefined ? undefined : new Date(from),
      until: until === undefined ? undefined : new Date(until),
    });
    const mediaType = REPORT_MEDIA_TYPES[report.format];
    if (signer === undefined) {
      await pipeline(Readable.from(this.csv(order, period)), createWriteStream(order.path, { mode: 0o600 }));
      return { mediaType, shown, signature: undefined };
    }
    const key = signer.identity.certificateSha256;
    const around = await this.periods.around(organizationId, period, key);
    const index = this.indexOf(order, period);
    const json = canonicalJson(JSON.parse(JSON.stringify(index)) as never);
    const jws = await signer.signJson(json, PERIOD_TYPE);
    await this.writer.write({
      files: [...(await this.files(index, json, jws, period)), ...aroundFiles(around)],
      lines: this.lines(order, period),
      createdAt: new Date(index.createdAt),
      destinationPath: order.path,
    });
    return { mediaType, shown, signature: signatureOf(signer, undefined) };
  }

  private indexOf(
    { report }: ReportOrder,
    { origin, first, last, newest, consistencyProof, consistencyToNewest }: LogPeriod,
  ): PeriodIndex {
    const { from, until } = report.parameters;
    return {
      format: PERIOD_FORMAT,
      v: PERIOD_VERSION,
      reportId: publicId('report', report.id),
      createdAt: this.clock.now().toISOString(),
      product: { name: PRODUCT_NAME, version: PRODUCT_VERSION },
      asked: { ...(from !== undefined && { from }), ...(until !== undefined && { until }) },
      origin,
      first: {
        size: first.size,
        rootHash: formatBase64(first.root),
        edge: first.edge.map(formatBase64),
        vkey: first.vkey ?? null,
      },
      last: { size: last.size, rootHash: formatBase64(last.root), vkey: last.vkey },
      consistencyProof: consistencyProof.map(formatBase64),
      newest: { size: newest.size, rootHash: formatBase64(newest.root), vkey: newest.vkey },
      consistencyToNewest: consistencyToNewest.map(formatBase64),
    };
  }

  private async files(index: PeriodIndex, json: Buffer, jws: Buffer, period: LogPeriod) {
    const text = (path: string, content: string) => ({ path, bytes: Buffer.from(content, 'utf8') });
    const { first, last, newest, policy, timeStamps } = period;
    return [
      { path: PERIOD_PATHS.index, bytes: json },
      { path: PERIOD_PATHS.signedIndex, bytes: jws },
      ...(first.note === undefined ? [] : [{ path: PERIOD_PATHS.firstCheckpoint, bytes: first.note }]),
      { path: PERIOD_PATHS.lastCheckpoint, bytes: last.note },
      { path: PERIOD_PATHS.newestCheckpoint, bytes: newest.note },
      text(PERIOD_PATHS.vkey, `${last.vkey}\n`),
      text(PERIOD_PATHS.policy, policy),
      text(PERIOD_PATHS.reportAnchors, await this.reportAnchorsPem()),
      ...timeStamps.map(({ token }, i) => ({ path: timeStampPath(i + 1), bytes: token })),
      text(PERIOD_PATHS.instructions, this.writer.instructions(index)),
      text(PERIOD_PATHS.certification, this.writer.certification(index)),
    ];
  }

  /** The entries in their own bytes, as they were hashed: canonical JSON has no newline in it. */
  private async *lines(order: ReportOrder, period: LogPeriod): AsyncGenerator<Buffer> {
    for await (const page of this.pages(order, period)) {
      yield Buffer.concat(page.flatMap(({ entry }) => [entry, NEWLINE]));
    }
  }

  private async *csv(order: ReportOrder, period: LogPeriod): AsyncGenerator<Buffer> {
    yield csvHeader();
    for await (const page of this.pages(order, period)) yield csvRecords(page);
  }

  private async *pages({ organizationId, progress }: ReportOrder, period: LogPeriod) {
    const total = period.last.size - period.first.size;
    const tell = inSteps((share) => progress(0.1 + 0.85 * share));
    let done = 0;
    for await (const page of this.periods.pages(organizationId, period)) {
      yield page;
      done += page.length;
      await tell(done / total);
    }
  }
}

function aroundFiles({
  before,
  after,
  reportKey,
}: Awaited<ReturnType<LogPeriods['around']>>): { path: string; bytes: Buffer }[] {
  const files = (found: ProvedEntry | undefined, path: string, proofPath: string) =>
    found === undefined
      ? []
      : [
          { path, bytes: found.entry },
          { path: proofPath, bytes: found.proof },
        ];
  return [
    ...files(before, PERIOD_PATHS.before, PERIOD_PATHS.beforeProof),
    ...files(after, PERIOD_PATHS.after, PERIOD_PATHS.afterProof),
    ...files(reportKey, PERIOD_PATHS.reportKey, PERIOD_PATHS.reportKeyProof),
  ];
}

const NEWLINE = Buffer.from('\n');
