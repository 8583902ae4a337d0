import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Links by which somebody outside reads reports, and reports that are made by themselves. */
export class ShareLinks1700000000032 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE report_share_link (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        -- The secret itself is kept nowhere.
        token_sha256 text NOT NULL,
        -- All reports on one asset, or one report.
        asset_id uuid,
        report_id uuid,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, report_id) REFERENCES report (organization_id, id),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id),
        CONSTRAINT report_share_link_scope_check CHECK (num_nonnulls(asset_id, report_id) = 1),
        CONSTRAINT report_share_link_token_unique UNIQUE (organization_id, token_sha256)
      );
      SELECT tenant_table('report_share_link');
      GRANT SELECT, INSERT, UPDATE (revoked_at) ON report_share_link TO colophon_app;

      CREATE TABLE report_schedule (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        project_id uuid NOT NULL,
        use_case text,
        format text NOT NULL,
        cadence text NOT NULL,
        -- The end of the time that the next report is about.
        next_due_at timestamptz NOT NULL,
        ended_at timestamptz,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id),
        CONSTRAINT report_schedule_format_check CHECK (format IN ('pdf', 'json', 'jws', 'csv')),
        CONSTRAINT report_schedule_cadence_check CHECK (cadence IN ('daily', 'weekly', 'monthly'))
      );
      SELECT tenant_table('report_schedule');
      GRANT SELECT, INSERT, UPDATE (next_due_at, ended_at) ON report_schedule TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE report_schedule, report_share_link');
  }
}
