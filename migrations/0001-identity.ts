import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Roles are created before the first migration (src/database/prepare-database.ts): `colophon_owner` owns everything
 * and cannot log in; `colophon_app` and `colophon_sequencer` own nothing.
 *
 * `tenant_table` is how every table of an organization gets its isolation: row-level security that is forced even
 * on the owner, with a policy that shows nothing when no organization is set.
 */
export class Identity1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION tenant_table(target regclass) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
        EXECUTE format(
          'CREATE POLICY organization_isolation ON %s
             USING (organization_id = nullif(current_setting(''app.organization_id'', true), '''')::uuid)
             WITH CHECK (organization_id = nullif(current_setting(''app.organization_id'', true), '''')::uuid)',
          target);
      END $$;

      CREATE TABLE organization (
        organization_id uuid PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL
      );
      SELECT tenant_table('organization');

      CREATE TABLE project (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT project_name_unique UNIQUE (organization_id, name)
      );
      SELECT tenant_table('project');

      CREATE TABLE use_case (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        project_id uuid NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        CONSTRAINT use_case_name_unique UNIQUE (organization_id, project_id, name)
      );
      SELECT tenant_table('use_case');

      CREATE TABLE principal (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        kind text NOT NULL,
        display_name text NOT NULL,
        roles text[] NOT NULL,
        created_at timestamptz NOT NULL,
        disabled_at timestamptz,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT principal_kind_check CHECK (kind IN ('user', 'service'))
      );
      SELECT tenant_table('principal');

      CREATE TABLE api_key (
        organization_id uuid NOT NULL,
        id text NOT NULL,
        principal_id uuid NOT NULL,
        mode text NOT NULL,
        secret_sha256 bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, principal_id) REFERENCES principal (organization_id, id),
        CONSTRAINT api_key_mode_check CHECK (mode IN ('live', 'test'))
      );
      SELECT tenant_table('api_key');

      -- A directory, not tenant data: tells which organization a presented key id belongs to, before any
      -- organization is known. It holds no secret; the key itself is checked inside the organization.
      CREATE TABLE api_key_route (
        key_id text PRIMARY KEY,
        organization_id uuid NOT NULL
      );

      CREATE TABLE idempotency_key (
        organization_id uuid NOT NULL REFERENCES organization,
        key text NOT NULL,
        request_mac bytea NOT NULL,
        state text NOT NULL,
        locked_until timestamptz NOT NULL,
        response_status int,
        response_body text,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, key),
        CONSTRAINT idempotency_key_state_check CHECK (state IN ('in_flight', 'completed'))
      );
      SELECT tenant_table('idempotency_key');

      GRANT SELECT, INSERT ON organization, project, use_case, api_key_route TO colophon_app;
      GRANT SELECT, INSERT, UPDATE (roles, disabled_at) ON principal TO colophon_app;
      GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_key TO colophon_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE idempotency_key, api_key_route, api_key, principal, use_case, project, organization;
      DROP FUNCTION tenant_table(regclass);
    `);
  }
}
