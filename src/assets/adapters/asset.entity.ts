import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import { safeInteger } from '../../database/column-transformers.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type DigitalSourceType } from '../../provenance/domain/manifest-plan.js';
import { type AssetOrigin, type AssetTimeStamp, type RightsDeclaration } from '../domain/asset.js';
import { type ManifestPlacement, type MediaKind } from '../../provenance/domain/media-types.js';
import { type SignalReading } from '../domain/signal-reading.js';

@Entity('asset')
@Unique('asset_step_unique', ['organizationId', 'stepRunId'])
@Index('asset_sha256', ['organizationId', 'sha256'])
@Index('asset_original_sha256', ['organizationId', 'originalSha256'])
@Index('asset_manifest_sha256', ['organizationId', 'manifestSha256'])
@Index('asset_run', ['organizationId', 'runId'])
@Index('asset_certificate', ['organizationId', 'certificateSha256'])
@Index('asset_manifest_label', ['organizationId', 'manifestLabel'])
@Check('asset_origin_check', `origin IN ('step', 'upload', 'edit')`)
@Check('asset_mode_check', `mode IN ('live', 'test')`)
@Check('asset_kind_check', `kind IN ('image', 'video', 'audio', 'model3d', 'text')`)
@Check('asset_manifest_placement_check', `manifest_placement IN ('embedded', 'sidecar')`)
@Check('asset_size_check', `(width IS NULL) = (height IS NULL)`)
@Check(
  'asset_signal_reading_check',
  `signal_reading IS NULL OR (signal_reading ? 'signals' AND signal_reading ? 'unreadPlaces')`,
)
export class AssetEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') projectId!: string;
  @Column('text') origin!: AssetOrigin;
  @Column('text') mode!: KeyMode;
  @Column('text') title!: string;
  @Column('text') mediaType!: string;
  @Column('bigint', { transformer: safeInteger }) sizeBytes!: number;
  @Column('text') kind!: MediaKind;
  @Column('int', { nullable: true }) width!: number | null;
  @Column('int', { nullable: true }) height!: number | null;
  @Column('int', { nullable: true }) durationMs!: number | null;
  @Column('text') sha256!: string;
  @Column('text') originalSha256!: string;
  @Column('text') originalMediaType!: string;
  @Column('text') claimSha256!: string;
  @Column('text') manifestSha256!: string;
  @Column('text') manifestLabel!: string;
  @Column('text', { nullable: true }) certificateSha256!: string | null;
  @Column('jsonb', { nullable: true }) timeStamp!: AssetTimeStamp | null;
  @Column('text') manifestPlacement!: ManifestPlacement;
  @Column('text', { nullable: true }) digitalSourceType!: DigitalSourceType | null;
  @Column('jsonb', { nullable: true }) rights!: RightsDeclaration | null;
  @Column('jsonb', { nullable: true }) signalReading!: SignalReading | null;
  @Column('uuid', { nullable: true }) runId!: string | null;
  @Column('uuid', { nullable: true }) stepRunId!: string | null;
  @Column('uuid') entryId!: string;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
}

@Entity('asset_parent')
@Index('asset_parent_children', ['organizationId', 'parentAssetId'])
@Check('asset_parent_relationship_check', `relationship IN ('parentOf', 'componentOf', 'inputTo')`)
export class AssetParentEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') assetId!: string;
  @PrimaryColumn('int') ordinal!: number;
  @Column('uuid') parentAssetId!: string;
  @Column('text') relationship!: 'parentOf' | 'componentOf' | 'inputTo';
}

/**
 * Which files this deployment signed, by hash; the one table here that belongs to no organization. A file with a sidecar
 * stands under the hash of the sidecar: its own bytes are those that somebody sent, and who holds them too shall not
 * learn from us who that was. What a step or a person made here stands under both.
 */
@Entity('signed_file')
export class SignedFileEntity {
  @PrimaryColumn('text') sha256!: string;
  @Column('uuid') organizationId!: string;
  @Column('uuid') assetId!: string;
}

/** What this deployment signed, by claim and label of the manifest: another directory outside of the organizations. */
@Entity('signed_claim')
@Index('signed_claim_label', ['manifestLabel'])
export class SignedClaimEntity {
  @PrimaryColumn('text') claimSha256!: string;
  @Column('text') manifestLabel!: string;
  @Column('uuid') organizationId!: string;
  @Column('uuid') assetId!: string;
}
