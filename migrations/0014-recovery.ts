import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What pictures look like, so that a copy without its manifest is found again.
 *
 * `asset_fingerprint` is the truth, an organization's own. `fingerprint_index` is made of it for searching: no index on
 * arrays can be used under row-level security (their operators are not leakproof), so this table stands outside, and the
 * application has no right on it at all. It asks two functions: one answers for the organization of the transaction,
 * the other for what was released.
 */
export class Recovery1700000000014 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(INDEXING);
    await runner.query(SEARCHING);
    await runner.query(RELEASED);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER released_manifest ON asset_release;
      DROP FUNCTION note_released_manifest();
      DROP FUNCTION find_released_fingerprints(bit, int, int);
      DROP FUNCTION find_own_fingerprints(bit, int, int);
      DROP TABLE released_manifest, fingerprint_index, asset_fingerprint, manifest_publication;
      DROP FUNCTION index_fingerprint();
      DROP FUNCTION fingerprint_probes(bit);
      DROP FUNCTION fingerprint_chunks(bit);
      DROP INDEX asset_manifest_label;
    `);
  }
}

const TABLES = `
  CREATE TABLE asset_fingerprint (
    organization_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    algorithm text NOT NULL,
    -- Of how a picture becomes 32 x 32 gray values: codes of different versions are not comparable.
    normalization_version int NOT NULL,
    -- 'trimmed': even borders cut, as the standard says. 'whole': nothing cut; only where the code is another one.
    border text NOT NULL,
    code bit(256) NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, asset_id, algorithm, normalization_version, border),
    FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
    CONSTRAINT asset_fingerprint_algorithm_check CHECK (algorithm IN ('io.iscc.v0')),
    CONSTRAINT asset_fingerprint_border_check CHECK (border IN ('trimmed', 'whole'))
  );
  SELECT tenant_table('asset_fingerprint');
  SELECT append_only('asset_fingerprint');

  -- Whether the manifests of what a project released may be found by everybody. The newest version counts; without one: yes.
  CREATE TABLE manifest_publication (
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    version int NOT NULL,
    publish boolean NOT NULL,
    set_by uuid NOT NULL,
    entry_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, project_id, version),
    FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
    FOREIGN KEY (organization_id, set_by) REFERENCES principal (organization_id, id),
    CONSTRAINT manifest_publication_version_check CHECK (version > 0)
  );
  SELECT tenant_table('manifest_publication');
  SELECT append_only('manifest_publication');
  GRANT SELECT, INSERT ON asset_fingerprint, manifest_publication TO colophon_app;

  CREATE INDEX asset_manifest_label ON asset (organization_id, manifest_label);
