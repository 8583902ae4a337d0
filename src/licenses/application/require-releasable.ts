import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Finding } from '../domain/finding.js';
import { type LineageInput } from '../domain/lineage.js';
import { sameQuestion } from '../domain/policies/decide-policies.js';
import { type HumanWork, type PolicyRef } from '../domain/policies/policy.js';
import { deadRights, evaluationsOnly } from '../domain/publication.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { type AskPolicies, licenseOf, useOf } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { readLastDecision, type StoredClearance } from './read-clearance.js';
import { turns } from './turns.js';

/** One file of a lineage. UUIDs. */
export interface FileBehind {
  readonly id: string;
  readonly parentIds: readonly string[];
  /** The first decision under which a run made it; each of them holds. */
  readonly clearanceId: string | undefined;
}

/** What is known of an asset that somebody wants to release. UUIDs. */
export interface ToRelease {
  readonly projectId: string | undefined;
  /** Of everything that it was made from, too: what one of these projects forbids is not lifted by another. */
  readonly originProjectIds: readonly string[];
  readonly assetId: string;
  /** It and everything that it was made from. */
  readonly files: readonly FileBehind[];
  /** Rights in what was uploaded, for an asset that rests on no decision. */
  readonly inputs: readonly LineageInput[];
  readonly human: HumanWork;
}

/** Each takes about a millisecond; nothing is left out, so an asset with more of them is not released. */
const MAX_QUESTIONS = 5_000;

/** An upload that no run used: nobody said what for or where, so it is taken as shown everywhere and for gain. */
const WIDEST = runFactsSchema.parse({
  purpose: 'commercial',
  audienceCountries: 'worldwide',
  organizationRevenueUsd: 'unknown',
});

/** Asks the policies of today whether an asset may leave: those of each project and use case that it comes from. */
export class RequireReleasable {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly policies: AskPolicies,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the policies that were asked
   * @throws ColophonError `policy_denied`; `clearance_denied` for what was cleared for an evaluation only, and for rights
   *   that are over
   */
  async check(tx: Tx, { roles }: Principal, asset: ToRelease): Promise<readonly PolicyRef[]> {
    const { index: listings } = await this.registry.within(tx);
    const { human } = asset;
    const refs = new Map<string, PolicyRef>();
    const against: Finding[] = [];
    const turn = turns();
    const ask = async (...[work, license, use, waived, ofProjectOnly = false]: Question) => {
      const question = { roles, use, human, ofProjectOnly };
      const said = await this.policies.release(tx, { ...work, listings }, license, question);
      await turn();
      for (const ref of said.refs) refs.set(`${ref.sha256} ${ref.scope} ${ref.version}`, ref);
      against.push(...said.findings.filter((found) => !waived(found)));
    };
    const own = asset.projectId === undefined ? undefined : { projectId: asset.projectId, useCaseId: null };
    const byRoot = new Map<string, StoredClearance>();
    for (const { clearanceId: id } of asset.files)
      if (id !== undefined && !byRoot.has(id)) byRoot.set(id, await readLastDecision(tx, id));
    const decisions = [...byRoot.values()];
    this.requirePublishable(asset, byRoot);
    const askAbout = async (last: StoredClearance, use: ReturnType<typeof useOf>, ofProjectOnly = false) =>
      ask(last.input, licenseOf(last), use, (found) => wasWaived(last, found), ofProjectOnly);
    for (const last of decisions) await askAbout(last, useOf(last) ?? own);
    if (decisions.length === 0) {
      const lineage = { components: [], inputs: [...asset.inputs] };
      await ask({ lineage, facts: WIDEST }, { decision: 'allow', findings: [] }, own, () => false);
    }
    // Of the other projects only their own policies, each of which judges every decision behind the asset.
    const asked = new Set([own, ...decisions.map(useOf)].map((use) => use?.projectId));
    const others = await this.withPolicies(
      tx,
      asset.originProjectIds.filter((id) => !asked.has(id)),
    );
    const questions = others.length * decisions.length;
    if (questions > MAX_QUESTIONS) {
      throw new ColophonError(
        'conflict',
        `This asset comes from ${others.length} other projects with policies and rests on ${decisions.length} decisions: more questions than are asked for one release (${MAX_QUESTIONS}).`,
      );
    }
    for (const projectId of others)
      for (const last of decisions) await askAbout(last, { projectId, useCaseId: null }, true);
    if (against.length > 0) throw refusal(against);
    return [...refs.values()];
  }

  private requirePublishable(
    { assetId, files, inputs }: ToRelease,
    decisions: ReadonlyMap<string, StoredClearance>,
  ): void {
    const made = files.map(({ id, parentIds, clearanceId = '' }) => {
      const decision = decisions.get(clearanceId);
      return { id, parentIds, cleared: decision && { id: decision.id, ...decision.input } };
    });
    const [evaluation] = evaluationsOnly(assetId, made);
    if (evaluation !== undefined) {
      throw new ColophonError(
        'clearance_denied',
        `This was cleared for an internal evaluation only (${publicId('clearance', evaluation.id)}). Make it anew for the purpose that it is published for.`,
      );
    }
    const over = deadRights(inputs, this.clock.now().toISOString().slice(0, 10));
    const [first] = over;
    if (first !== undefined)
      throw new ColophonError('clearance_denied', first.message, {
        extensions: { findings: over.slice(0, 100) },
      });
  }

  /** Those that have policies of their own. */
  private async withPolicies(tx: Tx, projectIds: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const projectId of projectIds) {
      const { sets } = await this.policies.inForce.of(tx, { projectId, useCaseId: null });
      if (sets.some(({ ref }) => ref.scope === 'project')) found.push(projectId);
    }
    return found;
  }
}

type Question = [
  work: Pick<StoredClearance['input'], 'lineage' | 'facts'>,
  license: ReturnType<typeof licenseOf>,
  use: ReturnType<typeof useOf>,
  waived: (found: Finding) => boolean,
  ofProjectOnly?: boolean,
];

/** The decision holds, so a person accepted what it left open: the same question is not asked a second time. */
function wasWaived({ findings }: StoredClearance, found: Finding): boolean {
  return (
    found.severity === 'review' &&
    findings.some((then) => then.severity === 'review' && sameQuestion(found, then))
  );
}

function refusal(findings: readonly Finding[]): ColophonError {
  const unique = [...new Map(findings.map((found) => [JSON.stringify(found), found])).values()];
  const [first] = unique;
  return new ColophonError('policy_denied', first?.message ?? 'A policy forbids this release.', {
    extensions: { findings: unique.slice(0, 100) },
  });
}
