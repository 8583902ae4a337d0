import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Files that are announced to come in parts: how many of them a key may have open is counted by these rows. */
export class GatewayParts1700000000040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE gateway_upload ADD COLUMN in_parts boolean NOT NULL DEFAULT false;
      ALTER TABLE gateway_upload ALTER COLUMN in_parts DROP DEFAULT;
      CREATE INDEX gateway_upload_open ON gateway_upload (organization_id, key_id, created_at)
        WHERE in_parts AND asset_id IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE gateway_upload DROP COLUMN in_parts;');
  }
}
