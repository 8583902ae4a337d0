import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * A directory of what this deployment signed, by claim and by label of the manifest: a file that was saved again after
 * signing has other bytes and still our claim, and must be told from a forgery. Like signed_file it stands outside of
 * the organizations, because it is asked by strangers, and holds hashes and ids only.
 */
export class SignedClaims1700000000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE signed_claim (
        claim_sha256 text PRIMARY KEY,
        manifest_label text NOT NULL,
        organization_id uuid NOT NULL,
        asset_id uuid NOT NULL
      );
      CREATE INDEX signed_claim_label ON signed_claim (manifest_label);

      -- The owner is bound by the policy as well; for this one statement it is not.
      ALTER TABLE asset NO FORCE ROW LEVEL SECURITY;
      INSERT INTO signed_claim (claim_sha256, manifest_label, organization_id, asset_id)
        SELECT claim_sha256, manifest_label, organization_id, id FROM asset ON CONFLICT DO NOTHING;
      ALTER TABLE asset FORCE ROW LEVEL SECURITY;

      GRANT SELECT, INSERT ON signed_claim TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE signed_claim;');
  }
}
