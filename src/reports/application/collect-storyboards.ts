import { type LoggedEntry } from '../../audit/application/read-log.js';
import { type Tx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type DossierStoryboard } from '../domain/dossier-human-work.js';
import { type People } from './people.js';
import { type SealedTexts } from './sealed-texts.js';

interface Row {
  id: string;
  version: number;
  asset_ids: string[];
  ordered_by: string;
  sealed_rationale: string;
  entry_id: string;
  created_at: Date;
}

/** Ids (UUIDs) of the storyboards in whose order one of these assets ever stood. */
export async function storyboardsWith(tx: Tx, assetIds: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    'SELECT DISTINCT id FROM storyboard WHERE organization_id = $1 AND asset_ids && $2::uuid[] ORDER BY id',
    [tx.organizationId, assetIds],
  );
  return rows.map(({ id }) => id);
}

/**
 * The orders that people gave to assets, an asset of the lineage among them. All versions of each storyboard, oldest
 * first, also those in which none of them stands: what was decided otherwise later is not left out.
 */
export async function collectStoryboards(
  context: {
    readonly tx: Tx;
    readonly entries: readonly LoggedEntry[];
    readonly people: People;
    readonly sealedTexts: SealedTexts;
  },
  assetIds: readonly string[],
): Promise<DossierStoryboard[]> {
  const { tx, entries, people, sealedTexts } = context;
  const ids = await storyboardsWith(tx, assetIds);
  if (ids.length === 0) return [];
  const rows = await tx.query<Row>(
    `SELECT id, version, asset_ids, ordered_by, sealed_rationale, entry_id, created_at FROM storyboard
      WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id, version`,
    [tx.organizationId, ids],
  );
  const indices = new Map(entries.map(({ entryId, index }) => [entryId, index]));
  // A version that is younger than the entries of this report is not in it: the report says what it says of its moment.
  const cited = rows.filter(({ entry_id: entryId }) => indices.has(entryId));
  return mapInOrder(cited, async (row) => {
    const words = await sealedTexts.ofRow(tx, row.ordered_by, row.sealed_rationale, row.created_at);
    return {
      id: publicId('storyboard', row.id),
      version: row.version,
      assetIds: row.asset_ids.map((id) => publicId('asset', id)),
      orderedBy: await people.named(row.ordered_by),
      orderedAt: row.created_at.toISOString(),
      rationale: words.text,
      rationaleErased: words.erased,
      entryIndex: indices.get(row.entry_id) ?? -1,
    };
  });
}
