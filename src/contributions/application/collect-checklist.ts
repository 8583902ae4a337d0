import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { readingOf } from '../../assets/domain/asset.js';
import { type Tx } from '../../database/organization-tx.js';
import { readLastDecision } from '../../licenses/application/read-clearance.js';
import { owedToday } from '../../licenses/application/owed-today.js';
import { readObligations } from '../../licenses/application/read-obligations.js';
import { publicId } from '../../shared/ids.js';
import { type ChecklistFacts, type ChecklistItem, checklistOf } from '../domain/review/checklist.js';
import { clearancesBehind } from './clearances-behind.js';
import { readClaims } from './read-claims.js';
import { reviewNeeds } from './read-review.js';
import { type StateAuthorship } from './state-authorship.js';

/** What a reviewer is to look at, worked out from the decisions, obligations and files behind an asset, as they are now. */
export class CollectChecklist {
  constructor(
    private readonly assets: AssetRepository,
    private readonly stateAuthorship: StateAuthorship,
    private readonly obligationsToday: Pick<ShowObligationsToday, 'ofId'>,
  ) {}

  /** @throws ColophonError `not_found` */
  async requireAsset(tx: Tx, assetId: string): Promise<void> {
    await this.assets.get(tx, assetId);
  }

  /** @throws ColophonError `not_found` */
  async of(tx: Tx, assetId: string): Promise<ChecklistItem[]> {
    const lineage = await this.assets.lineage(tx, assetId);
    const needs = await reviewNeeds(tx, assetId);
    const { statement } = await this.stateAuthorship.ofLineage(tx, assetId, lineage);
    return checklistOf({
      findings: await findingsBehind(tx, lineage),
      obligations: await this.openObligations(tx, assetId),
      uploads: lineage.flatMap(uploadFacts),
      recalledAncestorIds: await recalledAmong(tx, lineage, assetId),
      claims: await claimsOn(tx, lineage),
      lacksContribution: needs.humanContribution && !statement.isSufficient,
    });
  }

  /** What is open as it reads today, of the list of the asset and beside it. */
  private async openObligations(tx: Tx, assetId: string): Promise<ChecklistFacts['obligations']> {
    const list = await readObligations(tx, assetId);
    if (list === undefined) return [];
    return owedToday(assetId, list, await this.obligationsToday.ofId(tx, assetId, list))
      .filter(({ state }) => state === 'open')
      .map(({ id, obligation: { text, blocking, due } }) => ({
        id: publicId('obligation', id),
        text,
        isBlocking: blocking,
        isDueBefore: due === 'before-publication',
      }));
  }
}

async function findingsBehind(
  tx: Tx,
  lineage: readonly AssetWithParents[],
): Promise<ChecklistFacts['findings']> {
  const found: ChecklistFacts['findings'][number][] = [];
  for (const rootId of await clearancesBehind(
    tx,
    lineage.map(({ id }) => id),
  )) {
    const { id, findings } = await readLastDecision(tx, rootId);
    for (const { ruleId, listingId, severity, message } of findings)
      found.push({ clearanceId: publicId('clearance', id), ruleId, listingId, severity, message });
  }
  return found;
}

async function claimsOn(
  tx: Tx,
  lineage: readonly AssetWithParents[],
): Promise<ChecklistFacts['claims'][number][]> {
  const claims = await readClaims(
    tx,
    lineage.map(({ id }) => id),
  );
  return claims.flatMap(({ id, assetId, kind, receivedOn, standing }) =>
    standing === 'closed'
      ? []
      : [
          {
            id: publicId('claim', id),
            assetId: publicId('asset', assetId),
            kind,
            receivedOn,
            isUpheld: standing === 'upheld',
          },
        ],
  );
}

function uploadFacts(asset: AssetWithParents): ChecklistFacts['uploads'][number][] {
  if (asset.origin === 'step') return [];
  return [
    {
      assetId: publicId('asset', asset.id),
      // An edit declares no rights of its own: its parents speak for it.
      showsPeople: asset.origin === 'edit' ? 'no' : (asset.rights?.showsPeople ?? 'unknown'),
      unreadPlaces: readingOf(asset)?.unreadPlaces ?? [],
    },
  ];
}

async function recalledAmong(
  tx: Tx,
  lineage: readonly AssetWithParents[],
  assetId: string,
): Promise<string[]> {
  const rows = await tx.query<{ asset_id: string }>(
    'SELECT asset_id FROM asset_recall WHERE organization_id = $1 AND asset_id = ANY($2::uuid[]) AND asset_id <> $3',
    [tx.organizationId, lineage.map(({ id }) => id), assetId],
  );
  return rows.map((row) => publicId('asset', row.asset_id));
}
