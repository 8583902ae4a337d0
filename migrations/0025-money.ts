import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Budgets at four levels and by month, an organization's own prices, and choices of models. `budget.scope` stays the
 * key of a budget; `reserved_micro_usd` and `spent_micro_usd` there count since the beginning, `budget_month` counts
 * by calendar month (UTC) for budgets of the period `month`.
 */
export class Money1700000000025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE budget
        ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
        ADD COLUMN level text NOT NULL DEFAULT 'organization',
        -- Project and use case: a UUID. API key: its id. Empty for the organization.
        ADD COLUMN target_id text NOT NULL DEFAULT '',
        ADD COLUMN period text NOT NULL DEFAULT 'total',
        ADD COLUMN soft_limit_micro_usd bigint,
        ALTER COLUMN limit_micro_usd DROP NOT NULL,
        ADD CONSTRAINT budget_level_check CHECK (level IN ('organization', 'project', 'use_case', 'api_key')),
        ADD CONSTRAINT budget_target_check CHECK ((level = 'organization') = (target_id = '')),
        ADD CONSTRAINT budget_period_check CHECK (period IN ('total', 'month')),
        ADD CONSTRAINT budget_limit_check CHECK (limit_micro_usd >= 0 AND soft_limit_micro_usd >= 0),
        ADD CONSTRAINT budget_some_limit_check CHECK (limit_micro_usd IS NOT NULL OR soft_limit_micro_usd IS NOT NULL),
        ADD CONSTRAINT budget_id_unique UNIQUE (organization_id, id),
        ADD CONSTRAINT budget_target_unique UNIQUE (organization_id, level, target_id, period);
      GRANT DELETE ON budget TO colophon_app;

      CREATE TABLE budget_month (
        organization_id uuid NOT NULL,
        scope text NOT NULL,
        month text NOT NULL,
        reserved_micro_usd bigint NOT NULL,
        spent_micro_usd bigint NOT NULL,
        PRIMARY KEY (organization_id, scope, month),
        FOREIGN KEY (organization_id, scope) REFERENCES budget (organization_id, scope),
        CONSTRAINT budget_month_month_check CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
        CONSTRAINT budget_month_counters_check CHECK (reserved_micro_usd >= 0 AND spent_micro_usd >= 0)
      );
      SELECT tenant_table('budget_month');
      GRANT SELECT, INSERT, UPDATE, DELETE ON budget_month TO colophon_app;

      -- An organization's own price of one endpoint, from a day on; no price: it is withdrawn, the price book counts again.
      CREATE TABLE own_price (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        provider text NOT NULL,
        endpoint text NOT NULL,
        price jsonb,
        valid_from date NOT NULL,
        recorded_by uuid NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, recorded_by) REFERENCES principal (organization_id, id)
      );
      CREATE INDEX own_price_endpoint ON own_price (organization_id, provider, endpoint, valid_from);
      SELECT tenant_table('own_price');
      SELECT append_only('own_price');

      -- A choice of a model by a stated rule. The bytes are what the entry's hash is over.
      CREATE TABLE route_choice (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        use_case_id uuid NOT NULL,
        choice bytea NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, created_by) REFERENCES principal (organization_id, id)
      );
      SELECT tenant_table('route_choice');
      SELECT append_only('route_choice');
      GRANT SELECT, INSERT ON own_price, route_choice TO colophon_app;

      -- Which key a run is charged to; of runs before this migration nobody knows.
      ALTER TABLE run
        ADD COLUMN api_key_id text,
        ADD COLUMN route_choice_id uuid,
        ADD CONSTRAINT run_route_choice_fkey FOREIGN KEY (organization_id, route_choice_id) REFERENCES route_choice (organization_id, id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE run DROP COLUMN api_key_id, DROP COLUMN route_choice_id;
      DROP TABLE route_choice, own_price, budget_month;
      DELETE FROM budget WHERE scope <> 'organization';
      REVOKE DELETE ON budget FROM colophon_app;
      ALTER TABLE budget
        DROP CONSTRAINT budget_some_limit_check, DROP CONSTRAINT budget_target_check,
        DROP COLUMN id, DROP COLUMN level, DROP COLUMN target_id, DROP COLUMN period,
        DROP COLUMN soft_limit_micro_usd, ALTER COLUMN limit_micro_usd SET NOT NULL;
    `);
  }
}
