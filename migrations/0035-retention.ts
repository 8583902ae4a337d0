import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Retention (ADR 0034): rules that people set, and what was removed by them. The application still deletes nothing: it
 * calls two functions of the owner, which look for legal holds and evidence needs themselves, under locks, by the clock
 * of the database. A thing is first marked as removed, with its entry in the log, in one transaction; its bytes are
 * deleted afterwards, and a hold that comes in between takes the mark back.
 *
 * Locks, in this order: `lock_holds` (whoever places a hold waits, or was first); the rows of the assets, FOR UPDATE:
 * whoever is about to rest on one (a review, a release, a run, a child) holds FOR KEY SHARE through its foreign key.
 */
export class Retention1700000000035 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(HOLDS);
    await runner.query(EVIDENCE);
    await runner.query(STATE);
    await runner.query(REMOVAL);
    await runner.query(REFUSALS);
  }

  /** What was removed stays removed, and nothing says so any more: fails where something was. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(UNDO);
  }
}

const TABLES = `
  CREATE TABLE retention_rule (
    organization_id uuid NOT NULL REFERENCES organization,
    kind text NOT NULL,
    -- The organization itself, or one of its projects.
    scope_id uuid NOT NULL,
    -- The last one counts. Without any, nothing is removed.
    version int NOT NULL,
    -- 'inherit': what the organization says counts for the project again.
    action text NOT NULL,
    days int,
    since text,
    -- Last day of the campaign, UTC; only with since = 'campaign_end'.
    campaign_ends_on date,
    -- Whether what a released asset rests on is removed as well.
    evidence text,
    set_by uuid NOT NULL,
    entry_id uuid NOT NULL,
    -- By the clock of the database. A rule by which more is removed waits; one by which things are kept does not.
    effective_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, kind, scope_id, version),
    FOREIGN KEY (organization_id, set_by) REFERENCES principal (organization_id, id),
    CONSTRAINT retention_rule_kind_check
      CHECK (kind IN ('assets', 'failed_runs', 'prompts', 'attachments', 'reports')),
    CONSTRAINT retention_rule_version_check CHECK (version > 0),
    CONSTRAINT retention_rule_action_check CHECK (action IN ('remove', 'keep', 'inherit')),
    CONSTRAINT retention_rule_inherit_check CHECK (action <> 'inherit' OR scope_id <> organization_id),
    CONSTRAINT retention_rule_since_check CHECK (since IN ('created', 'last_release', 'campaign_end')),
    CONSTRAINT retention_rule_evidence_check CHECK (evidence IN ('keep', 'remove')),
    CONSTRAINT retention_rule_days_check CHECK (days BETWEEN 0 AND 36500),
    CONSTRAINT retention_rule_remove_check CHECK (
      num_nonnulls(days, since, evidence) = CASE WHEN action = 'remove' THEN 3 ELSE 0 END),
    CONSTRAINT retention_rule_campaign_check CHECK (
      (campaign_ends_on IS NOT NULL) = (coalesce(since, '') = 'campaign_end')
      AND (since IS DISTINCT FROM 'campaign_end' OR scope_id <> organization_id))
  );
  SELECT tenant_table('retention_rule');
  SELECT append_only('retention_rule');
  -- Time for whoever sees the entry to object, or to place a hold, before anything is gone. Keeping needs none.
  CREATE FUNCTION retention_effective_from(of_action text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN of_action = 'keep' THEN now() ELSE now() + interval '7 days' END
  $$;
  CREATE FUNCTION date_retention_rule() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
  BEGIN
    IF NEW.scope_id <> NEW.organization_id AND NOT EXISTS (
      SELECT 1 FROM project p WHERE p.organization_id = NEW.organization_id AND p.id = NEW.scope_id)
    THEN
      RAISE EXCEPTION 'a rule for a project that does not exist' USING ERRCODE = 'foreign_key_violation';
    END IF;
    NEW.created_at := now();
    NEW.effective_from := retention_effective_from(NEW.action);
    RETURN NEW;
  END $$;
  CREATE TRIGGER date_retention_rule BEFORE INSERT ON retention_rule
    FOR EACH ROW EXECUTE FUNCTION date_retention_rule();
  ALTER TABLE retention_rule ENABLE ALWAYS TRIGGER date_retention_rule;

  -- Something of which the bytes, or the sealed words, are gone. What the record says of it stays.
  CREATE TABLE content_removal (
    organization_id uuid NOT NULL REFERENCES organization,
    -- 'captured': bytes that a step brought of which no asset was made; the id is that of the step.
    -- 'prompts': the sealed inputs of a run.
    kind text NOT NULL,
    thing_id uuid NOT NULL,
    removal_id uuid NOT NULL,
    cause text NOT NULL,
    rule_kind text,
    rule_scope_id uuid,
    rule_version int,
    removed_at timestamptz NOT NULL DEFAULT now(),
    -- A hold came before the bytes were deleted: the thing is there again.
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, kind, thing_id, removal_id),
    CONSTRAINT content_removal_kind_check CHECK (kind IN ('asset', 'captured', 'attachment', 'report', 'prompts')),
    CONSTRAINT content_removal_cause_check CHECK (cause IN ('retention', 'erasure')),
    CONSTRAINT content_removal_rule_check CHECK (
      num_nonnulls(rule_kind, rule_scope_id, rule_version) = CASE WHEN cause = 'retention' THEN 3 ELSE 0 END)
  );
  CREATE UNIQUE INDEX content_removal_in_force ON content_removal (organization_id, kind, thing_id)
    WHERE revoked_at IS NULL;
  CREATE INDEX content_removal_batch ON content_removal (organization_id, removal_id);
  SELECT tenant_table('content_removal');

  -- The files of a removal, until they are dealt with and after.
  CREATE TABLE removed_file (
    organization_id uuid NOT NULL,
    removal_id uuid NOT NULL,
    kind text NOT NULL,
    thing_id uuid NOT NULL,
    sha256 text NOT NULL,
    -- 'shared': something that is kept has the same bytes. 'revoked': a hold was faster.
    outcome text,
    settled_at timestamptz,
    PRIMARY KEY (organization_id, removal_id, kind, thing_id, sha256),
    FOREIGN KEY (organization_id, kind, thing_id, removal_id) REFERENCES content_removal,
    CONSTRAINT removed_file_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT removed_file_outcome_check CHECK (outcome IN ('deleted', 'shared', 'revoked')),
    CONSTRAINT removed_file_settled_check CHECK ((outcome IS NULL) = (settled_at IS NULL))
  );
  CREATE INDEX removed_file_open ON removed_file (organization_id, removal_id) WHERE outcome IS NULL;
  CREATE INDEX removed_file_sha256 ON removed_file (organization_id, sha256);
  SELECT tenant_table('removed_file');

  -- Each says once that it happened, and once that it was settled; nothing else of it ever changes.
  CREATE FUNCTION guard_removal() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
  BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'content_removal' THEN
      IF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
        AND to_jsonb(NEW) - 'revoked_at' = to_jsonb(OLD) - 'revoked_at' THEN RETURN NEW; END IF;
    ELSIF TG_OP = 'UPDATE' THEN
      IF OLD.outcome IS NULL AND NEW.outcome IS NOT NULL
        AND to_jsonb(NEW) - 'outcome' - 'settled_at' = to_jsonb(OLD) - 'outcome' - 'settled_at' THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION 'a removal is recorded, then settled once: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
  END $$;
  CREATE TRIGGER guard_removal BEFORE UPDATE OR DELETE ON content_removal FOR EACH ROW EXECUTE FUNCTION guard_removal();
  ALTER TABLE content_removal ENABLE ALWAYS TRIGGER guard_removal;
  SELECT refuse_truncate('content_removal');
  CREATE TRIGGER guard_removal BEFORE UPDATE OR DELETE ON removed_file FOR EACH ROW EXECUTE FUNCTION guard_removal();
  ALTER TABLE removed_file ENABLE ALWAYS TRIGGER guard_removal;
  SELECT refuse_truncate('removed_file');

  -- Nothing is removed that is not in the log: looked at when the transaction commits, because entries are its last rows.
  CREATE FUNCTION require_removal_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
  BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.organization_id = NEW.organization_id
                      AND p.entry_type = 'content.removed'
                      AND convert_from(p.entry, 'UTF8') LIKE '%rmv_' || replace(NEW.removal_id::text, '-', '') || '%'
                      AND convert_from(p.entry, 'UTF8') LIKE '%' || replace(NEW.thing_id::text, '-', '') || '%')
    THEN
      RAISE EXCEPTION 'a removal needs its entry in the log' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER require_removal_entry AFTER INSERT ON content_removal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_removal_entry();
  ALTER TABLE content_removal ENABLE ALWAYS TRIGGER require_removal_entry;

  -- The assets that a run was given. A run that goes on keeps them; ids say nothing of a person.
  CREATE TABLE run_input (
    organization_id uuid NOT NULL,
    run_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    PRIMARY KEY (organization_id, run_id, asset_id),
    FOREIGN KEY (organization_id, run_id) REFERENCES run (organization_id, id),
    FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id)
  );
  CREATE INDEX run_input_asset ON run_input (organization_id, asset_id);
  SELECT tenant_table('run_input');
  SELECT append_only('run_input');

  ALTER TABLE report DROP CONSTRAINT report_state_check;
  ALTER TABLE report ADD CONSTRAINT report_state_check
    CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'ERASED', 'REMOVED'));

  CREATE INDEX asset_manifest_sha256 ON asset (organization_id, manifest_sha256);
  CREATE INDEX contribution_difference ON contribution (organization_id, difference_sha256)
    WHERE difference_sha256 IS NOT NULL;
  CREATE INDEX contribution_shown ON contribution USING gin (shown_asset_ids);
  CREATE INDEX contribution_attachment_sha256 ON contribution_attachment (organization_id, sha256);
  CREATE INDEX obligation_proof_evidence ON obligation_proof (organization_id, evidence_asset_id)
    WHERE evidence_asset_id IS NOT NULL;
  CREATE INDEX run_open ON run (organization_id) WHERE finished_at IS NULL;
  CREATE INDEX report_sha256 ON report (organization_id, sha256);
  CREATE INDEX step_run_original ON step_run (organization_id, original_sha256) WHERE output_asset_id IS NULL;

  GRANT SELECT, INSERT ON retention_rule, run_input TO colophon_app;
  GRANT SELECT ON content_removal, removed_file TO colophon_app;
`;

/** Everything that a hold in force covers. What it means for people is in holds_on_subject, which grew with the records. */
const HOLDS = `
  CREATE FUNCTION held_assets(of_organization uuid) RETURNS TABLE (hold_id uuid, asset_id uuid) LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    WITH RECURSIVE hold AS (
      SELECT h.id, h.scope_kind, h.scope_id FROM legal_hold h
       WHERE h.organization_id = of_organization AND h.lifted_at IS NULL
    ), named(hold_id, asset_id) AS (
      SELECT h.id, a.id FROM hold h JOIN asset a ON a.organization_id = of_organization
         AND (h.scope_kind = 'organization' OR (h.scope_kind = 'asset' AND a.id = h.scope_id)
           OR (h.scope_kind = 'run' AND a.run_id = h.scope_id) OR (h.scope_kind = 'project' AND a.project_id = h.scope_id)
           OR (h.scope_kind = 'data_subject' AND a.created_by = h.scope_id))
      UNION SELECT h.id, i.asset_id FROM hold h JOIN run_input i ON i.organization_id = of_organization
         AND h.scope_kind = 'run' AND i.run_id = h.scope_id
      UNION SELECT h.id, a.id FROM hold h JOIN run r ON r.organization_id = of_organization
         AND h.scope_kind = 'data_subject' AND r.created_by = h.scope_id
        JOIN asset a ON a.organization_id = of_organization AND a.run_id = r.id
      UNION SELECT h.id, c.asset_id FROM hold h JOIN contribution c ON c.organization_id = of_organization
         AND h.scope_kind = 'data_subject' AND c.contributor_id = h.scope_id
      UNION SELECT h.id, v.asset_id FROM hold h JOIN review v ON v.organization_id = of_organization
         AND h.scope_kind = 'data_subject' AND v.reviewer_id = h.scope_id
      UNION SELECT h.id, l.asset_id FROM hold h JOIN asset_release l ON l.organization_id = of_organization
         AND h.scope_kind = 'data_subject' AND l.released_by = h.scope_id
      UNION SELECT h.id, m FROM hold h JOIN storyboard s ON s.organization_id = of_organization
         AND h.scope_kind = 'data_subject' AND s.ordered_by = h.scope_id CROSS JOIN unnest(s.asset_ids) AS m
    ), ancestor(hold_id, asset_id) AS (
      SELECT n.hold_id, n.asset_id FROM named n
      UNION SELECT n.hold_id, p.parent_asset_id FROM ancestor n
        JOIN asset_parent p ON p.organization_id = of_organization AND p.asset_id = n.asset_id
    ), descendant(hold_id, asset_id) AS (
      SELECT n.hold_id, n.asset_id FROM named n
      UNION SELECT n.hold_id, p.asset_id FROM descendant n
        JOIN asset_parent p ON p.organization_id = of_organization AND p.parent_asset_id = n.asset_id
    ), family(hold_id, asset_id) AS (
      SELECT * FROM ancestor UNION SELECT * FROM descendant)
    SELECT f.hold_id, f.asset_id FROM family f
    -- What a person was shown before they chose, and what a proof rests on, is part of the matter.
    UNION SELECT f.hold_id, m FROM family f JOIN contribution c ON c.organization_id = of_organization
       AND c.asset_id = f.asset_id CROSS JOIN unnest(c.shown_asset_ids) AS m
    UNION SELECT f.hold_id, o.evidence_asset_id FROM family f JOIN obligation_proof o
        ON o.organization_id = of_organization AND o.asset_id = f.asset_id AND o.evidence_asset_id IS NOT NULL
    UNION SELECT f.hold_id, m FROM family f JOIN storyboard s ON s.organization_id = of_organization
       AND s.asset_ids @> ARRAY[f.asset_id] CROSS JOIN unnest(s.asset_ids) AS m
  $$;

  CREATE FUNCTION held_runs(of_organization uuid) RETURNS TABLE (hold_id uuid, run_id uuid) LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    SELECT h.id, r.id FROM legal_hold h JOIN run r ON r.organization_id = of_organization
       AND (h.scope_kind = 'organization' OR (h.scope_kind = 'run' AND r.id = h.scope_id)
         OR (h.scope_kind = 'project' AND r.project_id = h.scope_id)
         OR (h.scope_kind = 'data_subject' AND r.created_by = h.scope_id))
     WHERE h.organization_id = of_organization AND h.lifted_at IS NULL
    UNION SELECT f.hold_id, a.run_id FROM held_assets(of_organization) f
      JOIN asset a ON a.organization_id = of_organization AND a.id = f.asset_id AND a.run_id IS NOT NULL
    UNION SELECT f.hold_id, i.run_id FROM held_assets(of_organization) f
      JOIN run_input i ON i.organization_id = of_organization AND i.asset_id = f.asset_id
  $$;
  REVOKE ALL ON FUNCTION held_assets(uuid), held_runs(uuid) FROM PUBLIC;
`;

