import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { isTerm } from '../domain/policies/blocked-terms.js';
import { type PolicyReader } from '../domain/policies/policy-engine.port.js';
import { type PolicyKind, type PolicyScopeKind } from '../domain/policies/policy.js';
import { type PolicyProblem, readPolicies, type ReadPolicies } from '../domain/policies/read-policies.js';
import { useCaseOf } from './find-use.js';

/** What a policy is for: everything, one project, or one use case of it. */
export interface PolicyScope {
  readonly projectId: string | undefined;
  readonly useCase: string | undefined;
}

export type PolicyContent =
  | { readonly kind: 'cedar'; readonly text: string }
  | { readonly kind: 'blocked-terms'; readonly terms: readonly string[] };

export interface SetPolicyRequest {
  readonly scope: PolicyScope;
  readonly content: ReadContent;
  /** The version that the caller has seen; another one in force is a conflict. 0: none was set before. */
  readonly expectedVersion: number | undefined;
}

export interface PolicyVersion {
  /** UUID. */
  readonly id: string;
  readonly kind: PolicyKind;
  readonly scope: PolicyScopeKind;
  readonly version: number;
  readonly sha256: string;
  readonly items: number;
  readonly outcome: 'changed' | 'unchanged';
  readonly warnings: readonly PolicyProblem[];
}

type NewVersion = Omit<PolicyVersion, 'outcome' | 'warnings'>;

export interface ReadContent {
  readonly kind: PolicyKind;
  readonly bytes: Buffer;
  readonly items: number;
  readonly warnings: readonly PolicyProblem[];
}

interface Place {
  readonly scope: PolicyScopeKind;
  readonly projectId: string | null;
  readonly useCaseId: string | null;
  readonly publicId: string;
}

/** Puts a new version of a policy set, or of a list of blocked terms, in force. Earlier versions stay. */
export class SetPolicy {
  constructor(
    private readonly reader: PolicyReader,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * Before a transaction is opened: it may take seconds.
   * @throws ColophonError `policy_invalid`, `invalid_request`, `conflict`
   */
  async read(content: PolicyContent, organizationId: string): Promise<ReadContent> {
    if (content.kind === 'blocked-terms') return readTerms(content.terms);
    const read = await readText(content.text, this.reader, organizationId);
    if (read.problems) throw policyInvalid(read.problems);
    const { policies, warnings } = read;
    return { kind: 'cedar', bytes: Buffer.from(content.text, 'utf8'), items: policies.length, warnings };
  }

  /** @throws ColophonError `not_found`, `conflict` */
  async set(tx: Tx, principal: Principal, request: SetPolicyRequest): Promise<PolicyVersion> {
    const { kind, bytes, items, warnings } = request.content;
    const sha256 = sha256Hex(bytes);
    await tx.query('SELECT policy_change_lock($1)', [tx.organizationId]);
    const place = await placeOf(tx, request.scope);
    const last = await lastOf(tx, kind, place);
    if (request.expectedVersion !== undefined && request.expectedVersion !== (last?.version ?? 0)) {
      throw new ColophonError('conflict', `Version ${last?.version ?? 0} is in force for this scope.`);
    }
    if (last?.sha256 === sha256) return { ...last, kind, scope: place.scope, outcome: 'unchanged', warnings };
    if (last === undefined && items === 0)
      throw new ColophonError('conflict', 'There is nothing in force for this scope that could be emptied.');
    const made = { id: newId(), kind, scope: place.scope, version: (last?.version ?? 0) + 1, sha256, items };
    const entryId = await this.log(tx, principal, made, place, last?.sha256);
    await insert(tx, principal, { ...made, bytes, entryId, place, createdAt: this.clock.now() });
    return { ...made, outcome: 'changed', warnings };
  }

  private log(
    tx: Tx,
    principal: Principal,
    { id, ...version }: NewVersion,
    place: Place,
    previousSha256: string | undefined,
  ): Promise<string> {
    return this.appendEntry.append(tx, {
      type: 'policy.changed',
      ...(place.projectId === null ? {} : { projectId: place.projectId }),
      actor: actorOf(principal),
      subject: { kind: 'policy', id: publicId('policy', id) },
      data: {
        ...version,
        scopeId: place.publicId,
        ...(previousSha256 === undefined ? {} : { previousSha256 }),
      },
    });
  }
}

/** @throws ColophonError `policy_invalid` when the engine itself fails: a text that nobody could check is not saved */
export async function readText(
  text: string,
  reader: PolicyReader,
  organizationId: string,
): Promise<ReadPolicies> {
  try {
    return await readPolicies(text, reader, organizationId);
  } catch (cause) {
    if (isColophonError(cause)) throw cause;
    throw new ColophonError('policy_invalid', 'The text could not be checked, so it is not taken.', {
      cause,
    });
  }
}

export function policyInvalid(problems: readonly PolicyProblem[]): ColophonError {
  const [first] = problems;
  const place = first?.line == null ? '' : `Line ${first.line}, column ${first.column}: `;
  return new ColophonError('policy_invalid', `${place}${first?.message ?? 'The text is not valid.'}`, {
    extensions: { errors: problems.map((problem) => ({ path: 'text', ...problem })) },
  });
}

/** @throws ColophonError `invalid_request` */
function readTerms(terms: readonly string[]): ReadContent {
  const empty = terms.findIndex((term) => !isTerm(term));
  if (empty >= 0) {
    throw new ColophonError('invalid_request', `terms.${empty}: holds no letter or digit to look for`, {
      extensions: { errors: [{ path: `terms.${empty}`, message: 'holds no letter or digit to look for' }] },
    });
  }
  return { kind: 'blocked-terms', bytes: canonicalJson([...terms]), items: terms.length, warnings: [] };
}

async function placeOf(tx: Tx, { projectId, useCase }: PolicyScope): Promise<Place> {
  if (projectId === undefined) {
    const own = publicId('organization', tx.organizationId);
    return { scope: 'organization', projectId: null, useCaseId: null, publicId: own };
  }
  const useCaseId = await useCaseOf(tx, projectId, useCase);
  return useCaseId === null
    ? { scope: 'project', projectId, useCaseId, publicId: publicId('project', projectId) }
    : { scope: 'use-case', projectId, useCaseId, publicId: publicId('useCase', useCaseId) };
}

async function lastOf(tx: Tx, kind: PolicyKind, { projectId, useCaseId }: Place) {
  const [row] = await tx.query<{ id: string; version: number; sha256: string; items: number }>(
    `SELECT id, version, sha256, items FROM policy_version
      WHERE organization_id = $1 AND scope_id = $2 AND kind = $3 ORDER BY version DESC LIMIT 1`,
    [tx.organizationId, useCaseId ?? projectId ?? tx.organizationId, kind],
  );
  return row;
}

async function insert(
  tx: Tx,
  principal: Principal,
  row: NewVersion & { bytes: Buffer; entryId: string; place: Place; createdAt: Date },
): Promise<void> {
  await tx.query(
    'INSERT INTO policy_text (organization_id, sha256, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [tx.organizationId, row.sha256, row.bytes],
  );
  await tx.query(
    `INSERT INTO policy_version (organization_id, kind, scope, project_id, use_case_id, version, id, sha256, items,
                                 entry_id, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      tx.organizationId,
      row.kind,
      row.scope,
      row.place.projectId,
      row.place.useCaseId,
      row.version,
      row.id,
      row.sha256,
      row.items,
      row.entryId,
      principal.principalId,
      row.createdAt,
    ],
  );
}
