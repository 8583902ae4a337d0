import { type ReleaseStanding, ReleaseStandings } from '../../assets/application/release-standings.js';
import { type Tx } from '../../database/organization-tx.js';

interface Row {
  asset_id: string;
  released_at: Date;
  recalled_at: Date | null;
  reason: string | null;
}

export class ReadReleaseStandings extends ReleaseStandings {
  async of(tx: Tx, assetIds: readonly string[]): Promise<ReadonlyMap<string, ReleaseStanding>> {
    const rows = await tx.query<Row>(
      `SELECT r.asset_id, r.released_at, c.recalled_at, c.reason FROM asset_release r
         LEFT JOIN asset_recall c ON c.organization_id = r.organization_id AND c.asset_id = r.asset_id
        WHERE r.organization_id = $1 AND r.asset_id = ANY($2::uuid[])`,
      [tx.organizationId, assetIds],
    );
    return new Map(
      rows.map((row) => [
        row.asset_id,
        {
          releasedAt: row.released_at,
          recalled:
            row.recalled_at === null || row.reason === null
              ? undefined
              : { at: row.recalled_at, reason: row.reason },
        },
      ]),
    );
  }
}
