import { LessThan } from 'typeorm';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { ReportEntity } from '../adapters/report.entity.js';
import { type ReportKind } from '../domain/report-kinds.js';

export class ListReports {
  constructor(private readonly organizationTx: OrganizationTx) {}

  /** Newest first: ids are ordered by time. @throws ColophonError `invalid_cursor` */
  async list(
    organizationId: string,
    page: {
      readonly kind?: ReportKind | undefined;
      readonly limit: number;
      readonly cursor?: string | undefined;
    },
  ): Promise<{ reports: ReportEntity[]; nextCursor: string | null }> {
    const before = page.cursor === undefined ? undefined : parsePublicId('report', page.cursor);
    if (page.cursor !== undefined && before === undefined)
      throw new ColophonError('invalid_cursor', 'This cursor is not one of this list.');
    const found = await this.organizationTx.run(organizationId, (tx) =>
      tx.manager.find(ReportEntity, {
        where: {
          organizationId,
          ...(page.kind !== undefined && { kind: page.kind }),
          ...(before !== undefined && { id: LessThan(before) }),
        },
        order: { id: 'DESC' },
        take: page.limit + 1,
      }),
    );
    const reports = found.slice(0, page.limit);
    const last = reports.at(-1);
    const nextCursor = found.length > page.limit && last ? publicId('report', last.id) : null;
    return { reports, nextCursor };
  }
}
