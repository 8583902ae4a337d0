/**
 * Our names in CycloneDX properties and in the CycloneDX extension of SPDX. The namespace is documented in
 * docs/licenses/formats.md; a name never changes its meaning.
 */
export const PROPERTY = {
  listingId: 'colophon:listing:id',
  listingSha256: 'colophon:listing:sha256',
  channel: 'colophon:listing:channel',
  roles: 'colophon:listing:roles',
  steps: 'colophon:listing:steps',
  via: 'colophon:listing:via',
  revision: 'colophon:listing:revision',
  baseRelation: 'colophon:base:relation',
  componentUse: 'colophon:component:use',
  licenseRef: 'colophon:license:ref',
  licenseTextSha256: 'colophon:license:text-sha256',
  licenseStatus: 'colophon:license:status',
  licenseVersion: 'colophon:license:version',
  disclosure: 'colophon:training-data:disclosure',
  rightsBasis: 'colophon:training-data:rights-basis',
  optOuts: 'colophon:training-data:opt-outs',
  manifestSha256: 'colophon:training-data:manifest-sha256',
  /** `colophon:ab-2013:<item>` and `colophon:eu-summary:<item>`, by the names of training-disclosure.ts. */
  ab2013: 'colophon:ab-2013',
  euSummary: 'colophon:eu-summary',
  earlierSha256: 'colophon:listing:earlier-sha256',
  subjectKind: 'colophon:subject:kind',
  subjectId: 'colophon:subject:id',
  subjectMode: 'colophon:subject:mode',
  basisDecisions: 'colophon:basis:decisions',
  basisClearance: 'colophon:basis:clearance',
  basisSince: 'colophon:basis:since',
  basisUntil: 'colophon:basis:until',
  decision: 'colophon:clearance:decision',
  clearanceId: 'colophon:clearance:id',
  engineVersion: 'colophon:clearance:engine-version',
  obligation: 'colophon:obligation',
} as const;

export const SHA256_HEX = /^[0-9a-f]{64}$/;
