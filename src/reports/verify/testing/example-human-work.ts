import { exportJWK, FlattenedSign, generateKeyPair } from 'jose';
import { MATTER_KINDS } from '../../../audit/core/diligence-words.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson } from '../../../shared/canonical-json.js';
import { newId, publicId } from '../../../shared/ids.js';
import { type AssetDossier, type DossierAsset } from '../../domain/dossier.js';
import { type DossierRecall, type DossierStoryboard } from '../../domain/dossier-human-work.js';
import { type Append, AT, JANE, RAVI } from './example-people.js';

export const STATEMENT = 'Repainted the handle by hand, because the generated one did not join the body.';
const EXAMINED = 'The mark on the cup is that of the client, under their license; nothing else was seen.';
const CLAIMED = 'The mark on the cup is ours.';
const ANSWERED = 'It is under license 2026-77, which was sent to them.';

export function contributionOf(
  id: string,
  entryIndex: number,
  before: DossierAsset,
  after: DossierAsset,
): AssetDossier['contributions'][number] {
  return {
    id,
    assetId: after.id,
    parentAssetId: before.id,
    contributor: JANE,
    actionType: 'MANUAL_PAINT',
    basis: 'expressive_input',
    capture: 'declared_at_time',
    tool: 'Krita 5.2.3',
    statement: STATEMENT,
    changedRegion: { left: 330, top: 120, width: 110, height: 170, changedShare: 0.06 },
    beforeSha256: before.sha256,
    afterSha256: after.sha256,
    createdAt: AT,
    entryIndex,
  };
}

/** Two orders of the same files, the second one turned around. */
export function orderTwice(append: Append, assetIds: readonly string[]): DossierStoryboard[] {
  const id = publicId('storyboard', newId());
  return [assetIds, assetIds.toReversed()].map((order, i) => {
    const words = { rationale: `Order ${i + 1}: the handle comes where the eye rests.` };
    const data = { storyboardId: id, version: i + 1, projectId: 'prj_1', assetIds: [...order] };
    const entryIndex = append('storyboard.ordered', { kind: 'storyboard', id }, data, words);
    return { id, version: i + 1, assetIds: order, orderedBy: JANE, orderedAt: AT, ...words, entryIndex };
  });
}

export function recallIt(append: Append, { id: assetId, sha256 }: DossierAsset): DossierRecall {
  const words = { text: 'A claim of a third party has come in.' };
  const data = { assetId, sha256, reason: 'rights_claim' };
  const entryIndex = append('asset.recalled', { kind: 'asset', id: assetId }, data, words);
  return { reason: data.reason, recalledBy: RAVI, recalledAt: AT, ...words, entryIndex };
}

/** A key of Jane's in the log, and a record that she signed with it. */
export async function signedRecord(
  append: Append,
  record: Record<string, string>,
): Promise<{
  record: string;
  signature: string;
  signatureKey: { id: string; algorithm: string; thumbprint: string; entryIndex: number };
}> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty = '', crv = '', x = '' } = await exportJWK(publicKey);
  const id = publicId('signatureKey', newId());
  const key = { algorithm: 'EdDSA' as const, thumbprint: sha256Hex(x) };
  const entryIndex = append(
    'signature_key.registered',
    { kind: 'signature_key', id },
    { keyId: id, principalId: JANE.principalId, ...key, jwk: { kty, crv, x } },
  );
  const text = canonicalJson(record).toString('utf8');
  const jws = await new FlattenedSign(Buffer.from(text))
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(privateKey);
  const signature = `${jws.protected ?? ''}..${jws.signature}`;
  return { record: text, signature, signatureKey: { id, ...key, entryIndex } };
}

/** Somebody looked for matter of others, and somebody outside claims something, which was answered. */
export function examineAndClaim(
  append: Append,
  { id: assetId, sha256 }: DossierAsset,
): Pick<AssetDossier, 'examinations' | 'claims'> {
  const subject = { kind: 'asset', id: assetId } as const;
  const examined = {
    ...{ assetId, question: 'third_party_matter' as const, result: 'found' as const },
    examinedOn: '2026-11-20',
    matter: MATTER_KINDS.map((kind) =>
      kind === 'trademarks'
        ? { kind, found: 'shown' as const, basis: 'licensed' as const }
        : { kind, found: 'none_seen' as const },
    ),
  };
  const examinationId = publicId('examination', newId());
  const words = { text: EXAMINED, document: 'License 2026-77' };
  const examination = append('asset.examined', subject, { examinationId, sha256, ...examined }, words);
  const claimed = { assetId, kind: 'trademark' as const, receivedOn: '2026-11-21' };
  const claimId = publicId('claim', newId());
  const claim = append(
    'claim.received',
    subject,
    { claimId, sha256, ...claimed },
    { claimant: 'Brand Holder AB', text: CLAIMED },
  );
  const answerId = publicId('claimAnswer', newId());
  const outcome = 'rejected' as const;
  const answered = append(
    'claim.answered',
    subject,
    { claimId, assetId, sha256, answerId, outcome },
    { text: ANSWERED },
  );
  return {
    examinations: [{ id: examinationId, ...examined, examinedBy: RAVI, ...words, entryIndex: examination }],
    claims: [
      {
        ...{ id: claimId, ...claimed, recordedBy: RAVI, claimant: 'Brand Holder AB', text: CLAIMED },
        ...{ entryIndex: claim, state: 'closed' },
        answers: [
          { id: answerId, outcome, answeredBy: RAVI, answeredAt: AT, text: ANSWERED, entryIndex: answered },
        ],
      },
    ],
  };
}
