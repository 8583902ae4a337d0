import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type DecisionInput } from '../domain/decision-input.js';
import { fullOutcome, type StoredOutcome } from '../domain/stored-outcome.js';
import { type Clearance } from './decide-clearance.js';
import { recordedOutlooks, type RecordedOutlooks } from './recorded-outlooks.js';

export interface StoredClearance extends Clearance {
  readonly createdBy: string;
  readonly input: DecisionInput;
  /** The first decision, when this one takes its place. */
  readonly renews: string | null;
  /** Where a run that asked for it belongs; null for a question without a run. */
  readonly projectId: string | null;
  readonly useCaseId: string | null;
  /** UUIDs of the projects from which its inputs come. */
  readonly originProjectIds: readonly string[];
  /** The decision (UUID) whose rows in clearance_listing say what this one rests on: itself, or the first of many. */
  readonly basisId: string;
  /** State of the organization's registry. */
  readonly registryVersion: number;
}

export interface ClearanceRow {
  id: string;
  input: Buffer;
  /** Of decisions that were stored in full, which those since migration 0045 are not. */
  result: Buffer | null;
  outcome: Buffer | null;
  basis_id: string | null;
  renews: string | null;
  project_id: string | null;
  use_case_id: string | null;
  origin_project_ids: string[];
  registry_version: string;
  created_by: string;
  created_at: Date;
}

export const CLEARANCE_COLUMNS =
  'id, input, result, outcome, basis_id, renews, project_id, use_case_id, origin_project_ids, registry_version, created_by, created_at';

/** @throws ColophonError `not_found` */
export async function readClearance(tx: Tx, id: string): Promise<StoredClearance> {
  const [row] = await tx.query<ClearanceRow>(
    `SELECT ${CLEARANCE_COLUMNS} FROM clearance WHERE organization_id = $1 AND id = $2`,
    [tx.organizationId, id],
  );
  return only(await storedClearances(tx, row ? [row] : []));
}

/**
 * The decision that counts for everything that rests on the given first one: itself, or the last that renews it.
 * @throws ColophonError `not_found`
 */
export async function readLastDecision(tx: Tx, rootId: string): Promise<StoredClearance> {
  const [row] = await tx.query<ClearanceRow>(
    `SELECT ${CLEARANCE_COLUMNS} FROM (
       SELECT * FROM clearance WHERE organization_id = $1 AND id = $2
       UNION ALL SELECT * FROM clearance WHERE organization_id = $1 AND renews = $2) AS decisions
      ORDER BY registry_version DESC, renews IS NOT NULL DESC, created_at DESC, id DESC LIMIT 1`,
    [tx.organizationId, rootId],
  );
  return only(await storedClearances(tx, row ? [row] : []));
}

/** The decisions that count for everything that rests on the given first ones, by the first one. */
export async function readLastDecisions(
  tx: Tx,
  rootIds: readonly string[],
): Promise<Map<string, StoredClearance>> {
  if (rootIds.length === 0) return new Map();
  const rows = await tx.query<ClearanceRow & { root_id: string }>(
    `SELECT root.id AS root_id, last.* FROM unnest($2::uuid[]) AS root(id) CROSS JOIN LATERAL (
       SELECT ${CLEARANCE_COLUMNS} FROM (
         SELECT * FROM clearance WHERE organization_id = $1 AND id = root.id
         UNION ALL SELECT * FROM clearance WHERE organization_id = $1 AND renews = root.id) AS decisions
        ORDER BY registry_version DESC, renews IS NOT NULL DESC, created_at DESC, id DESC LIMIT 1) AS last`,
    [tx.organizationId, rootIds],
  );
  const stored = await storedClearances(tx, rows);
  return new Map(stored.map((decision, at) => [rows[at]?.root_id ?? '', decision]));
}

/**
 * The decision under which something was made at a moment: the last one by then, of the first and those that renew it.
 * @throws ColophonError `not_found`
 */
export async function readDecisionAt(tx: Tx, rootId: string, at: Date): Promise<StoredClearance> {
  const [row] = await tx.query<ClearanceRow>(
    `SELECT ${CLEARANCE_COLUMNS} FROM clearance
      WHERE organization_id = $1 AND (id = $2 OR renews = $2) AND (created_at <= $3 OR id = $2)
      ORDER BY renews IS NOT NULL DESC, registry_version DESC, created_at DESC, id DESC LIMIT 1`,
    [tx.organizationId, rootId, at],
  );
  return only(await storedClearances(tx, row ? [row] : []));
}

/** One at a time: decisions that renew this one, and waivers for it. */
export async function lockDecisions(tx: Tx, rootId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('colophon clearance ' || $1::text, 0))`, [
    rootId,
  ]);
}

/** @throws ColophonError `not_found` */
function only([decision]: readonly StoredClearance[]): StoredClearance {
  if (!decision) throw new ColophonError('not_found', 'There is no clearance with this id.');
  return decision;
}

type Outcome = Omit<Clearance, 'id' | 'createdAt' | 'indemnity'> & Partial<Pick<Clearance, 'indemnity'>>;

/**
 * The decisions of these rows, in their order, with all that they say.
 * @throws RangeError when something to which a decision refers is not there: it is an error, never a shorter decision
 */
export async function storedClearances(tx: Tx, rows: readonly ClearanceRow[]): Promise<StoredClearance[]> {
  const basisIds = rows.filter(({ outcome }) => outcome !== null).map(basisOf);
  const outlooks = await recordedOutlooks(tx, basisIds);
  return rows.map((row) => toStored(row, outlooks.get(basisOf(row))));
}

function basisOf({ id, basis_id }: ClearanceRow): string {
  return basis_id ?? id;
}

function toStored(row: ClearanceRow, outlooks: RecordedOutlooks | undefined): StoredClearance {
  return {
    // The first rules knew no indemnity.
    indemnity: [],
    ...outcomeOf(row, outlooks),
    id: row.id,
    createdAt: row.created_at,
    createdBy: row.created_by,
    input: JSON.parse(row.input.toString('utf8')) as DecisionInput,
    renews: row.renews,
    projectId: row.project_id,
    useCaseId: row.use_case_id,
    originProjectIds: row.origin_project_ids,
    basisId: basisOf(row),
    registryVersion: Number(row.registry_version),
  };
}

function outcomeOf({ id, result, outcome }: ClearanceRow, outlooks: RecordedOutlooks | undefined): Outcome {
  if (result !== null) return JSON.parse(result.toString('utf8')) as Outcome;
  if (outcome === null || outlooks === undefined) throw new RangeError(`clearance ${id} says nothing`);
  return fullOutcome<Outcome>(JSON.parse(outcome.toString('utf8')) as StoredOutcome<Outcome>, outlooks);
}
