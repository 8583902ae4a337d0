import { publicId } from '../../shared/ids.js';
import { type StatedAuthorship } from '../application/state-authorship.js';
import {
  type Attachment,
  type Correction,
  type FullContribution,
  type OpenedContribution,
} from '../application/read-contribution.js';
import { type GradedAct } from '../domain/authorship/grade-act.js';

/** Facts of a record. What people wrote is sealed and not in here. */
export function contributionFactsView({ row, corrections, attachments }: FullContribution) {
  const id = publicId('contribution', row.id);
  return {
    id,
    assetId: publicId('asset', row.assetId),
    parentAssetId: publicId('asset', row.parentAssetId),
    contributorId: publicId('principal', row.contributorId),
    actionType: row.actionType,
    basis: row.basis,
    capture: row.capture,
    engagement: row.engagement,
    assignment: row.assignment,
    tool: row.tool,
    beforeSha256: row.beforeSha256,
    afterSha256: row.afterSha256,
    changedRegion: row.changedRegion,
    differenceUrl: row.differenceSha256 === null ? null : `/v1/contributions/${id}/difference`,
    differenceSha256: row.differenceSha256,
    shown: row.shownAssetIds?.map((shown) => publicId('asset', shown)) ?? null,
    signatureKeyId: row.signatureKeyId === null ? null : publicId('signatureKey', row.signatureKeyId),
    corrections: corrections.map(correctionView),
    attachments: attachments.map(attachmentView),
    entryId: publicId('entry', row.entryId),
    createdAt: row.createdAt.toISOString(),
  };
}

function correctionView({ signatureKeyId, ...correction }: Correction) {
  return {
    id: publicId('correction', correction.id),
    kind: correction.kind,
    correctedBy: publicId('principal', correction.correctedBy),
    actionType: correction.actionType ?? null,
    basis: correction.basis ?? null,
    signatureKeyId: signatureKeyId === undefined ? null : publicId('signatureKey', signatureKeyId),
    entryId: publicId('entry', correction.entryId),
    createdAt: correction.createdAt.toISOString(),
  };
}

export function attachmentView(attachment: Attachment) {
  const contributionId = publicId('contribution', attachment.contributionId);
  const id = publicId('attachment', attachment.id);
  return {
    id,
    contributionId,
    kind: attachment.kind,
    sha256: attachment.sha256,
    sizeBytes: attachment.sizeBytes,
    contentUrl: `/v1/contributions/${contributionId}/attachments/${id}/content`,
    contentRemoval: attachment.removed
      ? {
          removalId: publicId('removal', attachment.removed.removalId),
          cause: attachment.removed.cause,
          removedAt: attachment.removed.removedAt.toISOString(),
        }
      : null,
    entryId: publicId('entry', attachment.entryId),
    createdAt: attachment.createdAt.toISOString(),
  };
}

/** With the words in clear; null where there are none, or after an erasure. Text is data: show it escaped. */
export function openedContributionView(full: FullContribution, opened: OpenedContribution) {
  return {
    ...contributionFactsView(full),
    /** Exactly the text that is signed. */
    record: opened.record ?? null,
    signature: opened.signature ?? null,
    correctionTexts: opened.corrections.map(({ text, signature }) => ({
      text: text ?? null,
      signature: signature ?? null,
    })),
  };
}

/** The statement in three parts, with the draft in the words of the registration form. */
export function authorshipView(assetId: string, { statement, contributions, prompts }: StatedAuthorship) {
  const regions = new Map(
    contributions.map(({ row }) => [publicId('contribution', row.id), row.changedRegion]),
  );
  const actView = ({ act, reason }: GradedAct) => ({
    ...{ contributionId: act.contributionId, assetId: act.assetId, contributorId: act.contributorId },
    ...{ actionType: act.actionType, basis: act.basis, capture: act.capture, assignment: act.assignment },
    ...{ signed: act.isSigned, candidatesShown: act.shown },
    changedRegion: regions.get(act.contributionId) ?? null,
    reason,
  });
  return {
    assetId: publicId('asset', assetId),
    claimed: statement.claimed.map(actView),
    disclaimed: statement.disclaimedWorks,
    uncertain: [
      ...statement.uncertain.map(actView),
      ...statement.uncertainWorks.map((work) => ({ ...work, contributionId: null })),
    ],
    notClaimed: statement.notClaimed.map(actView),
    registration: statement.registration,
    jurisdictions: statement.jurisdictions,
    promptHistory: prompts,
    sufficientForUseCases: statement.isSufficient,
    notes: statement.notes,
  };
}
