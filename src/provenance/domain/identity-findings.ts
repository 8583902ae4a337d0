import { type ChainNode, type NamedActor } from './media-verifier.port.js';
import { isIntegrityFailure } from './chain-failures.js';
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
  /**
   * By our own checks (identity-reading.ts); `not_checked` for a kind of proof that is not checked here. Always `broken`
   * where the manifest does not hold for the file.
   */
  readonly status: 'trusted' | 'holds' | 'broken' | 'not_checked';
  /** Name of the list that vouches for it; `undefined` when none does. */
  readonly list: string | undefined;
  readonly text: string;
}

const MAX_IDENTITIES = 20;
const MAX_ROLES = 10;
const MAX_LENGTH = 100;

/**
 * The identities of the active manifest.
 * @param isBroken the manifest does not hold for this file: then whoever put a name to it did so for another one
 */
export function identityFindings({ identities }: ChainNode, isBroken: boolean): IdentityFinding[] {
  return identities.slice(0, MAX_IDENTITIES).map((actor) => ({
    label: actor.label,
    signatureType: actor.signatureType?.slice(0, MAX_LENGTH),
    roles: actor.roles.slice(0, MAX_ROLES).map((role) => role.slice(0, MAX_LENGTH)),
    name: [actor.name, actor.organization].find((name) => name !== undefined)?.slice(0, MAX_LENGTH),
    ...(isBroken ? judgeBroken(actor) : { list: actor.trustList?.name, ...judge(actor) }),
  }));
}

/** The signature of an actor covers the hash of a file. Where that is not this file, it says nothing about this one. */
function judgeBroken({ state, problem }: NamedActor): Pick<IdentityFinding, 'status' | 'list' | 'text'> {
  const why =
    state === 'broken' ? ` It does not hold for that one either: ${statusWords(problem ?? '')}.` : '';
  const text = `That was for another file, or for this one before it was changed: nobody has put this name to the file as it is.${why}`;
  return { status: 'broken', list: undefined, text };
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

/**
 * The chain without the word of those who put their name to something that does not hold: a reader of the parts must not
 * see a valid name where the whole is broken.
 */
export function withoutBrokenNames(node: ChainNode, isBroken: boolean): ChainNode {
  const failure = node.failures.find(isIntegrityFailure);
  const identities =
    isBroken || failure !== undefined
      ? node.identities.map((one) => disowned(one, failure?.code))
      : node.identities;
  return {
    ...node,
    identities,
    ingredients: node.ingredients.map((ingredient) => withoutBrokenNames(ingredient, false)),
  };
}

function disowned(actor: NamedActor, code: string | undefined): NamedActor {
  const unlisted = { ...actor, trustedBy: undefined, trustList: undefined };
  return actor.state === 'valid'
    ? { ...unlisted, state: 'broken', problem: code ?? 'general.error' }
    : unlisted;
}
