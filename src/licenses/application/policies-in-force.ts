import { type Tx } from '../../database/organization-tx.js';
import { type Role } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { BlockedTerms } from '../domain/policies/blocked-terms.js';
import { type PolicyEngine, type PolicyReader } from '../domain/policies/policy-engine.port.js';
import {
  type PolicyBasis,
  type PolicyQuestion,
  type PolicyRef,
  type PolicySet,
  type TermMatch,
} from '../domain/policies/policy.js';
import { readPolicies } from '../domain/policies/read-policies.js';

/** Sets of policies that a process keeps, and prepared lists: one of 20,000 terms takes some 10 MB. */
const MAX_KEPT_SETS = 64;
const MAX_KEPT_LISTS = 12;
/** Some 300 bytes each. */
const MAX_KEPT_APPLYING = 5_000;

/** Where work belongs. UUIDs. */
export interface PolicyUse {
  readonly projectId: string;
  /** Null for work of a project that names no use case. */
  readonly useCaseId: string | null;
}

/** A text that would be sent to a provider. */
export interface StepText {
  readonly stepKey: string;
  readonly text: string;
}

export interface TermList {
  readonly ref: PolicyRef;
  readonly terms: BlockedTerms;
}

export interface InForce {
  readonly sets: readonly PolicySet[];
  readonly lists: readonly TermList[];
}

interface VersionRow {
  kind: PolicyRef['kind'];
  scope: PolicyRef['scope'];
  version: number;
  sha256: string;
}

/**
 * The policies that apply to some work: of the organization, of its project, of its use case. Whoever decides with
 * them has taken the lock of the registry before, so that nobody changes them until the transaction ends.
 */
export class PoliciesInForce {
  /** By hash: the same bytes are read the same way for everybody. */
  private readonly sets = new Map<string, NonNullable<PolicySet['policies']>>();
  private readonly lists = new Map<string, BlockedTerms>();
  private readonly reading = new Map<string, Promise<PolicySet['policies']>>();

  /** Which versions apply, by organization, mark and scope, in the order of their last use. */
  private readonly applying = new Map<string, readonly PolicyRef[]>();

  /**
   * @param markOf names the policies of an organization as they are until the transaction ends; undefined in one in
   *   which they may change
   */
  constructor(
    readonly engine: PolicyEngine,
    private readonly reader: PolicyReader,
    private readonly markOf: (tx: Tx) => string | undefined,
  ) {}

  async of(tx: Tx, use: PolicyUse | undefined): Promise<InForce> {
    const mark = this.markOf(tx);
    if (mark === undefined) return this.load(tx, await this.refsOf(tx, use));
    const key = [tx.organizationId, mark, use?.projectId ?? '', use?.useCaseId ?? ''].join(' ');
    const refs = this.applying.get(key) ?? (await this.refsOf(tx, use));
    keepLast(this.applying, key, refs, MAX_KEPT_APPLYING);
    return this.load(tx, refs);
  }

  private async refsOf(tx: Tx, use: PolicyUse | undefined): Promise<readonly PolicyRef[]> {
    const rows = await tx.query<VersionRow & { items: number }>(
      `SELECT DISTINCT ON (scope_id, kind) kind, scope, version, sha256, items FROM policy_version
        WHERE organization_id = $1 AND scope_id = ANY($2::uuid[]) ORDER BY scope_id, kind, version DESC`,
      [tx.organizationId, [tx.organizationId, use?.projectId, use?.useCaseId].filter((id) => id != null)],
    );
    return rows.filter(({ items }) => items > 0).map(toRef);
  }

  /** Makes policies ready for questions, before anybody asks. @throws Error when the engine itself fails */
  prepare(sha256: string, policies: NonNullable<PolicySet['policies']>): Promise<void> {
    return this.engine.prepare({
      ref: { kind: 'cedar', scope: 'organization', version: 0, sha256 },
      policies,
    });
  }

  /** What was read of a text with this hash when it was put in force. */
  remember(sha256: string, policies: NonNullable<PolicySet['policies']>): void {
    keepLast(this.sets, sha256, policies, MAX_KEPT_SETS);
  }

  /** The versions that a recorded decision names. @throws Error when the database does not hold one of them */
  async named(tx: Tx, { refs }: Pick<PolicyBasis, 'refs'>): Promise<InForce> {
    return this.load(tx, refs);
  }

