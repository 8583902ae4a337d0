import { publicId } from '../../shared/ids.js';
import { type Claim } from '../application/read-claims.js';
import { type Examination } from '../application/read-examinations.js';

/** What people wrote is sealed: it is opened in reports, where the log says so. */
export function examinationView(examination: Examination) {
  const { question, result, examinedOn, details, evidenceAssetId } = examination;
  return {
    id: publicId('examination', examination.id),
    assetId: publicId('asset', examination.assetId),
    question,
    result,
    examinedOn,
    ...details,
    examinedBy: publicId('principal', examination.examinedBy),
    recordedAt: examination.createdAt.toISOString(),
    entryId: publicId('entry', examination.entryId),
    evidence: {
      sealed: examination.sealedDocument === undefined ? ['text'] : ['text', 'document'],
      assetId: evidenceAssetId === undefined ? null : publicId('asset', evidenceAssetId),
      sha256: examination.evidenceSha256 ?? null,
    },
  };
}

export function claimView(claim: Claim) {
  return {
    id: publicId('claim', claim.id),
    assetId: publicId('asset', claim.assetId),
    kind: claim.kind,
    state: claim.standing,
    receivedOn: claim.receivedOn,
    respondBy: claim.respondBy ?? null,
    recordedBy: publicId('principal', claim.recordedBy),
    recordedAt: claim.createdAt.toISOString(),
    entryId: publicId('entry', claim.entryId),
    evidence: { sealed: ['claimant', 'text'], sha256: claim.evidenceSha256 ?? null },
    answers: claim.answers.map((answer) => ({
      id: publicId('claimAnswer', answer.id),
      outcome: answer.outcome,
      answeredBy: publicId('principal', answer.answeredBy),
      answeredAt: answer.createdAt.toISOString(),
      entryId: publicId('entry', answer.entryId),
      evidence: { sealed: ['text'], sha256: answer.evidenceSha256 ?? null },
    })),
  };
}
