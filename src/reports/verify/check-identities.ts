import { type MediaVerification } from '../../provenance/domain/media-verifier.port.js';
import { type TrustList } from '../../provenance/domain/trust-list.js';
import { sha256Hex } from '../../shared/bytes.js';
import { BUNDLE_PATHS, identityAnchorsSchema } from '../domain/bundle-format.js';
import { parseCanonicalDocument } from './bounded-json.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist, printable } from './checklist.js';

/** The authorities for names that came with the bundle; a file that cannot be read is a fault. */
export function readIdentityLists(contents: BundleContents, checklist: Checklist): TrustList[] {
  const path = BUNDLE_PATHS.identityAnchors;
  const bytes = contents.get(path)?.bytes;
  if (bytes === undefined) return [];
  const parsed = identityAnchorsSchema.safeParse(parseCanonicalDocument(bytes));
  if (!parsed.success) {
    checklist.fault(path, 'The authorities for names cannot be read.');
    return [];
  }
  const { asOf, lists } = parsed.data;
  return lists.map((list) => {
    if (sha256Hex(list.anchorsPem) !== list.sha256)
      checklist.fault(path, 'A list of authorities for names is not the one that it says it is.');
    return {
      name: `${list.name} (came with the bundle, as of ${asOf.slice(0, 10)})`,
      purpose: 'identities',
      source: list.source,
      issuedAt: list.issuedAt ?? undefined,
      nextUpdateAt: list.nextUpdateAt ?? undefined,
      loadedAt: asOf,
      sha256: list.sha256,
      anchorsPem: list.anchorsPem,
    };
  });
}

/**
 * Who is named in the manifest of a file, and who vouches for that. Never a fault: whether a name is proved does not touch
 * what the log proves, and a certificate for a name may have ended since.
 */
export function tellIdentities(
  assetId: string,
  { identities }: MediaVerification,
  brought: readonly TrustList[],
  checklist: Checklist,
): void {
  for (const { name, roles, status, text, list } of identities) {
    const as = roles.length === 0 ? '' : ` as ${roles.join(', ')}`;
    const said = printable(`The manifest of ${assetId} names “${name ?? 'nobody readable'}”${as}. ${text}`);
    if (status === 'trusted') checklist.statements.push({ ok: true, text: said });
    else checklist.notProved.push(said);
    if (status === 'trusted' && brought.some((each) => each.name === list)) noteOwnWord(checklist);
  }
}

const OWN_WORD =
  'Who vouches for a name came with the bundle; compare it with authorities that you know, and verify again with --identity-trust.';

function noteOwnWord({ notProved }: Checklist): void {
  if (!notProved.includes(OWN_WORD)) notProved.push(OWN_WORD);
}
