import { createReadStream } from 'node:fs';
import { type Readable } from 'node:stream';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { ReportEntity } from '../adapters/report.entity.js';
import { ShareLinkEntity } from '../adapters/share-link.entity.js';
import { parseShareToken } from '../domain/share-token.js';
import { isDisabled } from './disabled-creators.js';

const MAX_LISTED = 200;

export interface SharedReports {
  readonly link: ShareLinkEntity;
  readonly reports: readonly ReportEntity[];
  readonly organization: string;
  /** Of the asset, where the link is to one. */
  readonly title: string | undefined;
}

/** The way out for whoever holds a link. Each use is in the log before the first byte leaves. */
export class ReadShared {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly store: AssetStore,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `invalid_share_link` */
  list(token: string | undefined): Promise<SharedReports> {
    return this.using(token, async (tx, link) => {
      const { organizationId } = tx;
      const reports = await tx.manager.find(ReportEntity, {
        where: {
          organizationId,
          state: 'DONE',
          ...(link.reportId === null
            ? { kind: 'asset' as const, subjectId: link.assetId ?? '' }
            : { id: link.reportId }),
        },
        order: { id: 'DESC' },
        take: MAX_LISTED,
      });
      await this.record(tx, link, undefined);
      return { link, reports, ...(await this.headOf(tx, link)) };
    });
  }

  /** Whose reports, and about which file: whoever may read them may know that, too. */
  private async headOf(
    tx: Tx,
    { assetId }: ShareLinkEntity,
  ): Promise<Pick<SharedReports, 'organization' | 'title'>> {
    const [row] = await tx.query<{ name: string; title: string | null }>(
      `SELECT o.name, (SELECT a.title FROM asset a WHERE a.organization_id = $1 AND a.id = $2) AS title
         FROM organization o WHERE o.organization_id = $1`,
      [tx.organizationId, assetId],
    );
    return { organization: row?.name ?? '', title: row?.title ?? undefined };
  }

  /**
   * @param isBodySent false when only headers will be sent: that is not written down
   * @throws ColophonError `invalid_share_link`; `not_found` for a report that the link does not open
   */
  async content(
    token: string | undefined,
    reportId: string | undefined,
    isBodySent: boolean,
  ): Promise<{ report: ReportEntity; body: Readable }> {
    const report = await this.using(token, async (tx, link) => {
      const where = { organizationId: tx.organizationId, id: reportId ?? '', state: 'DONE' as const };
      const found = reportId === undefined ? null : await tx.manager.findOneBy(ReportEntity, where);
      if (found === null || !opens(link, found))
        throw new ColophonError('not_found', 'This link opens no report with this id.');
      if (isBodySent) await this.record(tx, link, found);
      return found;
    });
    const path = await this.store.localPath(report.organizationId, report.sha256 ?? '');
    return { report, body: createReadStream(path) };
  }

  /** The row stays locked against a revocation until the use is written down. */
  private async using<T>(
    token: string | undefined,
    work: (tx: Tx, link: ShareLinkEntity) => Promise<T>,
  ): Promise<T> {
    const parsed = token === undefined ? undefined : parseShareToken(token);
    if (parsed === undefined) throw invalid();
    return this.organizationTx.run(parsed.organizationId, async (tx) => {
      const link = await tx.manager.findOne(ShareLinkEntity, {
        where: { organizationId: tx.organizationId, tokenSha256: parsed.sha256 },
        lock: { mode: 'pessimistic_read' },
      });
      if (!link || link.revokedAt !== null || link.expiresAt <= this.clock.now()) throw invalid();
      // Whoever may not act any more keeps no door open; nothing of the link is changed, so its list shows why.
      if (await isDisabled(tx, link.createdBy)) throw invalid();
      return work(tx, link);
    });
  }

  private async record(tx: Tx, link: ShareLinkEntity, report: ReportEntity | undefined): Promise<void> {
    const id = publicId('shareLink', link.id);
    await this.appendEntry.append(tx, {
      type: 'share_link.used',
      actor: { kind: 'share_link', id },
      subject: { kind: 'share_link', id },
      data: report ? { reportId: publicId('report', report.id), sha256: report.sha256 ?? '' } : {},
    });
  }
}

function opens({ assetId, reportId }: ShareLinkEntity, report: ReportEntity): boolean {
  if (reportId !== null) return report.id === reportId;
  return report.kind === 'asset' && report.subjectId === assetId;
}

/** One answer for unknown, expired, revoked and a disabled creator: who guesses learns nothing. */
function invalid(): ColophonError {
  return new ColophonError('invalid_share_link', 'This link opens nothing, or nothing any more.');
}
