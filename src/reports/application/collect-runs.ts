import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type LoggedEntry, type ReadLog } from '../../audit/application/read-log.js';
import { type Tx } from '../../database/organization-tx.js';
import { readClearance } from '../../licenses/application/read-clearance.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type DossierAsset, type DossierRemoval, type DossierRun } from '../domain/dossier.js';
import { type RunWaiver, waiversOfRuns } from './accepted-findings.js';
import { type People } from './people.js';
import { type Removals } from './removals.js';
import { type SealedTexts } from './sealed-texts.js';

export type CollectedSteps = ReadonlyMap<string, NonNullable<DossierAsset['step']>>;

interface StepRow {
  id: string;
  run_id: string;
  key: string;
  operation: string;
  provider: string;
  listing_id: string;
  claims: Record<string, string | number | boolean> | null;
  cost: string | null;
  basis: string | null;
}

/** What made each asset, with what it cost, by step run id. */
export async function collectSteps(tx: Tx, lineage: readonly AssetWithParents[]): Promise<CollectedSteps> {
  const ids = lineage.flatMap(({ stepRunId }) => stepRunId ?? []);
  const rows = await tx.query<StepRow>(
    `SELECT s.id, s.run_id, s.key, s.operation, s.provider, s.listing_id, s.claims,
            m.amount_micro_usd AS cost, m.basis
       FROM step_run s LEFT JOIN money_movement m
         ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'settlement'
      WHERE s.organization_id = $1 AND s.id = ANY($2::uuid[])`,
    [tx.organizationId, ids],
  );
  return new Map(
    rows.map((row) => [
      row.id,
      {
        runId: publicId('run', row.run_id),
        stepKey: row.key,
        operation: row.operation,
        provider: row.provider,
        listingId: row.listing_id,
        costMicroUsd: row.cost ?? '0',
        costBasis: row.basis ?? 'open',
        claims: row.claims ?? {},
      },
    ]),
  );
}

interface RunRow {
  id: string;
  pipeline_name: string;
  pipeline_version: number;
  mode: 'live' | 'test';
  state: string;
  created_at: Date;
  created_by: string;
  clearance_id: string;
}

export async function collectRuns(context: {
  tx: Tx;
  lineage: readonly AssetWithParents[];
  entries: readonly LoggedEntry[];
  sealedTexts: SealedTexts;
  people: People;
  removals: Removals;
  log: Pick<ReadLog, 'bySubjects'>;
}): Promise<DossierRun[]> {
  const { tx, lineage } = context;
  const runIds = [...new Set(lineage.flatMap(({ runId }) => runId ?? []))];
  const rows = await tx.query<RunRow>(
    `SELECT id, pipeline_name, pipeline_version, mode, state, created_at, created_by, clearance_id
       FROM run WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id`,
    [tx.organizationId, runIds],
  );
  const removed = await context.removals.of(tx, 'prompts', runIds, context.entries);
  const requests = await requestsOf(tx, context.log, runIds);
  const waivers = await waiversOfRuns(tx, lineage);
  return mapInOrder(rows, async (row) => ({
    ...(await toRun(row, context, removed.get(row.id))),
    waivers: await mapInOrder(
      waivers.filter(({ runId }) => runId === row.id),
      (waiver) => toWaiver(waiver, context),
    ),
    sentTo: requests.get(publicId('run', row.id)) ?? [],
  }));
}

/** Of all steps of the runs, also of those that made nothing or made files that are not behind this one. */
async function requestsOf(
  tx: Tx,
  log: Pick<ReadLog, 'bySubjects'>,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, NonNullable<DossierRun['sentTo']>>> {
  const steps = await tx.query<{ id: string }>(
    'SELECT id FROM step_run WHERE organization_id = $1 AND run_id = ANY($2::uuid[])',
    [tx.organizationId, runIds],
  );
  const entries = await log.bySubjects(
    tx,
    steps.map(({ id }) => publicId('stepRun', id)),
  );
  const found = new Map<string, { provider: string; listingId: string }[]>();
  for (const { type, entry } of entries) {
    if (type !== 'step.submitted') continue;
    const { data } = JSON.parse(entry.toString('utf8')) as { data: Submitted };
    const { runId, provider, listingId } = data;
    const ofRun = found.get(runId) ?? [];
    if (!ofRun.some((one) => one.provider === provider && one.listingId === listingId))
      found.set(runId, [...ofRun, { provider, listingId }]);
  }
  return found;
}

interface Submitted {
  readonly runId: string;
  readonly provider: string;
  readonly listingId: string;
}

async function toRun(
  row: RunRow,
  { tx, entries, sealedTexts }: Parameters<typeof collectRuns>[0],
  promptsRemoved: DossierRemoval | undefined,
): Promise<Omit<DossierRun, 'waivers'>> {
  const clearance = await readClearance(tx, row.clearance_id);
  const clearanceId = publicId('clearance', clearance.id);
  const accepted = entryAbout(entries, 'run.accepted', publicId('run', row.id));
  const prompt = await sealedTexts.ofEntry(tx, accepted, 'prompt', row.created_by);
  return {
    id: publicId('run', row.id),
    pipeline: row.pipeline_name,
    pipelineVersion: row.pipeline_version,
    mode: row.mode,
    state: row.state,
    createdAt: row.created_at.toISOString(),
    prompt: prompt.text,
    promptErased:
      prompt.erased && promptsRemoved
        ? { erasedAt: promptsRemoved.removedAt, reason: 'retention_ended' }
        : prompt.erased,
    clearance: {
      id: clearanceId,
      decision: clearance.decision,
      engineVersion: clearance.engineVersion,
      termsSha256: clearance.termsSha256,
      inputSha256: clearance.inputSha256,
      facts: clearance.input.facts,
      findings: clearance.findings,
      obligations: clearance.obligations,
      entryIndex: indexOfSubject(entries, 'clearance.decided', clearanceId),
    },
  };
}

async function toWaiver(
  waiver: RunWaiver,
  { tx, entries, sealedTexts, people }: Parameters<typeof collectRuns>[0],
): Promise<DossierRun['waivers'][number]> {
  const id = publicId('waiver', waiver.id);
  const approved = entryAbout(entries, 'waiver.approved', id);
  const comment = await sealedTexts.ofEntry(tx, approved, 'comment', waiver.approvedBy);
  return {
    id,
    finding: waiver.finding ?? undefined,
    reason: waiver.reason,
    comment: comment.text,
    commentErased: comment.erased,
    approvedBy: await people.named(waiver.approvedBy),
    approvedAt: waiver.createdAt.toISOString(),
    expiresAt: waiver.expiresAt.toISOString(),
  };
}

function indexOfSubject(entries: readonly LoggedEntry[], type: string, subject: string): number {
  const found = entryAbout(entries, type, subject);
  if (found?.index === undefined) throw new Error(`the log has no ${type} about ${subject}`);
  return found.index;
}

function entryAbout(entries: readonly LoggedEntry[], type: string, subject: string): LoggedEntry | undefined {
  return entries.find((entry) => entry.type === type && subjectOf(entry.entry) === subject);
}

function subjectOf(entry: Buffer): string {
  return (JSON.parse(entry.toString('utf8')) as { subject: { id: string } }).subject.id;
}
