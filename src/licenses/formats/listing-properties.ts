import { type Listing } from '../domain/listing.js';
import { trainingFacts } from '../domain/training-data.js';
import { PROPERTY } from './property-names.js';
import { type SupplyChain, type SupplyChainBasis, type SupplyChainComponent } from './supply-chain.js';
import { type DisclosureAnswer, trainingDisclosure } from './training-disclosure.js';

export type Property = readonly [name: string, value: string];

/** What neither format has a field for, the same in both. Absent facts are left out. */
export function listingProperties(component: SupplyChainComponent): readonly Property[] {
  const { listing, listingSha256, revision, roles, stepKeys, use, via } = component;
  return [
    [PROPERTY.listingId, listing.id],
    [PROPERTY.listingSha256, listingSha256],
    ...(component.earlierSha256 ?? []).map((sha256) => [PROPERTY.earlierSha256, sha256] as const),
    [PROPERTY.channel, listing.channel],
    ...(roles.length === 0 ? [] : [[PROPERTY.roles, roles.join(' ')] as const]),
    // Step keys are printable text of the customer and may hold spaces.
    ...stepKeys.map((key) => [PROPERTY.steps, key] as const),
    ...via.map((id) => [PROPERTY.via, id] as const),
    [PROPERTY.componentUse, use],
    ...(revision === null ? [] : [[PROPERTY.revision, revision] as const]),
    ...(listing.base === null ? [] : [[PROPERTY.baseRelation, listing.base.relation] as const]),
  ];
}

export function licenseProperties({ listing: { license } }: SupplyChainComponent): readonly Property[] {
  return [
    [PROPERTY.licenseRef, license.spdxOrRef],
    [PROPERTY.licenseStatus, license.status],
    ...(license.version === null ? [] : [[PROPERTY.licenseVersion, license.version] as const]),
    ...(license.textSha256 === null ? [] : [[PROPERTY.licenseTextSha256, license.textSha256] as const]),
  ];
}

/** Only what a policy may rely on: a statement without a text behind it is exported as `unknown`. */
export function trainingProperties({ listing }: SupplyChainComponent): readonly Property[] {
  const facts = trainingFacts(listing.trainingData);
  return [
    [PROPERTY.disclosure, facts.disclosure],
    [PROPERTY.rightsBasis, facts.rightsBasis],
    [PROPERTY.optOuts, facts.optOuts],
    ...(listing.datasetManifestSha256 === null
      ? []
      : [[PROPERTY.manifestSha256, listing.datasetManifestSha256] as const]),
    ...disclosureProperties(listing),
  ];
}

/** Every item that the two laws ask for: what nobody disclosed is said to be so, never left out. */
function disclosureProperties(listing: Listing): readonly Property[] {
  const { ab2013, euSummary } = trainingDisclosure(listing);
  const of = (prefix: string, answers: Readonly<Record<string, DisclosureAnswer>>): Property[] =>
    Object.entries(answers).map(([item, answer]) => [`${prefix}:${item}`, disclosed(answer)]);
  return [...of(PROPERTY.ab2013, ab2013), ...of(PROPERTY.euSummary, euSummary)];
}

function disclosed({ standing, answer }: DisclosureAnswer): string {
  return standing === 'unknown' || answer === null ? 'not disclosed' : `${standing}: ${answer}`;
}

export function subjectProperties({ subject, clearance, basis }: SupplyChain): readonly Property[] {
  return [
    [PROPERTY.subjectKind, subject.kind],
    [PROPERTY.subjectId, subject.id],
    ...(subject.mode === undefined ? [] : [[PROPERTY.subjectMode, subject.mode] as const]),
    ...(basis === undefined ? [] : basisProperties(basis)),
    ...(clearance === null
      ? []
      : ([
          [PROPERTY.clearanceId, clearance.id],
          [PROPERTY.decision, clearance.decision],
          [PROPERTY.engineVersion, clearance.engineVersion],
          ...clearance.obligations.map(
            ({ kind, text }) => [PROPERTY.obligation, `${kind}: ${text}`] as const,
          ),
        ] as const)),
  ];
}

function basisProperties({ decisions, clearanceIds, since, until }: SupplyChainBasis): readonly Property[] {
  return [
    [PROPERTY.basisDecisions, String(decisions)],
    ...clearanceIds.map((id) => [PROPERTY.basisClearance, id] as const),
    ...(since === null ? [] : [[PROPERTY.basisSince, since] as const]),
    ...(until === null ? [] : [[PROPERTY.basisUntil, until] as const]),
  ];
}
