import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * A person's erasure reaches what they attached to their records and the names of the files that they sent (ADR 0034).
 * A hold covers everybody whose words or acts are part of the matter, also in records that are younger than holds.
 */
export class ErasedFiles1700000000036 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(GUARDS);
    await runner.query(HOLDS);
    await runner.query(ERASURE);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(UNDO);
  }
}

const GUARDS = `
  -- An asset never changes, but for its title, and that only to these words: no entry of the log holds it in clear.
  CREATE FUNCTION guard_asset() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
  BEGIN
    IF TG_OP = 'UPDATE' AND NEW.title = '(title erased)' AND to_jsonb(NEW) - 'title' = to_jsonb(OLD) - 'title' THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'table asset is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
  END $$;
  DROP TRIGGER append_only_row ON asset;
  CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON asset FOR EACH ROW EXECUTE FUNCTION guard_asset();
  ALTER TABLE asset ENABLE ALWAYS TRIGGER append_only_row;

  -- As for sealed values: committed before an erasure looks, or begun after it (migration 0006).
  CREATE FUNCTION hold_off_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
  BEGIN
    PERFORM subject_key_for_sealing(NEW.organization_id, c.contributor_id) FROM contribution c
      WHERE c.organization_id = NEW.organization_id AND c.id = NEW.contribution_id;
    RETURN NEW;
  END $$;
  CREATE TRIGGER hold_off_erasure BEFORE INSERT ON contribution_attachment
    FOR EACH ROW EXECUTE FUNCTION hold_off_erasure();
  ALTER TABLE contribution_attachment ENABLE ALWAYS TRIGGER hold_off_erasure;
`;

/** As in migration 0006, with the records that came after it: orders, corrections, comments, requests, recalls, proofs. */
const HOLDS = `
  CREATE OR REPLACE FUNCTION holds_on_subject(of_organization uuid, of_subject uuid) RETURNS SETOF uuid LANGUAGE sql VOLATILE
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
    ), held_storyboard(hold_id, id, ordered_by) AS (
      SELECT f.hold_id, s.id, s.ordered_by FROM held_asset f
        JOIN storyboard s ON s.organization_id = of_organization AND s.asset_ids @> ARRAY[f.id]
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
      UNION SELECT hold_id, ordered_by FROM held_storyboard
      UNION SELECT f.hold_id, t.corrected_by FROM held_contribution f
        JOIN contribution_correction t ON t.organization_id = of_organization AND t.contribution_id = f.id
      UNION SELECT f.hold_id, t.author_id FROM held_asset f
        JOIN review_comment t ON t.organization_id = of_organization AND t.asset_id = f.id
      UNION SELECT f.hold_id, t.requested_by FROM held_asset f
        JOIN review_request t ON t.organization_id = of_organization AND t.asset_id = f.id
      UNION SELECT f.hold_id, t.recalled_by FROM held_asset f
        JOIN asset_recall t ON t.organization_id = of_organization AND t.asset_id = f.id
      UNION SELECT f.hold_id, t.proved_by FROM held_asset f
        JOIN obligation_proof t ON t.organization_id = of_organization AND t.asset_id = f.id
    ), held_thing(hold_id, prefix, id) AS (
      SELECT hold_id, 'ast', id FROM held_asset
      UNION ALL SELECT hold_id, 'run', id FROM held_run
      UNION ALL SELECT hold_id, 'clr', clearance_id FROM held_run
      UNION ALL SELECT hold_id, 'wvr', id FROM held_waiver
      UNION ALL SELECT hold_id, 'ctb', id FROM held_contribution
      UNION ALL SELECT hold_id, 'rvw', id FROM held_review
      UNION ALL SELECT hold_id, 'stb', id FROM held_storyboard
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
`;

