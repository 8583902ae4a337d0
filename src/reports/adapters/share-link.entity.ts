import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A link by which somebody outside reads the reports on one asset, or one report. The secret is kept nowhere. */
@Entity('report_share_link')
@Check('report_share_link_scope_check', 'num_nonnulls(asset_id, report_id) = 1')
@Unique('report_share_link_token_unique', ['organizationId', 'tokenSha256'])
export class ShareLinkEntity {
  @PrimaryColumn('uuid') organizationId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tokenSha256!: string;
  @Column('uuid', { nullable: true }) assetId!: string | null;
  @Column('uuid', { nullable: true }) reportId!: string | null;
  @Column('timestamptz') expiresAt!: Date;
  @Column('timestamptz', { nullable: true }) revokedAt!: Date | null;
  @Column('uuid') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
}
