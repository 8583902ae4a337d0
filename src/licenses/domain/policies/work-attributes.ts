import { COUNTRIES, territoryOf } from '../countries.js';
import { ENGINE_VERSION, type EngineVersion } from '../engine-version.js';
import { type ExpandedLineage, expandLineage, type Subject } from '../expand-lineage.js';
import { type Decision, type Finding, RULE_IDS } from '../finding.js';
import { indemnityOf } from '../indemnity-status.js';
import { type Lineage } from '../lineage.js';
import { type LineageRole } from '../listing.js';
import { type ListingIndex } from '../listing-index.js';
import { purposeOf, type RunFacts } from '../run-facts.js';
import { countriesOf } from '../subdivisions.js';
import { trainingFacts } from '../training-data.js';
import { type PolicyQuestion } from './policy.js';
import { type PolicyRecord, type PolicyValue } from './policy-engine.port.js';

/** What was decided about the licenses, before any policy was asked. */
export interface LicenseOutcome {
  readonly decision: Decision;
  readonly findings: readonly Finding[];
}

const MAKERS: readonly LineageRole[] = ['generator', 'editor', 'lora'];
const UNION = territoryOf(['EU']).certain;
const EVERYWHERE = [...COUNTRIES];

/** The resource of a question, as `POLICY_SCHEMA` describes it. Pure: the same arguments give the same values. */
export function workAttributes(
  lineage: Lineage,
  facts: RunFacts,
  listings: ListingIndex,
  license: LicenseOutcome,
  { project, useCase }: PolicyQuestion,
  version: EngineVersion = ENGINE_VERSION,
): PolicyRecord {
  const expanded = expandLineage(lineage, listings);
  const { subjects } = expanded;
  const worldwide = facts.audienceCountries === 'worldwide';
  // Shown everywhere is shown in each of them: else a policy about one country would not see the widest campaign.
  const named = countriesOf(facts.audienceCountries);
  const countries = named === 'worldwide' ? EVERYWHERE : named;
  const results = indemnityResults(expanded, facts, version);
  const missing = [...expanded.missing.keys()];
  const missingMakers = makersAmong(expanded, lineage);
  return {
    lineage: listingsOf(subjects, missing, results),
    generators: listingsOf(
      subjects.filter(({ roles }) => roles.some((role) => MAKERS.includes(role))),
      missingMakers,
      results,
    ),
    license: {
      decision: entity('Decision', license.decision),
      findings: entities('LicenseRule', openRules(license.findings)),
    },
    purpose: entity('Purpose', purposeOf(facts, version)),
    countries: entities('Country', countries),
    worldwide,
    inEuropeanUnion: countries.some((code) => UNION.has(code)),
    inputRights: entities(
      'InputRights',
      expanded.inputs.map(({ rightsBasis }) => rightsBasis),
    ),
    ...(project === null ? {} : { project }),
    ...(useCase === null ? {} : { useCase }),
  };
}

/** Makers without terms: named by the lineage itself, or what a known one was made from. */
function makersAmong({ subjects, missing }: ExpandedLineage, { components }: Lineage): string[] {
  const named = components.filter(({ role }) => MAKERS.includes(role)).map(({ listingId }) => listingId);
  const bases = subjects.flatMap(({ entry }) => entry.listing.base?.listingId ?? []);
  return [...named, ...bases].filter((id) => missing.has(id));
}

/**
 * A listing without terms counts with "unknown" in every set, so that neither a list of what is allowed nor a demand
 * for disclosure lets it through.
 */
function listingsOf(
  subjects: readonly Subject[],
  missing: readonly string[],
  results: ReadonlyMap<string, string>,
): PolicyRecord {
  const known = subjects.map(({ entry }) => entry.listing);
  // Tools without a trained model have learnt nothing.
  const trained = known.filter(({ access }) => access !== 'code').map(({ trainingData }) => trainingData);
  const learnt = trained.map(trainingFacts);
  const unknown = missing.map(() => 'unknown');
  const indemnity = [...known.flatMap(({ id }) => results.get(id) ?? []), ...unknown];
  return {
    listings: strings([...known.map(({ id }) => id), ...missing]),
    models: strings([...known.map(({ id }) => id), ...missing].map((id) => id.split('@')[0] ?? id)),
    channels: strings([...known.map(({ channel }) => channel), ...unknown]),
    vendors: strings([...known.map(({ vendor }) => vendor), ...unknown]),
    licenses: strings([...known.map(({ license }) => license.spdxOrRef), ...unknown]),
    access: entities('Access', [...known.map(({ access }) => access), ...unknown]),
    trainingDisclosure: entities('Disclosure', [...learnt.map(({ disclosure }) => disclosure), ...unknown]),
    trainingRights: entities('TrainingRights', [...learnt.map(({ rightsBasis }) => rightsBasis), ...unknown]),
    optOuts: entities('OptOuts', [...learnt.map(({ optOuts }) => optOuts), ...unknown]),
    litigation: trained.some(({ litigation = [] }) => litigation.length > 0),
    indemnity: entities('Indemnity', indemnity),
    indemnified: indemnity.length > 0 && indemnity.every((result) => result === 'intact'),
  };
}

function indemnityResults(
  expanded: ExpandedLineage,
  facts: RunFacts,
  version: EngineVersion,
): ReadonlyMap<string, string> {
  const statuses = indemnityOf(expanded, facts, version);
  return new Map(statuses.map(({ listingId, result }) => [listingId, result] as const));
}

/** License rules that decided; notes are not among them. */
function openRules(findings: readonly Finding[]): string[] {
  const known: readonly string[] = RULE_IDS;
  return findings
    .filter(({ ruleId, severity }) => severity !== 'note' && known.includes(ruleId))
    .map(({ ruleId }) => ruleId);
}

export function entity(type: string, id: string): PolicyValue {
  return { __entity: { type, id } };
}

export function entities(type: string, ids: readonly string[]): PolicyValue {
  return strings(ids).map((id) => entity(type, id));
}

/** As a set, in one order. */
function strings(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