  /** Who asks for what: names as they are, for the policies and for the record. */
  async question(tx: Tx, roles: readonly Role[], use: PolicyUse | undefined): Promise<PolicyQuestion> {
    if (use === undefined) return { roles, project: null, useCase: null };
    const [row] = await tx.query<{ project: string; use_case: string | null }>(
      `SELECT p.name AS project, u.name AS use_case FROM project p
         LEFT JOIN use_case u ON u.organization_id = p.organization_id AND u.project_id = p.id AND u.id = $3
        WHERE p.organization_id = $1 AND p.id = $2`,
      [tx.organizationId, use.projectId, use.useCaseId],
    );
    return { roles, project: row?.project ?? null, useCase: row?.use_case ?? null };
  }

  private async load(tx: Tx, refs: readonly PolicyRef[]): Promise<InForce> {
    // What is kept is taken before anything is awaited: it may be thrown out meanwhile.
    const known = refs.map((ref) => ({
      ref,
      policies: this.sets.get(ref.sha256),
      terms: this.lists.get(ref.sha256),
    }));
    const missing = known.filter(({ policies, terms }) => policies === undefined && terms === undefined);
    const texts = await textsOf(
      tx,
      missing.map(({ ref }) => ref.sha256),
    );
    const sets: PolicySet[] = [];
    const lists: TermList[] = [];
    for (const { ref, policies, terms } of known) {
      if (ref.kind === 'cedar') {
        const read = policies ?? (await this.read(ref, textOf(texts, ref), tx.organizationId));
        // What could not be read is tried again next time.
        if (read !== undefined) keepLast(this.sets, ref.sha256, read, MAX_KEPT_SETS);
        const set = { ref, policies: read };
        // The engine may have given up its place since: parsed here, part by part, and not in one go when it is asked.
        if (policies !== undefined) await this.engine.prepare(set).catch(() => undefined);
        sets.push(set);
      } else {
        const prepared = terms ?? new BlockedTerms(JSON.parse(textOf(texts, ref)) as string[]);
        keepLast(this.lists, ref.sha256, prepared, MAX_KEPT_LISTS);
        lists.push({ ref, terms: prepared });
      }
    }
    return { sets, lists };
  }

  /** Once for all who wait for it. */
  private read(ref: PolicyRef, text: string, organizationId: string): Promise<PolicySet['policies']> {
    const known = this.reading.get(ref.sha256);
    if (known !== undefined) return known;
    const read = this.readOnce(ref, text, organizationId).finally(() => this.reading.delete(ref.sha256));
    this.reading.set(ref.sha256, read);
    return read;
  }

  /** A text that was saved once and is not taken now, or an engine that fails: undefined, which denies. */
  private async readOnce(
    ref: PolicyRef,
    text: string,
    organizationId: string,
  ): Promise<PolicySet['policies']> {
    try {
      const { policies } = await readPolicies(text, this.reader, organizationId);
      if (policies !== undefined) await this.engine.prepare({ ref, policies });
      return policies;
    } catch {
      return undefined;
    }
  }
}

/** Which terms of which lists the texts hold. */
export function matchTerms(lists: readonly TermList[], texts: readonly StepText[]): readonly TermMatch[] {
  return lists.flatMap(({ ref: { scope, version, sha256 }, terms }) => {
    const found = new Map<string, TermMatch>();
    for (const { stepKey, text } of texts) {
      for (const termId of terms.find(text))
        found.set(`${stepKey} ${termId}`, { stepKey, scope, version, listSha256: sha256, termId });
    }
    return [...found.values()];
  });
}

function toRef({ kind, scope, version, sha256 }: VersionRow): PolicyRef {
  return { kind, scope, version, sha256 };
}

async function textsOf(tx: Tx, hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (hashes.length === 0) return new Map();
  const rows = await tx.query<{ sha256: string; bytes: Buffer }>(
    'SELECT sha256, bytes FROM policy_text WHERE organization_id = $1 AND sha256 = ANY($2::text[])',
    [tx.organizationId, hashes],
  );
  return new Map(rows.map(({ sha256, bytes }) => [checked(sha256, bytes), bytes.toString('utf8')] as const));
}

/** @throws Error for bytes that are not those of which the hash was recorded: nothing is decided with them. */
function checked(sha256: string, bytes: Buffer): string {
  if (sha256Hex(bytes) !== sha256) throw new Error(`the stored policy ${sha256} has another hash`);
  return sha256;
}

function textOf(texts: ReadonlyMap<string, string>, { sha256 }: PolicyRef): string {
  const text = texts.get(sha256);
  if (text === undefined) throw new Error(`there is no stored policy ${sha256}`);
  return text;
}

function keepLast<Value>(cache: Map<string, Value>, key: string, value: Value, max: number): void {
  cache.delete(key);
  cache.set(key, value);
  const [oldest] = cache.keys();
  if (cache.size > max && oldest !== undefined) cache.delete(oldest);
}
