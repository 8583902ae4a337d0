import { sha256Hex } from '../../shared/bytes.js';
import { OWN_IDENTITY_LIST, type TrustList } from '../domain/trust-list.js';

/** The development authority for names as a list among others; none where there is no such authority. */
export function ownIdentityLists(anchorsPem: string | undefined): TrustList[] {
  if (anchorsPem === undefined) return [];
  const undated = { issuedAt: undefined, nextUpdateAt: undefined, loadedAt: '' };
  const list = { name: OWN_IDENTITY_LIST, purpose: 'identities', source: 'keys', ...undated } as const;
  return [{ ...list, anchorsPem, sha256: sha256Hex(anchorsPem) }];
}
