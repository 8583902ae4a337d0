import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import {
  type CaptureKind,
  type ChangedRegion,
  type ContributionAction,
  type ContributionBasis,
  type SELECTION,
} from '../domain/contribution.js';

@Entity('contribution')
@Index('contribution_asset', ['organizationId', 'assetId'])
export class ContributionEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') assetId!: string;
  @Column('uuid') parentAssetId!: string;
  @Column('uuid') contributorId!: string;
  @Column('text') actionType!: ContributionAction | typeof SELECTION;
  @Column('text') basis!: ContributionBasis;
  @Column('text') capture!: CaptureKind;
  @Column('text') tool!: string;
  /** JWE under the contributor's key: what the person says they did, and why. */
  @Column('text') sealedStatement!: string;
  @Column('text') beforeSha256!: string;
  @Column('text') afterSha256!: string;
  @Column('jsonb', { nullable: true }) changedRegion!: ChangedRegion | null;
  @Column('uuid') entryId!: string;
  @Column('timestamptz') createdAt!: Date;
}

@Entity('review')
@Unique('review_asset_unique', ['organizationId', 'assetId'])
@Unique('review_of_asset_unique', ['organizationId', 'id', 'assetId'])
@Check('review_decision_check', `decision IN ('approve', 'reject')`)
export class ReviewEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') assetId!: string;
  @Column('uuid') reviewerId!: string;
  @Column('text') decision!: 'approve' | 'reject';
  @Column('text') sealedComment!: string;
  @Column('text') sha256!: string;
  @Column('uuid') entryId!: string;
  @Column('timestamptz') createdAt!: Date;
}

@Entity('asset_release')
export class AssetReleaseEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') assetId!: string;
  @Column('uuid') reviewId!: string;
  @Column('uuid') releasedBy!: string;
  @Column('uuid') entryId!: string;
  @Column('timestamptz') releasedAt!: Date;
}
