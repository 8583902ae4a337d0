import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * One job of a vendor is the work of one step, of whichever organization: a directory of the jobs that steps have or had.
 * Like signed_file it stands outside of the organizations and holds hashes and ids only. Of jobs that two steps had before,
 * the earlier step keeps its own.
 */
export class UpstreamJobs1700000000046 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE upstream_job (
        -- SHA-256 of the provider, a line feed, and the id that the provider gave.
        job_sha256 text PRIMARY KEY,
        organization_id uuid NOT NULL,
        step_run_id uuid NOT NULL
      );

      -- The owner is bound by the policy as well; for this one statement it is not.
      ALTER TABLE step_run NO FORCE ROW LEVEL SECURITY;
      INSERT INTO upstream_job (job_sha256, organization_id, step_run_id)
        SELECT encode(sha256(convert_to(s.provider || E'\\n' || j.id, 'UTF8')), 'hex'), s.organization_id, s.id
          FROM step_run s, unnest(array_append(coalesce(s.former_upstream_ids, '{}'), s.upstream_id)) AS j(id)
         WHERE j.id IS NOT NULL
         ORDER BY s.id
        ON CONFLICT DO NOTHING;
      ALTER TABLE step_run FORCE ROW LEVEL SECURITY;

      GRANT SELECT, INSERT ON upstream_job TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE upstream_job;');
  }
}
