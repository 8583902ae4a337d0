import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Pipelines, runs, the step ledger and its money. */
export class Generation1700000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE pipeline (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        name text NOT NULL,
        version int NOT NULL,
        definition bytea NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT pipeline_version_unique UNIQUE (organization_id, name, version)
      );
      SELECT tenant_table('pipeline');
      SELECT append_only('pipeline');

      CREATE TABLE run (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        project_id uuid NOT NULL,
        use_case_id uuid NOT NULL,
        pipeline_name text NOT NULL,
        pipeline_version int NOT NULL,
        definition bytea NOT NULL,
        sealed_inputs text NOT NULL,
        mode text NOT NULL,
        state text NOT NULL,
        clearance_id uuid NOT NULL,
        cancel_requested_at timestamptz,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, clearance_id) REFERENCES clearance (organization_id, id),
        CONSTRAINT run_mode_check CHECK (mode IN ('live', 'test')),
        CONSTRAINT run_state_check CHECK (state IN
          ('WAITING_FOR_WAIVER', 'RUNNING', 'NEEDS_RECONCILIATION', 'SUCCEEDED', 'FAILED', 'CANCELED'))
      );
      CREATE INDEX run_created ON run (organization_id, id DESC);
      SELECT tenant_table('run');

      CREATE TABLE step_run (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        run_id uuid NOT NULL,
        key text NOT NULL,
        ordinal int NOT NULL,
        operation text NOT NULL,
        provider text NOT NULL,
        listing_id text NOT NULL,
        endpoint text NOT NULL,
        depends_on text[] NOT NULL,
        state text NOT NULL,
        reserved_micro_usd bigint NOT NULL,
        request_sha256 text,
        upstream_id text,
        submit_attempts int NOT NULL DEFAULT 0,
        progress real,
        lease_token uuid,
        lease_until timestamptz,
        original_sha256 text,
        original_media_type text,
        billed_units double precision,
        claims jsonb,
        output_asset_id uuid,
        error_code text,
        error_detail text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, run_id) REFERENCES run (organization_id, id),
        CONSTRAINT step_run_key_unique UNIQUE (organization_id, run_id, key),
        CONSTRAINT step_run_state_check CHECK (state IN
          ('RESERVED', 'SUBMITTING', 'SUBMITTED', 'CAPTURED', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED', 'OUTCOME_UNKNOWN')),
        CONSTRAINT step_run_reserved_check CHECK (reserved_micro_usd >= 0)
      );
      SELECT tenant_table('step_run');

      CREATE TABLE run_event (
        organization_id uuid NOT NULL,
        run_id uuid NOT NULL,
        ordinal bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL,
        event text NOT NULL,
        PRIMARY KEY (organization_id, run_id, ordinal),
        FOREIGN KEY (organization_id, run_id) REFERENCES run (organization_id, id)
      );
      SELECT tenant_table('run_event');
      SELECT append_only('run_event');

      CREATE TABLE budget (
        organization_id uuid NOT NULL REFERENCES organization,
        scope text NOT NULL,
        limit_micro_usd bigint NOT NULL,
        reserved_micro_usd bigint NOT NULL DEFAULT 0,
        spent_micro_usd bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (organization_id, scope),
        CONSTRAINT budget_reserved_check CHECK (reserved_micro_usd >= 0),
        CONSTRAINT budget_spent_check CHECK (spent_micro_usd >= 0)
      );
      SELECT tenant_table('budget');

      -- UNIQUE (step, kind) by primary key: a step is reserved, settled and released at most once (promise P2).
      CREATE TABLE money_movement (
        organization_id uuid NOT NULL,
        step_run_id uuid NOT NULL,
        kind text NOT NULL,
        amount_micro_usd bigint NOT NULL,
        basis text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, step_run_id, kind),
        FOREIGN KEY (organization_id, step_run_id) REFERENCES step_run (organization_id, id),
        CONSTRAINT money_movement_kind_check CHECK (kind IN ('reservation', 'settlement', 'release')),
        CONSTRAINT money_movement_amount_check CHECK (amount_micro_usd >= 0)
      );
      -- Paid or given back, never both.
      CREATE UNIQUE INDEX money_movement_end ON money_movement (organization_id, step_run_id) WHERE kind <> 'reservation';
      SELECT tenant_table('money_movement');
      SELECT append_only('money_movement');

      -- A directory like api_key_route: a provider's webhook names only the step.
      CREATE TABLE step_route (
        step_run_id uuid PRIMARY KEY,
        organization_id uuid NOT NULL
      );

      GRANT SELECT, INSERT ON pipeline, run_event, money_movement, step_route TO colophon_app;
      GRANT SELECT, INSERT, UPDATE ON run, step_run, budget TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE step_route, money_movement, budget, run_event, step_run, run, pipeline;`);
  }
}
