import { runInThisContext } from 'node:vm';
import { loadCedar } from '../adapters/cedar-module.js';
import { CedarPolicyEngine } from '../adapters/cedar-policy-engine.js';
import { READ, type ReadAnswer, toParsedText } from '../adapters/cedar-reader.js';
import { decide, type DecisionResult } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { type Lineage, lineageSchema } from '../domain/lineage.js';
import { type ListingIndex } from '../domain/listing-index.js';
import { callOf, policyFindings, withPolicies } from '../domain/policies/decide-policies.js';
import {
  type HumanWork,
  type PolicyAction,
  type PolicyQuestion,
  type PolicyRef,
  type PolicySet,
} from '../domain/policies/policy.js';
import { POLICY_SCHEMA } from '../domain/policies/policy-schema.js';
import { type ReadPolicies, refusedShape, understand } from '../domain/policies/read-policies.js';
import { type LicenseOutcome, workAttributes } from '../domain/policies/work-attributes.js';
import { type RunFacts, type RunFactsInput, runFactsSchema } from '../domain/run-facts.js';
import { seedListings } from '../registry/seed.js';
import { sha256Hex } from '../../shared/bytes.js';

export const engine = new CedarPolicyEngine((error) => {
  throw error;
});
const cedar = loadCedar();
const readHere = runInThisContext(READ) as (cedar: unknown, schema: string, text: string) => ReadAnswer;
export const parse = (text: string) => toParsedText(readHere(cedar, POLICY_SCHEMA, text));
/** As the reader's thread does it, without a thread: some tests read thousands of texts. */
export const read = (text: string): ReadPolicies => refusedShape(text) ?? understand(text, parse(text));
export const listings = seedListings();

export const QUESTION: PolicyQuestion = { roles: ['creator'], project: 'Spring', useCase: 'hero-image' };

export function policy(id: string, body: string, more = '@severity("deny") @message("Not here.")'): string {
  return `@id("${id}") ${more}\nforbid ${body};`;
}

/** @throws Error with the problems of a text that is refused */
export function setOf(text: string, scope: PolicyRef['scope'] = 'organization', version = 1): PolicySet {
  const { policies, problems } = read(text);
  if (problems) throw new Error(problems.map(({ message }) => message).join('; '));
  return { ref: { kind: 'cedar', scope, version, sha256: sha256Hex(text) }, policies };
}

export function lineageOf(...listingIds: readonly string[]): Lineage {
  return lineageSchema.parse({
    components: listingIds.map((listingId, index) => ({
      listingId,
      role: listings.get(listingId)?.listing.roles[0] ?? 'generator',
      stepKey: `step-${index}`,
    })),
  });
}

export function factsWith(changes: Partial<RunFactsInput> = {}): RunFacts {
  return runFactsSchema.parse({
    purpose: 'commercial',
    audienceCountries: ['US'],
    organizationRevenueUsd: 500_000,
    ...changes,
  });
}

interface Asked {
  readonly lineage: Lineage;
  readonly facts?: RunFacts;
  readonly question?: PolicyQuestion;
  readonly action?: PolicyAction;
  readonly human?: HumanWork;
  readonly index?: ListingIndex;
}

export function licenseDecision({ lineage, facts = factsWith(), index = listings }: Asked): DecisionResult {
  return decide({ lineage, facts, listings: index, engineVersion: ENGINE_VERSION });
}

/** Licenses and policies together. */
export function decideWith(sets: readonly PolicySet[], asked: Asked): LicenseOutcome {
  const { lineage, facts = factsWith(), question = QUESTION, action = 'generate', human } = asked;
  const license = licenseDecision(asked);
  const work = workAttributes(lineage, facts, asked.index ?? listings, license, question);
  return withPolicies(license, policyFindings(sets, callOf(action, question, work, human), engine));
}
