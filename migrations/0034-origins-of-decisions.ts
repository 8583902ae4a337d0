import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** From which projects the inputs of a decision come: their policies count for it, those that are set later, too. */
export class OriginsOfDecisions1700000000034 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE clearance ADD COLUMN origin_project_ids uuid[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE clearance DROP COLUMN origin_project_ids');
  }
}
