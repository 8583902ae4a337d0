import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { safeInteger } from '../../database/column-transformers.js';
import { type ReportFormat, type ReportKind } from '../domain/report-kinds.js';
import { type ReportTimeStamp } from '../domain/report-signature.js';
import { type ReportParameters } from '../domain/report-subject.js';

/**
 * ERASED: it showed a person who was erased since; its file is gone. It can be made again.
 * REMOVED: its file is gone by a retention rule.
 */
export type ReportState = 'QUEUED' | 'RUNNING' | 'DONE' | 'FAILED' | 'ERASED' | 'REMOVED';

@Entity('report')
@Index('report_scheduled_once', { synchronize: false })
@Index('report_sha256', ['organizationId', 'sha256'])
@Index('report_subject', ['organizationId', 'kind', 'subjectId', 'createdAt'])
@Check('report_kind_check', `kind IN ('asset', 'campaign', 'model', 'period')`)
@Check('report_format_check', `format IN ('pdf', 'json', 'jws', 'bundle', 'csv')`)
@Check('report_state_check', `state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'ERASED', 'REMOVED')`)
@Check('report_time_stamp_check', `time_stamp IN ('stamped', 'missing', 'not_configured')`)
export class ReportEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') kind!: ReportKind;
  @Column('text') format!: ReportFormat;
  /** The asset, the project, or the organization itself; see reportSubject. */
  @Column('uuid') subjectId!: string;
  @Column('jsonb', { default: {} }) parameters!: ReportParameters;
  @Column('text') state!: ReportState;
  /** 0 to 1. */
  @Column('real') progress!: number;
  @Column('text', { nullable: true }) mediaType!: string | null;
  @Column('text', { nullable: true }) sha256!: string | null;
  @Column('bigint', { nullable: true, transformer: safeInteger }) sizeBytes!: number | null;
  @Column('text', { nullable: true }) certificateSha256!: string | null;
  @Column('text', { nullable: true }) timeStamp!: ReportTimeStamp | null;
  @Column('text', { nullable: true }) errorCode!: string | null;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) finishedAt!: Date | null;
  /** When the worker that makes it was last heard of; null when none does. */
  @Column('timestamptz', { nullable: true }) workedAt!: Date | null;
}
