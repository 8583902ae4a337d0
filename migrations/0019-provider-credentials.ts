import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Keys of organizations for providers, sealed; and what a step says of its usage, its preparation and what ran along.
 */
export class ProviderCredentials1700000000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE provider_credential (
        organization_id uuid NOT NULL REFERENCES organization,
        provider text NOT NULL,
        -- Changes with every change of the key.
        version_id uuid NOT NULL,
        -- JWE compact under the key-encryption key of the instance, which is not in the database.
        sealed_key text NOT NULL,
        -- For people to recognize it by.
        last_four text NOT NULL,
        set_by uuid NOT NULL,
        set_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, provider),
        FOREIGN KEY (organization_id, set_by) REFERENCES principal (organization_id, id),
        CONSTRAINT provider_credential_provider_check CHECK (provider IN ('fal', 'replicate', 'openai', 'google')),
        CONSTRAINT provider_credential_last_four_check CHECK (length(last_four) = 4)
      );
      SELECT tenant_table('provider_credential');
      GRANT SELECT, INSERT, UPDATE, DELETE ON provider_credential TO colophon_app;

      -- billed_units stays, for steps that were captured before.
      ALTER TABLE step_run ADD COLUMN usage jsonb, ADD COLUMN preparation jsonb, ADD COLUMN components jsonb;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE step_run DROP COLUMN usage, DROP COLUMN preparation, DROP COLUMN components;
      DROP TABLE provider_credential;
    `);
  }
}
