import { type ChainNode, type ValidationStatus } from '../domain/media-verifier.port.js';
import { type SignatureFindings } from './signature-findings.js';

/**
 * The library judges trust by one bundle of authorities, we by separate lists. An answer must not say both, so the
 * library's statuses about trust give way to ours.
 */
const TRUST_CODES: ReadonlySet<string> = new Set([
  'signingCredential.trusted',
  'signingCredential.untrusted',
  'timeStamp.trusted',
  'timeStamp.untrusted',
]);

const isAboutTrust = ({ code }: ValidationStatus): boolean => TRUST_CODES.has(code);

/** The statuses of the file, with those about the trust in its signer and time-stamp as we judge them. */
export function judgedStatuses(
  statuses: readonly ValidationStatus[],
  { signer, timeStamp, claims }: SignatureFindings,
): ValidationStatus[] {
  const label = claims.find(({ isActive }) => isActive)?.manifestLabel;
  const url = label === undefined ? undefined : `self#jumbf=/c2pa/${label}/c2pa.signature`;
  const status = (code: string, outcome: ValidationStatus['outcome']): ValidationStatus => ({
    code,
    outcome,
    url,
    explanation: undefined,
  });
  const signers =
    signer?.list === undefined
      ? status('signingCredential.untrusted', 'failure')
      : status('signingCredential.trusted', 'success');
  const times = {
    trusted: [status('timeStamp.trusted', 'success')],
    untrusted: [status('timeStamp.untrusted', 'informational')],
    invalid: [],
    none: [],
  }[timeStamp?.status ?? 'none'];
  const rest = statuses.filter((each) => !isAboutTrust(each));
  const order = { failure: 0, informational: 1, success: 2 };
  return [...rest, signers, ...times].sort((a, b) => order[a.outcome] - order[b.outcome]);
}

/** The chain, each node with the list that vouches for its signer. */
export function judgedChain(node: ChainNode, { claims }: SignatureFindings): ChainNode {
  const trusted = new Map(claims.map(({ manifestLabel, trustedBy }) => [manifestLabel, trustedBy]));
  const judged = (each: ChainNode): ChainNode => {
    const trustedBy = each.manifestLabel === undefined ? undefined : trusted.get(each.manifestLabel);
    return {
      ...each,
      ...(each.signer && { signer: { ...each.signer, trustedBy } }),
      failures: each.failures.filter((failure) => !isAboutTrust(failure)),
      ingredients: each.ingredients.map(judged),
    };
  };
  return judged(node);
}
