import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Reports on campaigns, models and periods beside those on assets; signatures of reports. */
export class CounselReports1700000000031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE report
        -- What was asked for beside the subject; fixed with the request.
        ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}',
        -- By which certificate it was signed; null for forms without a signature.
        ADD COLUMN certificate_sha256 text,
        ADD COLUMN time_stamp text,
        DROP CONSTRAINT report_kind_check,
        DROP CONSTRAINT report_format_check,
        ADD CONSTRAINT report_kind_check CHECK (kind IN ('asset', 'campaign', 'model', 'period')),
        ADD CONSTRAINT report_format_check CHECK (format IN ('pdf', 'json', 'jws', 'bundle', 'csv')),
        ADD CONSTRAINT report_time_stamp_check CHECK (time_stamp IN ('stamped', 'missing', 'not_configured'));
      CREATE INDEX report_subject ON report (organization_id, kind, subject_id, created_at);
    `);
  }

  /** Reports of kinds that the earlier version does not know cannot be kept; their entries in the log stay. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX report_subject;
      ALTER TABLE report_data_subject DISABLE TRIGGER USER;
      DELETE FROM report_data_subject s USING report r
       WHERE r.organization_id = s.organization_id AND r.id = s.report_id
         AND (r.kind <> 'asset' OR r.format NOT IN ('pdf', 'json', 'bundle'));
      ALTER TABLE report_data_subject ENABLE ALWAYS TRIGGER USER;
      DELETE FROM report WHERE kind <> 'asset' OR format NOT IN ('pdf', 'json', 'bundle');
      ALTER TABLE report
        DROP CONSTRAINT report_time_stamp_check,
        DROP CONSTRAINT report_kind_check,
        DROP CONSTRAINT report_format_check,
        DROP COLUMN parameters,
        DROP COLUMN certificate_sha256,
        DROP COLUMN time_stamp,
        ADD CONSTRAINT report_kind_check CHECK (kind IN ('asset')),
        ADD CONSTRAINT report_format_check CHECK (format IN ('pdf', 'json', 'bundle'));
    `);
  }
}
