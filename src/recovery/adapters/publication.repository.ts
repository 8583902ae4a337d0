import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';

export interface PublicManifest {
  readonly assetId: string;
  readonly manifestLabel: string;
}

export interface NewPublication {
  readonly projectId: string;
  readonly publish: boolean;
  readonly setBy: string;
  readonly entryId: string;
  readonly createdAt: Date;
}

/** What everybody may see of an organization: asked anew each time, inside the organization. */
export class PublicationRepository {
  /**
   * The one rule of what is public: released and not recalled, made with a live key, and in a project whose manifests
   * are published.
   */
  async publicAmong(tx: Tx, assetIds: readonly string[]): Promise<PublicManifest[]> {
    const rows = await tx.query<{ id: string; manifest_label: string }>(
      `SELECT a.id, a.manifest_label FROM asset a
         JOIN asset_release r ON r.organization_id = a.organization_id AND r.asset_id = a.id
        WHERE a.organization_id = $1 AND a.id = ANY($2::uuid[]) AND a.mode = 'live'
          AND NOT EXISTS (SELECT 1 FROM asset_recall c WHERE c.organization_id = a.organization_id AND c.asset_id = a.id)
          AND coalesce((SELECT p.publish FROM manifest_publication p
                         WHERE p.organization_id = a.organization_id AND p.project_id = a.project_id
                         ORDER BY p.version DESC LIMIT 1), true)`,
      [tx.organizationId, assetIds],
    );
    return rows.map((row) => ({ assetId: row.id, manifestLabel: row.manifest_label }));
  }

  async labelsOf(tx: Tx, assetIds: readonly string[]): Promise<PublicManifest[]> {
    const rows = await tx.query<{ id: string; manifest_label: string }>(
      'SELECT id, manifest_label FROM asset WHERE organization_id = $1 AND id = ANY($2::uuid[])',
      [tx.organizationId, assetIds],
    );
    return rows.map((row) => ({ assetId: row.id, manifestLabel: row.manifest_label }));
  }

  async assetWith(tx: Tx, manifestLabel: string): Promise<string | undefined> {
    const [row] = await tx.query<{ id: string }>(
      'SELECT id FROM asset WHERE organization_id = $1 AND manifest_label = $2 ORDER BY id LIMIT 1',
      [tx.organizationId, manifestLabel],
    );
    return row?.id;
  }

  /** `true` where nobody has said anything. @throws ColophonError `not_found` */
  async isPublished(tx: Tx, projectId: string): Promise<boolean> {
    const [row] = await tx.query<{ publish: boolean }>(
      `SELECT coalesce((SELECT p.publish FROM manifest_publication p
                         WHERE p.organization_id = j.organization_id AND p.project_id = j.id
                         ORDER BY p.version DESC LIMIT 1), true) AS publish
         FROM project j WHERE j.organization_id = $1 AND j.id = $2`,
      [tx.organizationId, projectId],
    );
    if (!row) throw new ColophonError('not_found', 'There is no project with this id.');
    return row.publish;
  }

  /** @throws ColophonError `conflict` when somebody else sets it at the same moment */
  async set(tx: Tx, { projectId, publish, setBy, entryId, createdAt }: NewPublication): Promise<void> {
    try {
      await tx.query(
        `INSERT INTO manifest_publication (organization_id, project_id, version, publish, set_by, entry_id, created_at)
         SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6 FROM manifest_publication
          WHERE organization_id = $1 AND project_id = $2`,
        [tx.organizationId, projectId, publish, setBy, entryId, createdAt],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'manifest_publication_pkey')
        throw new ColophonError('conflict', 'Somebody else is setting this at the same moment.');
      throw error;
    }
  }
}
