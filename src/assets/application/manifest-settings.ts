import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import {
  DEFAULT_MANIFEST_SETTINGS,
  type ManifestContext,
  type ManifestSettings,
  manifestSettingsSchema,
  TRAINING_MINING_ACTS,
  type TrainingMiningAct,
} from '../../provenance/domain/manifest-settings.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';

interface ContextRow {
  name: string;
  origin: string;
  settings: Buffer | null;
}

/** What the manifests of each project say. Changes hold for what is signed afterwards: a manifest is never rewritten. */
export class ManifestSettingsOfProject {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found` for an unknown project */
  async context(tx: Tx, projectId: string): Promise<ManifestContext> {
    const [row] = await tx.query<ContextRow>(
      `SELECT o.name, l.origin, (SELECT settings FROM project_manifest_settings
          WHERE organization_id = $1 AND project_id = $2 ORDER BY ordinal DESC LIMIT 1) AS settings
         FROM organization o JOIN audit_log l USING (organization_id) JOIN project p USING (organization_id)
        WHERE o.organization_id = $1 AND p.id = $2`,
      [tx.organizationId, projectId],
    );
    if (!row) throw new ColophonError('not_found', 'There is no project with this id.');
    return {
      organizationName: row.name,
      logOrigin: row.origin,
      settings:
        row.settings === null
          ? DEFAULT_MANIFEST_SETTINGS
          : manifestSettingsSchema.parse(JSON.parse(row.settings.toString('utf8'))),
    };
  }

  async set(tx: Tx, principal: Principal, projectId: string, settings: ManifestSettings): Promise<void> {
    await this.context(tx, projectId);
    const bytes = canonicalJson(settings);
    const entryId = await this.appendEntry.append(tx, {
      type: 'project.manifest_settings_set',
      projectId,
      actor: actorOf(principal),
      subject: { kind: 'project', id: publicId('project', projectId) },
      data: {
        projectId: publicId('project', projectId),
        ...loggedUses(settings),
        nameContributors: settings.nameContributors,
        namePromptWriters: settings.namePromptWriters,
        settingsSha256: sha256Hex(bytes),
      },
    });
    const inserted = await tx.query(
      `INSERT INTO project_manifest_settings (organization_id, project_id, ordinal, settings, set_by, entry_id, created_at)
       SELECT $1, $2, coalesce(max(ordinal), 0) + 1, $3, $4, $5, $6 FROM project_manifest_settings
        WHERE organization_id = $1 AND project_id = $2
       ON CONFLICT DO NOTHING RETURNING ordinal`,
      [tx.organizationId, projectId, bytes, principal.principalId, entryId, this.clock.now()],
    );
    if (inserted.length === 0)
      throw new ColophonError('conflict', 'Somebody else has changed these settings at the same time.');
  }
}

function loggedUses({ trainingMining }: ManifestSettings): Record<TrainingMiningAct, string> {
  const uses = TRAINING_MINING_ACTS.map((act) => [act, trainingMining[act]?.use ?? 'not_stated'] as const);
  return Object.fromEntries(uses) as Record<TrainingMiningAct, string>;
}
