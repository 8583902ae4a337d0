import { type Listing } from './listing.js';

/**
 * A catalog may say whatever it likes: a fact with no text behind it is unknown. When the text of the license is not
 * kept, a permission in it is `unknown`, and the license is not one in force. What forbids or limits stays, as a report.
 *
 * @param kept `<license key> <SHA-256>` of the texts that the organization keeps
 */
export function withoutUnprovenFacts(
  listing: Listing,
  kept: ReadonlySet<string>,
): { readonly listing: Listing; readonly notes: readonly string[] } {
  const { license, terms, trainingData, indemnity, components } = listing;
  if (license.textSha256 !== null && kept.has(`${license.spdxOrRef} ${license.textSha256}`))
    return { listing, notes: [] };
  const doubted = terms.filter(
    (term) => term.verified === 'primary' || ('value' in term && term.value === 'yes'),
  ).length;
  const unverified = 'unverified' as const;
  const { rightsBasis, optOuts, litigation } = trainingData;
  const changed: Listing = {
    ...listing,
    license:
      license.status === 'current'
        ? { ...license, status: unverified, statusReason: 'Imported; no text with this hash is kept.' }
        : license,
    terms: terms.map((term) => {
      if ('value' in term && term.value === 'yes') return { ...term, value: 'unknown', verified: unverified };
      // What forbids or limits is a report of the text: enough to say no.
      return term.verified === 'primary' ? { ...term, verified: 'secondary' as const } : term;
    }),
    components: components.map((component) => ({ ...component, verified: unverified })),
    trainingData: {
      ...trainingData,
      verified: unverified,
      ...(rightsBasis === undefined ? {} : { rightsBasis: { ...rightsBasis, verified: unverified } }),
      ...(optOuts === undefined ? {} : { optOuts: { ...optOuts, verified: unverified } }),
      ...(litigation === undefined ? {} : { litigation }),
    },
    indemnity: {
      ...indemnity,
      verified: unverified,
      offered: indemnity.offered === 'yes' ? 'unknown' : indemnity.offered,
    },
  };
  const notes =
    doubted === 0 && license.status !== 'current'
      ? []
      : [
          `no text of the license is kept: ${doubted} facts are taken as reported only, permissions as unknown`,
        ];
  return { listing: changed, notes };
}
