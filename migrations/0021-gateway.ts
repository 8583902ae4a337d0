import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The gateway for the vendors' own SDKs: what a use case says about all calls that come through it, and which call
 * became which run. Calls are never charged twice for being sent twice, by any number of processes (ADR 0026).
 */
export class Gateway1700000000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The last one counts; a use case without a row takes no call.
      CREATE TABLE gateway_settings (
        organization_id uuid NOT NULL,
        use_case_id uuid NOT NULL,
        ordinal int NOT NULL,
        -- Canonical bytes (RFC 8785); settingsSha256 in the log is over them.
        settings bytea NOT NULL,
        set_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        -- Of two people who decide at once, one is told that somebody was first.
        PRIMARY KEY (organization_id, use_case_id, ordinal),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, set_by) REFERENCES principal (organization_id, id),
        CONSTRAINT gateway_settings_ordinal_check CHECK (ordinal > 0)
      );
      SELECT tenant_table('gateway_settings');
      SELECT append_only('gateway_settings');
      GRANT SELECT, INSERT ON gateway_settings TO colophon_app;

      CREATE TABLE gateway_request (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        -- HMAC over who asks and the Idempotency-Key; without one over who asks, where and what.
        slot_mac bytea NOT NULL,
        -- HMAC over who asks, where and what: a reused Idempotency-Key shows by it.
        request_mac bytea NOT NULL,
        -- Whether an Idempotency-Key names it: then it is the same request for ever.
        is_keyed boolean NOT NULL,
        -- Who is making the run of it; after claimed_until that process is taken for dead.
        claim_token uuid NOT NULL,
        claimed_until timestamptz NOT NULL,
        -- Set in the transaction that accepts the run.
        run_id uuid,
        -- The last byte of an answer is on its way; whoever asks the same now waits to see whether it arrives.
        handing_over_until timestamptz,
        -- The answer was handed over, or nobody came for it in time: the same request is a new one from now on.
        closed_at timestamptz,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, run_id) REFERENCES run (organization_id, id)
      );
      -- At most one request in a slot is open, whichever process it reached.
      CREATE UNIQUE INDEX gateway_request_open ON gateway_request (organization_id, slot_mac)
        WHERE is_keyed OR closed_at IS NULL;
      CREATE INDEX gateway_request_by_slot ON gateway_request (organization_id, slot_mac, created_at);
      CREATE INDEX gateway_request_by_age ON gateway_request (created_at);
      SELECT tenant_table('gateway_request');
      GRANT SELECT, INSERT, DELETE,
        UPDATE (claim_token, claimed_until, run_id, handing_over_until, closed_at) ON gateway_request TO colophon_app;

      -- The same picture is sent with many calls; it is received once.
      CREATE INDEX asset_original_sha256 ON asset (organization_id, original_sha256);

      -- As for idempotency keys (migrations/0017-idempotency-expiry.ts): after 30 days, by one function alone.
      CREATE POLICY owner_sees_expired ON gateway_request FOR SELECT TO colophon_owner
        USING (created_at < now() - interval '30 days');
      CREATE POLICY owner_deletes_expired ON gateway_request FOR DELETE TO colophon_owner
        USING (created_at < now() - interval '30 days');
      CREATE FUNCTION delete_expired_gateway_requests(at_most integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        deleted integer;
      BEGIN
        DELETE FROM gateway_request WHERE (organization_id, id) IN (
          SELECT organization_id, id FROM gateway_request
           WHERE created_at < now() - interval '30 days'
           ORDER BY created_at LIMIT least(at_most, 1000));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        RETURN deleted;
      END $$;
      REVOKE ALL ON FUNCTION delete_expired_gateway_requests(integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION delete_expired_gateway_requests(integer) TO colophon_sequencer;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION delete_expired_gateway_requests(integer);
      DROP INDEX asset_original_sha256;
      DROP TABLE gateway_request, gateway_settings;
    `);
  }
}
