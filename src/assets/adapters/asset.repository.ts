import { type DataSource, In, LessThan } from 'typeorm';
import { type Tx } from '../../database/organization-tx.js';
import { insertAllOf, insertOf } from '../../database/row-statements.js';
import { type ThreeValued } from '../../licenses/domain/three-valued.js';
import { ColophonError } from '../../shared/errors.js';
import { type Asset, type AssetOrigin, type AssetParent } from '../domain/asset.js';
import { AssetEntity, AssetParentEntity, SignedClaimEntity, SignedFileEntity } from './asset.entity.js';

export interface AssetWithParents extends Asset {
  readonly parents: readonly AssetParent[];
}

/** The part of an asset that tells how it came to be. */
export interface AssetOriginRecord {
  readonly origin: AssetOrigin;
  readonly digitalSourceType: string | null;
  readonly runId: string | null;
  /** As declared for an upload. */
  readonly showsPeople: ThreeValued | undefined;
}

interface OriginRow {
  origin: AssetOrigin;
  digital_source_type: string | null;
  run_id: string | null;
  shows_people: ThreeValued | null;
}

const ORIGIN_COLUMNS = `a.origin, a.digital_source_type, a.run_id, a.rights ->> 'showsPeople' AS shows_people`;

const MAX_LINEAGE = 500;
const MAX_SIGNED_CLAIMS = 500;
const MAX_OF_ONE_ORIGINAL = 100;

