import { type Tx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { type AssetObligation, type ParentObligation } from '../domain/asset-obligation.js';
import { type WaiverCover } from '../domain/waiver-cover.js';
import { type WorkOrigin } from '../domain/work-facts.js';
import { readLastDecisions, type StoredClearance } from './read-clearance.js';

/** A file that is about to be recorded, and the files behind it. */
export interface ObligedWork {
  readonly own: WorkOrigin & { readonly runId: string | undefined };
  /** All ancestors, each once, in a fixed order. */
  readonly ancestors: readonly (WorkOrigin & { readonly runId: string | null })[];
  /** Direct parents. UUIDs. */
  readonly parentIds: readonly string[];
  readonly madeAt: Date;
}

/** Until when waivers accept what decisions left open, by id; none where those in force do not accept all of it. */
export interface WaiverCovers {
  of(tx: Tx, decisions: readonly StoredClearance[]): Promise<ReadonlyMap<string, WaiverCover>>;
}

/** What the obligations of several files are worked out from, read at once. */
export interface ObligationBasis {
  /** The decisions that count for the runs behind a file, in the order of their first decisions. */
  decisionsBehind(work: ObligedWork): readonly StoredClearance[];
  /** What a parent has in its list. @param assetId UUID */
  owedBy(assetId: string): readonly ParentObligation[];
  /** By the id of the decision. */
  readonly covers: ReadonlyMap<string, WaiverCover>;
}

/** In as many statements for any number of files as for one. */
export async function readBasis(
  tx: Tx,
  works: readonly ObligedWork[],
  covers: WaiverCovers,
): Promise<ObligationBasis> {
  const roots = await rootsOf(tx, [...new Set(works.flatMap(runsBehind))]);
  const decisions = await readLastDecisions(tx, [...new Set(roots.values())]);
  const parents = await owedByParents(tx, [...new Set(works.flatMap(({ parentIds }) => parentIds))]);
  const open = [...decisions.values()].filter(({ decision }) => decision === 'review');
  return {
    decisionsBehind: (work) => {
      const behind = new Set(runsBehind(work).flatMap((runId) => roots.get(runId) ?? []));
      return [...behind].sort().flatMap((rootId) => decisions.get(rootId) ?? []);
    },
    owedBy: (assetId) => parents.get(assetId) ?? [],
    covers: open.length === 0 ? new Map() : await covers.of(tx, open),
  };
}

function runsBehind({ own, ancestors }: ObligedWork): string[] {
  return [own.runId, ...ancestors.map(({ runId }) => runId)].filter((id) => typeof id === 'string');
}

/** The first decision of each run. */
async function rootsOf(tx: Tx, runIds: readonly string[]): Promise<Map<string, string>> {
  if (runIds.length === 0) return new Map();
  const rows = await tx.query<{ id: string; clearance_id: string }>(
    'SELECT id, clearance_id FROM run WHERE organization_id = $1 AND id = ANY($2::uuid[])',
    [tx.organizationId, runIds],
  );
  return new Map(rows.map(({ id, clearance_id }) => [id, clearance_id]));
}

async function owedByParents(
  tx: Tx,
  parentIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ParentObligation[]>> {
  const found = new Map<string, ParentObligation[]>(parentIds.map((id) => [id, []]));
  if (parentIds.length === 0) return found;
  const rows = await tx.query<{ asset_id: string; obligation: Buffer }>(
    `SELECT asset_id, obligation FROM asset_obligation
      WHERE organization_id = $1 AND asset_id = ANY($2::uuid[]) ORDER BY asset_id, ordinal`,
    [tx.organizationId, parentIds],
  );
  for (const { asset_id, obligation } of rows)
    found.get(asset_id)?.push({
      assetId: publicId('asset', asset_id),
      obligation: JSON.parse(obligation.toString('utf8')) as AssetObligation,
    });
  return found;
}
