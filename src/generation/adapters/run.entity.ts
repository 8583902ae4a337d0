import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import { exactInteger } from '../../database/column-transformers.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type OfferedComponent } from '../domain/offering.js';
import { type StepOperation } from '../domain/pipeline-definition.js';
import { type Preparation, type StepExecutor } from '../domain/provider.port.js';
import { type RunState, type StepRun, type StepState } from '../domain/run.js';
import { type StepPlan } from '../domain/step-plan.js';
import { type Usage } from '../domain/usage.js';

@Entity('pipeline')
@Unique('pipeline_version_unique', ['organizationId', 'name', 'version'])
export class PipelineEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('int') version!: number;
  /** Canonical JSON (RFC 8785). */
  @Column('bytea') definition!: Buffer;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
}

@Entity('run')
@Index('run_of_replicate_key', { synchronize: false })
@Index('run_created', ['organizationId', 'id'])
@Index('run_open', { synchronize: false })
@Unique('run_resumes_unique', ['organizationId', 'resumesRunId'])
@Check('run_mode_check', `mode IN ('live', 'test')`)
@Check(
  'run_state_check',
  `state IN ('WAITING_FOR_WAIVER', 'RUNNING', 'NEEDS_RECONCILIATION', 'SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELED')`,
)
export class RunEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') projectId!: string;
  @Column('uuid') useCaseId!: string;
  @Column('text') pipelineName!: string;
  @Column('int') pipelineVersion!: number;
  @Column('bytea') definition!: Buffer;
  @Column('text') sealedInputs!: string;
  @Column('text') mode!: KeyMode;
  @Column('text') state!: RunState;
  @Column('uuid') clearanceId!: string;
  @Column('timestamptz', { nullable: true }) cancelRequestedAt!: Date | null;
  @Column('uuid') createdBy!: string;
  /** Which key the run is charged to; not known of runs of before there were budgets of keys. */
  @Column('text', { nullable: true }) apiKeyId!: string | null;
  @Column('uuid', { nullable: true }) routeChoiceId!: string | null;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) finishedAt!: Date | null;
  @Column('uuid', { nullable: true }) resumesRunId!: string | null;
}

@Entity('step_run')
@Index('step_run_original', { synchronize: false })
@Unique('step_run_key_unique', ['organizationId', 'runId', 'key'])
@Check(
  'step_run_state_check',
  `state IN ('RESERVED', 'WAITING', 'SUBMITTING', 'SUBMITTED', 'CAPTURED', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED', 'OUTCOME_UNKNOWN')`,
)
@Check(
  'step_run_skip_reason_check',
  `skip_reason IN ('substituted', 'condition', 'input_missing', 'failed_before')`,
)
@Check('step_run_reserved_check', `reserved_micro_usd >= 0`)
export class StepRunEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') runId!: string;
  @Column('text') key!: string;
  @Column('int') ordinal!: number;
  @Column('text') operation!: StepOperation;
  @Column('text') provider!: StepExecutor;
  @Column('text') listingId!: string;
  @Column('text') endpoint!: string;
  @Column('text', { array: true }) dependsOn!: string[];
  @Column('text') state!: StepState;
  @Column('bigint', { transformer: exactInteger }) reservedMicroUsd!: bigint;
  @Column('text', { nullable: true }) requestSha256!: string | null;
  @Column('text', { nullable: true }) upstreamId!: string | null;
  @Column('int', { default: 0 }) submitAttempts!: number;
  @Column('real', { nullable: true }) progress!: number | null;
  @Column('uuid', { nullable: true }) leaseToken!: string | null;
  @Column('timestamptz', { nullable: true }) leaseUntil!: Date | null;
  @Column('text', { nullable: true }) originalSha256!: string | null;
  @Column('text', { nullable: true }) originalMediaType!: string | null;
  /** What was captured before there was `usage`: the reading of the meter `unit`. Not written any more. */
  @Column('double precision', { nullable: true }) billedUnits!: number | null;
  @Column('jsonb', { nullable: true }) usage!: Usage | null;
  @Column('jsonb', { nullable: true }) preparation!: Preparation | null;
  @Column('jsonb', { nullable: true }) components!: OfferedComponent[] | null;
  @Column('jsonb', { nullable: true }) claims!: Record<string, string | number | boolean> | null;
  @Column('uuid', { nullable: true }) outputAssetId!: string | null;
  @Column('text', { nullable: true }) errorCode!: string | null;
  @Column('text', { nullable: true }) errorDetail!: string | null;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
  @Column('jsonb', { nullable: true }) plan!: StepPlan | null;
  @Column('int', { default: 0 }) alternative!: number;
  @Column('timestamptz', { nullable: true }) retryAt!: Date | null;
  @Column('timestamptz', { nullable: true }) waitsUntil!: Date | null;
  @Column('text', { array: true, nullable: true }) formerUpstreamIds!: string[] | null;
  @Column('text', { nullable: true }) skipReason!: NonNullable<StepRun['skipReason']> | null;
}

/**
 * Which step has, or had, a job of a vendor: a directory outside of the organizations, because with a key that they share
 * one could name the job of another. Hashes and ids only.
 */
@Entity('upstream_job')
export class UpstreamJobEntity {
  @PrimaryColumn('text') jobSha256!: string;
  @Column('uuid') organizationId!: string;
  @Column('uuid') stepRunId!: string;
}