/** What a released asset rests on, and which rule counts. */
const EVIDENCE = `
  -- Assets whose record rests on an asset: made from it, chosen over it, proved by it.
  CREATE FUNCTION assets_resting_on(of_organization uuid, of_asset uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    SELECT p.asset_id FROM asset_parent p WHERE p.organization_id = of_organization AND p.parent_asset_id = of_asset
    UNION ALL SELECT c.asset_id FROM contribution c
      WHERE c.organization_id = of_organization AND c.shown_asset_ids @> ARRAY[of_asset]
    UNION ALL SELECT o.asset_id FROM obligation_proof o
      WHERE o.organization_id = of_organization AND o.evidence_asset_id = of_asset
  $$;

  -- released: something that rests on it, or itself, was released once, or stands in an order with something that was.
  -- last_use: when the youngest that rests on it was made, or anything of it was last looked at by people.
  CREATE FUNCTION evidence_state(of_organization uuid, ids uuid[])
    RETURNS TABLE (id uuid, released boolean, run_open boolean, last_use timestamptz) LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    WITH RECURSIVE resting(root, id) AS (
      SELECT i, i FROM unnest(ids) AS i
      UNION SELECT r.root, n FROM resting r CROSS JOIN LATERAL assets_resting_on(of_organization, r.id) AS n)
    SELECT r.root,
      bool_or(EXISTS (SELECT 1 FROM asset_release l WHERE l.organization_id = of_organization AND l.asset_id = a.id))
        OR EXISTS (SELECT 1 FROM storyboard s CROSS JOIN unnest(s.asset_ids) AS m
                     JOIN asset_release l ON l.organization_id = of_organization AND l.asset_id = m
                    WHERE s.organization_id = of_organization AND s.asset_ids @> ARRAY[r.root]),
      bool_or(EXISTS (SELECT 1 FROM run o WHERE o.organization_id = of_organization AND o.finished_at IS NULL
                       AND (o.id = a.run_id
                         OR EXISTS (SELECT 1 FROM run_input i WHERE i.organization_id = of_organization
                                     AND i.run_id = o.id AND i.asset_id = a.id)
                         OR EXISTS (SELECT 1 FROM step_run t WHERE t.organization_id = of_organization
                                     AND t.run_id = o.id AND t.output_asset_id = a.id)))),
      max(greatest(a.created_at,
        (SELECT max(v.created_at) FROM review v WHERE v.organization_id = of_organization AND v.asset_id = a.id),
        (SELECT max(q.created_at) FROM review_request q WHERE q.organization_id = of_organization AND q.asset_id = a.id),
        (SELECT max(c.created_at) FROM contribution c WHERE c.organization_id = of_organization AND c.asset_id = a.id)))
      FROM resting r JOIN asset a ON a.organization_id = of_organization AND a.id = r.id GROUP BY r.root
  $$;

  -- The rule that counts for a kind in a project: its own, else that of the organization. No row: there is none.
  CREATE FUNCTION retention_rule_for(of_organization uuid, of_kind text, of_project uuid)
    RETURNS SETOF retention_rule LANGUAGE sql STABLE SET search_path = colophon, pg_temp AS $$
    WITH own AS (
      SELECT * FROM retention_rule r WHERE r.organization_id = of_organization AND r.kind = of_kind
         AND r.scope_id = of_project AND of_project <> of_organization ORDER BY r.version DESC LIMIT 1
    ), general AS (
      SELECT * FROM retention_rule r WHERE r.organization_id = of_organization AND r.kind = of_kind
         AND r.scope_id = of_organization ORDER BY r.version DESC LIMIT 1)
    -- One that is to be given up is still there until then: it counts, and removes nothing.
    SELECT * FROM own WHERE action <> 'inherit' OR effective_from > now()
    UNION ALL SELECT * FROM general
     WHERE NOT EXISTS (SELECT 1 FROM own WHERE action <> 'inherit' OR effective_from > now())
  $$;

  -- Null: no day is known yet.
  CREATE FUNCTION retention_due_at(rule retention_rule, of_project uuid, last_use timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = colophon, pg_temp AS $$
    SELECT CASE rule.since
      WHEN 'created' THEN last_use
      WHEN 'campaign_end' THEN greatest(last_use, (rule.campaign_ends_on + 1)::timestamp AT TIME ZONE 'UTC')
      WHEN 'last_release' THEN (
        SELECT greatest(last_use, max(l.released_at)) FROM asset_release l
          JOIN asset a ON a.organization_id = l.organization_id AND a.id = l.asset_id
         WHERE l.organization_id = rule.organization_id
           AND (a.project_id = of_project OR of_project = rule.organization_id)
        HAVING max(l.released_at) IS NOT NULL)
      END + make_interval(days => rule.days)
  $$;

  -- Why something stays; empty: nothing keeps it.
  CREATE FUNCTION retention_reasons(rule retention_rule, due_at timestamptz, is_evidence boolean, run_open boolean,
    holds uuid[]) RETURNS text[] LANGUAGE sql STABLE SET search_path = colophon, pg_temp AS $$
    SELECT array_remove(ARRAY[
      CASE WHEN cardinality(holds) > 0 THEN 'legal_hold' END,
      CASE WHEN rule.action IS NULL THEN 'no_rule' WHEN rule.action <> 'remove' AND rule.effective_from <= now() THEN 'kept_by_rule'
           WHEN rule.effective_from > now() THEN 'rule_not_yet_in_force' END,
      CASE WHEN rule.action = 'remove' AND due_at IS NULL THEN 'nothing_released_yet'
           WHEN rule.action = 'remove' AND due_at > now() THEN 'not_due' END,
      CASE WHEN run_open THEN 'run_open' END,
      CASE WHEN is_evidence AND coalesce(rule.evidence, 'keep') = 'keep' THEN 'evidence_of_release' END], NULL)
  $$;
  REVOKE ALL ON FUNCTION assets_resting_on(uuid, uuid), evidence_state(uuid, uuid[]),
    retention_rule_for(uuid, text, uuid), retention_due_at(retention_rule, uuid, timestamptz),
    retention_reasons(retention_rule, timestamptz, boolean, boolean, uuid[]) FROM PUBLIC;
`;

