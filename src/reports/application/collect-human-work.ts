import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type LoggedEntry } from '../../audit/application/read-log.js';
import { type SignatureKeys } from '../../contributions/application/signature-keys.js';
import { type ReadReview } from '../../contributions/application/read-review.js';
import { ERASED_TOOL } from '../../contributions/domain/contribution.js';
import { type StateAuthorship } from '../../contributions/application/state-authorship.js';
import { type FullContribution } from '../../contributions/application/read-contribution.js';
import { type Tx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import {
  type AssetDossier,
  type DossierContribution,
  type DossierRemoval,
  type DossierReview,
} from '../domain/dossier.js';
import {
  type DossierAuthorship,
  type DossierCorrection,
  type DossierRecall,
  type DossierSignatureKey,
} from '../domain/dossier-human-work.js';
import { decisiveReview } from '../domain/review-of-dossier.js';
import { collectStoryboards } from './collect-storyboards.js';
import { type People } from './people.js';
import { type Removals } from './removals.js';
import { type SealedTexts } from './sealed-texts.js';

export interface HumanWorkContext {
  readonly tx: Tx;
  readonly lineage: readonly AssetWithParents[];
  readonly entries: readonly LoggedEntry[];
  readonly people: People;
}

export type CollectedHumanWork = Pick<
  AssetDossier,
  'contributions' | 'storyboards' | 'review' | 'reviews' | 'standing' | 'approvalsNeeded' | 'release'
> & {
  readonly recall: DossierRecall | undefined;
  readonly authorship: DossierAuthorship;
};

/** What people did and decided, for a dossier: records with their words, and the decisions on the asset itself. */
export class CollectHumanWork {
  constructor(
    private readonly stateAuthorship: StateAuthorship,
    private readonly readReview: ReadReview,
    private readonly signatureKeys: SignatureKeys,
    private readonly sealedTexts: SealedTexts,
    private readonly removals: Removals,
  ) {}

  async collect(context: HumanWorkContext): Promise<CollectedHumanWork> {
    const { tx, lineage } = context;
    const [asset] = lineage;
    if (asset === undefined) throw new Error('a lineage holds its asset');
    const { statement, contributions, prompts } = await this.stateAuthorship.ofLineage(tx, asset.id, lineage);
    const attachmentIds = contributions.flatMap(({ attachments }) => attachments.map(({ id }) => id));
    const removed = await this.removals.of(tx, 'attachment', attachmentIds, context.entries);
    return {
      contributions: await mapInOrder(contributions, (one) => this.contribution(context, one, removed)),
      storyboards: await collectStoryboards(
        { ...context, sealedTexts: this.sealedTexts },
        lineage.map(({ id }) => id),
      ),
      ...(await this.decisions(context, asset.id)),
      authorship: { statement, promptHistory: prompts },
    };
  }

  private async contribution(
    context: HumanWorkContext,
    { row, corrections, attachments }: FullContribution,
    removed: ReadonlyMap<string, DossierRemoval>,
  ): Promise<DossierContribution> {
    const { tx, people } = context;
    const opened = (sealed: string | null) =>
      sealed === null ? undefined : this.sealedTexts.ofRow(tx, row.contributorId, sealed, row.createdAt);
    const statement = await this.sealedTexts.ofRow(tx, row.contributorId, row.sealedStatement, row.createdAt);
    return {
      id: publicId('contribution', row.id),
      assetId: publicId('asset', row.assetId),
      parentAssetId: publicId('asset', row.parentAssetId),
      contributor: await people.named(row.contributorId),
      actionType: row.actionType,
      basis: row.basis,
      capture: row.capture,
      ...(row.tool === ERASED_TOOL ? { tool: '', toolErased: statement.erased } : { tool: row.tool }),
      statement: statement.text,
      statementErased: statement.erased,
      changedRegion: row.changedRegion ?? undefined,
      beforeSha256: row.beforeSha256,
      afterSha256: row.afterSha256,
      createdAt: row.createdAt.toISOString(),
      entryIndex: indexOf(context, row.entryId),
      engagement: row.engagement ?? undefined,
      assignment: row.assignment ?? undefined,
      record: (await opened(row.sealedRecord))?.text,
      signature: (await opened(row.sealedSignature))?.text,
      signatureKey: await this.signatureKey(context, row.signatureKeyId ?? undefined),
      differenceSha256: row.differenceSha256 ?? undefined,
      shown: row.shownAssetIds?.map((id) => publicId('asset', id)),
      corrections: await mapInOrder(corrections, (one) => this.correction(context, one)),
      attachments: attachments.map(({ id, kind, sha256, sizeBytes, entryId }) => ({
        ...{ id: publicId('attachment', id), kind, sha256, sizeBytes },
        entryIndex: indexOf(context, entryId),
        removed: removed.get(id),
      })),
    };
  }

  private async correction(
    context: HumanWorkContext,
    one: FullContribution['corrections'][number],
  ): Promise<DossierCorrection> {
    const { tx, people } = context;
    const text = await this.sealedTexts.ofRow(tx, one.correctedBy, one.sealedText, one.createdAt);
    const signature =
      one.sealedSignature === undefined
        ? undefined
        : await this.sealedTexts.ofRow(tx, one.correctedBy, one.sealedSignature, one.createdAt);
    return {
      id: publicId('correction', one.id),
      kind: one.kind,
      correctedBy: await people.named(one.correctedBy),
      actionType: one.actionType,
      basis: one.basis,
      text: text.text,
      textErased: text.erased,
      signature: signature?.text,
      signatureKey: await this.signatureKey(context, one.signatureKeyId),
      correctedAt: one.createdAt.toISOString(),
      entryIndex: indexOf(context, one.entryId),
    };
  }

  private async signatureKey(
    context: HumanWorkContext,
    keyId: string | undefined,
  ): Promise<DossierSignatureKey | undefined> {
    if (keyId === undefined) return undefined;
    const { id, algorithm, thumbprint, entryId } = await this.signatureKeys.get(context.tx, keyId);
    const entryIndex = indexOf(context, entryId);
    return { id: publicId('signatureKey', id), algorithm, thumbprint, entryIndex };
  }

  private async decisions(
    context: HumanWorkContext,
    assetId: string,
  ): Promise<Omit<CollectedHumanWork, 'contributions' | 'storyboards' | 'authorship'>> {
    const { tx, people } = context;
    const { decisions, release, recall, standing, needs } = await this.readReview.of(tx, assetId);
    const reviews = await mapInOrder(decisions, async (row): Promise<DossierReview> => {
      const comment = await this.sealedTexts.ofRow(tx, row.reviewerId, row.sealedComment, row.createdAt);
      return {
        decision: row.decision,
        reviewer: await people.named(row.reviewerId),
        comment: comment.text,
        commentErased: comment.erased,
        decidedAt: row.createdAt.toISOString(),
        checklist:
          row.checklistSha256 === null
            ? undefined
            : {
                sha256: row.checklistSha256,
                items: row.checklistItems ?? 0,
                confirmed: row.checklistConfirmed ?? 0,
              },
        entryIndex: indexOf(context, row.entryId),
      };
    });
    const words =
      recall && (await this.sealedTexts.ofRow(tx, recall.recalledBy, recall.sealedText, recall.recalledAt));
    return {
      reviews,
      review: decisiveReview(reviews),
      standing,
      approvalsNeeded: needs.approvals,
      release: release && {
        releasedAt: release.releasedAt.toISOString(),
        releasedBy: await people.named(release.releasedBy),
        entryIndex: indexOf(context, release.entryId),
      },
      recall: recall && {
        reason: recall.reason,
        recalledBy: await people.named(recall.recalledBy),
        recalledAt: recall.recalledAt.toISOString(),
        text: words?.text,
        textErased: words?.erased,
        entryIndex: indexOf(context, recall.entryId),
      },
    };
  }
}

function indexOf({ entries }: HumanWorkContext, entryId: string): number {
  const index = entries.find((entry) => entry.entryId === entryId)?.index;
  if (index === undefined) throw new Error(`entry ${entryId} is cited but was not collected`);
  return index;
}
