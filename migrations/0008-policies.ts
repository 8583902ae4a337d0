import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Policies of the customer: rules in Cedar and lists of blocked terms, per organization, project and use case. Every
 * version stays, so that a decision can be made again years later with the policies of its day.
 */
export class Policies1700000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A change of policies waits for decisions that are being recorded, and they for it: the lock of the registry
      -- (migration 0007), which every decision and every act that rests on one takes shared.
      CREATE FUNCTION policy_change_lock(of_organization uuid) RETURNS void LANGUAGE plpgsql VOLATILE
        SET search_path = colophon, pg_temp AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('colophon registry ' || of_organization, 0));
      END $$;

      -- The bytes of every version under their hash.
      CREATE TABLE policy_text (
        organization_id uuid NOT NULL REFERENCES organization,
        sha256 text NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (organization_id, sha256),
        CONSTRAINT policy_text_size_check CHECK (octet_length(bytes) <= 1048576)
      );
      SELECT tenant_table('policy_text');
      SELECT append_only('policy_text');

      -- The one with the highest version of its kind and scope is in force; without items it says nothing.
      CREATE TABLE policy_version (
        organization_id uuid NOT NULL REFERENCES organization,
        kind text NOT NULL,
        scope text NOT NULL,
        project_id uuid,
        use_case_id uuid,
        -- What the scope is: the organization, the project or the use case.
        scope_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(use_case_id, project_id, organization_id)) STORED,
        version int NOT NULL,
        id uuid NOT NULL,
        sha256 text NOT NULL,
        items int NOT NULL,
        entry_id uuid NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, scope_id, kind, version),
        CONSTRAINT policy_version_id_unique UNIQUE (organization_id, id),
        FOREIGN KEY (organization_id, sha256) REFERENCES policy_text (organization_id, sha256),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id),
        CONSTRAINT policy_version_kind_check CHECK (kind IN ('cedar', 'blocked-terms')),
        CONSTRAINT policy_version_number_check CHECK (version > 0 AND items >= 0),
        CONSTRAINT policy_version_scope_check CHECK (
          (scope = 'organization' AND num_nonnulls(project_id, use_case_id) = 0)
          OR (scope = 'project' AND project_id IS NOT NULL AND use_case_id IS NULL)
          OR (scope = 'use-case' AND num_nulls(project_id, use_case_id) = 0))
      );
      SELECT tenant_table('policy_version');
      SELECT append_only('policy_version');

      REVOKE ALL ON FUNCTION policy_change_lock(uuid) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION policy_change_lock(uuid) TO colophon_app;
      GRANT SELECT, INSERT ON policy_text, policy_version TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE policy_version, policy_text;
      DROP FUNCTION policy_change_lock(uuid);
    `);
  }
}
