import { type DataSource } from 'typeorm';
import { type AssetFingerprints } from '../../assets/application/record-asset.js';
import {
  FINGERPRINT_ALGORITHM,
  NORMALIZATION_VERSION,
  type PictureFingerprint,
} from '../../assets/domain/picture-fingerprint.js';
import { STILL_IMAGE_TYPES } from '../../assets/domain/media-probe/still-image-type.js';
import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { MAX_DISTANCE } from '../domain/similarity.js';

export interface OwnMatch {
  readonly assetId: string;
  readonly distance: number;
}

export interface ReleasedMatch extends OwnMatch {
  readonly organizationId: string;
}

/** What is needed to make the fingerprint of an asset that has none. */
export interface UnprintedAsset {
  readonly id: string;
  readonly sha256: string;
}

/** Fingerprints and the two questions that can be asked of their index (migration 0014). */
export class FingerprintRepository implements AssetFingerprints {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** The code of the whole picture only where it is another one. */
  save(tx: Tx, assetId: string, { trimmed, whole }: PictureFingerprint): void {
    const isSame = Buffer.compare(trimmed, whole) === 0;
    tx.send(
      `INSERT INTO asset_fingerprint
         (organization_id, asset_id, algorithm, normalization_version, border, code, created_at)
       SELECT $1, $2, $3, $4, border, code::bit(256), $7
         FROM unnest($5::text[], $6::text[]) AS codes (border, code) ON CONFLICT DO NOTHING`,
      [
        tx.organizationId,
        assetId,
        FINGERPRINT_ALGORITHM,
        NORMALIZATION_VERSION,
        isSame ? ['trimmed'] : ['trimmed', 'whole'],
        isSame ? [bitText(trimmed)] : [bitText(trimmed), bitText(whole)],
        this.clock.now(),
      ],
    );
  }

  /** Assets of the organization, nearest first. */
  async findOwn(tx: Tx, code: Uint8Array, limit: number): Promise<OwnMatch[]> {
    const rows = await tx.query<{ found_asset_id: string; distance: number }>(
      'SELECT found_asset_id, distance FROM find_own_fingerprints($1::bit(256), $2, $3)',
      [bitText(code), MAX_DISTANCE, limit],
    );
    return rows.map((row) => ({ assetId: row.found_asset_id, distance: row.distance }));
  }

  /** Assets of any organization that were released once, nearest first. What may be shown of them is not decided here. */
  async findReleased(code: Uint8Array, limit: number): Promise<ReleasedMatch[]> {
    const rows: { found_organization_id: string; found_asset_id: string; distance: number }[] =
      await this.dataSource.query(
        'SELECT found_organization_id, found_asset_id, distance FROM find_released_fingerprints($1::bit(256), $2, $3)',
        [bitText(code), MAX_DISTANCE, limit],
      );
    return rows.map((row) => ({
      organizationId: row.found_organization_id,
      assetId: row.found_asset_id,
      distance: row.distance,
    }));
  }

  /** Where an asset with this manifest was released once. */
  async releasedWith(
    manifestLabel: string,
  ): Promise<{ organizationId: string; assetId: string } | undefined> {
    const rows: { organization_id: string; asset_id: string }[] = await this.dataSource.query(
      'SELECT organization_id, asset_id FROM released_manifest WHERE manifest_label = $1 ORDER BY asset_id LIMIT 1',
      [manifestLabel],
    );
    return rows[0] && { organizationId: rows[0].organization_id, assetId: rows[0].asset_id };
  }

  /** Which organizations have assets at all. */
  async organizationsWithAssets(): Promise<string[]> {
    const rows: { organization_id: string }[] = await this.dataSource.query(
      'SELECT DISTINCT organization_id FROM signed_file ORDER BY organization_id',
    );
    return rows.map((row) => row.organization_id);
  }

  async countMissing(tx: Tx): Promise<number> {
    const [row] = await tx.query<{ missing: number }>(`SELECT count(*)::int AS missing ${MISSING}`, [
      tx.organizationId,
      FINGERPRINT_ALGORITHM,
      NORMALIZATION_VERSION,
      [...STILL_IMAGE_TYPES],
    ]);
    return row?.missing ?? 0;
  }

  /** By id, from `afterId` on. */
  async missing(tx: Tx, afterId: string, limit: number): Promise<UnprintedAsset[]> {
    return tx.query<UnprintedAsset>(`SELECT a.id, a.sha256 ${MISSING} AND a.id > $5 ORDER BY a.id LIMIT $6`, [
      tx.organizationId,
      FINGERPRINT_ALGORITHM,
      NORMALIZATION_VERSION,
      [...STILL_IMAGE_TYPES],
      afterId,
      limit,
    ]);
  }
}

/** Of what has a fingerprint at all: films, sounds, vector drawings and models have none. */
const MISSING = `FROM asset a WHERE a.organization_id = $1 AND a.original_media_type = ANY($4::text[]) AND NOT EXISTS (
  SELECT 1 FROM asset_fingerprint f WHERE f.organization_id = a.organization_id AND f.asset_id = a.id
     AND f.algorithm = $2 AND f.normalization_version = $3)
  AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = a.organization_id
     AND m.kind = 'asset' AND m.thing_id = a.id AND m.revoked_at IS NULL)`;

/** 32 bytes as 256 digits, the text form of `bit(256)`. */
export function bitText(code: Uint8Array): string {
  return Array.from(code, (byte) => byte.toString(2).padStart(8, '0')).join('');
}
