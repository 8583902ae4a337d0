import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Claim, readClaims } from '../../contributions/application/read-claims.js';
import { type Examination, readExaminations } from '../../contributions/application/read-examinations.js';
import { claimStanding } from '../../contributions/domain/diligence/claim.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type DossierClaim, type DossierExamination } from '../domain/dossier-diligence.js';
import { type HumanWorkContext } from './collect-human-work.js';
import { type SealedTexts } from './sealed-texts.js';

export interface CollectedDiligence {
  readonly examinations: readonly DossierExamination[];
  readonly claims: readonly DossierClaim[];
}

interface Context extends HumanWorkContext {
  readonly sealedTexts: SealedTexts;
  readonly indices: ReadonlyMap<string, number | undefined>;
}

/**
 * What people found out about the files of the chain, and what outsiders claim of them, as far as the collected entries
 * tell: what was written a moment later is not shown.
 */
export async function collectDiligence(
  given: HumanWorkContext & { readonly sealedTexts: SealedTexts },
): Promise<CollectedDiligence> {
  const context = { ...given, indices: new Map(given.entries.map(({ entryId, index }) => [entryId, index])) };
  const ids = given.lineage.map(({ id }: AssetWithParents) => id);
  const examinations = await readExaminations(given.tx, ids);
  const claims = await readClaims(given.tx, ids);
  return {
    examinations: (await mapInOrder(examinations, (one) => examination(context, one))).flat(),
    claims: (await mapInOrder(claims, (one) => claim(context, one))).flat(),
  };
}

async function examination(context: Context, one: Examination): Promise<DossierExamination[]> {
  const entryIndex = context.indices.get(one.entryId);
  if (entryIndex === undefined) return [];
  const { tx, people, sealedTexts } = context;
  const opened = (sealed: string) => sealedTexts.ofRow(tx, one.examinedBy, sealed, one.createdAt);
  const text = await opened(one.sealedText);
  const document = one.sealedDocument === undefined ? undefined : await opened(one.sealedDocument);
  return [
    {
      id: publicId('examination', one.id),
      assetId: publicId('asset', one.assetId),
      question: one.question,
      result: one.result,
      examinedOn: one.examinedOn,
      examinedBy: await people.named(one.examinedBy),
      ...one.details,
      text: text.text,
      textErased: text.erased,
      document: document?.text,
      evidenceAssetId: one.evidenceAssetId && publicId('asset', one.evidenceAssetId),
      evidenceSha256: one.evidenceSha256,
      entryIndex,
    },
  ];
}

async function claim(context: Context, one: Claim): Promise<DossierClaim[]> {
  const entryIndex = context.indices.get(one.entryId);
  if (entryIndex === undefined) return [];
  const { tx, people, sealedTexts } = context;
  const text = await sealedTexts.ofRow(tx, one.recordedBy, one.sealedText, one.createdAt);
  const claimant = await sealedTexts.ofRow(tx, one.recordedBy, one.sealedClaimant, one.createdAt);
  const answers = (await mapInOrder(one.answers, (each) => answer(context, each))).flat();
  return [
    {
      id: publicId('claim', one.id),
      assetId: publicId('asset', one.assetId),
      kind: one.kind,
      receivedOn: one.receivedOn,
      respondBy: one.respondBy,
      recordedBy: await people.named(one.recordedBy),
      claimant: claimant.text,
      text: text.text,
      textErased: text.erased,
      evidenceSha256: one.evidenceSha256,
      entryIndex,
      answers,
      state: claimStanding(answers.map(({ outcome }) => outcome)),
    },
  ];
}

async function answer(
  { tx, people, sealedTexts, indices }: Context,
  one: Claim['answers'][number],
): Promise<DossierClaim['answers'][number][]> {
  const entryIndex = indices.get(one.entryId);
  if (entryIndex === undefined) return [];
  const text = await sealedTexts.ofRow(tx, one.answeredBy, one.sealedText, one.createdAt);
  return [
    {
      id: publicId('claimAnswer', one.id),
      outcome: one.outcome,
      answeredBy: await people.named(one.answeredBy),
      answeredAt: one.createdAt.toISOString(),
      text: text.text,
      textErased: text.erased,
      evidenceSha256: one.evidenceSha256,
      entryIndex,
    },
  ];
}
