import { type ReadLog } from '../../audit/application/read-log.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ListedWaiver, type ListWaivers } from '../../licenses/application/list-waivers.js';
import {
  CLEARANCE_COLUMNS,
  type ClearanceRow,
  type StoredClearance,
  storedClearances,
} from '../../licenses/application/read-clearance.js';
import { openFindings } from '../../licenses/application/waivers-in-force.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type ModelWaiver } from '../domain/model-file.js';
import { type People } from './people.js';
import { type SealedTexts } from './sealed-texts.js';

export interface ModelWaiversContext {
  readonly tx: Tx;
  readonly people: People;
  readonly waivers: Pick<ListWaivers, 'ofIds'>;
  readonly log: Pick<ReadLog, 'bySubjects'>;
  readonly sealedTexts: Pick<SealedTexts, 'ofEntry'>;
}

/**
 * What people accepted of a model, oldest first: findings wherever a project meets them, and all that a single decision
 * left open, of every decision in which the model is.
 */
export async function collectModelWaivers(
  listingId: string,
  { tx, people, waivers, log, sealedTexts }: ModelWaiversContext,
): Promise<ModelWaiver[]> {
  const listed = await waivers.ofIds(tx, await waiverIdsOf(tx, listingId));
  const decisions = await decisionsOf(tx, listed);
  const places = await placesOf(tx, listed, decisions);
  const entries = await log.bySubjects(
    tx,
    listed.map(({ id }) => publicId('waiver', id)),
  );
  const approvals = new Map(
    entries.flatMap((entry) =>
      entry.type === 'waiver.approved' ? [[subjectOf(entry.entry), entry] as const] : [],
    ),
  );
  return mapInOrder(listed, async (waiver) => {
    const id = publicId('waiver', waiver.id);
    const approval = approvals.get(id);
    const comment = await sealedTexts.ofEntry(tx, approval, 'comment', waiver.approvedBy);
    const { state, endedBecause, endedAt } = waiver;
    return {
      id,
      ...acceptedBy(waiver, listingId, decisions),
      ...placeOf(waiver, decisions, places),
      reason: waiver.reason,
      comment: comment.text,
      commentErased: comment.erased,
      requestedBy: await people.named(waiver.requestedBy),
      approvedBy: await people.named(waiver.approvedBy),
      approvedAt: waiver.createdAt.toISOString(),
      expiresAt: waiver.expiresAt.toISOString(),
      isOpen: state === 'in-force',
      endedBecause,
      endedAt: endedAt?.toISOString() ?? null,
      entryIndex: approval?.index,
    };
  });
}

async function waiverIdsOf(tx: Tx, listingId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT w.id FROM waiver w
      WHERE w.organization_id = $1 AND (w.listing_id = $2 OR EXISTS (
        SELECT 1 FROM clearance c JOIN clearance_listing l
            ON l.organization_id = c.organization_id AND l.clearance_id = coalesce(c.basis_id, c.id)
         WHERE c.organization_id = $1 AND c.id = coalesce(w.decided_clearance_id, w.clearance_id)
           AND l.listing_id = $2))`,
    [tx.organizationId, listingId],
  );
  return rows.map(({ id }) => id);
}

type Decisions = ReadonlyMap<string, StoredClearance>;

async function decisionsOf(tx: Tx, waivers: readonly ListedWaiver[]): Promise<Decisions> {
  const rows = await tx.query<ClearanceRow>(
    `SELECT ${CLEARANCE_COLUMNS} FROM clearance WHERE organization_id = $1 AND id = ANY($2::uuid[])`,
    [tx.organizationId, waivers.flatMap(({ clearanceId }) => clearanceId ?? [])],
  );
  return new Map((await storedClearances(tx, rows)).map((decision) => [decision.id, decision]));
}

function acceptedBy(
  { clearanceId, finding }: ListedWaiver,
  listingId: string,
  decisions: Decisions,
): Pick<ModelWaiver, 'clearanceId' | 'findings' | 'concernsModel'> {
  const decision = decisions.get(clearanceId ?? '');
  const open = decision === undefined ? [] : openFindings(decision.findings);
  const findings =
    finding === null ? open.map((one) => ({ ruleId: one.ruleId, listingId: one.listingId })) : [finding];
  return {
    clearanceId: clearanceId === null ? null : publicId('clearance', clearanceId),
    findings,
    // What is found of the lineage as a whole is found of each model in it.
    concernsModel: findings.some((one) => one.listingId === listingId || one.listingId === null),
  };
}

interface Places {
  readonly names: ReadonlyMap<string, string>;
  /** Runs that began under a first decision. */
  readonly runs: ReadonlyMap<string, number>;
}

async function placesOf(tx: Tx, waivers: readonly ListedWaiver[], decisions: Decisions): Promise<Places> {
  const all = [...decisions.values()];
  const named = [...waivers, ...all].flatMap(({ projectId, useCaseId }) =>
    [projectId ?? [], useCaseId ?? []].flat(),
  );
  const names = await tx.query<{ id: string; name: string }>(
    `SELECT id, name FROM project WHERE organization_id = $1 AND id = ANY($2::uuid[])
     UNION ALL SELECT id, name FROM use_case WHERE organization_id = $1 AND id = ANY($2::uuid[])`,
    [tx.organizationId, named],
  );
  const runs = await tx.query<{ clearance_id: string; n: number }>(
    `SELECT r.clearance_id, count(*)::int AS n FROM run r
      WHERE r.organization_id = $1 AND r.clearance_id = ANY($2::uuid[]) AND EXISTS (
        SELECT 1 FROM step_run s WHERE s.organization_id = $1 AND s.run_id = r.id
           AND s.state NOT IN ('RESERVED', 'SKIPPED', 'CANCELED'))
      GROUP BY r.clearance_id`,
    [tx.organizationId, all.map(({ id, renews }) => renews ?? id)],
  );
  return {
    names: new Map(names.map(({ id, name }) => [id, name])),
    runs: new Map(runs.map(({ clearance_id, n }) => [clearance_id, n])),
  };
}

function placeOf(
  waiver: ListedWaiver,
  decisions: Decisions,
  { names, runs }: Places,
): Pick<ModelWaiver, 'project' | 'useCase' | 'runs'> {
  const decision = decisions.get(waiver.clearanceId ?? '');
  const projectId = waiver.projectId ?? decision?.projectId ?? null;
  const useCaseId = waiver.useCaseId ?? decision?.useCaseId ?? null;
  return {
    project:
      projectId === null ? null : { id: publicId('project', projectId), name: names.get(projectId) ?? '' },
    useCase: useCaseId === null ? null : (names.get(useCaseId) ?? null),
    runs: decision === undefined ? null : (runs.get(decision.renews ?? decision.id) ?? 0),
  };
}

function subjectOf(entry: Buffer): string {
  return (JSON.parse(entry.toString('utf8')) as { subject: { id: string } }).subject.id;
}
