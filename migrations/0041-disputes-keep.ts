import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What is disputed stays: no rule of retention takes a file, the words behind it, or a report on it while a claim of it,
 * of what it was made from or of what was made from it is open or was upheld (claim.ts says which answers close one).
 * And what an examination rests on is evidence, as what a proof rests on is.
 */
export class DisputesKeep1700000000041 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${restingOn(`UNION ALL SELECT e.asset_id FROM asset_examination e
        WHERE e.organization_id = of_organization AND e.evidence_asset_id = of_asset`)}
      CREATE INDEX asset_examination_evidence ON asset_examination (organization_id, evidence_asset_id)
        WHERE evidence_asset_id IS NOT NULL;
      CREATE TRIGGER refuse_removed_content AFTER INSERT ON asset_examination
        FOR EACH ROW EXECUTE FUNCTION refuse_removed_content('evidence_asset_id');
      ALTER TABLE asset_examination ENABLE ALWAYS TRIGGER refuse_removed_content;

      CREATE FUNCTION disputed_assets(of_organization uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
        SET search_path = colophon, pg_temp AS $$
        WITH RECURSIVE claimed(id) AS (
          SELECT c.asset_id FROM asset_claim c WHERE c.organization_id = of_organization AND coalesce((
            SELECT w.outcome FROM claim_answer w WHERE w.organization_id = of_organization AND w.claim_id = c.id
             ORDER BY w.ordinal DESC LIMIT 1), 'open') NOT IN ('rejected', 'settled', 'withdrawn')
        ), ancestor(id) AS (
          SELECT id FROM claimed
          UNION SELECT p.parent_asset_id FROM ancestor n
            JOIN asset_parent p ON p.organization_id = of_organization AND p.asset_id = n.id
        ), descendant(id) AS (
          SELECT id FROM claimed
          UNION SELECT p.asset_id FROM descendant n
            JOIN asset_parent p ON p.organization_id = of_organization AND p.parent_asset_id = n.id)
        SELECT id FROM ancestor UNION SELECT id FROM descendant
      $$;

      ALTER FUNCTION retention_state(uuid, text, uuid, int, uuid[]) RENAME TO retention_state_but_for_claims;
      CREATE FUNCTION retention_state(of_organization uuid, of_kind text, after uuid, at_most int, only_ids uuid[])
        RETURNS TABLE (thing_kind text, thing_id uuid, subject_id text, attachment_id uuid, project_id uuid,
          scope_id uuid, version int, due_at timestamptz, reasons text[], holds uuid[], hashes text[], size_bytes bigint)
        LANGUAGE sql STABLE SET search_path = colophon, pg_temp AS $$
        WITH disputed AS MATERIALIZED (SELECT id FROM disputed_assets(of_organization) AS id)
        SELECT s.thing_kind, s.thing_id, s.subject_id, s.attachment_id, s.project_id, s.scope_id, s.version, s.due_at,
               s.reasons || CASE WHEN EXISTS (SELECT 1 FROM disputed d WHERE
                   (s.thing_kind = 'asset' AND d.id = s.thing_id)
                OR (s.thing_kind = 'attachment' AND d.id IN (
                      SELECT c.asset_id FROM contribution_attachment x JOIN contribution c
                          ON c.organization_id = x.organization_id AND c.id = x.contribution_id
                       WHERE x.organization_id = of_organization AND x.id = s.thing_id))
                OR (s.thing_kind = 'report' AND d.id IN (
                      SELECT x.subject_id FROM report x
                       WHERE x.organization_id = of_organization AND x.id = s.thing_id AND x.kind = 'asset'))
                OR (s.thing_kind = 'prompts' AND d.id IN (
                      SELECT a.id FROM asset a WHERE a.organization_id = of_organization AND a.run_id = s.thing_id)))
                 THEN ARRAY['claim_open'] ELSE ARRAY[]::text[] END,
               s.holds, s.hashes, s.size_bytes
          FROM retention_state_but_for_claims(of_organization, of_kind, after, at_most, only_ids) s
         ORDER BY s.thing_id
      $$;
      REVOKE ALL ON FUNCTION disputed_assets(uuid), retention_state(uuid, text, uuid, int, uuid[]) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION disputed_assets(uuid), retention_state(uuid, text, uuid, int, uuid[]) TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION retention_state(uuid, text, uuid, int, uuid[]);
      ALTER FUNCTION retention_state_but_for_claims(uuid, text, uuid, int, uuid[]) RENAME TO retention_state;
      DROP FUNCTION disputed_assets(uuid);
      DROP TRIGGER refuse_removed_content ON asset_examination;
      DROP INDEX asset_examination_evidence;
      ${restingOn('')}
    `);
  }
}

/** As in migration 0035, and what else rests on an asset. */
function restingOn(more: string): string {
  return `
      CREATE OR REPLACE FUNCTION assets_resting_on(of_organization uuid, of_asset uuid) RETURNS SETOF uuid
        LANGUAGE sql STABLE SET search_path = colophon, pg_temp AS $$
        SELECT p.asset_id FROM asset_parent p WHERE p.organization_id = of_organization AND p.parent_asset_id = of_asset
        UNION ALL SELECT c.asset_id FROM contribution c
          WHERE c.organization_id = of_organization AND c.shown_asset_ids @> ARRAY[of_asset]
        UNION ALL SELECT o.asset_id FROM obligation_proof o
          WHERE o.organization_id = of_organization AND o.evidence_asset_id = of_asset
        ${more}
      $$;`;
}