/** What stays and what goes, and why: the one answer that the preview shows and the removal acts upon. */
const STATE = `
  -- Things of a kind in the order of their ids, after one of them; or exactly those with the given ids.
  CREATE FUNCTION retention_state(of_organization uuid, of_kind text, after uuid, at_most int, only_ids uuid[])
    RETURNS TABLE (thing_kind text, thing_id uuid, subject_id text, attachment_id uuid, project_id uuid, scope_id uuid,
      version int, due_at timestamptz, reasons text[], holds uuid[], hashes text[], size_bytes bigint)
    LANGUAGE plpgsql STABLE SET search_path = colophon, pg_temp AS $$
  #variable_conflict use_column
  DECLARE
    ids uuid[];
  BEGIN
    IF of_kind IN ('assets', 'failed_runs') THEN
      ids := ARRAY(
        SELECT x.id FROM (
          SELECT a.id FROM asset a LEFT JOIN run r ON r.organization_id = a.organization_id AND r.id = a.run_id
           WHERE a.organization_id = of_organization AND (only_ids IS NULL OR a.id = ANY(only_ids))
             AND (after IS NULL OR a.id > after)
             AND (of_kind = 'assets' OR r.state IN ('FAILED', 'CANCELED'))
             AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                              AND m.kind = 'asset' AND m.thing_id = a.id AND m.revoked_at IS NULL)
          UNION ALL
          SELECT t.id FROM step_run t
           WHERE of_kind = 'failed_runs' AND t.organization_id = of_organization
             AND (only_ids IS NULL OR t.id = ANY(only_ids)) AND (after IS NULL OR t.id > after)
             AND t.original_sha256 IS NOT NULL AND t.output_asset_id IS NULL
             AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                              AND m.kind = 'captured' AND m.thing_id = t.id AND m.revoked_at IS NULL)
        ) x ORDER BY x.id LIMIT at_most);
      RETURN QUERY
        WITH held AS MATERIALIZED (SELECT * FROM held_assets(of_organization)),
          held_run AS MATERIALIZED (SELECT * FROM held_runs(of_organization)),
          evidence AS MATERIALIZED (SELECT * FROM evidence_state(of_organization, ids)),
          thing AS (
            SELECT 'asset' AS kind, a.id, 'ast' AS prefix, a.project_id, e.released, e.run_open, e.last_use,
              ARRAY(SELECT DISTINCT h.hold_id FROM held h WHERE h.asset_id = a.id ORDER BY 1) AS holds,
              ARRAY(SELECT DISTINCT f FROM unnest(ARRAY[a.sha256, a.original_sha256,
                      CASE WHEN a.manifest_placement = 'sidecar' THEN a.manifest_sha256 END]
                    || ARRAY(SELECT c.difference_sha256 FROM contribution c
                              WHERE c.organization_id = of_organization AND c.asset_id = a.id)) AS f
                    WHERE f IS NOT NULL ORDER BY 1) AS hashes,
              a.size_bytes
              FROM asset a JOIN evidence e ON e.id = a.id
             WHERE a.organization_id = of_organization AND a.id = ANY(ids)
            UNION ALL
            SELECT 'captured', t.id, 'stp', r.project_id, false, r.finished_at IS NULL, coalesce(r.finished_at, now()),
              ARRAY(SELECT DISTINCT h.hold_id FROM held_run h WHERE h.run_id = r.id ORDER BY 1),
              ARRAY[t.original_sha256], NULL
              FROM step_run t JOIN run r ON r.organization_id = of_organization AND r.id = t.run_id
             WHERE t.organization_id = of_organization AND t.id = ANY(ids))
        SELECT t.kind, t.id, t.prefix || '_' || replace(t.id::text, '-', ''), NULL::uuid, t.project_id, r.scope_id, r.version, d.at,
               retention_reasons(r, d.at, t.released, t.run_open, t.holds), t.holds, t.hashes, t.size_bytes
          FROM thing t LEFT JOIN LATERAL retention_rule_for(of_organization, of_kind, t.project_id) r ON true
          CROSS JOIN LATERAL (SELECT retention_due_at(r, t.project_id, t.last_use) AS at) d ORDER BY t.id;
    ELSIF of_kind = 'prompts' THEN
      ids := ARRAY(
        SELECT r.id FROM run r WHERE r.organization_id = of_organization AND (only_ids IS NULL OR r.id = ANY(only_ids))
           AND (after IS NULL OR r.id > after)
           AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                            AND m.kind = 'prompts' AND m.thing_id = r.id AND m.revoked_at IS NULL)
         ORDER BY r.id LIMIT at_most);
      RETURN QUERY
        WITH held_run AS MATERIALIZED (SELECT * FROM held_runs(of_organization)),
          evidence AS MATERIALIZED (SELECT * FROM evidence_state(of_organization,
            ARRAY(SELECT a.id FROM asset a WHERE a.organization_id = of_organization AND a.run_id = ANY(ids)))),
          thing AS (
            SELECT r.id, r.project_id, r.finished_at IS NULL AS run_open,
              coalesce((SELECT bool_or(e.released) FROM evidence e JOIN asset a
                 ON a.organization_id = of_organization AND a.id = e.id AND a.run_id = r.id), false) AS released,
              greatest(r.finished_at, (SELECT max(e.last_use) FROM evidence e JOIN asset a
                 ON a.organization_id = of_organization AND a.id = e.id AND a.run_id = r.id)) AS last_use,
              ARRAY(SELECT DISTINCT h.hold_id FROM held_run h WHERE h.run_id = r.id ORDER BY 1) AS holds
              FROM run r WHERE r.organization_id = of_organization AND r.id = ANY(ids))
        SELECT 'prompts'::text, t.id, 'run_' || replace(t.id::text, '-', ''), NULL::uuid, t.project_id, r.scope_id, r.version, d.at,
               retention_reasons(r, d.at, t.released, t.run_open, t.holds), t.holds, ARRAY[]::text[], NULL::bigint
          FROM thing t LEFT JOIN LATERAL retention_rule_for(of_organization, of_kind, t.project_id) r ON true
          CROSS JOIN LATERAL (SELECT retention_due_at(r, t.project_id, t.last_use) AS at) d ORDER BY t.id;
    ELSIF of_kind = 'attachments' THEN
      ids := ARRAY(
        SELECT x.id FROM contribution_attachment x
         WHERE x.organization_id = of_organization AND (only_ids IS NULL OR x.id = ANY(only_ids))
           AND (after IS NULL OR x.id > after)
           AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                            AND m.kind = 'attachment' AND m.thing_id = x.id AND m.revoked_at IS NULL)
         ORDER BY x.id LIMIT at_most);
      RETURN QUERY
        WITH held AS MATERIALIZED (SELECT * FROM held_assets(of_organization)),
          thing AS (
            SELECT x.id, x.sha256, x.size_bytes, x.created_at, c.id AS contribution_id, c.asset_id, c.contributor_id
              FROM contribution_attachment x JOIN contribution c
                ON c.organization_id = of_organization AND c.id = x.contribution_id
             WHERE x.organization_id = of_organization AND x.id = ANY(ids)),
          evidence AS MATERIALIZED (SELECT * FROM evidence_state(of_organization,
            ARRAY(SELECT DISTINCT t.asset_id FROM thing t)))
        SELECT 'attachment'::text, t.id, 'ctb_' || replace(t.contribution_id::text, '-', ''), t.id, a.project_id, r.scope_id, r.version,
               d.at, retention_reasons(r, d.at, e.released, e.run_open, k.holds), k.holds, ARRAY[t.sha256], t.size_bytes
          FROM thing t JOIN asset a ON a.organization_id = of_organization AND a.id = t.asset_id
          JOIN evidence e ON e.id = t.asset_id
          CROSS JOIN LATERAL (SELECT ARRAY(
            SELECT h.hold_id FROM held h WHERE h.asset_id = t.asset_id
            UNION SELECT l.id FROM legal_hold l WHERE l.organization_id = of_organization AND l.lifted_at IS NULL
               AND (l.scope_kind = 'organization' OR (l.scope_kind = 'data_subject' AND l.scope_id = t.contributor_id))
            ORDER BY 1) AS holds) k
          LEFT JOIN LATERAL retention_rule_for(of_organization, of_kind, a.project_id) r ON true
          CROSS JOIN LATERAL (SELECT retention_due_at(r, a.project_id, greatest(t.created_at, e.last_use)) AS at) d
         ORDER BY t.id;
    ELSIF of_kind = 'reports' THEN
      ids := ARRAY(
        SELECT x.id FROM report x WHERE x.organization_id = of_organization AND x.state = 'DONE'
           AND (only_ids IS NULL OR x.id = ANY(only_ids)) AND (after IS NULL OR x.id > after)
         ORDER BY x.id LIMIT at_most);
      RETURN QUERY
        WITH held AS MATERIALIZED (SELECT * FROM held_assets(of_organization)),
          thing AS (
            SELECT x.id, x.kind, x.subject_id, x.sha256, x.size_bytes, x.finished_at, x.created_by,
              CASE x.kind WHEN 'campaign' THEN x.subject_id
                WHEN 'asset' THEN (SELECT a.project_id FROM asset a WHERE a.organization_id = of_organization AND a.id = x.subject_id)
                ELSE of_organization END AS project_id
              FROM report x WHERE x.organization_id = of_organization AND x.id = ANY(ids)),
          evidence AS MATERIALIZED (SELECT * FROM evidence_state(of_organization,
            ARRAY(SELECT DISTINCT t.subject_id FROM thing t WHERE t.kind = 'asset')))
        SELECT 'report'::text, t.id, 'rep_' || replace(t.id::text, '-', ''), NULL::uuid, t.project_id, r.scope_id, r.version, d.at,
               retention_reasons(r, d.at, coalesce(e.released, false), false, k.holds)
                 || CASE WHEN s.shared THEN ARRAY['share_link'] ELSE ARRAY[]::text[] END,
               k.holds, ARRAY[t.sha256], t.size_bytes
          FROM thing t LEFT JOIN evidence e ON t.kind = 'asset' AND e.id = t.subject_id
          CROSS JOIN LATERAL (SELECT ARRAY(
            SELECT h.hold_id FROM held h WHERE t.kind = 'asset' AND h.asset_id = t.subject_id
            UNION SELECT l.id FROM legal_hold l WHERE l.organization_id = of_organization AND l.lifted_at IS NULL
               AND (l.scope_kind = 'organization' OR (l.scope_kind = 'project' AND l.scope_id = t.project_id)
                 OR (l.scope_kind = 'data_subject' AND (l.scope_id = t.created_by OR EXISTS (
                       SELECT 1 FROM report_data_subject u WHERE u.organization_id = of_organization
                          AND u.report_id = t.id AND u.subject_id = l.scope_id)))
                 -- Of a campaign that has something that is held: its reports tell of it.
                 OR (t.kind = 'campaign' AND EXISTS (SELECT 1 FROM held h JOIN asset a
                       ON a.organization_id = of_organization AND a.id = h.asset_id
                      WHERE h.hold_id = l.id AND a.project_id = t.project_id)))
            ORDER BY 1) AS holds) k
          CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM report_share_link l WHERE l.organization_id = of_organization
             AND l.revoked_at IS NULL AND l.expires_at > now()
             AND (l.report_id = t.id OR (t.kind = 'asset' AND l.asset_id = t.subject_id))) AS shared) s
          LEFT JOIN LATERAL retention_rule_for(of_organization, of_kind, t.project_id) r ON true
          CROSS JOIN LATERAL (SELECT retention_due_at(r, t.project_id, t.finished_at) AS at) d ORDER BY t.id;
    ELSE
      RAISE EXCEPTION 'nothing of this kind is kept';
    END IF;
  END $$;
  REVOKE ALL ON FUNCTION retention_state(uuid, text, uuid, int, uuid[]) FROM PUBLIC;
  -- For the preview: it reads what the application may read. Row-level security holds for it as for everything.
  GRANT EXECUTE ON FUNCTION retention_state(uuid, text, uuid, int, uuid[]), held_assets(uuid), held_runs(uuid),
    assets_resting_on(uuid, uuid), evidence_state(uuid, uuid[]), retention_rule_for(uuid, text, uuid),
    retention_due_at(retention_rule, uuid, timestamptz),
    retention_reasons(retention_rule, timestamptz, boolean, boolean, uuid[]) TO colophon_app;
`;

