import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Schedules for every kind of report, with pauses and the last result; one report for each due time; leases of reports. */
export class ReportSchedulesOfAllKinds1700000000038 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE report_schedule
        ADD COLUMN kind text NOT NULL DEFAULT 'campaign',
        ADD COLUMN asset_id uuid,
        ADD COLUMN listing_id text,
        ADD COLUMN paused_at timestamptz,
        -- The last report that was asked for.
        ADD COLUMN last_report_id uuid,
        -- The last one that could not even be asked for, and why.
        ADD COLUMN failed_due_at timestamptz,
        ADD COLUMN failed_code text,
        ALTER COLUMN project_id DROP NOT NULL,
        DROP CONSTRAINT report_schedule_format_check,
        ADD CONSTRAINT report_schedule_format_check CHECK (format IN ('pdf', 'json', 'jws', 'bundle', 'csv')),
        ADD CONSTRAINT report_schedule_kind_check CHECK (kind IN ('asset', 'campaign', 'model', 'period')),
        ADD CONSTRAINT report_schedule_subject_check CHECK (
          (project_id IS NOT NULL) = (kind = 'campaign') AND (asset_id IS NOT NULL) = (kind = 'asset')
          AND (listing_id IS NOT NULL) = (kind = 'model') AND (use_case IS NULL OR kind = 'campaign')),
        ADD FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        ADD FOREIGN KEY (organization_id, last_report_id) REFERENCES report (organization_id, id);
      ALTER TABLE report_schedule ALTER COLUMN kind DROP DEFAULT;
      GRANT UPDATE (next_due_at, paused_at, ended_at, last_report_id, failed_due_at, failed_code)
        ON report_schedule TO colophon_app;
      -- When the worker that makes it was last heard of: a report that takes long is not begun a second time beside it.
      ALTER TABLE report ADD COLUMN worked_at timestamptz;
      -- However many workers are woken: one report for one due time.
      CREATE UNIQUE INDEX report_scheduled_once
        ON report (organization_id, (parameters ->> 'scheduleId'), (parameters ->> 'scheduledFor'))
        WHERE parameters ? 'scheduledFor';
    `);
  }

  /** Schedules of kinds that the earlier version does not know cannot be kept; their entries in the log stay. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX report_scheduled_once;
      ALTER TABLE report DROP COLUMN worked_at;
      DELETE FROM report_schedule WHERE kind <> 'campaign';
      ALTER TABLE report_schedule
        DROP CONSTRAINT report_schedule_subject_check,
        DROP CONSTRAINT report_schedule_kind_check,
        DROP CONSTRAINT report_schedule_format_check,
        DROP COLUMN kind,
        DROP COLUMN asset_id,
        DROP COLUMN listing_id,
        DROP COLUMN paused_at,
        DROP COLUMN last_report_id,
        DROP COLUMN failed_due_at,
        DROP COLUMN failed_code,
        ALTER COLUMN project_id SET NOT NULL,
        ADD CONSTRAINT report_schedule_format_check CHECK (format IN ('pdf', 'json', 'jws', 'csv'));
    `);
  }
}
