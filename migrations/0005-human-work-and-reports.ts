import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Contributions, reviews, releases, reports. */
export class HumanWorkAndReports1700000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE contribution (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        asset_id uuid NOT NULL,
        parent_asset_id uuid NOT NULL,
        contributor_id uuid NOT NULL,
        action_type text NOT NULL,
        basis text NOT NULL,
        capture text NOT NULL,
        tool text NOT NULL,
        sealed_statement text NOT NULL,
        before_sha256 text NOT NULL,
        after_sha256 text NOT NULL,
        changed_region jsonb,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, parent_asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, contributor_id) REFERENCES principal (organization_id, id)
      );
      CREATE INDEX contribution_asset ON contribution (organization_id, asset_id);
      SELECT tenant_table('contribution');
      SELECT append_only('contribution');

      CREATE TABLE review (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        asset_id uuid NOT NULL,
        reviewer_id uuid NOT NULL,
        decision text NOT NULL,
        sealed_comment text NOT NULL,
        sha256 text NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, reviewer_id) REFERENCES principal (organization_id, id),
        -- One final decision per asset: of two reviewers who race, one loses.
        CONSTRAINT review_asset_unique UNIQUE (organization_id, asset_id),
        CONSTRAINT review_of_asset_unique UNIQUE (organization_id, id, asset_id),
        CONSTRAINT review_decision_check CHECK (decision IN ('approve', 'reject'))
      );
      SELECT tenant_table('review');
      SELECT append_only('review');

      -- Maker is not checker, in the database: the reviewer made neither this asset nor any asset it descends from.
      -- The path is fixed: else a temporary table named "asset" would be looked into instead of the true one.
      CREATE FUNCTION refuse_own_review() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
      BEGIN
        IF EXISTS (
          WITH RECURSIVE lineage(id) AS (
            SELECT NEW.asset_id
            UNION
            SELECT p.parent_asset_id FROM asset_parent p JOIN lineage l ON p.asset_id = l.id
             WHERE p.organization_id = NEW.organization_id)
          SELECT 1 FROM asset a JOIN lineage l ON a.id = l.id
           WHERE a.organization_id = NEW.organization_id AND a.created_by = NEW.reviewer_id
          UNION ALL
          SELECT 1 FROM contribution c JOIN lineage l ON c.asset_id = l.id
           WHERE c.organization_id = NEW.organization_id AND c.contributor_id = NEW.reviewer_id)
        THEN
          RAISE EXCEPTION 'four eyes: the reviewer took part in making this asset' USING ERRCODE = 'CLP01';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER four_eyes BEFORE INSERT ON review FOR EACH ROW EXECUTE FUNCTION refuse_own_review();
      ALTER TABLE review ENABLE ALWAYS TRIGGER four_eyes;

      CREATE TABLE asset_release (
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL,
        review_id uuid NOT NULL,
        released_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        released_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, asset_id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, review_id, asset_id) REFERENCES review (organization_id, id, asset_id)
      );

      -- Only what was approved is released, and only live assets, whoever writes the row.
      CREATE FUNCTION refuse_unapproved_release() RETURNS trigger LANGUAGE plpgsql
        SET search_path = colophon, pg_temp AS $$
      BEGIN
        IF NOT EXISTS (
          SELECT 1 FROM review r JOIN asset a ON a.organization_id = r.organization_id AND a.id = r.asset_id
           WHERE r.organization_id = NEW.organization_id AND r.id = NEW.review_id AND r.asset_id = NEW.asset_id
             AND r.decision = 'approve' AND r.sha256 = a.sha256 AND a.mode = 'live')
        THEN
          RAISE EXCEPTION 'the asset was not approved for release' USING ERRCODE = 'CLP02';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER approved_only BEFORE INSERT ON asset_release FOR EACH ROW EXECUTE FUNCTION refuse_unapproved_release();
      ALTER TABLE asset_release ENABLE ALWAYS TRIGGER approved_only;
      SELECT tenant_table('asset_release');
      SELECT append_only('asset_release');

      CREATE TABLE report (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        kind text NOT NULL,
        format text NOT NULL,
        subject_id uuid NOT NULL,
        state text NOT NULL,
        progress real NOT NULL,
        media_type text,
        sha256 text,
        size_bytes bigint,
        error_code text,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT report_kind_check CHECK (kind IN ('asset')),
        CONSTRAINT report_format_check CHECK (format IN ('pdf', 'json', 'bundle')),
        CONSTRAINT report_state_check CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED'))
      );
      SELECT tenant_table('report');

      GRANT SELECT, INSERT ON contribution, review, asset_release TO colophon_app;
      GRANT SELECT, INSERT, UPDATE ON report TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE report, asset_release, review, contribution;
      DROP FUNCTION refuse_own_review();
      DROP FUNCTION refuse_unapproved_release();
    `);
  }
}