const REMOVAL = `
  CREATE FUNCTION require_removal_transaction(of_organization uuid) RETURNS void LANGUAGE plpgsql
    SET search_path = colophon, pg_temp AS $$
  BEGIN
    IF of_organization IS DISTINCT FROM nullif(current_setting('app.organization_id', true), '')::uuid THEN
      RAISE EXCEPTION 'this transaction belongs to another organization' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Else a snapshot from before the locks would hide a hold that was placed since.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'a removal needs the isolation level read committed' USING ERRCODE = 'feature_not_supported';
    END IF;
  END $$;

  -- Marks what is due among the next things of a kind. Answers how far it looked and what is gone from now on.
  CREATE FUNCTION apply_retention(of_organization uuid, of_kind text, after uuid, at_most int, of_removal uuid)
    RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
  DECLARE
    seen int;
    last_id uuid;
    due uuid[];
    asset_ids uuid[];
    gone jsonb;
  BEGIN
    PERFORM require_removal_transaction(of_organization);
    PERFORM lock_holds(of_organization);
    -- Nothing to look through: no rule of this kind removes anything now, or everything is held.
    IF NOT EXISTS (
      SELECT 1 FROM retention_rule r WHERE r.organization_id = of_organization AND r.kind = of_kind
         AND r.action = 'remove' AND r.effective_from <= now() AND NOT EXISTS (
           SELECT 1 FROM retention_rule n WHERE n.organization_id = of_organization AND n.kind = of_kind
              AND n.scope_id = r.scope_id AND n.version > r.version))
      OR EXISTS (SELECT 1 FROM legal_hold h WHERE h.organization_id = of_organization
                  AND h.scope_kind = 'organization' AND h.lifted_at IS NULL)
    THEN
      RETURN jsonb_build_object('seen', 0, 'last', NULL, 'removed', '[]'::jsonb);
    END IF;
    SELECT count(*), (array_agg(s.thing_id ORDER BY s.thing_id DESC))[1],
           coalesce(array_agg(s.thing_id ORDER BY s.thing_id) FILTER (WHERE s.reasons = '{}'), '{}')
      INTO seen, last_id, due
      FROM retention_state(of_organization, of_kind, after,
        -- Each asset of a run is looked at.
        least(at_most, CASE of_kind WHEN 'prompts' THEN 25 ELSE 100 END), NULL) s;
    IF cardinality(due) = 0 THEN
      RETURN jsonb_build_object('seen', seen, 'last', last_id, 'removed', '[]'::jsonb);
    END IF;
    -- Whoever is about to rest on one of these waits for us, or we for them; then it is looked at once more.
    asset_ids := CASE of_kind
      WHEN 'prompts' THEN ARRAY(SELECT a.id FROM asset a WHERE a.organization_id = of_organization AND a.run_id = ANY(due))
      WHEN 'attachments' THEN ARRAY(SELECT c.asset_id FROM contribution_attachment x JOIN contribution c
        ON c.organization_id = of_organization AND c.id = x.contribution_id
        WHERE x.organization_id = of_organization AND x.id = ANY(due))
      WHEN 'reports' THEN ARRAY(SELECT x.subject_id FROM report x WHERE x.organization_id = of_organization AND x.id = ANY(due))
      ELSE due END;
    PERFORM 1 FROM asset a WHERE a.organization_id = of_organization AND a.id = ANY(asset_ids) ORDER BY a.id FOR UPDATE;
    PERFORM 1 FROM report x WHERE x.organization_id = of_organization AND of_kind = 'reports' AND x.id = ANY(due)
      ORDER BY x.id FOR UPDATE;
    WITH state AS MATERIALIZED (
      SELECT * FROM retention_state(of_organization, of_kind, NULL, 100, due) s WHERE s.reasons = '{}'
    ), marked AS (
      INSERT INTO content_removal
        (organization_id, kind, thing_id, removal_id, cause, rule_kind, rule_scope_id, rule_version)
      SELECT of_organization, s.thing_kind, s.thing_id, of_removal, 'retention', of_kind, s.scope_id, s.version FROM state s
      RETURNING thing_id
    ), files AS (
      INSERT INTO removed_file (organization_id, removal_id, kind, thing_id, sha256)
      SELECT of_organization, of_removal, s.thing_kind, s.thing_id, h FROM state s CROSS JOIN unnest(s.hashes) AS h
      RETURNING sha256)
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', s.thing_kind, 'id', s.thing_id, 'subject', s.subject_id,
             'attachment', s.attachment_id, 'project', CASE WHEN s.project_id <> of_organization THEN s.project_id END,
             'scope', s.scope_id, 'version', s.version, 'hashes', to_jsonb(s.hashes)) ORDER BY s.thing_id), '[]')
      INTO gone FROM state s WHERE EXISTS (SELECT 1 FROM marked m WHERE m.thing_id = s.thing_id)
        AND (SELECT count(*) FROM files) >= 0;
    IF of_kind = 'prompts' THEN
      -- The opening of the prompt, and the ciphertext beside it: the key stays, it is the person's.
      DELETE FROM audit_opening o USING (
          SELECT e.entry_id FROM audit_entry e WHERE e.organization_id = of_organization AND e.entry_type = 'run.accepted'
            AND e.subject_id IN (SELECT g ->> 'subject' FROM jsonb_array_elements(gone) g)
          UNION ALL SELECT e.entry_id FROM audit_pending e WHERE e.organization_id = of_organization
            AND e.entry_type = 'run.accepted'
            AND e.subject_id IN (SELECT g ->> 'subject' FROM jsonb_array_elements(gone) g)) e
       WHERE o.organization_id = of_organization AND o.entry_id = e.entry_id;
      UPDATE run SET sealed_inputs = '' WHERE organization_id = of_organization
         AND id IN (SELECT (g ->> 'id')::uuid FROM jsonb_array_elements(gone) g);
    ELSIF of_kind = 'reports' THEN
      UPDATE report SET state = 'REMOVED' WHERE organization_id = of_organization
         AND id IN (SELECT (g ->> 'id')::uuid FROM jsonb_array_elements(gone) g);
    END IF;
    RETURN jsonb_build_object('seen', seen, 'last', last_id, 'removed', gone);
  END $$;

  -- Whether something that is kept has these bytes.
  CREATE FUNCTION is_file_kept(of_organization uuid, hash text) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = colophon, pg_temp AS $$
    SELECT EXISTS (
      SELECT 1 FROM asset a WHERE a.organization_id = of_organization
         AND hash IN (a.sha256, a.original_sha256, a.manifest_sha256)
         AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                          AND m.kind = 'asset' AND m.thing_id = a.id AND m.revoked_at IS NULL))
    OR EXISTS (
      SELECT 1 FROM contribution c WHERE c.organization_id = of_organization AND c.difference_sha256 = hash
         AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                          AND m.kind = 'asset' AND m.thing_id = c.asset_id AND m.revoked_at IS NULL))
    OR EXISTS (
      SELECT 1 FROM contribution_attachment x WHERE x.organization_id = of_organization AND x.sha256 = hash
         AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                          AND m.kind = 'attachment' AND m.thing_id = x.id AND m.revoked_at IS NULL))
    OR EXISTS (
      SELECT 1 FROM report x WHERE x.organization_id = of_organization AND x.sha256 = hash AND x.state = 'DONE')
    OR EXISTS (
      SELECT 1 FROM step_run t WHERE t.organization_id = of_organization AND t.original_sha256 = hash
         AND t.output_asset_id IS NULL
         AND NOT EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = of_organization
                          AND m.kind = 'captured' AND m.thing_id = t.id AND m.revoked_at IS NULL))
  $$;

  -- The next removal with open files: what a hold reached meanwhile is taken back; of the rest it says which may be
  -- deleted. The transaction that calls this deletes them and settles; until it commits no hold is placed.
  CREATE FUNCTION claim_removed_files(of_organization uuid, after uuid) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
  DECLARE
    of_removal uuid;
    back jsonb;
    files jsonb;
  BEGIN
    PERFORM require_removal_transaction(of_organization);
    PERFORM lock_holds(of_organization);
    SELECT f.removal_id INTO of_removal FROM removed_file f
     WHERE f.organization_id = of_organization AND f.outcome IS NULL AND (after IS NULL OR f.removal_id > after)
     ORDER BY f.removal_id LIMIT 1;
    IF of_removal IS NULL THEN RETURN NULL; END IF;
    -- Whoever was erased was not held: a hold on them came too late.
    WITH open AS (
      SELECT DISTINCT m.kind, m.thing_id FROM content_removal m JOIN removed_file f
        ON f.organization_id = of_organization AND f.removal_id = m.removal_id AND f.kind = m.kind
       AND f.thing_id = m.thing_id AND f.outcome IS NULL
       WHERE m.organization_id = of_organization AND m.removal_id = of_removal AND m.cause = 'retention'
         AND m.revoked_at IS NULL
    ), held AS (
      SELECT o.kind, o.thing_id FROM open o WHERE CASE o.kind
        WHEN 'asset' THEN EXISTS (SELECT 1 FROM held_assets(of_organization) h WHERE h.asset_id = o.thing_id)
        WHEN 'captured' THEN EXISTS (SELECT 1 FROM held_runs(of_organization) h JOIN step_run t
          ON t.organization_id = of_organization AND t.id = o.thing_id AND t.run_id = h.run_id)
        WHEN 'attachment' THEN EXISTS (SELECT 1 FROM contribution_attachment x JOIN contribution c
            ON c.organization_id = of_organization AND c.id = x.contribution_id
          WHERE x.organization_id = of_organization AND x.id = o.thing_id AND (
            EXISTS (SELECT 1 FROM held_assets(of_organization) h WHERE h.asset_id = c.asset_id)
            OR EXISTS (SELECT 1 FROM legal_hold l WHERE l.organization_id = of_organization AND l.lifted_at IS NULL
               AND l.scope_kind = 'data_subject' AND l.scope_id = c.contributor_id)))
        -- Reports are few: any hold in the organization keeps those whose file is still there.
        ELSE EXISTS (SELECT 1 FROM legal_hold l WHERE l.organization_id = of_organization AND l.lifted_at IS NULL) END
    ), revoked AS (
      UPDATE content_removal m SET revoked_at = clock_timestamp() FROM held h
       WHERE m.organization_id = of_organization AND m.removal_id = of_removal AND m.kind = h.kind AND m.thing_id = h.thing_id
      RETURNING m.kind, m.thing_id)
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'id', r.thing_id, 'subject', CASE r.kind
               WHEN 'asset' THEN 'ast_' WHEN 'captured' THEN 'stp_' WHEN 'report' THEN 'rep_' ELSE 'ctb_' END
             || replace(coalesce(x.contribution_id, r.thing_id)::text, '-', '')) ORDER BY r.thing_id), '[]')
      INTO back FROM revoked r LEFT JOIN contribution_attachment x
        ON r.kind = 'attachment' AND x.organization_id = of_organization AND x.id = r.thing_id;
    UPDATE removed_file f SET outcome = 'revoked', settled_at = clock_timestamp()
     WHERE f.organization_id = of_organization AND f.removal_id = of_removal AND f.outcome IS NULL
       AND f.thing_id IN (SELECT (b ->> 'id')::uuid FROM jsonb_array_elements(back) b);
    UPDATE report SET state = 'DONE' WHERE organization_id = of_organization AND state = 'REMOVED'
       AND id IN (SELECT (b ->> 'id')::uuid FROM jsonb_array_elements(back) b WHERE b ->> 'kind' = 'report');
    SELECT jsonb_build_object(
        'unused', coalesce(jsonb_agg(DISTINCT f.sha256) FILTER (WHERE NOT is_file_kept(of_organization, f.sha256)), '[]'),
        'shared', coalesce(jsonb_agg(DISTINCT f.sha256) FILTER (WHERE is_file_kept(of_organization, f.sha256)), '[]'))
      INTO files FROM removed_file f
     WHERE f.organization_id = of_organization AND f.removal_id = of_removal AND f.outcome IS NULL;
    RETURN files || jsonb_build_object('removal', of_removal, 'revoked', back);
  END $$;

  CREATE FUNCTION settle_removed_files(of_organization uuid, of_removal uuid, deleted text[], shared text[])
    RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
  BEGIN
    PERFORM require_removal_transaction(of_organization);
    UPDATE removed_file f
       SET outcome = CASE WHEN f.sha256 = ANY(deleted) THEN 'deleted' ELSE 'shared' END, settled_at = clock_timestamp()
     WHERE f.organization_id = of_organization AND f.removal_id = of_removal AND f.outcome IS NULL
       AND (f.sha256 = ANY(deleted) OR f.sha256 = ANY(shared));
  END $$;

  -- Which organizations have rules or open files, across all of them; nothing else of them.
  CREATE POLICY owner_sees_rules ON retention_rule FOR SELECT TO colophon_owner USING (true);
  CREATE POLICY owner_sees_open_files ON removed_file FOR SELECT TO colophon_owner USING (true);
  CREATE FUNCTION organizations_with_retention() RETURNS TABLE (organization_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
    SELECT r.organization_id FROM retention_rule r WHERE r.action = 'remove'
    UNION SELECT f.organization_id FROM removed_file f WHERE f.outcome IS NULL
  $$;
  REVOKE ALL ON FUNCTION require_removal_transaction(uuid), apply_retention(uuid, text, uuid, int, uuid),
    is_file_kept(uuid, text), claim_removed_files(uuid, uuid), settle_removed_files(uuid, uuid, text[], text[]),
    organizations_with_retention() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION apply_retention(uuid, text, uuid, int, uuid), claim_removed_files(uuid, uuid),
    settle_removed_files(uuid, uuid, text[], text[]) TO colophon_app;
  GRANT EXECUTE ON FUNCTION organizations_with_retention() TO colophon_sequencer;
`;

