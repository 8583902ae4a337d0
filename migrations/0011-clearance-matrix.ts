import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Questions about many cells at once. Kept once each: the canonical question with the listings it rests on, by hash
 * (the listings themselves are in listing_archive), and the hash of all answers. The answers can be made again from
 * that, so they are not stored.
 */
export class ClearanceMatrix1700000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE clearance_matrix (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        -- Canonical bytes (RFC 8785); input_sha256 in the log is over them.
        input bytea NOT NULL,
        result_sha256 text NOT NULL,
        engine_version text NOT NULL,
        allowed int NOT NULL,
        reviewed int NOT NULL,
        denied int NOT NULL,
        registry_version bigint NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id),
        CONSTRAINT clearance_matrix_cells_check CHECK (
          allowed >= 0 AND reviewed >= 0 AND denied >= 0 AND allowed + reviewed + denied > 0)
      );
      SELECT tenant_table('clearance_matrix');
      SELECT append_only('clearance_matrix');
      GRANT SELECT, INSERT ON clearance_matrix TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE clearance_matrix');
  }
}
