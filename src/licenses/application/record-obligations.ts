import { type Tx } from '../../database/organization-tx.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { newId, publicId } from '../../shared/ids.js';
import {
  type AssetObligation,
  type ManifestMark,
  obligationsOfAsset,
  obligationsSha256,
} from '../domain/asset-obligation.js';
import { type MarkingDuties } from '../domain/marking-duty.js';
import { differencesToday, type ObligationsToday } from '../domain/obligations-today.js';
import { dutyQuestion, saysTrained, type WorkOrigin } from '../domain/work-facts.js';
import { type ObligationBasis, type ObligedWork, readBasis, type WaiverCovers } from './obligation-basis.js';
import { type ObligationList } from './read-obligations.js';

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
    const [obligations] = await this.obligationsOf(tx, [work], () => work.madeAt);
    const rows = (obligations ?? []).map((obligation) => ({
      id: newId(),
      key: obligation.key,
      bytes: canonicalJson(obligation as unknown as JsonValue),
    }));
    const { sha256, readOn } = this.calendar;
    const listed = rows.map(({ id, bytes }) => ({ id: publicId('obligation', id), bytes }));
    return { rows, sha256: obligationsSha256(listed), calendar: { sha256, readOn } };
  }

  /** In the order of the files, and in as many statements as for one. */
  private async obligationsOf(
    tx: Tx,
    works: readonly ObligedWork[],
    momentOf: (work: ObligedWork) => Date,
  ): Promise<(readonly AssetObligation[])[]> {
    const basis = await readBasis(tx, works, this.covers);
    return works.map((work) => this.workOut(work, basis, momentOf(work)));
  }

  private workOut(work: ObligedWork, basis: ObligationBasis, now: Date): readonly AssetObligation[] {
    const cleared = basis.decisionsBehind(work);
    const question = dutyQuestion(
      [work.own, ...work.ancestors],
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
      parents: work.parentIds.flatMap((parentId) => basis.owedBy(parentId)),
      waived: cleared
        .filter(({ decision }) => decision === 'review')
        .map(({ id, renews, input }) => ({
          clearanceId: publicId('clearance', id),
          rootId: publicId('clearance', renews ?? id),
          campaignEnd: input.facts.campaignEnd,
          cover: basis.covers.get(id),
          now,
        })),
    });
  }

  /**
   * What is owed for files at a later moment, beside their lists: by the calendar of this release, the decisions that
   * count now and the waivers in force. The lists stay as they were written. In the order of the files.
   */
  async today(
    tx: Tx,
    works: readonly { readonly work: ObligedWork; readonly list: Pick<ObligationList, 'items'> }[],
    now: Date,
  ): Promise<ObligationsToday[]> {
    const { sha256, readOn } = this.calendar;
    const owed = await this.obligationsOf(
      tx,
      works.map(({ work }) => work),
      () => now,
    );
    return works.map(({ list }, i) => {
      const listed = list.items.map(({ obligation }) => obligation);
      const differences = differencesToday(listed, owed[i] ?? []);
      return { asOf: dayOf(now), calendar: { sha256, readOn }, ...differences };
    });
  }

  /** After the row of the asset. `entryId` is its `asset.signed`, which names the hash of the list. */
  save(
    tx: Tx,
    asset: { readonly id: string; readonly entryId: string; readonly createdAt: Date },
    { rows, sha256, calendar }: PlannedObligations,
  ): void {
    tx.send(
      `INSERT INTO asset_obligation_list
         (organization_id, asset_id, sha256, calendar_sha256, calendar_read_on, entry_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [tx.organizationId, asset.id, sha256, calendar.sha256, calendar.readOn, asset.entryId, asset.createdAt],
    );
    if (rows.length === 0) return;
    tx.send(
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

/** Signing embeds the manifest and reads it back before a file is recorded, so what the record says stands in the file. */
function markOf({ own, ancestors }: ObligedWork): ManifestMark {
  // What a file from outside says of itself stands where its maker put it, which need not be a manifest.
  const isMarked = ({ origin, digitalSourceType }: WorkOrigin): boolean =>
    origin !== 'upload' && saysTrained(digitalSourceType);
  if (isMarked(own)) return 'own';
  return ancestors.some(isMarked) ? 'ancestor' : 'none';
}