/** Nothing new rests on what is gone, however late it looked: the trigger fires after the foreign key got its lock. */
const REFUSALS = `
  CREATE FUNCTION refuse_removed_content() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
  DECLARE
    of_asset uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
  BEGIN
    IF EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = NEW.organization_id AND m.kind = 'asset'
                AND m.thing_id = of_asset AND m.revoked_at IS NULL)
    THEN
      RAISE EXCEPTION 'the content of this asset was removed' USING ERRCODE = 'CLP08';
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON review
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('asset_id');
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON review_request
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('asset_id');
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON asset_release
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('asset_id');
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON asset_parent
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('parent_asset_id');
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON run_input
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('asset_id');
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON contribution
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('asset_id');
  CREATE TRIGGER refuse_removed_content AFTER INSERT ON obligation_proof
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('evidence_asset_id');
  ALTER TABLE contribution ENABLE ALWAYS TRIGGER refuse_removed_content;
  ALTER TABLE obligation_proof ENABLE ALWAYS TRIGGER refuse_removed_content;

  -- The same for lists of assets, which no foreign key locks; the application may not lock rows, so the owner does.
  CREATE FUNCTION refuse_removed_contents() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = colophon, pg_temp AS $$
  DECLARE
    of_assets uuid[] := ARRAY(SELECT v::uuid FROM jsonb_array_elements_text(
      CASE WHEN jsonb_typeof(to_jsonb(NEW) -> TG_ARGV[0]) = 'array' THEN to_jsonb(NEW) -> TG_ARGV[0] ELSE '[]' END) AS v);
  BEGIN
    PERFORM 1 FROM asset a WHERE a.organization_id = NEW.organization_id AND a.id = ANY(of_assets)
      ORDER BY a.id FOR KEY SHARE;
    IF EXISTS (SELECT 1 FROM content_removal m WHERE m.organization_id = NEW.organization_id AND m.kind = 'asset'
                AND m.thing_id = ANY(of_assets) AND m.revoked_at IS NULL)
    THEN
      RAISE EXCEPTION 'the content of one of these assets was removed' USING ERRCODE = 'CLP08';
    END IF;
    RETURN NULL;
  END $$;
  REVOKE ALL ON FUNCTION refuse_removed_contents() FROM PUBLIC;
  CREATE TRIGGER refuse_removed_contents AFTER INSERT ON contribution
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_contents('shown_asset_ids');
  CREATE TRIGGER refuse_removed_contents AFTER INSERT ON storyboard
    FOR EACH ROW EXECUTE FUNCTION refuse_removed_contents('asset_ids');
  ALTER TABLE contribution ENABLE ALWAYS TRIGGER refuse_removed_contents;
  ALTER TABLE storyboard ENABLE ALWAYS TRIGGER refuse_removed_contents;

  ALTER TABLE review ENABLE ALWAYS TRIGGER refuse_removed_content;
  ALTER TABLE review_request ENABLE ALWAYS TRIGGER refuse_removed_content;
  ALTER TABLE asset_release ENABLE ALWAYS TRIGGER refuse_removed_content;
  ALTER TABLE asset_parent ENABLE ALWAYS TRIGGER refuse_removed_content;
  ALTER TABLE run_input ENABLE ALWAYS TRIGGER refuse_removed_content;
`;

