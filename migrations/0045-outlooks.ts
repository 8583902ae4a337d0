import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What listings say whatever the facts, and which listings with which facts a decision rests on, are stored once, and
 * decisions refer to both (ADR 0044). Decisions of before stay as they are: `result` and rows of their own.
 */
export class Outlooks1700000000045 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Canonical bytes (RFC 8785) of what a listing says for a purpose by a version of the rules, under their SHA-256.
      CREATE TABLE outlook_archive (
        organization_id uuid NOT NULL REFERENCES organization,
        sha256 text NOT NULL,
        listing_id text NOT NULL,
        outlook bytea NOT NULL,
        PRIMARY KEY (organization_id, sha256),
        CONSTRAINT outlook_archive_sha256_check CHECK (sha256 = encode(sha256(outlook), 'hex'))
      );
      SELECT tenant_table('outlook_archive');
      SELECT append_only('outlook_archive');
      GRANT SELECT, INSERT ON outlook_archive TO colophon_app;

      ALTER TABLE clearance_listing
        ADD COLUMN outlook_sha256 text,
        ADD CONSTRAINT clearance_listing_outlook_fkey FOREIGN KEY (organization_id, outlook_sha256)
          REFERENCES outlook_archive (organization_id, sha256);

      ALTER TABLE clearance
        ALTER COLUMN result DROP NOT NULL,
        -- What it says, by reference to outlooks; canonical bytes.
        ADD COLUMN outcome bytea,
        -- SHA-256 of its rows in clearance_listing, where it was the first to rest on just these.
        ADD COLUMN basis_sha256 text,
        -- The decision whose rows in clearance_listing say what this one rests on, too; null: its own.
        ADD COLUMN basis_id uuid,
        ADD CONSTRAINT clearance_basis_fkey FOREIGN KEY (organization_id, basis_id)
          REFERENCES clearance (organization_id, id),
        ADD CONSTRAINT clearance_form_check CHECK (
          (result IS NOT NULL AND num_nonnulls(outcome, basis_sha256, basis_id) = 0)
          OR (result IS NULL AND outcome IS NOT NULL AND num_nonnulls(basis_sha256, basis_id) = 1));
      -- Compressing it took as long as all else of the insert, and what repeats is not in it any more.
      ALTER TABLE clearance ALTER COLUMN outcome SET STORAGE EXTERNAL;
      CREATE INDEX clearance_first_of_basis ON clearance (organization_id, basis_sha256) WHERE basis_sha256 IS NOT NULL;
      CREATE INDEX clearance_by_basis ON clearance (organization_id, coalesce(basis_id, id));
    `);
  }

  /** Every decision gets its full text and rows of its own again; members of the text stand in PostgreSQL's order. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE clearance DISABLE TRIGGER append_only_row;
      ALTER TABLE clearance NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE clearance_listing NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE outlook_archive NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE clearance DROP CONSTRAINT clearance_form_check;
      WITH stored AS (
        SELECT organization_id, id, coalesce(basis_id, id) AS basis_id, convert_from(outcome, 'UTF8')::jsonb AS outcome
          FROM clearance WHERE outcome IS NOT NULL
      ), words AS (
        SELECT l.organization_id, l.clearance_id AS basis_id, l.listing_id, convert_from(o.outlook, 'UTF8')::jsonb AS said
          FROM clearance_listing l JOIN outlook_archive o ON o.organization_id = l.organization_id
               AND o.sha256 = l.outlook_sha256
      )
      UPDATE clearance c SET outcome = NULL, basis_sha256 = NULL, result = convert_to((s.outcome || jsonb_build_object(
        'findings', (
          SELECT coalesce(jsonb_agg(CASE WHEN f.one ? 'said'
                   THEN (w.said -> 'findings' -> (f.one ->> 'said')::int) || (f.one - 'said')
                 WHEN f.one ? 'cites'
                   THEN (f.one - 'cites') || jsonb_build_object('term', w.said -> 'terms' -> (f.one ->> 'cites')::int)
                 ELSE f.one END ORDER BY f.n), '[]')
            FROM jsonb_array_elements(s.outcome -> 'findings') WITH ORDINALITY AS f(one, n)
            LEFT JOIN words w ON w.organization_id = s.organization_id AND w.basis_id = s.basis_id
                 AND w.listing_id = f.one ->> 'listingId'),
        'obligations', (
          SELECT coalesce(jsonb_agg(CASE WHEN d.one ? 'said'
                   THEN w.said -> 'obligations' -> (d.one ->> 'said')::int ELSE d.one END ORDER BY d.n), '[]')
            FROM jsonb_array_elements(s.outcome -> 'obligations') WITH ORDINALITY AS d(one, n)
            LEFT JOIN words w ON w.organization_id = s.organization_id AND w.basis_id = s.basis_id
                 AND w.listing_id = d.one ->> 'listingId')))::text, 'UTF8')
        FROM stored s WHERE s.organization_id = c.organization_id AND s.id = c.id;
      INSERT INTO clearance_listing
             (organization_id, clearance_id, listing_id, sha256, decisive_sha256, license_key, license_text_sha256)
      SELECT l.organization_id, c.id, l.listing_id, l.sha256, l.decisive_sha256, l.license_key, l.license_text_sha256
        FROM clearance c JOIN clearance_listing l ON l.organization_id = c.organization_id AND l.clearance_id = c.basis_id;
      SET CONSTRAINTS ALL IMMEDIATE;
      ALTER TABLE clearance FORCE ROW LEVEL SECURITY;
      ALTER TABLE clearance_listing FORCE ROW LEVEL SECURITY;
      ALTER TABLE clearance ENABLE ALWAYS TRIGGER append_only_row;
      DROP INDEX clearance_by_basis, clearance_first_of_basis;
      ALTER TABLE clearance
        DROP CONSTRAINT clearance_basis_fkey, DROP COLUMN basis_id, DROP COLUMN basis_sha256, DROP COLUMN outcome,
        ALTER COLUMN result SET NOT NULL;
      ALTER TABLE clearance_listing DROP CONSTRAINT clearance_listing_outlook_fkey, DROP COLUMN outlook_sha256;
      DROP TABLE outlook_archive;
    `);
  }
}