`;

/**
 * Multi-index hashing: 16 chunks of 16 bits. Codes that differ in fewer than 32 bits have a chunk in which they differ
 * in at most one bit, so they share one of 16 x 17 probes; most of those that differ in more do as well.
 * Codes with fewer than 64 ones (a picture of noise has 128) come from even areas: they would all be alike.
 */
const INDEXING = `
  CREATE FUNCTION fingerprint_chunks(code bit) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(chunk * 65536 + substring(code FROM chunk * 16 + 1 FOR 16)::bit(16)::int)
      FROM generate_series(0, 15) AS chunk
  $$;
  CREATE FUNCTION fingerprint_probes(code bit) RETURNS int[] LANGUAGE sql IMMUTABLE
    SET search_path = colophon, pg_temp AS $$
    SELECT array_agg(chunk # flip) FROM unnest(fingerprint_chunks(code)) AS chunk,
      unnest(ARRAY[0,1,2,4,8,16,32,64,128,256,512,1024,2048,4096,8192,16384,32768]) AS flip
  $$;

  CREATE TABLE fingerprint_index (
    organization_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    border text NOT NULL,
    code bit(256) NOT NULL,
    chunks int[] NOT NULL,
    PRIMARY KEY (organization_id, asset_id, border)
  );
  -- Without the list of pending entries: every search would read it to its end.
  CREATE INDEX fingerprint_index_chunks ON fingerprint_index USING gin (chunks) WITH (fastupdate = off);

  CREATE FUNCTION index_fingerprint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = colophon, pg_temp AS $$
  BEGIN
    IF NEW.normalization_version = 1 AND bit_count(NEW.code) >= 64 THEN
      INSERT INTO fingerprint_index (organization_id, asset_id, border, code, chunks)
        VALUES (NEW.organization_id, NEW.asset_id, NEW.border, NEW.code, fingerprint_chunks(NEW.code));
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER indexed AFTER INSERT ON asset_fingerprint FOR EACH ROW EXECUTE FUNCTION index_fingerprint();
`;

/**
 * Candidates first, materialized and without sequential scans, so that no plan goes through the whole table whatever
 * the statistics say; then the exact distance.
 */
const SEARCHING = `
  -- No foreign keys: a stranger's question must not take locks on tables of organizations.
  CREATE TABLE released_manifest (
    organization_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    manifest_label text NOT NULL,
    PRIMARY KEY (organization_id, asset_id)
  );
  CREATE INDEX released_manifest_label ON released_manifest (manifest_label);
  GRANT SELECT ON released_manifest TO colophon_app;

  CREATE FUNCTION find_own_fingerprints(wanted bit, max_distance int, max_results int)
    RETURNS TABLE (found_asset_id uuid, distance int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = colophon, pg_temp SET enable_seqscan = off AS $$
  DECLARE
    probes constant int[] := fingerprint_probes(wanted);
    own constant uuid := nullif(current_setting('app.organization_id', true), '')::uuid;
  BEGIN
    RETURN QUERY
      WITH candidate AS MATERIALIZED (
        SELECT f.organization_id, f.asset_id, bit_count(f.code # wanted)::int AS bits
          FROM fingerprint_index f WHERE f.chunks && probes)
      SELECT c.asset_id, min(c.bits) FROM candidate c
       WHERE c.organization_id = own AND c.bits <= max_distance
       GROUP BY c.asset_id ORDER BY min(c.bits), c.asset_id LIMIT least(max_results, 200);
  END $$;

  CREATE FUNCTION find_released_fingerprints(wanted bit, max_distance int, max_results int)
    RETURNS TABLE (found_organization_id uuid, found_asset_id uuid, distance int)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = colophon, pg_temp SET enable_seqscan = off AS $$
  DECLARE
    probes constant int[] := fingerprint_probes(wanted);
  BEGIN
    RETURN QUERY
      WITH candidate AS MATERIALIZED (
        SELECT f.organization_id, f.asset_id, bit_count(f.code # wanted)::int AS bits
          FROM fingerprint_index f WHERE f.chunks && probes)
      SELECT c.organization_id, c.asset_id, min(c.bits)
        FROM candidate c JOIN released_manifest r USING (organization_id, asset_id)
       WHERE c.bits <= max_distance
       GROUP BY c.organization_id, c.asset_id ORDER BY min(c.bits), c.asset_id LIMIT least(max_results, 200);
  END $$;
  REVOKE ALL ON FUNCTION find_own_fingerprints(bit, int, int), find_released_fingerprints(bit, int, int),
    index_fingerprint() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION find_own_fingerprints(bit, int, int), find_released_fingerprints(bit, int, int)
    TO colophon_app;
`;

/**
 * Which manifests were released, by their label. It only leads to the organization: whether a manifest is shown is
 * decided there, by the rows of that moment.
 */
const RELEASED = `
  CREATE FUNCTION note_released_manifest() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = colophon, pg_temp AS $$
  BEGIN
    INSERT INTO released_manifest (organization_id, asset_id, manifest_label)
      SELECT a.organization_id, a.id, a.manifest_label FROM asset a
       WHERE a.organization_id = NEW.organization_id AND a.id = NEW.asset_id;
    RETURN NULL;
  END $$;
  REVOKE ALL ON FUNCTION note_released_manifest() FROM PUBLIC;
  CREATE TRIGGER released_manifest AFTER INSERT ON asset_release
    FOR EACH ROW EXECUTE FUNCTION note_released_manifest();

  -- Even the owner sees one organization at a time.
  DO $$
  DECLARE
    organization uuid;
  BEGIN
    FOR organization IN SELECT DISTINCT organization_id FROM signed_file LOOP
      PERFORM set_config('app.organization_id', organization::text, true);
      INSERT INTO released_manifest (organization_id, asset_id, manifest_label)
        SELECT a.organization_id, a.id, a.manifest_label FROM asset a
          JOIN asset_release r ON r.organization_id = a.organization_id AND r.asset_id = a.id
         WHERE a.organization_id = organization;
    END LOOP;
    PERFORM set_config('app.organization_id', '', true);
  END $$;
`;
