import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What this program read in a received file: {signals, unreadPlaces}. NULL for what a step made, and for files that
 * came in before anything was read: of those it is unknown what they reserve.
 */
export class FileSignals1700000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE asset
        ADD COLUMN signal_reading jsonb,
        ADD CONSTRAINT asset_signal_reading_check CHECK (
          signal_reading IS NULL OR (signal_reading ? 'signals' AND signal_reading ? 'unreadPlaces'));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Refused as long as something was read: nothing that was recorded is thrown away silently.
    await runner.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM asset WHERE signal_reading IS NOT NULL) THEN
          RAISE EXCEPTION 'assets have recorded signals of their files';
        END IF;
      END $$;
      ALTER TABLE asset DROP CONSTRAINT asset_signal_reading_check, DROP COLUMN signal_reading;
    `);
  }
}
