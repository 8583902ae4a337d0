import { type ChainNode, type NamedActor } from './media-verifier.port.js';
import { trustListWords } from './trust-list.js';
import { statusWords } from './status-words.js';

/** A person or organization who put their name to the file with a credential of their own (CAWG identity 1.3). */
export interface IdentityFinding {
  /** Label of the assertion, e.g. `cawg.identity__1`. */
  readonly label: string;
  /** `cawg.x509.cose` or `cawg.identity_claims_aggregation`. */
  readonly signatureType: string | undefined;
  readonly roles: readonly string[];
  /** As its certificate says; hostile text unless `trusted`. */
  readonly name: string | undefined;
  /** By our own checks (identity-reading.ts); `not_checked` for a kind of proof that is not checked here. */
  readonly status: 'trusted' | 'holds' | 'broken' | 'not_checked';
  /** Name of the list that vouches for it; `undefined` when none does. */
  readonly list: string | undefined;
  readonly text: string;
}

const MAX_IDENTITIES = 20;
const MAX_ROLES = 10;
const MAX_LENGTH = 100;

/** The identities of the active manifest. */
export function identityFindings({ identities }: ChainNode): IdentityFinding[] {
  return identities.slice(0, MAX_IDENTITIES).map((actor) => ({
    label: actor.label,
    signatureType: actor.signatureType?.slice(0, MAX_LENGTH),
    roles: actor.roles.slice(0, MAX_ROLES).map((role) => role.slice(0, MAX_LENGTH)),
    name: [actor.name, actor.organization].find((name) => name !== undefined)?.slice(0, MAX_LENGTH),
    list: actor.trustList?.name,
    ...judge(actor),
  }));
}

function judge({ state, problem, trustList }: NamedActor): Pick<IdentityFinding, 'status' | 'text'> {
  if (state === 'broken')
    return { status: 'broken', text: `This identity does not hold: ${statusWords(problem ?? '')}.` };
  if (state === 'not_checked')
    return { status: 'not_checked', text: 'This identity was not checked: do not rely on it.' };
  return trustList === undefined
    ? { status: 'holds', text: 'This identity holds, but nobody whom we trust vouches for it.' }
    : { status: 'trusted', text: `This identity holds, by the list: ${trustListWords(trustList)}.` };
}
