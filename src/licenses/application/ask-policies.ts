import { type Tx } from '../../database/organization-tx.js';
import { type Role } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { type EngineVersion } from '../domain/engine-version.js';
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
  type PolicyQuestion,
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
  /** Projects (UUIDs) of what it is made from: what one of these forbids is not lifted by another. */
  readonly originProjectIds?: readonly string[] | undefined;
}

/** The work that the licenses were asked about. */
export interface Work {
  readonly lineage: Lineage;
  readonly facts: RunFacts;
  readonly listings: ListingIndex;
  /** By which rules the licenses were asked; absent: by those of today. */
  readonly engineVersion?: EngineVersion;
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
    const origins = await this.originsOf(tx, asked);
    const texts = asked.texts ?? [];
    const lists = [inForce, ...origins].flatMap((one) => one.lists);
    const matches = [...(asked.matches ?? []), ...matchTerms(lists, texts)];
    if (inForce.sets.length + lists.length + matches.length === 0 && origins.length === 0)
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
      ...(origins.length === 0
        ? {}
        : {
            origins: origins.map(({ project, projectId, ...one }) => ({
              projectId,
              project,
              refs: refsOf(one),
            })),
          }),
    };
    return { ...this.decide(inForce, origins, work, license, basis), basis };
  }

  /** Of each project of what it is made from, its own policies: those of the organization are asked anyway. */
  private async originsOf(tx: Tx, { use, originProjectIds = [] }: Asked): Promise<Origin[]> {
    const origins: Origin[] = [];
    for (const projectId of new Set(originProjectIds)) {
      if (projectId === use?.projectId) continue;
      const ofProject = { projectId, useCaseId: null };
      const { sets, lists } = await this.inForce.of(tx, ofProject);
      const own = { sets: sets.filter(isOfProject), lists: lists.filter(isOfProject) };
      if (own.sets.length + own.lists.length === 0) continue;
      const { project } = await this.inForce.question(tx, [], ofProject);
      origins.push({ ...own, projectId: publicId('project', projectId), project });
    }
    return origins;
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
    const origins: Origin[] = [];
    for (const { projectId, project, refs } of basis.origins ?? [])
      origins.push({ ...(await this.inForce.named(tx, { refs })), projectId, project });
    return this.decide(await this.inForce.named(tx, basis), origins, work, license, basis);
  }

  /** Whether this release asks policies as those who recorded this did. */
  canRepeat({ schemaSha256, engine }: Pick<PolicyBasis, 'schemaSha256' | 'engine'>): boolean {
    return schemaSha256 === POLICY_SCHEMA_SHA256 && engine === this.inForce.engine.name;
  }

  /** What the policies of today hold against a recorded decision that those of its day did not. */
  async stricterToday(tx: Tx, last: StoredClearance, listings: ListingIndex): Promise<readonly Finding[]> {
    const use = useOf(last);
    const inForce = await this.inForce.of(tx, use);
    const origins = await this.originsOf(tx, { roles: [], use, originProjectIds: originsOf(last) });
    const before = last.policies?.origins ?? [];
    const isSame =
      sameRefs(inForce.sets, last.policies?.refs ?? []) &&
      sameRefs(
        origins.flatMap(({ sets }) => sets),
        before.flatMap(({ refs }) => refs),
      );
    if (isSame || inForce.sets.length + origins.length === 0) return [];
    const question =
      last.policies?.question ?? (await this.inForce.question(tx, await rolesOfAsker(tx, last), use));
    const { lineage, facts } = last.input;
    const work: Work = { lineage, facts, listings };
    const found = this.findings(inForce, origins, work, licenseOf(last), question);
    return strictFindings(found, last.findings);
  }

  /** What stands against the release of an asset, and what was asked. */
  async release(
    tx: Tx,
    work: Work,
    license: LicenseOutcome,
    asked: ReleaseQuestion,
  ): Promise<{ findings: readonly Finding[]; refs: readonly PolicyRef[] }> {
    const { roles, use, human, ofProjectOnly = false } = asked;
    const { sets: all } = await this.inForce.of(tx, use);
    const sets = ofProjectOnly ? all.filter(isOfProject) : all;
    if (sets.length === 0) return { findings: [], refs: [] };
    const question = await this.inForce.question(tx, roles, use);
    const attributes = workAttributes(work.lineage, work.facts, work.listings, license, question);
    const call = callOf('release', question, attributes, human);
    return { findings: policyFindings(sets, call, this.inForce.engine), refs: sets.map(({ ref }) => ref) };
  }

  private decide(
    inForce: InForce,
    origins: readonly Origin[],
    work: Work,
    license: LicenseOutcome,
    basis: PolicyBasis,
  ): LicenseOutcome {
    const terms = termFindings(basis.matches);
    return withPolicies(license, [
      ...terms,
      ...this.findings(inForce, origins, work, license, basis.question),
    ]);
  }

  /** Each project is asked as if the work were its own. */
  private findings(
    inForce: InForce,
    origins: readonly Origin[],
    { lineage, facts, listings, engineVersion }: Work,
    license: LicenseOutcome,
    question: PolicyQuestion,
  ): readonly Finding[] {
    const ask = (sets: InForce['sets'], asked: PolicyQuestion): readonly Finding[] => {
      if (sets.length === 0) return [];
      const attributes = workAttributes(lineage, facts, listings, license, asked, engineVersion);
      return policyFindings(sets, callOf('generate', asked, attributes), this.inForce.engine);
    };
    return [
      ...ask(inForce.sets, question),
      ...origins.flatMap(({ sets, project }) => ask(sets, { ...question, project, useCase: null })),
    ];
  }
}

/** Policies of a project from which something of the work comes. */
interface Origin extends InForce {
  /** Public id. */
  readonly projectId: string;
  readonly project: string | null;
}

export interface ReleaseQuestion {
  readonly roles: readonly Role[];
  readonly use: PolicyUse | undefined;
  readonly human: HumanWork;
  /** Not those of the organization, which were asked already. */
  readonly ofProjectOnly?: boolean;
}

function isOfProject({ ref }: { readonly ref: PolicyRef }): boolean {
  return ref.scope === 'project';
}

/**
 * UUIDs of the projects whose policies count beside those of its own: of all from which something comes, because one
 * that had none on the day of the decision may have some now. Decisions of before that was kept name those that had.
 */
export function originsOf({ originProjectIds, policies }: StoredClearance): string[] {
  const named = (policies?.origins ?? []).flatMap(
    ({ projectId }) => parsePublicId('project', projectId) ?? [],
  );
  return [...new Set([...originProjectIds, ...named])];
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

function refsOf({ sets, lists }: Pick<InForce, 'sets' | 'lists'>): PolicyRef[] {
  return [...sets, ...lists].map(({ ref }) => ref).sort(byName);
}

function sameRefs(sets: InForce['sets'], asked: readonly PolicyRef[]): boolean {
  const hashes = (refs: readonly PolicyRef[]) =>
    refs
      .filter(({ kind }) => kind === 'cedar')
      .map(({ scope, sha256 }) => `${scope} ${sha256}`)
      .sort()
      .join();
  return hashes(sets.map(({ ref }) => ref)) === hashes(asked);
}

function byName(a: PolicyRef, b: PolicyRef): number {
  const [left, right] = [a, b].map(({ kind, scope }) => `${kind} ${scope}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
