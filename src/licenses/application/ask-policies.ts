import { type Tx } from '../../database/organization-tx.js';
import { type Role } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { type Finding } from '../domain/finding.js';
import { type Lineage } from '../domain/lineage.js';
import { type ListingIndex } from '../domain/listing-index.js';
import {
  callOf,
  policyFindings,
  strictFindings,
  termFindings,
  withPolicies,
} from '../domain/policies/decide-policies.js';
import {
  type HumanWork,
  type PolicyBasis,
  type PolicyRef,
  type TermMatch,
} from '../domain/policies/policy.js';
import { POLICY_SCHEMA_SHA256 } from '../domain/policies/policy-schema.js';
import { type LicenseOutcome, workAttributes } from '../domain/policies/work-attributes.js';
import { type RunFacts } from '../domain/run-facts.js';
import {
  type InForce,
  matchTerms,
  type PoliciesInForce,
  type PolicyUse,
  type StepText,
} from './policies-in-force.js';
import { readClearance, type StoredClearance } from './read-clearance.js';

/** Who asks, where the work belongs, and what would be sent to providers. */
export interface Asked {
  readonly roles: readonly Role[];
  readonly use?: PolicyUse | undefined;
  /** For a decision made again: its texts are sealed, so what they held then still counts. */
  readonly matches?: readonly TermMatch[] | undefined;
  readonly texts?: readonly StepText[];
}

/** The work that the licenses were asked about. */
export interface Work {
  readonly lineage: Lineage;
  readonly facts: RunFacts;
  readonly listings: ListingIndex;
}

export interface PolicyOutcome extends LicenseOutcome {
  /** Undefined when no policy applies: then the licenses alone decide. */
  readonly basis: PolicyBasis | undefined;
}

/** Asks the policies that apply, after the licenses. */
export class AskPolicies {
  constructor(readonly inForce: PoliciesInForce) {}

  async generate(tx: Tx, work: Work, license: LicenseOutcome, asked: Asked): Promise<PolicyOutcome> {
    const inForce = await this.inForce.of(tx, asked.use);
    const matches = [...(asked.matches ?? []), ...matchTerms(inForce.lists, asked.texts ?? [])];
    if (inForce.sets.length + inForce.lists.length + matches.length === 0)
      return { ...license, basis: undefined };
    const question = await this.inForce.question(tx, asked.roles, asked.use);
    const basis: PolicyBasis = {
      v: 1,
      engine: this.inForce.engine.name,
      schemaSha256: POLICY_SCHEMA_SHA256,
      licenseDecision: license.decision,
      question,
      refs: refsOf(inForce),
      matches,
    };
    return { ...this.decide(inForce, work, license, basis), basis };
  }

  /**
   * The same once more, with the policies that a recorded decision names.
   * @throws ColophonError `conflict` when this release describes works to policies in another way
   */
  async again(tx: Tx, work: Work, license: LicenseOutcome, basis: PolicyBasis): Promise<LicenseOutcome> {
    if (!this.canRepeat(basis)) {
      throw new ColophonError(
        'conflict',
        'Decided with another policy schema or engine. Replay it with the release that decided.',
      );
    }
    return this.decide(await this.inForce.named(tx, basis), work, license, basis);
  }

  /** Whether this release asks policies as those who recorded this did. */
  canRepeat({ schemaSha256, engine }: Pick<PolicyBasis, 'schemaSha256' | 'engine'>): boolean {
    return schemaSha256 === POLICY_SCHEMA_SHA256 && engine === this.inForce.engine.name;
  }

  /** What the policies of today hold against a recorded decision that those of its day did not. */
  async stricterToday(tx: Tx, last: StoredClearance, listings: ListingIndex): Promise<readonly Finding[]> {
    const use = useOf(last);
    const inForce = await this.inForce.of(tx, use);
    if (inForce.sets.length === 0 || sameRefs(inForce, last.policies)) return [];
    const question =
      last.policies?.question ?? (await this.inForce.question(tx, await rolesOfAsker(tx, last), use));
    const work = workAttributes(last.input.lineage, last.input.facts, listings, licenseOf(last), question);
    const found = policyFindings(inForce.sets, callOf('generate', question, work), this.inForce.engine);
    return strictFindings(found, last.findings);
  }

  /** What stands against the release of an asset, and what was asked. */
  async release(
    tx: Tx,
    work: Work,
    license: LicenseOutcome,
    { roles, use, human }: { roles: readonly Role[]; use: PolicyUse | undefined; human: HumanWork },
  ): Promise<{ findings: readonly Finding[]; refs: readonly PolicyRef[] }> {
    const { sets } = await this.inForce.of(tx, use);
    if (sets.length === 0) return { findings: [], refs: [] };
    const question = await this.inForce.question(tx, roles, use);
    const attributes = workAttributes(work.lineage, work.facts, work.listings, license, question);
    const call = callOf('release', question, attributes, human);
    return { findings: policyFindings(sets, call, this.inForce.engine), refs: sets.map(({ ref }) => ref) };
  }

  private decide(inForce: InForce, work: Work, license: LicenseOutcome, basis: PolicyBasis): LicenseOutcome {
    const terms = termFindings(basis.matches);
    if (inForce.sets.length === 0) return withPolicies(license, terms);
    const attributes = workAttributes(work.lineage, work.facts, work.listings, license, basis.question);
    const call = callOf('generate', basis.question, attributes);
    return withPolicies(license, [...terms, ...policyFindings(inForce.sets, call, this.inForce.engine)]);
  }
}

/** What the licenses alone said, in a recorded decision. */
export function licenseOf({ decision, findings, policies }: StoredClearance): LicenseOutcome {
  return { decision: policies?.licenseDecision ?? decision, findings };
}

export function useOf({ projectId, useCaseId }: StoredClearance): PolicyUse | undefined {
  return projectId === null ? undefined : { projectId, useCaseId };
}

/** The roles of whoever asked first, for a decision that was made before there was a policy. Who decided again lends none. */
export async function rolesOfAsker(
  tx: Tx,
  { createdBy, renews }: Pick<StoredClearance, 'createdBy' | 'renews'>,
): Promise<readonly Role[]> {
  const principalId = renews === null ? createdBy : (await readClearance(tx, renews)).createdBy;
  const [row] = await tx.query<{ roles: Role[] }>(
    'SELECT roles FROM principal WHERE organization_id = $1 AND id = $2',
    [tx.organizationId, principalId],
  );
  return row?.roles ?? [];
}

function refsOf({ sets, lists }: InForce): PolicyRef[] {
  return [...sets, ...lists].map(({ ref }) => ref).sort(byName);
}

function sameRefs({ sets }: InForce, basis: PolicyBasis | undefined): boolean {
  const hashes = (refs: readonly PolicyRef[]) =>
    refs
      .filter(({ kind }) => kind === 'cedar')
      .map(({ scope, sha256 }) => `${scope} ${sha256}`)
      .sort()
      .join();
  return hashes(sets.map(({ ref }) => ref)) === hashes(basis?.refs ?? []);
}

function byName(a: PolicyRef, b: PolicyRef): number {
  const [left, right] = [a, b].map(({ kind, scope }) => `${kind} ${scope}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
