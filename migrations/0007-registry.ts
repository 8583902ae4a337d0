import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The registry of an organization: its own listings, corrections of facts, and texts of licenses, on top of the
 * listings that come with the product. All of it only grows; what is in force follows from the order of versions.
 *
 * Every change takes the next version of the organization's registry under a lock of the transaction; every decision,
 * and every act that rests on one, takes the same lock shared. So a decision never rests on a registry that another
 * transaction is just changing: either it is recorded before, and the change sees it, or it is made after.
 */
export class Registry1700000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Counts the changes. Read with every decision, to know whether what a process has in memory still holds.
      CREATE TABLE registry_version (
        organization_id uuid PRIMARY KEY REFERENCES organization,
        version bigint NOT NULL,
        CONSTRAINT registry_version_check CHECK (version > 0)
      );
      SELECT tenant_table('registry_version');

      CREATE FUNCTION registry_version_for_decision(of_organization uuid) RETURNS bigint LANGUAGE plpgsql VOLATILE
        SET search_path = colophon, pg_temp AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('colophon registry ' || of_organization, 0));
        -- Volatile: read in a snapshot taken after the lock was given.
        RETURN coalesce((SELECT version FROM registry_version WHERE organization_id = of_organization), 0);
      END $$;

      CREATE FUNCTION registry_next_version(of_organization uuid) RETURNS bigint LANGUAGE plpgsql VOLATILE
        SET search_path = colophon, pg_temp AS $$
      DECLARE
        next_version bigint;
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('colophon registry ' || of_organization, 0));
        INSERT INTO registry_version AS r (organization_id, version) VALUES (of_organization, 1)
          ON CONFLICT (organization_id) DO UPDATE SET version = r.version + 1 RETURNING r.version INTO next_version;
        RETURN next_version;
      END $$;

      -- Listings of the organization itself, as canonical bytes (RFC 8785). The one with the highest version counts.
      CREATE TABLE listing_version (
        organization_id uuid NOT NULL REFERENCES organization,
        listing_id text NOT NULL,
        version bigint NOT NULL,
        id uuid NOT NULL,
        listing bytea NOT NULL,
        sha256 text NOT NULL,
        source text NOT NULL,
        import_id uuid,
        entry_id uuid NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, listing_id, version),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id),
        CONSTRAINT listing_version_source_check CHECK (source IN ('typed', 'import')),
        CONSTRAINT listing_version_size_check CHECK (octet_length(listing) <= 262144)
      );
      CREATE INDEX listing_version_order ON listing_version (organization_id, version);
      SELECT tenant_table('listing_version');
      SELECT append_only('listing_version');

      -- Texts of licenses by their hash, and when somebody read which text under which key.
      CREATE TABLE license_text (
        organization_id uuid NOT NULL REFERENCES organization,
        sha256 text NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (organization_id, sha256),
        CONSTRAINT license_text_size_check CHECK (octet_length(bytes) BETWEEN 1 AND 1048576)
      );
      SELECT tenant_table('license_text');
      SELECT append_only('license_text');

      CREATE TABLE license_text_reading (
        organization_id uuid NOT NULL,
        version bigint NOT NULL,
        id uuid NOT NULL,
        license_key text NOT NULL,
        sha256 text NOT NULL,
        -- Empty: every listing under this key.
        listing_ids text[] NOT NULL,
        source_url text,
        read_on date NOT NULL,
        in_force_since date,
        change text NOT NULL,
        -- A person says that the terms of the listings were read from this very text.
        terms_read_from_this boolean NOT NULL,
        -- Listings whose terms were read from another text: every earlier decision on them is open again.
        affected_listing_ids text[] NOT NULL,
        entry_id uuid NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, version),
        CONSTRAINT license_text_reading_id_unique UNIQUE (organization_id, id),
        FOREIGN KEY (organization_id, sha256) REFERENCES license_text (organization_id, sha256),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id),
        CONSTRAINT license_text_reading_change_check CHECK (change IN ('first', 'unchanged', 'changed'))
      );
      CREATE INDEX license_text_reading_key ON license_text_reading (organization_id, license_key, version);
      SELECT tenant_table('license_text_reading');
      SELECT append_only('license_text_reading');

      -- One fact of one listing, corrected with evidence. Of several for one fact the one with the highest version counts.
      -- Why the person did it is sealed in the entry.
      CREATE TABLE curation (
        organization_id uuid NOT NULL REFERENCES organization,
        version bigint NOT NULL,
        id uuid NOT NULL,
        listing_id text NOT NULL,
        fact text NOT NULL,
        correction jsonb NOT NULL,
        evidence jsonb NOT NULL,
        sha256 text NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, version),
        CONSTRAINT curation_id_unique UNIQUE (organization_id, id),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id)
      );
      CREATE INDEX curation_listing ON curation (organization_id, listing_id, version);
      SELECT tenant_table('curation');
      SELECT append_only('curation');

      -- Every listing on which a decision rested, as it was: with the stored input the decision can be made again.
      CREATE TABLE listing_archive (
        organization_id uuid NOT NULL REFERENCES organization,
        sha256 text NOT NULL,
        listing_id text NOT NULL,
        listing bytea NOT NULL,
        PRIMARY KEY (organization_id, sha256)
      );
      SELECT tenant_table('listing_archive');
      SELECT append_only('listing_archive');

      -- What this organization has seen of the listings that come with the product: the difference is told as a change.
      CREATE TABLE seed_seen (
        organization_id uuid NOT NULL REFERENCES organization,
        seed_sha256 text NOT NULL,
        product_version text NOT NULL,
        read_on date NOT NULL,
        listings jsonb NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, seed_sha256)
      );
      SELECT tenant_table('seed_seen');
      SELECT append_only('seed_seen');

      -- A decision made again names the first one: runs go on pointing to that, and the last one counts.
      ALTER TABLE clearance
        ADD COLUMN registry_version bigint NOT NULL DEFAULT 0,
        ADD COLUMN renews uuid,
        ADD COLUMN project_id uuid,
        ADD COLUMN use_case_id uuid,
        ADD FOREIGN KEY (organization_id, renews) REFERENCES clearance (organization_id, id);
      CREATE INDEX clearance_renews ON clearance (organization_id, renews) WHERE renews IS NOT NULL;

      -- What each decision rests on, to find those that a change concerns.
      CREATE TABLE clearance_listing (
        organization_id uuid NOT NULL,
        clearance_id uuid NOT NULL,
        listing_id text NOT NULL,
        sha256 text NOT NULL,
        decisive_sha256 text NOT NULL,
        license_key text NOT NULL,
        license_text_sha256 text,
        PRIMARY KEY (organization_id, clearance_id, listing_id),
        FOREIGN KEY (organization_id, clearance_id) REFERENCES clearance (organization_id, id)
      );
      CREATE INDEX clearance_listing_by_listing ON clearance_listing (organization_id, listing_id, clearance_id);
      SELECT tenant_table('clearance_listing');
      SELECT append_only('clearance_listing');

      -- A waiver is for one clearance, or for one finding of one listing in a project (and perhaps one use case of it).
      ALTER TABLE waiver
        ALTER COLUMN clearance_id DROP NOT NULL,
        ADD COLUMN scope text NOT NULL DEFAULT 'clearance',
        -- The decision whose findings were accepted; the clearance itself or a later one that renews it.
        ADD COLUMN decided_clearance_id uuid,
        ADD COLUMN listing_id text,
        ADD COLUMN rule_id text,
        ADD COLUMN project_id uuid,
        ADD COLUMN use_case_id uuid,
        -- [{licenseKey, listingId, textSha256}] as they were when it was approved.
        ADD COLUMN license_texts jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN decisive_sha256 text,
        ADD COLUMN registry_version bigint NOT NULL DEFAULT 0,
        ADD FOREIGN KEY (organization_id, decided_clearance_id) REFERENCES clearance (organization_id, id),
        ADD FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        ADD FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        ADD CONSTRAINT waiver_scope_check CHECK (
          (scope = 'clearance' AND clearance_id IS NOT NULL
             AND num_nonnulls(listing_id, rule_id, project_id, use_case_id, decisive_sha256) = 0)
          OR (scope = 'finding' AND clearance_id IS NULL AND decided_clearance_id IS NULL
             AND num_nulls(listing_id, rule_id, project_id, decisive_sha256) = 0));
      CREATE INDEX waiver_clearance ON waiver (organization_id, clearance_id) WHERE clearance_id IS NOT NULL;
      CREATE INDEX waiver_finding ON waiver (organization_id, project_id, listing_id) WHERE scope = 'finding';

      REVOKE ALL ON FUNCTION registry_version_for_decision(uuid), registry_next_version(uuid) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION registry_version_for_decision(uuid), registry_next_version(uuid) TO colophon_app;
      GRANT SELECT, INSERT ON registry_version, listing_version, license_text, license_text_reading, curation,
        listing_archive, seed_seen, clearance_listing TO colophon_app;
      GRANT UPDATE (version) ON registry_version TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Refused as long as there is a waiver for a finding: nothing that was recorded is thrown away silently.
    await runner.query(`
      ALTER TABLE waiver ALTER COLUMN clearance_id SET NOT NULL;
      ALTER TABLE waiver DROP CONSTRAINT waiver_scope_check,
        DROP COLUMN scope, DROP COLUMN decided_clearance_id, DROP COLUMN listing_id, DROP COLUMN rule_id,
        DROP COLUMN project_id, DROP COLUMN use_case_id, DROP COLUMN license_texts, DROP COLUMN decisive_sha256,
        DROP COLUMN registry_version;
      DROP INDEX waiver_clearance;
      DROP TABLE clearance_listing, seed_seen, listing_archive, curation, license_text_reading, license_text,
        listing_version;
      DROP FUNCTION registry_version_for_decision(uuid);
      DROP FUNCTION registry_next_version(uuid);
      DROP TABLE registry_version;
      ALTER TABLE clearance DROP COLUMN registry_version, DROP COLUMN renews, DROP COLUMN project_id,
        DROP COLUMN use_case_id;
    `);
  }
}
