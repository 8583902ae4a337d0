import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Pipelines with lists, conditions, people, retries and fallbacks; failed runs that are gone on with. */
export class Pipelines1700000000023 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE run DROP CONSTRAINT run_state_check,
        ADD CONSTRAINT run_state_check CHECK (state IN
          ('WAITING_FOR_WAIVER', 'RUNNING', 'NEEDS_RECONCILIATION', 'SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELED')),
        ADD COLUMN resumes_run_id uuid,
        ADD CONSTRAINT run_resumes_fkey FOREIGN KEY (organization_id, resumes_run_id) REFERENCES run (organization_id, id),
        -- A failed run is gone on with once: two at the same time would do the same steps twice.
        ADD CONSTRAINT run_resumes_unique UNIQUE (organization_id, resumes_run_id);

      ALTER TABLE step_run DROP CONSTRAINT step_run_state_check,
        ADD CONSTRAINT step_run_state_check CHECK (state IN
          ('RESERVED', 'WAITING', 'SUBMITTING', 'SUBMITTED', 'CAPTURED', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED',
           'OUTCOME_UNKNOWN')),
        ADD COLUMN plan jsonb,
        ADD COLUMN alternative int NOT NULL DEFAULT 0,
        ADD COLUMN retry_at timestamptz,
        ADD COLUMN waits_until timestamptz,
        ADD COLUMN former_upstream_ids text[],
        ADD COLUMN skip_reason text,
        ADD CONSTRAINT step_run_skip_reason_check CHECK
          (skip_reason IN ('substituted', 'condition', 'input_missing', 'failed_before'));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE step_run DROP CONSTRAINT step_run_skip_reason_check, DROP CONSTRAINT step_run_state_check,
        DROP COLUMN plan, DROP COLUMN alternative, DROP COLUMN retry_at, DROP COLUMN waits_until,
        DROP COLUMN former_upstream_ids, DROP COLUMN skip_reason,
        ADD CONSTRAINT step_run_state_check CHECK (state IN
          ('RESERVED', 'SUBMITTING', 'SUBMITTED', 'CAPTURED', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED', 'OUTCOME_UNKNOWN'));
      ALTER TABLE run DROP CONSTRAINT run_resumes_unique, DROP CONSTRAINT run_resumes_fkey, DROP COLUMN resumes_run_id,
        DROP CONSTRAINT run_state_check,
        ADD CONSTRAINT run_state_check CHECK (state IN
          ('WAITING_FOR_WAIVER', 'RUNNING', 'NEEDS_RECONCILIATION', 'SUCCEEDED', 'FAILED', 'CANCELED'));
    `);
  }
}
