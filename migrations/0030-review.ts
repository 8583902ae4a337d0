import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Review by one or two people, requests, comments, recall. That a maker is never a checker, and that nothing is released
 * without what its use cases ask for, is decided here, whoever writes the rows and however many at once (ADR 0030).
 *
 * Locks are taken in one order: first on the person, then on the asset. Each statement of a function sees what was
 * committed before it began (READ COMMITTED), so whoever waited for a lock sees what was done under it.
 */
export class Review1700000000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(RULES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(UNDO);
  }
}

const TABLES = `
  CREATE TABLE review_settings (
    organization_id uuid NOT NULL,
    use_case_id uuid NOT NULL,
    -- The last one counts; a use case without a row needs one approval and nothing else.
    ordinal int NOT NULL,
    approvals int NOT NULL,
    human_contribution boolean NOT NULL,
    checklist boolean NOT NULL,
    set_by uuid NOT NULL,
    entry_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, use_case_id, ordinal),
    FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
    FOREIGN KEY (organization_id, set_by) REFERENCES principal (organization_id, id),
    CONSTRAINT review_settings_ordinal_check CHECK (ordinal > 0),
    CONSTRAINT review_settings_approvals_check CHECK (approvals IN (1, 2))
  );
  SELECT tenant_table('review_settings');
  SELECT append_only('review_settings');

  -- Somebody wants an asset to be looked at. The queue of reviewers is made of these.
  CREATE TABLE review_request (
    organization_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    requested_by uuid NOT NULL,
    -- Named by who asked, for assets that no run of a use case made; its settings count as well.
    use_case_id uuid,
    -- As it was when it was asked for.
    risk text NOT NULL,
    entry_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, asset_id),
    FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
    FOREIGN KEY (organization_id, requested_by) REFERENCES principal (organization_id, id),
    FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
    CONSTRAINT review_request_risk_check CHECK (risk IN ('high', 'medium', 'low'))
  );
  SELECT tenant_table('review_request');
  SELECT append_only('review_request');

  CREATE TABLE review_comment (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    asset_id uuid NOT NULL,
    author_id uuid NOT NULL,
    sealed_text text NOT NULL,
    entry_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
    FOREIGN KEY (organization_id, author_id) REFERENCES principal (organization_id, id)
  );
  CREATE INDEX review_comment_asset ON review_comment (organization_id, asset_id, id);
  SELECT tenant_table('review_comment');
  SELECT append_only('review_comment');

  -- Final: what was recalled is released again only as another asset, reviewed anew.
  CREATE TABLE asset_recall (
    organization_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    reason text NOT NULL,
    sealed_text text NOT NULL,
    recalled_by uuid NOT NULL,
    entry_id uuid NOT NULL,
    recalled_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, asset_id),
    FOREIGN KEY (organization_id, asset_id) REFERENCES asset_release (organization_id, asset_id),
    FOREIGN KEY (organization_id, recalled_by) REFERENCES principal (organization_id, id),
    CONSTRAINT asset_recall_reason_check
      CHECK (reason IN ('rights_claim', 'legal_order', 'license_ended', 'wrong_content', 'security', 'other'))
  );
  SELECT tenant_table('asset_recall');
  SELECT append_only('asset_recall');
  GRANT SELECT, INSERT ON review_settings, review_request, review_comment, asset_recall TO colophon_app;

  ALTER TABLE review
    ADD COLUMN checklist_sha256 text,
    ADD COLUMN checklist_items int,
    ADD COLUMN checklist_confirmed int,
    DROP CONSTRAINT review_decision_check,
    ADD CONSTRAINT review_decision_check CHECK (decision IN ('approve', 'reject', 'request_changes')),
    DROP CONSTRAINT review_asset_unique;
  -- One approval or rejection per person and asset: of two parallel ones by one person, one counts.
  CREATE UNIQUE INDEX review_final_unique ON review (organization_id, asset_id, reviewer_id)
    WHERE decision <> 'request_changes';
  CREATE INDEX review_asset ON review (organization_id, asset_id);
`;

