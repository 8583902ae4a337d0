import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import {
  type ActTrace,
  type CaptureKind,
  type ChangedRegion,
  type ChangeKind,
  type ContributionAction,
  type ContributionBasis,
  type Assignment,
  type Engagement,
  type ReviewDecision,
  type SELECTION,
} from '../domain/contribution.js';

@Entity('contribution')
@Index('contribution_asset', ['organizationId', 'assetId'])
@Index('contribution_by_parent', ['organizationId', 'parentAssetId'])
@Index('contribution_difference', { synchronize: false })
@Index('contribution_shown', { synchronize: false })
@Index(
  'contribution_signature_unique',
  ['organizationId', 'signatureKeyId', 'parentAssetId', 'afterSha256', 'signedAt'],
  { unique: true, where: 'signed_at IS NOT NULL' },
)
@Check(
  'contribution_change_kind_check',
  `change_kind IN ('changed', 'trifling', 'mirrored_or_turned', 'cropped', 'resampled')`,
)
@Check('contribution_capture_check', `capture IN ('automatic', 'declared_at_time', 'declared_later')`)
@Check('contribution_signature_check', `(sealed_signature IS NULL) = (signature_key_id IS NULL)`)
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
  /** Null where the two versions are no pictures that can be compared, and in older rows. */
  @Column('text', { nullable: true }) changeKind!: ChangeKind | null;
  /** What is left of it and of the edits before it; null where the parent is no edit, and in older rows. */
  @Column('jsonb', { nullable: true }) traces!: ActTrace[] | null;
  @Column('uuid') entryId!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('text', { nullable: true }) engagement!: Engagement | null;
  @Column('text', { nullable: true }) assignment!: Assignment | null;
  /** JWE under the contributor's key: the record in canonical JSON, as it is signed. */
  @Column('text', { nullable: true }) sealedRecord!: string | null;
  /** JWE under the contributor's key: a compact JWS with detached payload over the record. */
  @Column('text', { nullable: true }) sealedSignature!: string | null;
  @Column('uuid', { nullable: true }) signatureKeyId!: string | null;
  /** As the record says it; null where it was not signed when it was made, and in older rows. */
  @Column('text', { nullable: true }) signedAt!: string | null;
  /** A PNG in the store: white where the two versions differ. */
  @Column('text', { nullable: true }) differenceSha256!: string | null;
  /** In the order in which they were shown, the chosen one among them. */
  @Column('uuid', { array: true, nullable: true }) shownAssetIds!: string[] | null;
}

@Entity('review')
@Index('review_asset', ['organizationId', 'assetId'])
@Index('review_final_unique', ['organizationId', 'assetId', 'reviewerId'], {
  unique: true,
  where: `decision <> 'request_changes'`,
})
@Unique('review_of_asset_unique', ['organizationId', 'id', 'assetId'])
@Check('review_decision_check', `decision IN ('approve', 'reject', 'request_changes')`)
export class ReviewEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') assetId!: string;
  @Column('uuid') reviewerId!: string;
  @Column('text') decision!: ReviewDecision;
  @Column('text') sealedComment!: string;
  @Column('text') sha256!: string;
  @Column('uuid') entryId!: string;
  @Column('timestamptz') createdAt!: Date;
  /** Of the checklist as it was when the decision was made; null in rows of before there were any. */
  @Column('text', { nullable: true }) checklistSha256!: string | null;
  @Column('int', { nullable: true }) checklistItems!: number | null;
  @Column('int', { nullable: true }) checklistConfirmed!: number | null;
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