export class AssetRepository {
  insert(tx: Tx, asset: Asset, parents: readonly AssetParent[]): void {
    const { organizationId } = tx;
    tx.send(...insertOf('asset', { organizationId, ...toRow(asset) }));
    const rows = parents.map(({ assetId: parentAssetId, relationship }, ordinal) => {
      return { organizationId, assetId: asset.id, ordinal, parentAssetId, relationship };
    });
    if (rows.length > 0) tx.send(...insertAllOf('asset_parent', rows));
    // Two assets have equal bytes if one file was signed twice into the same bytes, or beside them: the first one counts.
    tx.send(
      `INSERT INTO signed_file (sha256, organization_id, asset_id) SELECT unnest($1::text[]), $2, $3
       ON CONFLICT DO NOTHING`,
      [publicHashes(asset), organizationId, asset.id],
    );
    tx.send(
      `INSERT INTO signed_claim (claim_sha256, manifest_label, organization_id, asset_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [asset.claimSha256, asset.manifestLabel, organizationId, asset.id],
    );
  }

  async get(tx: Tx, id: string): Promise<AssetWithParents> {
    const found = (await this.byIds(tx, [id]))[0];
    if (!found) throw new ColophonError('not_found', 'There is no asset with this id.');
    return found;
  }

  async findByStepRun(tx: Tx, stepRunId: string): Promise<Asset | undefined> {
    const row = await tx.manager.findOneBy(AssetEntity, { organizationId: tx.organizationId, stepRunId });
    return row ? fromRow(row) : undefined;
  }

  /** The asset of this organization whose file, as it was signed here, has exactly these bytes. */
  async findByFile(tx: Tx, sha256: string): Promise<Asset | undefined> {
    const { organizationId } = tx;
    const signed = await tx.manager.findOneBy(SignedFileEntity, { sha256, organizationId });
    const row =
      signed && (await tx.manager.findOneBy(AssetEntity, { organizationId, id: signed.assetId, sha256 }));
    return row ? fromRow(row) : undefined;
  }

  /** The oldest first; of very many the first ones, which say what is to be known. */
  async findByOriginal(tx: Tx, originalSha256: string): Promise<Asset[]> {
    const { organizationId } = tx;
    const rows = await tx.manager.find(AssetEntity, {
      where: { organizationId, originalSha256 },
      order: { id: 'ASC' },
      take: MAX_OF_ONE_ORIGINAL,
    });
    return rows.map(fromRow);
  }

  async findByManifestLabels(tx: Tx, labels: readonly string[]): Promise<Asset[]> {
    if (labels.length === 0) return [];
    const { organizationId } = tx;
    const rows = await tx.manager.findBy(AssetEntity, { organizationId, manifestLabel: In([...labels]) });
    return rows.map(fromRow);
  }

  /** Newest first; `beforeId` is the id of the last asset of the page before. */
  async list(tx: Tx, limit: number, beforeId: string | undefined): Promise<Asset[]> {
    const rows = await tx.manager.find(AssetEntity, {
      where: {
        organizationId: tx.organizationId,
        ...(beforeId === undefined ? {} : { id: LessThan(beforeId) }),
      },
      order: { id: 'DESC' },
      take: limit,
    });
    return rows.map(fromRow);
  }

  async byIds(tx: Tx, ids: readonly string[]): Promise<AssetWithParents[]> {
    const { organizationId } = tx;
    const [rows, parents] = await Promise.all([
      tx.manager.findBy(AssetEntity, { organizationId, id: In([...ids]) }),
      tx.manager.find(AssetParentEntity, {
        where: { organizationId, assetId: In([...ids]) },
        order: { assetId: 'ASC', ordinal: 'ASC' },
      }),
    ]);
    return rows.map((row) => ({
      ...fromRow(row),
      parents: parents
        .filter(({ assetId }) => assetId === row.id)
        .map(({ parentAssetId, relationship }) => ({ assetId: parentAssetId, relationship })),
    }));
  }

  /** The asset and everything it descends from, the asset itself first, then generation by generation. */
  async lineage(tx: Tx, id: string): Promise<AssetWithParents[]> {
    const rows = await tx.query<{ id: string }>(
      `WITH RECURSIVE lineage(id) AS (
         SELECT $2::uuid
         UNION
         SELECT p.parent_asset_id FROM asset_parent p JOIN lineage l ON p.asset_id = l.id
          WHERE p.organization_id = $1)
       SELECT id FROM lineage LIMIT $3`,
      [tx.organizationId, id, MAX_LINEAGE + 1],
    );
    if (rows.length > MAX_LINEAGE)
      throw new ColophonError('pipeline_too_large', `The lineage has more than ${MAX_LINEAGE} assets.`);
    const ids = rows.map((row) => row.id);
    const found = new Map((await this.byIds(tx, ids)).map((asset) => [asset.id, asset]));
    const asset = found.get(id);
    if (!asset) throw new ColophonError('not_found', 'There is no asset with this id.');
    return byGeneration(asset, found);
  }

  /** How the given assets and everything they descend from came to be, each once, by id. */
  async ancestry(tx: Tx, ids: readonly string[]): Promise<AssetOriginRecord[]> {
    if (ids.length === 0) return [];
    const rows = await tx.query<OriginRow>(
      `WITH RECURSIVE lineage(id) AS (
         SELECT unnest($2::uuid[])
         UNION
         SELECT p.parent_asset_id FROM asset_parent p JOIN lineage l ON p.asset_id = l.id
          WHERE p.organization_id = $1)
       SELECT ${ORIGIN_COLUMNS} FROM asset a JOIN lineage l ON a.id = l.id
        WHERE a.organization_id = $1 ORDER BY a.id`,
      [tx.organizationId, ids],
    );
    return rows.map(toOrigin);
  }

  /** How everything that each of the given assets descends from came to be, by id; not the assets themselves. */
  async ancestries(tx: Tx, ids: readonly string[]): Promise<Map<string, AssetOriginRecord[]>> {
    const found = new Map<string, AssetOriginRecord[]>(ids.map((id) => [id, []]));
    const rows = await tx.query<OriginRow & { descendant_id: string }>(
      `WITH RECURSIVE lineage(descendant_id, id) AS (
         SELECT p.asset_id, p.parent_asset_id FROM asset_parent p
          WHERE p.organization_id = $1 AND p.asset_id = ANY($2::uuid[])
         UNION
         SELECT l.descendant_id, p.parent_asset_id FROM asset_parent p JOIN lineage l ON p.asset_id = l.id
          WHERE p.organization_id = $1)
       SELECT l.descendant_id, ${ORIGIN_COLUMNS} FROM asset a JOIN lineage l ON a.id = l.id
        WHERE a.organization_id = $1 ORDER BY l.descendant_id, a.id`,
      [tx.organizationId, ids],
    );
    for (const row of rows) found.get(row.descendant_id)?.push(toOrigin(row));
    return found;
  }

  /** Whether this deployment signed a file with these bytes, for the public verification. */
  async findSigned(
    dataSource: DataSource,
    sha256: string,
  ): Promise<{ organizationId: string; assetId: string } | undefined> {
    return (await dataSource.manager.findOneBy(SignedFileEntity, { sha256 })) ?? undefined;
  }

  /** Which of these claims, and manifests of which of these labels, this deployment signed. */
  async findSignedClaims(
    dataSource: DataSource,
    claims: readonly { readonly claimSha256: string; readonly manifestLabel: string }[],
  ): Promise<SignedClaimEntity[]> {
    if (claims.length === 0) return [];
    return dataSource.manager.find(SignedClaimEntity, {
      where: [
        { claimSha256: In(claims.map(({ claimSha256 }) => claimSha256)) },
        { manifestLabel: In(claims.map(({ manifestLabel }) => manifestLabel)) },
      ],
      take: MAX_SIGNED_CLAIMS,
    });
  }
}

function toOrigin(row: OriginRow): AssetOriginRecord {
  return {
    origin: row.origin,
    digitalSourceType: row.digital_source_type,
    runId: row.run_id,
    showsPeople: row.shows_people ?? undefined,
  };
}

function byGeneration(asset: AssetWithParents, found: Map<string, AssetWithParents>): AssetWithParents[] {
  const ordered = [asset];
  found.delete(asset.id);
  // It grows while it is walked: each asset appends its parents, unless a nearer one did.
  for (const { parents } of ordered)
    for (const { assetId } of parents) {
      const parent = found.get(assetId);
      if (parent && found.delete(assetId)) ordered.push(parent);
    }
  return ordered;
}

function publicHashes({ manifestPlacement, sha256, manifestSha256, origin }: Asset): string[] {
  if (manifestPlacement === 'embedded') return [sha256];
  return origin === 'upload' ? [manifestSha256] : [manifestSha256, sha256];
}

function toRow(asset: Asset): Omit<AssetEntity, 'organizationId'> {
  return {
    ...asset,
    width: asset.width ?? null,
    height: asset.height ?? null,
    durationMs: asset.durationMs ?? null,
    digitalSourceType: asset.digitalSourceType ?? null,
    certificateSha256: asset.certificateSha256 ?? null,
    timeStamp: asset.timeStamp ?? null,
    rights: asset.rights ?? null,
    signalReading: asset.signalReading ?? null,
    runId: asset.runId ?? null,
    stepRunId: asset.stepRunId ?? null,
  };
}

function fromRow({ organizationId: _, ...row }: AssetEntity): Asset {
  return {
    ...row,
    width: row.width ?? undefined,
    height: row.height ?? undefined,
    durationMs: row.durationMs ?? undefined,
    digitalSourceType: row.digitalSourceType ?? undefined,
    certificateSha256: row.certificateSha256 ?? undefined,
    timeStamp: row.timeStamp ?? undefined,
    rights: row.rights ?? undefined,
    signalReading: row.signalReading ?? undefined,
    runId: row.runId ?? undefined,
    stepRunId: row.stepRunId ?? undefined,
  };
}