const RULES = `
  CREATE FUNCTION lock_for_review(of_organization uuid, kind text, subject uuid) RETURNS void
    LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('review:' || kind || ':' || of_organization || ':' || subject, 0))
  $$;

  -- The asset and everything that it descends from.
  CREATE FUNCTION review_lineage(of_organization uuid, of_asset uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    WITH RECURSIVE lineage(id) AS (
      SELECT of_asset
      UNION
      SELECT p.parent_asset_id FROM asset_parent p JOIN lineage l ON p.asset_id = l.id
       WHERE p.organization_id = of_organization)
    SELECT id FROM lineage
  $$;

  -- Whether a person made the asset or a part of it, started a run behind it, or is recorded as a contributor.
  CREATE FUNCTION took_part(of_organization uuid, of_asset uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    SELECT EXISTS (
      SELECT 1 FROM review_lineage(of_organization, of_asset) AS l(id)
        JOIN asset a ON a.organization_id = of_organization AND a.id = l.id
        LEFT JOIN run r ON r.organization_id = of_organization AND r.id = a.run_id
       WHERE a.created_by = person OR r.created_by = person
      UNION ALL
      SELECT 1 FROM review_lineage(of_organization, of_asset) AS l(id)
        JOIN contribution c ON c.organization_id = of_organization AND c.asset_id = l.id
       WHERE c.contributor_id = person)
  $$;

  -- The strictest of what the use cases behind an asset ask for, today.
  CREATE FUNCTION review_needs(of_organization uuid, of_asset uuid,
    OUT approvals int, OUT human_contribution boolean, OUT checklist boolean) LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    WITH used(use_case_id) AS (
      SELECT r.use_case_id FROM review_lineage(of_organization, of_asset) AS l(id)
        JOIN asset a ON a.organization_id = of_organization AND a.id = l.id
        JOIN run r ON r.organization_id = of_organization AND r.id = a.run_id
      UNION
      SELECT q.use_case_id FROM review_lineage(of_organization, of_asset) AS l(id)
        JOIN review_request q ON q.organization_id = of_organization AND q.asset_id = l.id
       WHERE q.use_case_id IS NOT NULL)
    SELECT coalesce(max(s.approvals), 1), coalesce(bool_or(s.human_contribution), false),
           coalesce(bool_or(s.checklist), false)
      FROM used u CROSS JOIN LATERAL (
        SELECT n.approvals, n.human_contribution, n.checklist FROM review_settings n
         WHERE n.organization_id = of_organization AND n.use_case_id = u.use_case_id
         ORDER BY n.ordinal DESC LIMIT 1) s
  $$;

  CREATE OR REPLACE FUNCTION refuse_own_review() RETURNS trigger LANGUAGE plpgsql
    SET search_path = colophon, pg_temp AS $$
  BEGIN
    PERFORM lock_for_review(NEW.organization_id, 'person', NEW.reviewer_id);
    PERFORM lock_for_review(NEW.organization_id, 'asset', NEW.asset_id);
    IF took_part(NEW.organization_id, NEW.asset_id, NEW.reviewer_id) THEN
      RAISE EXCEPTION 'four eyes: the reviewer took part in making this asset' USING ERRCODE = 'CLP01';
    END IF;
    IF EXISTS (SELECT 1 FROM asset_release l
                WHERE l.organization_id = NEW.organization_id AND l.asset_id = NEW.asset_id)
      OR EXISTS (SELECT 1 FROM review r
                  WHERE r.organization_id = NEW.organization_id AND r.asset_id = NEW.asset_id
                    AND (r.decision = 'reject'
                         OR (r.reviewer_id = NEW.reviewer_id AND r.decision <> 'request_changes')))
    THEN
      RAISE EXCEPTION 'the asset was rejected or released, or this person has decided' USING ERRCODE = 'CLP03';
    END IF;
    RETURN NEW;
  END $$;

  -- The other half of four eyes: whoever approved an asset cannot become one of its makers afterwards, or meanwhile.
  CREATE FUNCTION refuse_contribution_of_checker() RETURNS trigger LANGUAGE plpgsql
    SET search_path = colophon, pg_temp AS $$
  BEGIN
    PERFORM lock_for_review(NEW.organization_id, 'person', NEW.contributor_id);
    IF EXISTS (
      WITH RECURSIVE made(id) AS (
        SELECT NEW.asset_id
        UNION
        SELECT p.asset_id FROM asset_parent p JOIN made m ON p.parent_asset_id = m.id
         WHERE p.organization_id = NEW.organization_id)
      SELECT 1 FROM review r JOIN made m ON r.asset_id = m.id
       WHERE r.organization_id = NEW.organization_id AND r.reviewer_id = NEW.contributor_id)
    THEN
      RAISE EXCEPTION 'four eyes: the contributor has decided on this asset' USING ERRCODE = 'CLP01';
    END IF;
    -- What nobody did is no human contribution, whatever a program says.
    IF EXISTS (SELECT 1 FROM principal p WHERE p.organization_id = NEW.organization_id
                AND p.id = NEW.contributor_id AND p.kind <> 'user')
    THEN
      RAISE EXCEPTION 'a contribution is made by a person' USING ERRCODE = 'CLP04';
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER four_eyes BEFORE INSERT ON contribution
    FOR EACH ROW EXECUTE FUNCTION refuse_contribution_of_checker();
  ALTER TABLE contribution ENABLE ALWAYS TRIGGER four_eyes;

  CREATE OR REPLACE FUNCTION refuse_unapproved_release() RETURNS trigger LANGUAGE plpgsql
    SET search_path = colophon, pg_temp AS $$
  DECLARE
    needs record;
  BEGIN
    PERFORM lock_for_review(NEW.organization_id, 'asset', NEW.asset_id);
    SELECT * INTO needs FROM review_needs(NEW.organization_id, NEW.asset_id);
    IF NOT EXISTS (
      SELECT 1 FROM review r JOIN asset a ON a.organization_id = r.organization_id AND a.id = r.asset_id
       WHERE r.organization_id = NEW.organization_id AND r.id = NEW.review_id AND r.asset_id = NEW.asset_id
         AND r.decision = 'approve' AND r.sha256 = a.sha256 AND a.mode = 'live')
      OR needs.approvals > (
        SELECT count(DISTINCT r.reviewer_id) FROM review r
          JOIN asset a ON a.organization_id = r.organization_id AND a.id = r.asset_id
         WHERE r.organization_id = NEW.organization_id AND r.asset_id = NEW.asset_id
           AND r.decision = 'approve' AND r.sha256 = a.sha256)
      OR EXISTS (
        SELECT 1 FROM review r WHERE r.organization_id = NEW.organization_id AND r.asset_id = NEW.asset_id
          AND (r.decision = 'reject' OR (r.decision = 'request_changes' AND NOT EXISTS (
            SELECT 1 FROM review f WHERE f.organization_id = r.organization_id AND f.asset_id = r.asset_id
               AND f.reviewer_id = r.reviewer_id AND f.decision <> 'request_changes'))))
    THEN
      RAISE EXCEPTION 'the asset was not approved for release' USING ERRCODE = 'CLP02';
    END IF;
    -- The least that a sufficient record has; whether it suffices, the program decides before.
    IF needs.human_contribution AND NOT EXISTS (
      WITH RECURSIVE version(id) AS (
        SELECT NEW.asset_id
        UNION
        SELECT p.parent_asset_id FROM asset_parent p JOIN version v ON p.asset_id = v.id
         WHERE p.organization_id = NEW.organization_id AND p.relationship = 'parentOf')
      SELECT 1 FROM contribution c JOIN version v ON c.asset_id = v.id
       WHERE c.organization_id = NEW.organization_id AND c.basis <> 'assistive_only'
         AND c.capture <> 'declared_later'
         AND NOT EXISTS (SELECT 1 FROM contribution_correction w WHERE w.organization_id = c.organization_id
                          AND w.contribution_id = c.id AND w.kind = 'withdrawn'))
    THEN
      RAISE EXCEPTION 'the use case asks for a human contribution' USING ERRCODE = 'CLP02';
    END IF;
    RETURN NEW;
  END $$;
`;

