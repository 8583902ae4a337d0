import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What the two files of an act say about it: what kind of change it is, and what is left of it and of earlier acts. One
 * signature stands for one record: the same person, files and time are recorded once.
 */
export class HumanWorkTraces1700000000048 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE contribution
        ADD COLUMN change_kind text,
        ADD COLUMN traces jsonb,
        ADD COLUMN signed_at text,
        ADD CONSTRAINT contribution_change_kind_check
          CHECK (change_kind IN ('changed', 'trifling', 'mirrored_or_turned', 'cropped', 'resampled'));

      CREATE UNIQUE INDEX contribution_signature_unique
        ON contribution (organization_id, signature_key_id, parent_asset_id, after_sha256, signed_at)
        WHERE signed_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM contribution WHERE change_kind IS NOT NULL OR traces IS NOT NULL OR signed_at IS NOT NULL) THEN
          RAISE EXCEPTION 'there are records of what is left of human work; they are not thrown away';
        END IF;
      END $$;
      DROP INDEX contribution_signature_unique;
      ALTER TABLE contribution
        DROP CONSTRAINT contribution_change_kind_check,
        DROP COLUMN change_kind,
        DROP COLUMN traces,
        DROP COLUMN signed_at;
    `);
  }
}
