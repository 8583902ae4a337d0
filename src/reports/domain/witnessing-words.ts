import { explainPolicy } from '../../audit/core/policy-quorum.js';
import { parseWitnessPolicy } from '../../audit/core/witness-policy.js';
import { type DossierWitnessing } from './dossier.js';

/** In words: who cosigned and who did not, what the policy needs, whether that is met. */
export function witnessingWords({ policy, witnesses }: DossierWitnessing): string {
  if (witnesses.length === 0) return 'The operator has named no witness.';
  const cosigned = witnesses.filter(({ cosignedAt }) => cosignedAt !== undefined).map(({ name }) => name);
  return explainPolicy(parseWitnessPolicy(Buffer.from(policy, 'utf8')), cosigned).text;
}
