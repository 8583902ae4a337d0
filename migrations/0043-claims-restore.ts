import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * A claim that comes after the mark and before the bytes are deleted gives them back, as a legal hold does. And whoever
 * records a claim, or answers one, waits for a removal that is at work in the organization, or the removal for them:
 * claim_removed_files() looks once, and its transaction then deletes.
 */
export class ClaimsRestore1700000000043 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${claimRemovedFiles(DISPUTED)}
      CREATE FUNCTION wait_for_removals() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
      BEGIN
        PERFORM lock_holds(NEW.organization_id);
        RETURN NEW;
      END $$;
      CREATE TRIGGER wait_for_removals BEFORE INSERT ON asset_claim
        FOR EACH ROW EXECUTE FUNCTION wait_for_removals();
      CREATE TRIGGER wait_for_removals BEFORE INSERT ON claim_answer
        FOR EACH ROW EXECUTE FUNCTION wait_for_removals();
      ALTER TABLE asset_claim ENABLE ALWAYS TRIGGER wait_for_removals;
      ALTER TABLE claim_answer ENABLE ALWAYS TRIGGER wait_for_removals;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER wait_for_removals ON asset_claim;
      DROP TRIGGER wait_for_removals ON claim_answer;
      DROP FUNCTION wait_for_removals();
      ${claimRemovedFiles('')}
    `);
  }
}

/** Of a thing that is open: whether a claim reaches it, by the rule that retention_state() keeps things by (migration 0041). */
const DISPUTED = `
        OR EXISTS (SELECT 1 FROM disputed_assets(of_organization) AS d(asset_id) WHERE
             (o.kind = 'asset' AND d.asset_id = o.thing_id)
          OR (o.kind = 'attachment' AND d.asset_id IN (
                SELECT c.asset_id FROM contribution_attachment x JOIN contribution c
                    ON c.organization_id = of_organization AND c.id = x.contribution_id
                 WHERE x.organization_id = of_organization AND x.id = o.thing_id))
          OR (o.kind = 'report' AND d.asset_id IN (
                SELECT x.subject_id FROM report x
                 WHERE x.organization_id = of_organization AND x.id = o.thing_id AND x.kind = 'asset')))`;

/** As in migration 0035, and what else keeps a thing whose bytes are still there. */
function claimRemovedFiles(more: string): string {
  return `
  CREATE OR REPLACE FUNCTION claim_removed_files(of_organization uuid, after uuid) RETURNS jsonb
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
        ${more}
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
  END $$;`;
}
