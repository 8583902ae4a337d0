import { type ThreeValued } from '../domain/three-valued.js';
import {
  combine,
  leaf,
  leavesOf,
  parseExpression,
  permissionUnder,
  writeExpression,
  type LicenseExpression,
} from './license-expression.js';
import { aliasOf, commercialUseUnder, isKnownRef, leavesVersionOpen, spdxId } from './license-names.js';
import { licenseOfUrl } from './license-url.js';

/** Why a person has to look at a claim before anything rests on it. */
export const CLAIM_DOUBTS = [
  /** Neither SPDX nor the alias table has the name. */
  'unknown-name',
  /** The name stands for several licenses, e.g. `openrail` or `cc`. */
  'family-only',
  /** The document says that no license is named, e.g. `other` without a name. */
  'placeholder',
  /** The text has changed under this name; the document does not say which version is meant. */
  'version-not-stated',
  /** Alternatives (OR): nobody has chosen. */
  'choice-not-made',
  /** Several licenses, and the format does not say whether all hold or one is chosen. */
  'list-not-explained',
  /** Two fields name different licenses. */
  'contradiction',
] as const;
export type ClaimDoubt = (typeof CLAIM_DOUBTS)[number];

/** What a document says of its license. It is a claim: nobody has read the text behind it. */
export interface LicenseClaim {
  /** `recognized`: every license in it is one that SPDX or the alias table knows. */
  readonly status: 'recognized' | 'unknown' | 'absent';
  /** As it stands in the document. */
  readonly declared: string | null;
  /** Its structure; null when it has none that is known. Leaves of an unknown claim may be unknown. */
  readonly expression: LicenseExpression | null;
  /** The expression in one spelling. */
  readonly spdx: string | null;
  /** A longer name beside the id. */
  readonly name: string | null;
  /** Where the document says that the text is; never fetched. */
  readonly url: string | null;
  /** SHA-256 of the text, when the document carries the text or its hash. */
  readonly textSha256: string | null;
  /** May the licensed thing be used for gain, by the declared text? `yes` never for a name that is not known. */
  readonly commercialUse: ThreeValued;
  readonly doubts: readonly ClaimDoubt[];
}

export interface ClaimDetails {
  readonly name?: string | null;
  readonly url?: string | null;
  readonly textSha256?: string | null;
}

export const NO_LICENSE: LicenseClaim = {
  status: 'absent',
  declared: null,
  expression: null,
  spdx: null,
  name: null,
  url: null,
  textSha256: null,
  commercialUse: 'unknown',
  doubts: [],
};

/** The claim made by a name, an id, an SPDX expression, or the address of a text. Nothing is guessed. */
export function claimOf(declared: string, details: ClaimDetails = {}): LicenseClaim {
  const url = details.url ?? (/^https?:/.test(declared) ? declared : null);
  const base = { name: details.name ?? null, url, textSha256: details.textSha256 ?? null };
  const alias = aliasOf(declared);
  if (alias?.kind === 'placeholder') return unknownClaim(declared, base, 'placeholder');
  if (alias?.kind === 'family') return unknownClaim(declared, base, 'family-only');
  const ref = alias?.ref ?? spdxId(declared) ?? licenseOfUrl(declared);
  const expression = ref === undefined ? parseExpression(declared) : leaf(ref);
  if (expression === undefined) return unknownClaim(declared, base, 'unknown-name');
  return expressionClaim(declared, expression, base);
}

export function expressionClaim(
  declared: string,
  expression: LicenseExpression,
  details: ClaimDetails = {},
  doubts: readonly ClaimDoubt[] = [],
): LicenseClaim {
  const leaves = leavesOf(expression);
  const known = leaves.every(({ ref }) => isKnownRef(ref));
  const all: ClaimDoubt[] = [...doubts];
  if (!known) all.push('unknown-name');
  if (leaves.some(({ ref }) => leavesVersionOpen(ref))) all.push('version-not-stated');
  const commercialUse = permissionUnder(expression, commercialUseUnder);
  if (hasChoice(expression) && commercialUse !== 'yes') all.push('choice-not-made');
  return {
    status: known ? 'recognized' : 'unknown',
    declared,
    expression,
    spdx: writeExpression(expression),
    name: details.name ?? null,
    url: details.url ?? null,
    textSha256: details.textSha256 ?? null,
    commercialUse,
    doubts: [...new Set(all)],
  };
}

/**
 * Several claims of one kind for one thing, where the format does not say how they belong together. Their structure
 * stays open: it is a permission only when each of them gives it.
 */
export function listClaim(claims: readonly LicenseClaim[]): LicenseClaim {
  const [only] = claims;
  if (only === undefined) return NO_LICENSE;
  if (claims.length === 1) return only;
  const declared = claims.map((claim) => claim.declared ?? '').join(', ');
  const expressions = claims.flatMap(({ expression }) => (expression === null ? [] : [expression]));
  const doubts: ClaimDoubt[] = ['list-not-explained', ...claims.flatMap((claim) => claim.doubts)];
  if (expressions.length < claims.length) return unknownClaim(declared, {}, ...doubts);
  const uses = new Set(claims.map(({ commercialUse }) => commercialUse));
  const joined = expressionClaim(declared, combine('and', expressions), {}, doubts);
  return { ...joined, commercialUse: uses.size === 1 ? joined.commercialUse : 'unknown' };
}

/** Two fields that disagree: neither is believed. */
export function contradictoryClaim(first: LicenseClaim, second: LicenseClaim): LicenseClaim {
  const declared = [first.declared, second.declared].filter((name) => name !== null).join(' / ');
  const { url, textSha256 } = first;
  return unknownClaim(declared, { url, textSha256 }, 'contradiction');
}

function unknownClaim(declared: string, details: ClaimDetails, ...doubts: ClaimDoubt[]): LicenseClaim {
  const { name = null, url = null, textSha256 = null } = details;
  return { ...NO_LICENSE, status: 'unknown', declared, name, url, textSha256, doubts: [...new Set(doubts)] };
}

function hasChoice(expression: LicenseExpression): boolean {
  return expression.kind !== 'license' && (expression.kind === 'or' || expression.parts.some(hasChoice));
}