/** As in migration 0006, with attachments and titles. The older form is gone: it would leave both. */
const ERASURE = `
  DROP FUNCTION erase_data_subject(uuid, uuid);
  CREATE FUNCTION erase_data_subject(of_organization uuid, of_subject uuid, of_removal uuid) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
  DECLARE
    holds uuid[];
    openings jsonb;
    reports jsonb;
    keys int;
    names int;
    titles int;
    attachments jsonb;
    kept jsonb;
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
    -- Names of files that the person sent, also where an edit by somebody else took one over.
    WITH RECURSIVE named(id, title) AS (
      SELECT a.id, a.title FROM asset a WHERE a.organization_id = of_organization AND a.created_by = of_subject
         AND a.origin IN ('upload', 'edit') AND a.title <> '(title erased)'
      UNION
      SELECT a.id, a.title FROM named n
        JOIN asset_parent p ON p.organization_id = of_organization AND p.parent_asset_id = n.id
        JOIN asset a ON a.organization_id = of_organization AND a.id = p.asset_id AND a.title = n.title)
    UPDATE asset SET title = '(title erased)' WHERE organization_id = of_organization AND id IN (SELECT id FROM named);
    GET DIAGNOSTICS titles = ROW_COUNT;
    WITH marked AS (
      INSERT INTO content_removal (organization_id, kind, thing_id, removal_id, cause)
      SELECT of_organization, 'attachment', x.id, of_removal, 'erasure'
        FROM contribution_attachment x JOIN contribution c
          ON c.organization_id = of_organization AND c.id = x.contribution_id AND c.contributor_id = of_subject
       WHERE x.organization_id = of_organization AND NOT EXISTS (
         SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization AND m.kind = 'attachment'
            AND m.thing_id = x.id AND m.revoked_at IS NULL)
      RETURNING thing_id)
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', x.id, 'contributionId', x.contribution_id, 'sha256', x.sha256,
             'project', a.project_id) ORDER BY x.id), '[]')
      INTO attachments FROM marked m JOIN contribution_attachment x ON x.organization_id = of_organization AND x.id = m.thing_id
      JOIN contribution c ON c.organization_id = of_organization AND c.id = x.contribution_id
      JOIN asset a ON a.organization_id = of_organization AND a.id = c.asset_id;
    INSERT INTO removed_file (organization_id, removal_id, kind, thing_id, sha256)
      SELECT of_organization, of_removal, 'attachment', (t ->> 'id')::uuid, t ->> 'sha256'
        FROM jsonb_array_elements(attachments) t;
    -- In a statement of its own: it sees the marks.
    attachments := coalesce((SELECT jsonb_agg(t || jsonb_build_object('shared', is_file_kept(of_organization, t ->> 'sha256')))
      FROM jsonb_array_elements(attachments) t), '[]');
    SELECT jsonb_build_object(
        'assets', (SELECT count(*) FROM asset a WHERE a.organization_id = of_organization AND a.created_by = of_subject
                    AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                      AND m.kind = 'asset' AND m.thing_id = a.id AND m.revoked_at IS NULL)),
        'releasedAssets', (SELECT count(*) FROM asset a JOIN asset_release l
            ON l.organization_id = of_organization AND l.asset_id = a.id
           WHERE a.organization_id = of_organization AND a.created_by = of_subject),
        'contributions', (SELECT count(*) FROM contribution c
           WHERE c.organization_id = of_organization AND c.contributor_id = of_subject),
        'storyboardOrders', (SELECT count(*) FROM storyboard s
           WHERE s.organization_id = of_organization AND s.ordered_by = of_subject),
        'reviews', (SELECT count(*) FROM review r
           WHERE r.organization_id = of_organization AND r.reviewer_id = of_subject))
      INTO kept;
    -- Those erased before are answered again, so that files which a crash left behind are removed by another try.
    WITH shown AS (
      UPDATE report r SET state = 'ERASED'
       WHERE r.organization_id = of_organization AND r.state IN ('DONE', 'ERASED') AND EXISTS (
         SELECT 1 FROM report_data_subject s WHERE s.organization_id = of_organization
            AND s.report_id = r.id AND s.subject_id = of_subject)
      RETURNING r.id, r.sha256)
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'sha256', sha256) ORDER BY id), '[]')
      INTO reports FROM shown;
    RETURN jsonb_build_object('openings', openings, 'reports', reports, 'key', keys > 0, 'name', names > 0,
      'titles', titles, 'attachments', attachments, 'kept', kept);
  END $$;
  REVOKE ALL ON FUNCTION erase_data_subject(uuid, uuid, uuid) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION erase_data_subject(uuid, uuid, uuid) TO colophon_app;
`;

/** Titles that are gone cannot come back. */
const UNDO = `
  DROP FUNCTION erase_data_subject(uuid, uuid, uuid);
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
  REVOKE ALL ON FUNCTION erase_data_subject(uuid, uuid) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION erase_data_subject(uuid, uuid) TO colophon_app;
  CREATE OR REPLACE FUNCTION holds_on_subject(of_organization uuid, of_subject uuid) RETURNS SETOF uuid LANGUAGE sql VOLATILE
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
  DROP TRIGGER hold_off_erasure ON contribution_attachment;
  DROP FUNCTION hold_off_erasure();
  DROP TRIGGER append_only_row ON asset;
  DROP FUNCTION guard_asset();
  CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON asset FOR EACH ROW EXECUTE FUNCTION refuse_change();
  ALTER TABLE asset ENABLE ALWAYS TRIGGER append_only_row;
`;
