import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Obligations that follow an asset, and the proofs that they were met. Written when the asset is signed and never
 * changed: the state of an obligation follows from its proofs.
 */
export class Obligations1700000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Says that the obligations of an asset were worked out, even if there are none. Older assets have no row: of them
      -- nothing is known, which is not the same.
      CREATE TABLE asset_obligation_list (
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL,
        -- Over the ids and hashes of the rows in their order; the same value is in the entry asset.signed.
        sha256 text NOT NULL,
        calendar_sha256 text NOT NULL,
        calendar_read_on date NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, asset_id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id)
      );
      SELECT tenant_table('asset_obligation_list');
      SELECT append_only('asset_obligation_list');

      -- obligation holds the canonical bytes (RFC 8785) that were hashed.
      CREATE TABLE asset_obligation (
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL,
        ordinal int NOT NULL,
        id uuid NOT NULL,
        key text NOT NULL,
        obligation bytea NOT NULL,
        PRIMARY KEY (organization_id, asset_id, ordinal),
        CONSTRAINT asset_obligation_id_unique UNIQUE (organization_id, asset_id, id),
        CONSTRAINT asset_obligation_key_unique UNIQUE (organization_id, asset_id, key),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset_obligation_list (organization_id, asset_id)
      );
      SELECT tenant_table('asset_obligation');
      SELECT append_only('asset_obligation');

      -- The last one counts. What people wrote is encrypted under their key, like their comments in reviews.
      CREATE TABLE obligation_proof (
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL,
        obligation_id uuid NOT NULL,
        ordinal int NOT NULL,
        id uuid NOT NULL,
        proved_by uuid NOT NULL,
        outcome text NOT NULL,
        sealed_text text NOT NULL,
        sealed_url text,
        evidence_asset_id uuid,
        evidence_sha256 text,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        -- Of two people who decide at once, one is told that somebody was first.
        PRIMARY KEY (organization_id, asset_id, obligation_id, ordinal),
        CONSTRAINT obligation_proof_id_unique UNIQUE (organization_id, id),
        FOREIGN KEY (organization_id, asset_id, obligation_id)
          REFERENCES asset_obligation (organization_id, asset_id, id),
        FOREIGN KEY (organization_id, evidence_asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, proved_by) REFERENCES principal (organization_id, id),
        CONSTRAINT obligation_proof_ordinal_check CHECK (ordinal > 0),
        CONSTRAINT obligation_proof_outcome_check CHECK (outcome IN ('done', 'waived', 'not_applicable', 'open')),
        CONSTRAINT obligation_proof_sha256_check CHECK (evidence_sha256 ~ '^[0-9a-f]{64}$')
      );
      SELECT tenant_table('obligation_proof');
      SELECT append_only('obligation_proof');

      GRANT SELECT, INSERT ON asset_obligation_list, asset_obligation, obligation_proof TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE obligation_proof, asset_obligation, asset_obligation_list;');
  }
}
