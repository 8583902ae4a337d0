import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Proofs of obligations that came after a file was signed, or read otherwise since: they have no row in the list of the
 * file, whose hash is in the log. A row is written with the first word that somebody says of such a reading.
 */
export class LaterObligations1700000000044 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE later_obligation (
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL,
        -- Made of the file and of what the obligation says (obligation-reading.ts): other words are another id.
        id uuid NOT NULL,
        key text NOT NULL,
        -- Not listed, or listed and otherwise than it reads here.
        since text NOT NULL,
        -- The day as of which it was worked out.
        as_of date NOT NULL,
        -- The canonical bytes (RFC 8785) whose hash is in the entries of its proofs.
        obligation bytea NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, asset_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset_obligation_list (organization_id, asset_id),
        CONSTRAINT later_obligation_since_check CHECK (since IN ('added', 'changed'))
      );
      SELECT tenant_table('later_obligation');
      SELECT append_only('later_obligation');
      GRANT SELECT, INSERT ON later_obligation TO colophon_app;

      -- A proof is of one that is listed or of one that came later, never of what is neither.
      ALTER TABLE obligation_proof ADD COLUMN is_later boolean NOT NULL DEFAULT false;
      ALTER TABLE obligation_proof
        ADD COLUMN listed_id uuid GENERATED ALWAYS AS (CASE WHEN is_later THEN NULL ELSE obligation_id END) STORED,
        ADD COLUMN later_id uuid GENERATED ALWAYS AS (CASE WHEN is_later THEN obligation_id END) STORED;
      ALTER TABLE obligation_proof
        DROP CONSTRAINT ${OF_LISTED},
        ADD CONSTRAINT obligation_proof_listed_fkey FOREIGN KEY (organization_id, asset_id, listed_id)
          REFERENCES asset_obligation (organization_id, asset_id, id),
        ADD CONSTRAINT obligation_proof_later_fkey FOREIGN KEY (organization_id, asset_id, later_id)
          REFERENCES later_obligation (organization_id, asset_id, id);
    `);
  }

  /** What was said of later readings goes: the schema of before has no place for it. The log keeps that it was said. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE obligation_proof DISABLE TRIGGER append_only_row;
      ALTER TABLE obligation_proof NO FORCE ROW LEVEL SECURITY;
      DELETE FROM obligation_proof WHERE is_later;
      ALTER TABLE obligation_proof FORCE ROW LEVEL SECURITY;
      ALTER TABLE obligation_proof ENABLE ALWAYS TRIGGER append_only_row;
      ALTER TABLE obligation_proof
        DROP CONSTRAINT obligation_proof_listed_fkey,
        DROP CONSTRAINT obligation_proof_later_fkey,
        DROP COLUMN listed_id, DROP COLUMN later_id;
      ALTER TABLE obligation_proof
        DROP COLUMN is_later,
        ADD CONSTRAINT ${OF_LISTED} FOREIGN KEY (organization_id, asset_id, obligation_id)
          REFERENCES asset_obligation (organization_id, asset_id, id);
      DROP TABLE later_obligation;
    `);
  }
}

/** As PostgreSQL named it in migration 0009. */
const OF_LISTED = 'obligation_proof_organization_id_asset_id_obligation_id_fkey';
