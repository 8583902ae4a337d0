import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Erasure of a person's values, and legal holds that forbid it. The application still cannot delete anything by
 * itself: it may call one function, which belongs to the owner, looks for holds and deletes key and openings together.
 *
 * Two locks, both of the transaction, make it free of races; always taken in this order:
 * 1. `lock_holds`: of the organization; taken by whoever places a hold and whoever erases. A hold is there before the
 *    erasure looks, or it comes after it.
 * 2. of the data subject: shared by whoever seals a value (`subject_key_for_sealing`), alone by whoever erases. A value
 *    is committed before the erasure deletes, and then goes with the rest; or it is sealed under a new key afterwards.
 */
export class Erasure1700000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A new key gets a new id, so that a value sealed before an erasure is told from one sealed after it.
      ALTER TABLE data_subject_key ADD COLUMN key_id uuid NOT NULL DEFAULT gen_random_uuid();
      ALTER TABLE data_subject_key ALTER COLUMN key_id DROP DEFAULT;
      CREATE INDEX audit_opening_subject ON audit_opening (organization_id, subject_id);

      -- The name of an erased person is gone; their id stays, because the log and other rows name it.
      ALTER TABLE principal ALTER COLUMN display_name DROP NOT NULL;
      -- The comment of a waiver is sealed in its entry. This was a second copy, in clear, in a table that never changes.
      ALTER TABLE waiver DROP COLUMN comment;

      CREATE FUNCTION lock_holds(of_organization uuid) RETURNS void LANGUAGE sql VOLATILE
        SET search_path = colophon, pg_temp AS $$
        SELECT pg_advisory_xact_lock(hashtextextended('colophon holds ' || of_organization, 0))
      $$;

      -- Volatile: the key is read in a snapshot taken after the lock was given, not before.
      CREATE FUNCTION subject_key_for_sealing(of_organization uuid, of_subject uuid)
        RETURNS TABLE (key_id uuid, wrapped_key text) LANGUAGE plpgsql VOLATILE SET search_path = colophon, pg_temp AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(
          hashtextextended('colophon subject ' || of_organization || ' ' || of_subject, 0));
        RETURN QUERY SELECT k.key_id, k.wrapped_key FROM data_subject_key k
          WHERE k.organization_id = of_organization AND k.subject_id = of_subject;
      END $$;

      -- Why it was placed and lifted is sealed in the entries: a second copy would have to be erased, too.
      CREATE TABLE legal_hold (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        scope_kind text NOT NULL,
        scope_id uuid,
        placed_by uuid NOT NULL,
        placed_entry_id uuid NOT NULL,
        placed_at timestamptz NOT NULL,
        lifted_by uuid,
        lifted_entry_id uuid,
        lifted_at timestamptz,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, placed_by) REFERENCES principal (organization_id, id),
        FOREIGN KEY (organization_id, lifted_by) REFERENCES principal (organization_id, id),
        CONSTRAINT legal_hold_scope_check CHECK (
          (scope_kind = 'organization' AND scope_id IS NULL)
          OR (scope_kind IN ('data_subject', 'asset', 'run', 'project') AND scope_id IS NOT NULL)),
        CONSTRAINT legal_hold_lifted_check CHECK (num_nulls(lifted_by, lifted_entry_id, lifted_at) IN (0, 3))
      );
      CREATE INDEX legal_hold_in_force ON legal_hold (organization_id) WHERE lifted_at IS NULL;
      SELECT tenant_table('legal_hold');

      CREATE FUNCTION guard_legal_hold() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
      DECLARE
        found boolean;
      BEGIN
        IF TG_OP = 'INSERT' THEN
          PERFORM lock_holds(NEW.organization_id);
          EXECUTE CASE NEW.scope_kind
            WHEN 'data_subject' THEN 'SELECT EXISTS (SELECT 1 FROM principal WHERE organization_id = $1 AND id = $2)'
            WHEN 'asset' THEN 'SELECT EXISTS (SELECT 1 FROM asset WHERE organization_id = $1 AND id = $2)'
            WHEN 'run' THEN 'SELECT EXISTS (SELECT 1 FROM run WHERE organization_id = $1 AND id = $2)'
            WHEN 'project' THEN 'SELECT EXISTS (SELECT 1 FROM project WHERE organization_id = $1 AND id = $2)'
            ELSE 'SELECT true' END
            INTO found USING NEW.organization_id, NEW.scope_id;
          IF NOT found THEN
            RAISE EXCEPTION 'a hold on something that does not exist would hold nothing' USING ERRCODE = 'CLP07';
          END IF;
          IF NEW.lifted_at IS NULL THEN RETURN NEW; END IF;
        -- Lifted once, and nothing else about it ever changes.
        ELSIF TG_OP = 'UPDATE' AND OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL
          AND (NEW.organization_id, NEW.id, NEW.scope_kind, NEW.placed_by, NEW.placed_entry_id, NEW.placed_at)
            = (OLD.organization_id, OLD.id, OLD.scope_kind, OLD.placed_by, OLD.placed_entry_id, OLD.placed_at)
          AND NEW.scope_id IS NOT DISTINCT FROM OLD.scope_id
        THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a legal hold is placed, then lifted once: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$;
      CREATE TRIGGER guard_legal_hold BEFORE INSERT OR UPDATE OR DELETE ON legal_hold
        FOR EACH ROW EXECUTE FUNCTION guard_legal_hold();
      ALTER TABLE legal_hold ENABLE ALWAYS TRIGGER guard_legal_hold;
      SELECT refuse_truncate('legal_hold');

      CREATE TABLE erasure (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        subject_id uuid NOT NULL,
        reason text NOT NULL,
        openings int NOT NULL,
        erased_by uuid NOT NULL,
        erased_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, subject_id) REFERENCES principal (organization_id, id),
        FOREIGN KEY (organization_id, erased_by) REFERENCES principal (organization_id, id),
        CONSTRAINT erasure_reason_check CHECK (reason IN ('data_subject_request', 'retention_ended', 'court_order'))
      );
      CREATE INDEX erasure_subject ON erasure (organization_id, subject_id, erased_at);
      SELECT tenant_table('erasure');
      SELECT append_only('erasure');

      -- Whose names and values a report shows: with the person these reports go, too.
      CREATE TABLE report_data_subject (
        organization_id uuid NOT NULL,
        report_id uuid NOT NULL,
        subject_id uuid NOT NULL,
        PRIMARY KEY (organization_id, report_id, subject_id),
        FOREIGN KEY (organization_id, report_id) REFERENCES report (organization_id, id)
      );
      CREATE INDEX report_data_subject_subject ON report_data_subject (organization_id, subject_id);
      SELECT tenant_table('report_data_subject');
      SELECT append_only('report_data_subject');
      ALTER TABLE report DROP CONSTRAINT report_state_check;
      ALTER TABLE report ADD CONSTRAINT report_state_check
        CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'ERASED'));

      -- Ids of the holds in force that cover a person. A hold on an asset also holds what it was made from and what was
      -- made from it; a hold on a run or a project, their assets; and all of them, the people who took part, because
      -- there is one key for all values of a person. A hold also keeps the words of the person who placed it.
      CREATE FUNCTION holds_on_subject(of_organization uuid, of_subject uuid) RETURNS SETOF uuid LANGUAGE sql VOLATILE
        SET search_path = colophon, pg_temp AS $$
        WITH RECURSIVE hold AS (
          SELECT id, scope_kind, scope_id, placed_by FROM legal_hold
           WHERE organization_id = of_organization AND lifted_at IS NULL
        ), named_asset(hold_id, asset_id) AS (
          SELECT h.id, a.id FROM hold h JOIN asset a ON a.organization_id = of_organization
             AND ((h.scope_kind = 'asset' AND a.id = h.scope_id) OR (h.scope_kind = 'run' AND a.run_id = h.scope_id)
               OR (h.scope_kind = 'project' AND a.project_id = h.scope_id))
        ), ancestor(hold_id, asset_id) AS (
          SELECT hold_id, asset_id FROM named_asset
          UNION SELECT n.hold_id, p.parent_asset_id FROM ancestor n
            JOIN asset_parent p ON p.organization_id = of_organization AND p.asset_id = n.asset_id
        ), descendant(hold_id, asset_id) AS (
          SELECT hold_id, asset_id FROM named_asset
          UNION SELECT n.hold_id, p.asset_id FROM descendant n
            JOIN asset_parent p ON p.organization_id = of_organization AND p.parent_asset_id = n.asset_id
        ), held_asset(hold_id, id, run_id, created_by) AS (
          SELECT f.hold_id, a.id, a.run_id, a.created_by
            FROM (SELECT * FROM ancestor UNION SELECT * FROM descendant) f
            JOIN asset a ON a.organization_id = of_organization AND a.id = f.asset_id
        ), held_run(hold_id, id, clearance_id, created_by) AS (
          SELECT h.id, r.id, r.clearance_id, r.created_by FROM hold h JOIN run r ON r.organization_id = of_organization
             AND ((h.scope_kind = 'run' AND r.id = h.scope_id) OR (h.scope_kind = 'project' AND r.project_id = h.scope_id))
          UNION SELECT f.hold_id, r.id, r.clearance_id, r.created_by FROM held_asset f
            JOIN run r ON r.organization_id = of_organization AND r.id = f.run_id
        ), held_waiver(hold_id, id, requested_by, approved_by) AS (
          SELECT f.hold_id, w.id, w.requested_by, w.approved_by FROM held_run f
            JOIN waiver w ON w.organization_id = of_organization AND w.clearance_id = f.clearance_id
        ), held_contribution(hold_id, id, contributor_id) AS (
          SELECT f.hold_id, c.id, c.contributor_id FROM held_asset f
            JOIN contribution c ON c.organization_id = of_organization AND c.asset_id = f.id
        ), held_review(hold_id, id, reviewer_id) AS (
          SELECT f.hold_id, r.id, r.reviewer_id FROM held_asset f
            JOIN review r ON r.organization_id = of_organization AND r.asset_id = f.id
        ), held_person(hold_id, subject_id) AS (
          SELECT id, scope_id FROM hold WHERE scope_kind = 'data_subject'
          UNION SELECT id, placed_by FROM hold
          UNION SELECT hold_id, created_by FROM held_asset
          UNION SELECT hold_id, created_by FROM held_run
          UNION SELECT hold_id, requested_by FROM held_waiver
          UNION SELECT hold_id, approved_by FROM held_waiver
          UNION SELECT hold_id, contributor_id FROM held_contribution
          UNION SELECT hold_id, reviewer_id FROM held_review
          UNION SELECT f.hold_id, l.released_by FROM held_asset f
            JOIN asset_release l ON l.organization_id = of_organization AND l.asset_id = f.id
        ), held_thing(hold_id, prefix, id) AS (
          SELECT hold_id, 'ast', id FROM held_asset
          UNION ALL SELECT hold_id, 'run', id FROM held_run
          UNION ALL SELECT hold_id, 'clr', clearance_id FROM held_run
          UNION ALL SELECT hold_id, 'wvr', id FROM held_waiver
          UNION ALL SELECT hold_id, 'ctb', id FROM held_contribution
          UNION ALL SELECT hold_id, 'rvw', id FROM held_review
          UNION ALL SELECT id, 'prj', scope_id FROM hold WHERE scope_kind = 'project'
          UNION ALL SELECT f.hold_id, 'stp', s.id FROM held_run f
            JOIN step_run s ON s.organization_id = of_organization AND s.run_id = f.id
        ), sealed_in(subject_id, project_id) AS (
          SELECT e.subject_id, e.project_id FROM audit_opening o
            JOIN audit_entry e ON e.organization_id = of_organization AND e.entry_id = o.entry_id
           WHERE o.organization_id = of_organization AND o.subject_id = of_subject
          UNION SELECT e.subject_id, e.project_id FROM audit_opening o
            JOIN audit_pending e ON e.organization_id = of_organization AND e.entry_id = o.entry_id
           WHERE o.organization_id = of_organization AND o.subject_id = of_subject
        )
        SELECT id FROM hold WHERE scope_kind = 'organization'
        UNION SELECT hold_id FROM held_person WHERE subject_id = of_subject
        UNION SELECT t.hold_id FROM held_thing t
          JOIN sealed_in e ON e.subject_id = t.prefix || '_' || replace(t.id::text, '-', '')
        UNION SELECT h.id FROM hold h JOIN sealed_in e ON h.scope_kind = 'project' AND e.project_id = h.scope_id
      $$;

      -- Runs with the rights of the owner, on whom row-level security is forced: it can delete in the organization of
      -- this transaction only. Answers what is gone.
      CREATE FUNCTION erase_data_subject(of_organization uuid, of_subject uuid) RETURNS jsonb
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        holds uuid[];
        openings jsonb;
        reports jsonb;
        keys int;
        names int;
      BEGIN
        IF of_organization IS DISTINCT FROM nullif(current_setting('app.organization_id', true), '')::uuid THEN
          RAISE EXCEPTION 'this transaction belongs to another organization' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- Else a snapshot from before the locks would hide a hold that was placed since.
        IF current_setting('transaction_isolation') <> 'read committed' THEN
          RAISE EXCEPTION 'erasure needs the isolation level read committed' USING ERRCODE = 'feature_not_supported';
        END IF;
        PERFORM lock_holds(of_organization);
        PERFORM pg_advisory_xact_lock(hashtextextended('colophon subject ' || of_organization || ' ' || of_subject, 0));
        holds := ARRAY(SELECT h FROM holds_on_subject(of_organization, of_subject) h ORDER BY h);
        IF cardinality(holds) > 0 THEN
          RAISE EXCEPTION 'a legal hold covers this data subject'
            USING ERRCODE = 'CLP06', DETAIL = array_to_json(holds)::text;
        END IF;
        WITH gone AS (
          DELETE FROM audit_opening WHERE organization_id = of_organization AND subject_id = of_subject
          RETURNING entry_id, field)
        SELECT coalesce(jsonb_agg(jsonb_build_object('entryId', entry_id, 'field', field) ORDER BY entry_id, field), '[]')
          INTO openings FROM gone;
        DELETE FROM data_subject_key WHERE organization_id = of_organization AND subject_id = of_subject;
        GET DIAGNOSTICS keys = ROW_COUNT;
        UPDATE principal SET display_name = NULL
         WHERE organization_id = of_organization AND id = of_subject AND display_name IS NOT NULL;
        GET DIAGNOSTICS names = ROW_COUNT;
        -- Those erased before are answered again, so that files which a crash left behind are removed by another try.
        WITH shown AS (
          UPDATE report r SET state = 'ERASED'
           WHERE r.organization_id = of_organization AND r.state IN ('DONE', 'ERASED') AND EXISTS (
             SELECT 1 FROM report_data_subject s WHERE s.organization_id = of_organization
                AND s.report_id = r.id AND s.subject_id = of_subject)
          RETURNING r.id, r.sha256)
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'sha256', sha256) ORDER BY id), '[]')
          INTO reports FROM shown;
        RETURN jsonb_build_object('openings', openings, 'reports', reports, 'key', keys > 0, 'name', names > 0);
      END $$;

      REVOKE ALL ON FUNCTION erase_data_subject(uuid, uuid), holds_on_subject(uuid, uuid), lock_holds(uuid),
        subject_key_for_sealing(uuid, uuid) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION erase_data_subject(uuid, uuid), lock_holds(uuid),
        subject_key_for_sealing(uuid, uuid) TO colophon_app;
      GRANT SELECT, INSERT ON legal_hold, erasure, report_data_subject TO colophon_app;
      GRANT UPDATE (lifted_by, lifted_entry_id, lifted_at) ON legal_hold TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Names and comments that are gone cannot come back: the columns return empty.
    await runner.query(`
      DROP FUNCTION erase_data_subject(uuid, uuid);
      DROP FUNCTION holds_on_subject(uuid, uuid);
      DROP TABLE report_data_subject, erasure, legal_hold;
      DROP FUNCTION guard_legal_hold();
      DROP FUNCTION subject_key_for_sealing(uuid, uuid);
      DROP FUNCTION lock_holds(uuid);
      ALTER TABLE report DROP CONSTRAINT report_state_check;
      ALTER TABLE report ADD CONSTRAINT report_state_check
        CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED')) NOT VALID;
      ALTER TABLE waiver ADD COLUMN comment text NOT NULL DEFAULT '';
      ALTER TABLE principal ALTER COLUMN display_name SET DEFAULT '';
      DROP INDEX audit_opening_subject;
      ALTER TABLE data_subject_key DROP COLUMN key_id;
    `);
  }
}
