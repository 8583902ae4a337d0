import { type OrganizationTx } from '../../../database/organization-tx.js';
import { publicId } from '../../../shared/ids.js';
import { type KeyGenerations } from './key-generations.port.js';

export interface AffectedAsset {
  readonly assetId: string;
  readonly sha256: string;
  readonly manifestLabel: string;
  readonly createdAt: string;
  /** Of its `asset.signed` entry; `undefined` for the moment before it has one. */
  readonly logIndex: number | undefined;
  readonly timeStamped: boolean;
}

export interface AffectedLog {
  readonly organizationId: string;
  readonly origin: string;
  readonly firstIndex: number | undefined;
  readonly lastIndex: number | undefined;
  /** Older assets of this log, of which is not recorded which key signed them. */
  readonly unrecorded: number;
  readonly assets: readonly AffectedAsset[];
}

interface Row {
  id: string;
  sha256: string;
  manifest_label: string;
  created_at: Date;
  index: string | null;
  stamped: boolean;
}

/** Which files one certificate signed, by log. What it signed and no log names was not signed by us. */
export class AffectedAssets {
  constructor(
    private readonly generations: KeyGenerations,
    private readonly organizationTx: OrganizationTx,
  ) {}

  /** One log at a time: there may be many. */
  async *of(certificateSha256: string): AsyncGenerator<AffectedLog> {
    for (const organizationId of await this.generations.organizations()) {
      const log = await this.ofLog(organizationId, certificateSha256);
      if (log.assets.length > 0 || log.unrecorded > 0) yield log;
    }
  }

  private ofLog(organizationId: string, certificateSha256: string): Promise<AffectedLog> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const [log] = await tx.query<{ origin: string; unrecorded: string }>(
        `SELECT origin, (SELECT count(*) FROM asset WHERE organization_id = $1 AND certificate_sha256 IS NULL) AS unrecorded
           FROM audit_log WHERE organization_id = $1`,
        [organizationId],
      );
      const rows = await tx.query<Row>(
        `SELECT a.id, a.sha256, a.manifest_label, a.created_at, e.index,
                coalesce(a.time_stamp ->> 'outcome' = 'stamped', false) AS stamped
           FROM asset a LEFT JOIN audit_entry e ON e.organization_id = $1 AND e.entry_id = a.entry_id
          WHERE a.organization_id = $1 AND a.certificate_sha256 = $2 ORDER BY e.index NULLS LAST, a.id`,
        [organizationId, certificateSha256],
      );
      const assets = rows.map(toAsset);
      const indices = assets.flatMap(({ logIndex }) => logIndex ?? []);
      return {
        organizationId: publicId('organization', organizationId),
        origin: log?.origin ?? '',
        firstIndex: indices[0],
        lastIndex: indices.at(-1),
        unrecorded: Number(log?.unrecorded ?? 0),
        assets,
      };
    });
  }
}

function toAsset(row: Row): AffectedAsset {
  return {
    assetId: publicId('asset', row.id),
    sha256: row.sha256,
    manifestLabel: row.manifest_label,
    createdAt: row.created_at.toISOString(),
    logIndex: row.index === null ? undefined : Number(row.index),
    timeStamped: row.stamped,
  };
}
