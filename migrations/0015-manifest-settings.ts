import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What the manifests of a project say on the organization's behalf, and the keys of those who are named in them. */
export class ManifestSettings1700000000015 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The last one counts; a project without a row has the defaults of the program.
      CREATE TABLE project_manifest_settings (
        organization_id uuid NOT NULL,
        project_id uuid NOT NULL,
        ordinal int NOT NULL,
        -- Canonical bytes (RFC 8785); settingsSha256 in the log is over them.
        settings bytea NOT NULL,
        set_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        -- Of two people who decide at once, one is told that somebody was first.
        PRIMARY KEY (organization_id, project_id, ordinal),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        FOREIGN KEY (organization_id, set_by) REFERENCES principal (organization_id, id),
        CONSTRAINT project_manifest_settings_ordinal_check CHECK (ordinal > 0)
      );
      SELECT tenant_table('project_manifest_settings');
      SELECT append_only('project_manifest_settings');

      -- The last one of a holder counts. Certificates and private key are encrypted under the key of the holder as a data
      -- subject: when a person is erased, the key that signs in their name can no longer be opened.
      CREATE TABLE identity_credential (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        holder_kind text NOT NULL,
        -- The organization or the principal.
        holder_id uuid NOT NULL,
        sealed_credential text NOT NULL,
        certificate_sha256 text NOT NULL,
        source text NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT identity_credential_holder_kind_check CHECK (holder_kind IN ('organization', 'principal')),
        CONSTRAINT identity_credential_source_check CHECK (source IN ('development_authority', 'imported')),
        CONSTRAINT identity_credential_sha256_check CHECK (certificate_sha256 ~ '^[0-9a-f]{64}$')
      );
      CREATE INDEX identity_credential_by_holder ON identity_credential (organization_id, holder_id, id);
      SELECT tenant_table('identity_credential');
      SELECT append_only('identity_credential');

      GRANT SELECT, INSERT ON project_manifest_settings, identity_credential TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE identity_credential, project_manifest_settings;');
  }
}
