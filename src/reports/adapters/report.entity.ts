import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { safeInteger } from '../../database/column-transformers.js';

export const REPORT_FORMATS = ['pdf', 'json', 'bundle'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
/** ERASED: it showed a person who was erased since; its file is gone. It can be made again. */
export type ReportState = 'QUEUED' | 'RUNNING' | 'DONE' | 'FAILED' | 'ERASED';

@Entity('report')
@Check('report_kind_check', `kind IN ('asset')`)
@Check('report_format_check', `format IN ('pdf', 'json', 'bundle')`)
@Check('report_state_check', `state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'ERASED')`)
export class ReportEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') kind!: 'asset';
  @Column('text') format!: ReportFormat;
  @Column('uuid') subjectId!: string;
  @Column('text') state!: ReportState;
  /** 0 to 1. */
  @Column('real') progress!: number;
  @Column('text', { nullable: true }) mediaType!: string | null;
  @Column('text', { nullable: true }) sha256!: string | null;
  @Column('bigint', { nullable: true, transformer: safeInteger }) sizeBytes!: number | null;
  @Column('text', { nullable: true }) errorCode!: string | null;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) finishedAt!: Date | null;
}