const UNDO = `
  CREATE OR REPLACE FUNCTION refuse_unapproved_release() RETURNS trigger LANGUAGE plpgsql
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
  CREATE OR REPLACE FUNCTION refuse_own_review() RETURNS trigger LANGUAGE plpgsql
    SET search_path = colophon, pg_temp AS $$
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
  DROP TRIGGER four_eyes ON contribution;
  DROP FUNCTION refuse_contribution_of_checker();
  DROP FUNCTION review_needs(uuid, uuid);
  DROP FUNCTION took_part(uuid, uuid, uuid);
  DROP FUNCTION review_lineage(uuid, uuid);
  DROP FUNCTION lock_for_review(uuid, text, uuid);
  DROP INDEX review_final_unique, review_asset;
  -- Fails where an asset has several decisions: they cannot be put back into the older form without losing one.
  ALTER TABLE review
    DROP COLUMN checklist_sha256, DROP COLUMN checklist_items, DROP COLUMN checklist_confirmed,
    DROP CONSTRAINT review_decision_check,
    ADD CONSTRAINT review_decision_check CHECK (decision IN ('approve', 'reject')),
    ADD CONSTRAINT review_asset_unique UNIQUE (organization_id, asset_id);
  DROP TABLE asset_recall, review_comment, review_request, review_settings;
`;
