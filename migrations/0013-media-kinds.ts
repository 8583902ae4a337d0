import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Films, sounds, models and texts beside pictures: what a file is, how long it plays, and where its manifest is. What
 * has no pixels has no width. Everything that was signed before is a picture with its manifest inside.
 */
export class MediaKinds1700000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE asset
        ALTER COLUMN width DROP NOT NULL,
        ALTER COLUMN height DROP NOT NULL,
        ADD COLUMN kind text NOT NULL DEFAULT 'image',
        ADD COLUMN duration_ms int,
        ADD COLUMN manifest_placement text NOT NULL DEFAULT 'embedded',
        ADD CONSTRAINT asset_kind_check CHECK (kind IN ('image', 'video', 'audio', 'model3d', 'text')),
        ADD CONSTRAINT asset_manifest_placement_check CHECK (manifest_placement IN ('embedded', 'sidecar')),
        ADD CONSTRAINT asset_size_check CHECK ((width IS NULL) = (height IS NULL));
      -- Who inserts an asset says what it is.
      ALTER TABLE asset ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN manifest_placement DROP DEFAULT;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Refused as long as there is an asset that the older form cannot hold.
    await runner.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM asset WHERE kind <> 'image' OR manifest_placement <> 'embedded' OR width IS NULL) THEN
          RAISE EXCEPTION 'there are assets that are no pictures with a manifest inside';
        END IF;
      END $$;
      ALTER TABLE asset
        DROP CONSTRAINT asset_kind_check,
        DROP CONSTRAINT asset_manifest_placement_check,
        DROP CONSTRAINT asset_size_check,
        DROP COLUMN kind,
        DROP COLUMN duration_ms,
        DROP COLUMN manifest_placement,
        ALTER COLUMN width SET NOT NULL,
        ALTER COLUMN height SET NOT NULL;
    `);
  }
}
