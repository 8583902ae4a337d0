import { columnsOf } from '../../database/columns.js';
import { type Run, type StepRun } from '../domain/run.js';
import { readUsage } from '../domain/usage.js';
import { type RunEntity, type StepRunEntity } from './run.entity.js';

type RunRow = Omit<RunEntity, 'organizationId' | 'definition'>;
type StepRow = Omit<StepRunEntity, 'organizationId' | 'leaseToken' | 'leaseUntil' | 'createdAt'>;

// Worker and waiting clients read these rows many times a step. TypeORM would write thirty columns with as many aliases
// anew each time, which takes longer than the query; so the statements are fixed, and the columns are named here.
const { columns: runColumns, read: runOf } = columnsOf<RunRow>()({
  id: 'id',
  projectId: 'project_id',
  useCaseId: 'use_case_id',
  pipelineName: 'pipeline_name',
  pipelineVersion: 'pipeline_version',
  sealedInputs: 'sealed_inputs',
  mode: 'mode',
  state: 'state',
  clearanceId: 'clearance_id',
  cancelRequestedAt: 'cancel_requested_at',
  createdBy: 'created_by',
  apiKeyId: 'api_key_id',
  routeChoiceId: 'route_choice_id',
  createdAt: 'created_at',
  finishedAt: 'finished_at',
  resumesRunId: 'resumes_run_id',
});
const { columns: stepColumns, read: stepOf } = columnsOf<StepRow>()({
  id: 'id',
  runId: 'run_id',
  key: 'key',
  ordinal: 'ordinal',
  operation: 'operation',
  provider: 'provider',
  listingId: 'listing_id',
  endpoint: 'endpoint',
  dependsOn: 'depends_on',
  state: 'state',
  reservedMicroUsd: 'reserved_micro_usd',
  requestSha256: 'request_sha256',
  upstreamId: 'upstream_id',
  submitAttempts: 'submit_attempts',
  progress: 'progress',
  originalSha256: 'original_sha256',
  originalMediaType: 'original_media_type',
  billedUnits: 'billed_units',
  usage: 'usage',
  preparation: 'preparation',
  components: 'components',
  claims: 'claims',
  outputAssetId: 'output_asset_id',
  errorCode: 'error_code',
  errorDetail: 'error_detail',
  updatedAt: 'updated_at',
  plan: 'plan',
  alternative: 'alternative',
  retryAt: 'retry_at',
  waitsUntil: 'waits_until',
  formerUpstreamIds: 'former_upstream_ids',
  skipReason: 'skip_reason',
});

/** For `SELECT` and `RETURNING`. */
export const RUN_COLUMNS = runColumns;
export const STEP_COLUMNS = stepColumns;

export function runFromRow(row: Readonly<Record<string, unknown>>): Run {
  return toRun(runOf(row));
}

export function stepFromRow(row: Readonly<Record<string, unknown>>): StepRun {
  return toStep(stepOf(row));
}

export function toRun({ ...row }: RunRow): Run {
  return {
    ...row,
    apiKeyId: row.apiKeyId ?? undefined,
    routeChoiceId: row.routeChoiceId ?? undefined,
    cancelRequestedAt: row.cancelRequestedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    resumesRunId: row.resumesRunId ?? undefined,
  };
}

export function toStep(row: StepRow): StepRun {
  return {
    id: row.id,
    runId: row.runId,
    key: row.key,
    ordinal: row.ordinal,
    operation: row.operation,
    provider: row.provider,
    listingId: row.listingId,
    endpoint: row.endpoint,
    dependsOn: row.dependsOn,
    state: row.state,
    reservedMicroUsd: BigInt(row.reservedMicroUsd),
    requestSha256: row.requestSha256 ?? undefined,
    upstreamId: row.upstreamId ?? undefined,
    progress: row.progress ?? undefined,
    originalSha256: row.originalSha256 ?? undefined,
    originalMediaType: row.originalMediaType ?? undefined,
    usage: row.usage ?? readUsage({ unit: row.billedUnits }),
    preparation: row.preparation ?? undefined,
    components: row.components ?? [],
    claims: row.claims ?? {},
    outputAssetId: row.outputAssetId ?? undefined,
    errorCode: row.errorCode ?? undefined,
    errorDetail: row.errorDetail ?? undefined,
    updatedAt: row.updatedAt,
    ...courseOf(row),
  };
}

/** What the pipeline makes of the step, and where it is with that. */
function courseOf(row: StepRow) {
  return {
    plan: row.plan ?? undefined,
    alternative: row.alternative,
    submitAttempts: row.submitAttempts,
    retryAt: row.retryAt ?? undefined,
    waitsUntil: row.waitsUntil ?? undefined,
    formerUpstreamIds: row.formerUpstreamIds ?? [],
    skipReason: row.skipReason ?? undefined,
  };
}
