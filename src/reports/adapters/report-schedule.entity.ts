import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { type Cadence } from '../domain/cadence.js';
import { type ReportFormat } from '../domain/report-kinds.js';

@Entity('report_schedule')
@Check('report_schedule_format_check', `format IN ('pdf', 'json', 'jws', 'csv')`)
@Check('report_schedule_cadence_check', `cadence IN ('daily', 'weekly', 'monthly')`)
export class ReportScheduleEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') projectId!: string;
  @Column('text', { nullable: true }) useCase!: string | null;
  @Column('text') format!: ReportFormat;
  @Column('text') cadence!: Cadence;
  /** The end of the time that the next report is about. */
  @Column('timestamptz') nextDueAt!: Date;
  @Column('timestamptz', { nullable: true }) endedAt!: Date | null;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
}
