import { In } from 'typeorm';
import { type Tx } from '../../database/organization-tx.js';
import { ReportEntity } from '../adapters/report.entity.js';

/** By UUID. */
export async function lastReports(tx: Tx, ids: readonly string[]): Promise<Map<string, ReportEntity>> {
  if (ids.length === 0) return new Map();
  const where = { organizationId: tx.organizationId, id: In([...ids]) };
  const reports = await tx.manager.find(ReportEntity, { where });
  return new Map(reports.map((report) => [report.id, report]));
}
