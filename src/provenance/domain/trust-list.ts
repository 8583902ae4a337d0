/**
 * Whose signatures count, as data with a date. The C2PA keeps two lists, one of authorities for signers and one of
 * time-stamp authorities (C2PA 2.4 section 14.4): being on one says nothing about the other. Authorities that vouch for
 * the names of people and organizations (CAWG Identity 1.3) are a third kind.
 */
export const TRUST_PURPOSES = ['signers', 'time_stamps', 'identities'] as const;
export type TrustPurpose = (typeof TRUST_PURPOSES)[number];

/** The authority under which this installation signs, with all earlier ones. */
export const OWN_TRUST_LIST = 'this installation';
/** The authority by which this installation names people while it is tried out. It proves no name. */
export const OWN_IDENTITY_LIST = 'development authority of this installation, which proves no name';
export const C2PA_TRUST_LIST = 'C2PA trust list';
export const C2PA_TSA_TRUST_LIST = 'C2PA time-stamp trust list';

/**
 * SHA-256 of the DER of signing certificates, lower-case hexadecimal. A public authority certifies many: its root says
 * nothing about who signed, the certificate does.
 */
export interface OnlyCertificates {
  /** Good signers. */
  readonly trusted: readonly string[];
  /** All that were ever ours, compromised ones too: whoever signs with one of these speaks in our name. */
  readonly ever: readonly string[];
}

export interface TrustList {
  readonly name: string;
  readonly purpose: TrustPurpose;
  /** Where it was taken from: an address, or a path. */
  readonly source: string;
  /** RFC 3339, by the list itself; `undefined` when it has no date. */
  readonly issuedAt: string | undefined;
  readonly nextUpdateAt: string | undefined;
  /** RFC 3339: when it came here. */
  readonly loadedAt: string;
  /** Lower-case hexadecimal SHA-256 of `anchorsPem`. */
  readonly sha256: string;
  readonly anchorsPem: string;
  /** Absent: every certificate that leads to an anchor counts. */
  readonly onlyCertificates?: OnlyCertificates;
}

/** Which list an answer rests on, as of which date. */
export interface TrustListUse {
  readonly name: string;
  readonly issuedAt: string | undefined;
  readonly nextUpdateAt: string | undefined;
  readonly sha256: string;
  /** Its issuer promised a newer one before now. */
  readonly isStale: boolean;
}

export function trustListUse(list: TrustList, now: Date): TrustListUse {
  const { name, issuedAt, nextUpdateAt, sha256 } = list;
  return { name, issuedAt, nextUpdateAt, sha256, isStale: isStale(list, now) };
}

export function isStale({ nextUpdateAt }: Pick<TrustList, 'nextUpdateAt'>, now: Date): boolean {
  return nextUpdateAt !== undefined && new Date(nextUpdateAt).getTime() < now.getTime();
}

/** "C2PA trust list of 2026-08-05", and that it is out of date, if so. */
export function trustListWords({
  name,
  issuedAt,
  nextUpdateAt,
  isStale: stale,
}: Omit<TrustListUse, 'sha256'>): string {
  const dated = issuedAt === undefined ? name : `${name} of ${issuedAt.slice(0, 10)}`;
  return stale ? `${dated} (out of date since ${nextUpdateAt?.slice(0, 10) ?? ''})` : dated;
}
