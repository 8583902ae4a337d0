import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { type Cadence } from '../domain/cadence.js';
import { type ReportFormat, type ReportKind } from '../domain/report-kinds.js';

@Entity('report_schedule')
@Check('report_schedule_format_check', `format IN ('pdf', 'json', 'jws', 'bundle', 'csv')`)
@Check('report_schedule_kind_check', `kind IN ('asset', 'campaign', 'model', 'period')`)
@Check('report_schedule_cadence_check', `cadence IN ('daily', 'weekly', 'monthly')`)
@Check(
  'report_schedule_subject_check',
  `(project_id IS NOT NULL) = (kind = 'campaign') AND (asset_id IS NOT NULL) = (kind = 'asset')
   AND (listing_id IS NOT NULL) = (kind = 'model') AND (use_case IS NULL OR kind = 'campaign')`,
)
export class ReportScheduleEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') kind!: ReportKind;
  @Column('uuid', { nullable: true }) projectId!: string | null;
  @Column('text', { nullable: true }) useCase!: string | null;
  @Column('uuid', { nullable: true }) assetId!: string | null;
  @Column('text', { nullable: true }) listingId!: string | null;
  @Column('text') format!: ReportFormat;
  @Column('text') cadence!: Cadence;
  /** The end of the time that the next report is about. */
  @Column('timestamptz') nextDueAt!: Date;
  @Column('timestamptz', { nullable: true }) pausedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) endedAt!: Date | null;
  @Column('uuid', { nullable: true }) lastReportId!: string | null;
  /** The last due time of which a report could not be asked for, and the code of why. */
  @Column('timestamptz', { nullable: true }) failedDueAt!: Date | null;
  @Column('text', { nullable: true }) failedCode!: string | null;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
}
