import { lastExamination } from './diligence-questions.js';
import { type AssetDossier, type DossierGap } from './dossier.js';

type Facts = Pick<AssetDossier, 'asset' | 'examinations' | 'claims'>;

/** What of claims and examinations nobody should read past. Pure. */
export function diligenceGaps(dossier: Facts): DossierGap[] {
  return [...claimGaps(dossier), ...matterGaps(dossier), ...searchGaps(dossier)];
}

function claimGaps({ claims = [], asset }: Facts): DossierGap[] {
  return claims
    .filter(({ state }) => state !== 'closed')
    .map(({ id, kind, receivedOn, assetId, state }) => {
      const where = assetId === asset.id ? '' : ` on ${assetId}, from which it was made`;
      const how = state === 'upheld' ? 'was right' : 'is open';
      const text = `The claim ${id} (${kind}, received on ${receivedOn}${where}) ${how}.`;
      return { severity: 'open', text };
    });
}

function matterGaps(dossier: Facts): DossierGap[] {
  const last = lastExamination(dossier, 'third_party_matter');
  if (last === undefined)
    return [{ severity: 'unknown', text: 'Nobody has recorded whether it shows what belongs to others.' }];
  const groundless = (last.matter ?? []).filter(({ basis }) => basis === 'none' || basis === 'unknown');
  return groundless.map(({ kind }) => ({
    severity: 'open',
    text: `It shows ${kind} of others, and no ground for that is known.`,
  }));
}

function searchGaps(dossier: Facts): DossierGap[] {
  const last = lastExamination(dossier, 'similar_works');
  if (last === undefined)
    return [{ severity: 'unknown', text: 'No search for similar earlier works is recorded.' }];
  if (last.result !== 'found') return [];
  const text = `A search found similar works (${last.matches ?? 0}); see "Examinations and claims" for how that was judged.`;
  return [{ severity: 'open', text }];
}
