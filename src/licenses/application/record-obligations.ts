import { type Tx } from '../../database/organization-tx.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { newId, publicId } from '../../shared/ids.js';
import {
  type AssetObligation,
  type ManifestMark,
  type ParentObligation,
  obligationsOfAsset,
  obligationsSha256,
  type WaivedDecision,
} from '../domain/asset-obligation.js';
import { type MarkingDuties } from '../domain/marking-duty.js';
import { differencesToday, type ObligationsToday } from '../domain/obligations-today.js';
import { type WaiverCover } from '../domain/waiver-cover.js';
import { dutyQuestion, saysTrained, type WorkOrigin } from '../domain/work-facts.js';
import { readLastDecision, type StoredClearance } from './read-clearance.js';
import { type ObligationList } from './read-obligations.js';

/** A file that is about to be recorded, and the files behind it. */
export interface ObligedWork {
  readonly own: WorkOrigin & { readonly runId: string | undefined };
  /** All ancestors, each once, in a fixed order. */
  readonly ancestors: readonly (WorkOrigin & { readonly runId: string | null })[];
  /** Direct parents. UUIDs. */
  readonly parentIds: readonly string[];
  readonly madeAt: Date;
}

interface PlannedRow {
  readonly id: string;
  readonly key: string;
  readonly bytes: Buffer;
}

export interface PlannedObligations {
  readonly rows: readonly PlannedRow[];
  readonly sha256: string;
  readonly calendar: { readonly sha256: string; readonly readOn: string };
}

/** Until when waivers accept what a decision left open; undefined when none in force accepts all of it. */
export interface WaiverCovers {
  of(tx: Tx, last: StoredClearance): Promise<WaiverCover | undefined>;
}

/**
 * Works out what a new file owes, from the licenses and the facts of every run behind it and from the calendar of
 * marking duties. In the transaction that records the file, so that no file is without.
 */
export class RecordObligations {
  constructor(
    private readonly calendar: MarkingDuties,
    private readonly covers: WaiverCovers,
  ) {}

  async plan(tx: Tx, work: ObligedWork): Promise<PlannedObligations> {
    const obligations = await this.obligationsOf(tx, work, work.madeAt);
    const rows = obligations.map((obligation) => ({
      id: newId(),
      key: obligation.key,
      bytes: canonicalJson(obligation as unknown as JsonValue),
    }));
    const { sha256, readOn } = this.calendar;
    const listed = rows.map(({ id, bytes }) => ({ id: publicId('obligation', id), bytes }));
    return { rows, sha256: obligationsSha256(listed), calendar: { sha256, readOn } };
  }

  private async obligationsOf(tx: Tx, work: ObligedWork, now: Date): Promise<readonly AssetObligation[]> {
    const runIds = [work.own.runId, ...work.ancestors.map(({ runId }) => runId)].filter(
      (id) => typeof id === 'string',
    );
    const cleared = await decisionsOf(tx, [...new Set(runIds)]);
    const lineage = [work.own, ...work.ancestors];
    const question = dutyQuestion(
      lineage,
      cleared.map(({ input }) => input.facts),
      dayOf(work.madeAt),
      dayOf(now),
    );
    return obligationsOfAsset({
      cleared: cleared.map(({ id, obligations: owed, input }) => ({
        clearanceId: publicId('clearance', id),
        obligations: owed,
        furtherActs: input.facts.furtherActs,
      })),
      calendar: this.calendar,
      question,
      mark: markOf(work),
      parents: await obligationsOfParents(tx, work.parentIds),
      waived: await this.waivedAmong(tx, cleared, now),
    });
  }

  private async waivedAmong(
    tx: Tx,
    cleared: readonly StoredClearance[],
    now: Date,
  ): Promise<WaivedDecision[]> {
    const waived: WaivedDecision[] = [];
    for (const last of cleared) {
      if (last.decision !== 'review') continue;
      const { id, renews, input } = last;
      waived.push({
        clearanceId: publicId('clearance', id),
        rootId: publicId('clearance', renews ?? id),
        campaignEnd: input.facts.campaignEnd,
        cover: await this.covers.of(tx, last),
        now,
      });
    }
    return waived;
  }

  /**
   * What is owed for a file at a later moment, beside its list: by the calendar of this release, the decisions that count
   * now and the waivers in force. The list stays as it was written.
   */
  async today(
    tx: Tx,
    work: ObligedWork,
    { items }: Pick<ObligationList, 'items'>,
    now: Date,
  ): Promise<ObligationsToday> {
    const { sha256, readOn } = this.calendar;
    const listed = items.map(({ obligation }) => obligation);
    const differences = differencesToday(listed, await this.obligationsOf(tx, work, now));
    return { asOf: dayOf(now), calendar: { sha256, readOn }, ...differences };
  }

  /** After the row of the asset. `entryId` is its `asset.signed`, which names the hash of the list. */
  async save(
    tx: Tx,
    asset: { readonly id: string; readonly entryId: string; readonly createdAt: Date },
    { rows, sha256, calendar }: PlannedObligations,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO asset_obligation_list
         (organization_id, asset_id, sha256, calendar_sha256, calendar_read_on, entry_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [tx.organizationId, asset.id, sha256, calendar.sha256, calendar.readOn, asset.entryId, asset.createdAt],
    );
    if (rows.length === 0) return;
    await tx.query(
      `INSERT INTO asset_obligation (organization_id, asset_id, ordinal, id, key, obligation)
       SELECT $1, $2, ordinality, id, key, obligation
         FROM unnest($3::uuid[], $4::text[], $5::bytea[]) WITH ORDINALITY AS rows (id, key, obligation, ordinality)`,
      [
        tx.organizationId,
        asset.id,
        rows.map(({ id }) => id),
        rows.map(({ key }) => key),
        rows.map(({ bytes }) => bytes),
      ],
    );
  }
}

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** The decisions that count for these runs, in the order of their first decisions. */
async function decisionsOf(tx: Tx, runIds: readonly string[]): Promise<StoredClearance[]> {
  if (runIds.length === 0) return [];
  const roots = await tx.query<{ clearance_id: string }>(
    `SELECT DISTINCT clearance_id FROM run WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY clearance_id`,
    [tx.organizationId, runIds],
  );
  const decisions: StoredClearance[] = [];
  for (const { clearance_id } of roots) decisions.push(await readLastDecision(tx, clearance_id));
  return decisions;
}

async function obligationsOfParents(tx: Tx, parentIds: readonly string[]): Promise<ParentObligation[]> {
  if (parentIds.length === 0) return [];
  const rows = await tx.query<{ asset_id: string; obligation: Buffer }>(
    `SELECT asset_id, obligation FROM asset_obligation
      WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])
      ORDER BY array_position($2::uuid[], asset_id), ordinal`,
    [tx.organizationId, parentIds],
  );
  return rows.map(({ asset_id, obligation }) => ({
    assetId: publicId('asset', asset_id),
    obligation: JSON.parse(obligation.toString('utf8')) as AssetObligation,
  }));
}

/** Signing embeds the manifest and reads it back before a file is recorded, so what the record says stands in the file. */
function markOf({ own, ancestors }: ObligedWork): ManifestMark {
  if (saysTrained(own.digitalSourceType)) return 'own';
  return ancestors.some(({ digitalSourceType }) => saysTrained(digitalSourceType)) ? 'ancestor' : 'none';
}
