import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type EntryData } from '../../audit/core/entry-types.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import {
  type RetentionAction,
  type RetentionKind,
  type RetentionRule,
  type RetentionScope,
  type RetentionSince,
} from '../domain/retention-rule.js';

interface RuleRow {
  kind: RetentionKind;
  scope_id: string;
  version: number;
  action: RetentionAction['action'];
  days: number | null;
  since: RetentionSince | null;
  campaign_ends_on: string | null;
  evidence: 'keep' | 'remove' | null;
  set_by: string;
  entry_id: string;
  effective_from: Date;
  created_at: Date;
}

const COLUMNS =
  'kind, scope_id, version, action, days, since, campaign_ends_on::text AS campaign_ends_on, evidence, set_by, entry_id, effective_from, created_at';

/**
 * What is removed by itself, and after how long. Without a rule: nothing. Each change is a new version with its entry;
 * the database says from when on it counts, so that a mistake, or a malice, can be seen before anything is gone.
 */
export class RetentionRules {
  constructor(private readonly appendEntry: AppendEntry) {}

  /** The last version of each kind and scope. */
  async list(tx: Tx): Promise<RetentionRule[]> {
    const rows = await tx.query<RuleRow>(
      `SELECT DISTINCT ON (kind, scope_id) ${COLUMNS} FROM retention_rule WHERE organization_id = $1
        ORDER BY kind, scope_id, version DESC`,
      [tx.organizationId],
    );
    return rows.map((row) => toRule(tx.organizationId, row));
  }

  /** @throws ColophonError `not_found` for a project, `forbidden`, `wrong_mode`, `conflict` */
  async set(
    tx: Tx,
    principal: Principal,
    request: { readonly kind: RetentionKind; readonly scope: RetentionScope; readonly does: RetentionAction },
  ): Promise<RetentionRule> {
    const { kind, scope, does } = request;
    refuseTestKeyOnLive(principal.mode, 'live', 'A retention rule');
    if (does.action === 'remove' && does.evidence === 'remove' && !principal.roles.includes('legal'))
      throw new ColophonError('forbidden', 'To remove what releases rest on needs the role: legal.');
    const scopeId = scope.projectId ?? tx.organizationId;
    if (scope.projectId !== undefined) await requireProject(tx, scope.projectId);
    const [before] = await tx.query<{ version: number | null; effective_from: Date }>(
      `SELECT max(version) AS version, retention_effective_from($4) AS effective_from FROM retention_rule
        WHERE organization_id = $1 AND kind = $2 AND scope_id = $3`,
      [tx.organizationId, kind, scopeId, does.action],
    );
    if (before === undefined) throw new Error('an aggregate answers with one row');
    const made = { kind, does, version: (before.version ?? 0) + 1, effectiveFrom: before.effective_from };
    const entryId = await this.append(tx, principal, scope, made);
    return insert(tx, principal, { ...made, scopeId, entryId });
  }

  private append(
    tx: Tx,
    principal: Principal,
    { projectId }: RetentionScope,
    made: Pick<RetentionRule, 'kind' | 'does' | 'version' | 'effectiveFrom'>,
  ): Promise<string> {
    const scopeId =
      projectId === undefined ? publicId('organization', tx.organizationId) : publicId('project', projectId);
    return this.appendEntry.append(tx, {
      type: 'retention.rule_set',
      ...(projectId !== undefined && { projectId }),
      actor: actorOf(principal),
      subject: { kind: projectId === undefined ? 'organization' : 'project', id: scopeId },
      data: {
        kind: made.kind,
        scopeId,
        version: made.version,
        ...logged(made.does),
        effectiveFrom: made.effectiveFrom.toISOString(),
      },
    });
  }
}

function logged(
  does: RetentionAction,
): Pick<EntryData<'retention.rule_set'>, 'action' | 'days' | 'since' | 'campaignEndsOn' | 'evidence'> {
  if (does.action !== 'remove') return { action: does.action };
  const { action, days, since, campaignEndsOn, evidence } = does;
  return { action, days, since, evidence, ...(campaignEndsOn !== undefined && { campaignEndsOn }) };
}

async function requireProject(tx: Tx, id: string): Promise<void> {
  const found = await tx.query('SELECT 1 FROM project WHERE organization_id = $1 AND id = $2', [
    tx.organizationId,
    id,
  ]);
  if (found.length === 0) throw new ColophonError('not_found', 'There is no project with this id.');
}

async function insert(
  tx: Tx,
  { principalId }: Principal,
  made: Pick<RetentionRule, 'kind' | 'does' | 'version' | 'entryId'> & { readonly scopeId: string },
): Promise<RetentionRule> {
  const { does } = made;
  const terms =
    does.action === 'remove'
      ? [does.days, does.since, does.campaignEndsOn ?? null, does.evidence]
      : [null, null, null, null];
  try {
    // Both times are set by the database.
    const [row] = await tx.query<RuleRow>(
      `INSERT INTO retention_rule (organization_id, kind, scope_id, version, action, days, since, campaign_ends_on,
                                   evidence, set_by, entry_id, effective_from, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(), now()) RETURNING ${COLUMNS}`,
      [
        ...[tx.organizationId, made.kind, made.scopeId, made.version, does.action, ...terms],
        ...[principalId, made.entryId],
      ],
    );
    if (row === undefined) throw new Error('a rule was not written');
    return toRule(tx.organizationId, row);
  } catch (error) {
    if (violatedConstraint(error) === 'retention_rule_pkey')
      throw new ColophonError('conflict', 'Somebody else has changed this rule at the same time.');
    throw error;
  }
}

function toRule(organizationId: string, row: RuleRow): RetentionRule {
  return {
    kind: row.kind,
    scope: { projectId: row.scope_id === organizationId ? undefined : row.scope_id },
    version: row.version,
    does: actionOf(row),
    setBy: row.set_by,
    entryId: row.entry_id,
    effectiveFrom: row.effective_from,
    createdAt: row.created_at,
  };
}

function actionOf({ action, days, since, campaign_ends_on: endsOn, evidence }: RuleRow): RetentionAction {
  if (action !== 'remove') return { action };
  if (days === null || since === null || evidence === null) throw new Error('a rule lacks its terms');
  return { action, days, since, campaignEndsOn: endsOn ?? undefined, evidence };
}
