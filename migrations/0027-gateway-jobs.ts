import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Jobs of SDKs that submit now and ask later (fal's queue, Replicate's predictions): what the client called them, whom
 * to tell, what was told, and files that were sent ahead of a job (ADR 0029).
 */
export class GatewayJobs1700000000027 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Made in the transaction that accepts the run; the run's own rows say how it stands.
      CREATE TABLE gateway_job (
        organization_id uuid NOT NULL,
        run_id uuid NOT NULL,
        vendor text NOT NULL,
        -- As the client named it.
        model text NOT NULL,
        -- Address of this service as the client reached it, for links in webhooks.
        base_url text NOT NULL,
        -- JWE under the key of who sent it: the input as it came, and the address of the webhook, which may hold a token.
        sealed_call text NOT NULL,
        -- About what the client is told; empty: about nothing.
        webhook_events text[] NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, run_id),
        FOREIGN KEY (organization_id, run_id) REFERENCES run (organization_id, id),
        CONSTRAINT gateway_job_vendor_check CHECK (vendor IN ('fal', 'replicate')),
        CONSTRAINT gateway_job_events_check CHECK (webhook_events <@ ARRAY['start', 'output', 'logs', 'completed'])
      );
      SELECT tenant_table('gateway_job');
      SELECT append_only('gateway_job');
      GRANT SELECT, INSERT ON gateway_job TO colophon_app;

      -- One thing to tell, made in the transaction in which it happened.
      CREATE TABLE gateway_delivery (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        run_id uuid NOT NULL,
        event text NOT NULL,
        -- Tells the outputs of one run apart.
        ordinal int NOT NULL,
        state text NOT NULL,
        attempts int NOT NULL,
        -- HTTP status of the last answer; null where none came.
        last_status int,
        -- Our own word for what went wrong last; never what the other side said.
        last_error text,
        created_at timestamptz NOT NULL,
        last_attempt_at timestamptz,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, run_id) REFERENCES gateway_job (organization_id, run_id),
        CONSTRAINT gateway_delivery_state_check CHECK (state IN ('due', 'delivered', 'given_up')),
        CONSTRAINT gateway_delivery_attempts_check CHECK (attempts >= 0)
      );
      CREATE UNIQUE INDEX gateway_delivery_once ON gateway_delivery (organization_id, run_id, event, ordinal);
      SELECT tenant_table('gateway_delivery');
      GRANT SELECT, INSERT,
        UPDATE (state, attempts, last_status, last_error, last_attempt_at) ON gateway_delivery TO colophon_app;

      -- A file that was announced, and the asset that it became.
      CREATE TABLE gateway_upload (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        vendor text NOT NULL,
        key_id text NOT NULL,
        project_id uuid NOT NULL,
        use_case_id uuid NOT NULL,
        asset_id uuid,
        created_at timestamptz NOT NULL,
        -- The client wants to hear no more of it; the asset stays.
        forgotten_at timestamptz,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, key_id) REFERENCES api_key (organization_id, id),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        CONSTRAINT gateway_upload_vendor_check CHECK (vendor IN ('fal', 'replicate'))
      );
      SELECT tenant_table('gateway_upload');
      GRANT SELECT, INSERT, UPDATE (asset_id, forgotten_at) ON gateway_upload TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE gateway_upload, gateway_delivery, gateway_job;');
  }
}
