import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Clearances and waivers, assets and their parents. All of it is immutable: what changes is told by new rows. */
export class ClearanceAndAssets1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- input and result are the canonical bytes (RFC 8785) whose hashes are in the log.
      CREATE TABLE clearance (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        decision text NOT NULL,
        input bytea NOT NULL,
        result bytea NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT clearance_decision_check CHECK (decision IN ('allow', 'review', 'deny'))
      );
      SELECT tenant_table('clearance');
      SELECT append_only('clearance');

      CREATE TABLE waiver (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        clearance_id uuid NOT NULL,
        reason text NOT NULL,
        comment text NOT NULL,
        requested_by uuid NOT NULL,
        approved_by uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, clearance_id) REFERENCES clearance (organization_id, id),
        CONSTRAINT waiver_four_eyes_check CHECK (approved_by <> requested_by)
      );
      SELECT tenant_table('waiver');
      SELECT append_only('waiver');

      -- A row exists only together with its committed log entry: see src/assets/application/record-asset.ts.
      CREATE TABLE asset (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        project_id uuid NOT NULL,
        origin text NOT NULL,
        mode text NOT NULL,
        title text NOT NULL,
        media_type text NOT NULL,
        size_bytes bigint NOT NULL,
        width int NOT NULL,
        height int NOT NULL,
        sha256 text NOT NULL,
        original_sha256 text NOT NULL,
        original_media_type text NOT NULL,
        claim_sha256 text NOT NULL,
        manifest_sha256 text NOT NULL,
        manifest_label text NOT NULL,
        digital_source_type text,
        rights jsonb,
        run_id uuid,
        step_run_id uuid,
        entry_id uuid NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        CONSTRAINT asset_step_unique UNIQUE (organization_id, step_run_id),
        CONSTRAINT asset_origin_check CHECK (origin IN ('step', 'upload', 'edit')),
        CONSTRAINT asset_mode_check CHECK (mode IN ('live', 'test'))
      );
      CREATE INDEX asset_sha256 ON asset (organization_id, sha256);
      CREATE INDEX asset_run ON asset (organization_id, run_id);
      SELECT tenant_table('asset');
      SELECT append_only('asset');

      CREATE TABLE asset_parent (
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL,
        ordinal int NOT NULL,
        parent_asset_id uuid NOT NULL,
        relationship text NOT NULL,
        PRIMARY KEY (organization_id, asset_id, ordinal),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, parent_asset_id) REFERENCES asset (organization_id, id),
        CONSTRAINT asset_parent_relationship_check CHECK (relationship IN ('parentOf', 'componentOf', 'inputTo'))
      );
      CREATE INDEX asset_parent_children ON asset_parent (organization_id, parent_asset_id);
      SELECT tenant_table('asset_parent');
      SELECT append_only('asset_parent');

      -- Which files this deployment signed, by hash: lets the public verification say "known to our log"
      -- without entering an organization. No tenant data beyond the hash.
      CREATE TABLE signed_file (
        sha256 text PRIMARY KEY,
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL
      );

      GRANT SELECT, INSERT ON clearance, waiver, asset, asset_parent, signed_file TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE signed_file, asset_parent, asset, waiver, clearance;`);
  }
}