const UNDO = `
  DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM content_removal WHERE revoked_at IS NULL) THEN
      RAISE EXCEPTION 'content was removed: an older version would not know that it is gone';
    END IF;
  END $$;
  DROP TRIGGER refuse_removed_content ON review;
  DROP TRIGGER refuse_removed_content ON review_request;
  DROP TRIGGER refuse_removed_content ON asset_release;
  DROP TRIGGER refuse_removed_content ON asset_parent;
  DROP TRIGGER refuse_removed_content ON contribution;
  DROP TRIGGER refuse_removed_content ON obligation_proof;
  DROP TRIGGER refuse_removed_contents ON contribution;
  DROP TRIGGER refuse_removed_contents ON storyboard;
  DROP FUNCTION refuse_removed_contents();
  DROP TABLE run_input;
  DROP FUNCTION refuse_removed_content();
  DROP FUNCTION organizations_with_retention();
  DROP FUNCTION settle_removed_files(uuid, uuid, text[], text[]);
  DROP FUNCTION claim_removed_files(uuid, uuid);
  DROP FUNCTION is_file_kept(uuid, text);
  DROP FUNCTION apply_retention(uuid, text, uuid, int, uuid);
  DROP FUNCTION require_removal_transaction(uuid);
  DROP FUNCTION retention_state(uuid, text, uuid, int, uuid[]);
  DROP FUNCTION retention_reasons(retention_rule, timestamptz, boolean, boolean, uuid[]);
  DROP FUNCTION retention_due_at(retention_rule, uuid, timestamptz);
  DROP FUNCTION retention_rule_for(uuid, text, uuid);
  DROP FUNCTION evidence_state(uuid, uuid[]);
  DROP FUNCTION assets_resting_on(uuid, uuid);
  DROP FUNCTION held_runs(uuid);
  DROP FUNCTION held_assets(uuid);
  DROP INDEX asset_manifest_sha256, contribution_difference, contribution_shown, contribution_attachment_sha256,
    obligation_proof_evidence, report_sha256, step_run_original, run_open;
  DROP TABLE removed_file, content_removal, retention_rule;
  DROP FUNCTION require_removal_entry();
  DROP FUNCTION guard_removal();
  DROP FUNCTION date_retention_rule();
  DROP FUNCTION retention_effective_from(text);
  ALTER TABLE report DROP CONSTRAINT report_state_check;
  ALTER TABLE report ADD CONSTRAINT report_state_check
    CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'ERASED'));
`;
