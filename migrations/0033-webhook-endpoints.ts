import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Webhooks to customers (ADR 0032). The log is the outbox: an endpoint remembers up to which index it has been told, so
 * what is committed is told, and nothing else is.
 */
export class WebhookEndpoints1700000000033 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE webhook_endpoint (
        organization_id uuid NOT NULL REFERENCES organization,
        id uuid NOT NULL,
        -- Host of the address, for people; the whole of it may hold a token.
        host text NOT NULL,
        -- JWE: address and secrets.
        sealed text NOT NULL,
        -- Entry types, "asset.*", or "*".
        events text[] NOT NULL,
        state text NOT NULL,
        -- Index of the first entry that has not been looked at.
        next_index bigint NOT NULL,
        -- Since when no delivery has succeeded; null after a success.
        failing_since timestamptz,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT webhook_endpoint_state_check CHECK (state IN ('active', 'paused', 'disabled', 'removed')),
        CONSTRAINT webhook_endpoint_events_check CHECK (cardinality(events) BETWEEN 1 AND 50),
        CONSTRAINT webhook_endpoint_index_check CHECK (next_index >= 0)
      );
      SELECT tenant_table('webhook_endpoint');
      GRANT SELECT, INSERT, UPDATE (host, sealed, events, state, next_index, failing_since)
        ON webhook_endpoint TO colophon_app;

      CREATE TABLE webhook_delivery (
        organization_id uuid NOT NULL,
        -- Also the webhook-id: the same for each attempt, so that a receiver recognizes what it has.
        id uuid NOT NULL,
        endpoint_id uuid NOT NULL,
        -- Null for a trial, which tells of no entry.
        entry_index bigint,
        event text NOT NULL,
        state text NOT NULL,
        attempts int NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        -- HTTP status of the last answer; null where none came.
        last_status int,
        -- Our own word for what went wrong last; never what the other side said.
        last_error text,
        last_attempt_at timestamptz,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoint (organization_id, id),
        CONSTRAINT webhook_delivery_state_check CHECK (state IN ('due', 'delivered', 'given_up')),
        CONSTRAINT webhook_delivery_attempts_check CHECK (attempts >= 0)
      );
      CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (organization_id, endpoint_id, entry_index);
      CREATE INDEX webhook_delivery_due ON webhook_delivery (next_attempt_at) WHERE state = 'due';
      CREATE INDEX webhook_delivery_by_age ON webhook_delivery (created_at);
      SELECT tenant_table('webhook_delivery');
      GRANT SELECT, INSERT, UPDATE (state, attempts, next_attempt_at, last_status, last_error, last_attempt_at)
        ON webhook_delivery TO colophon_app;

      -- Which organizations have something to tell, across all of them; of what and to whom it says nothing.
      CREATE POLICY owner_sees_all ON webhook_endpoint FOR SELECT TO colophon_owner USING (true);
      CREATE POLICY owner_sees_all ON webhook_delivery FOR SELECT TO colophon_owner USING (true);
      CREATE POLICY owner_sees_sizes ON audit_checkpoint FOR SELECT TO colophon_owner USING (true);
      CREATE FUNCTION organizations_with_webhooks_due() RETURNS TABLE (organization_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
        SELECT e.organization_id FROM webhook_endpoint e
         WHERE e.state = 'active' AND e.next_index <
           (SELECT max(c.size) FROM audit_checkpoint c WHERE c.organization_id = e.organization_id)
        UNION
        SELECT d.organization_id FROM webhook_delivery d WHERE d.state = 'due' AND d.next_attempt_at <= now()
      $$;
      REVOKE ALL ON FUNCTION organizations_with_webhooks_due() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION organizations_with_webhooks_due() TO colophon_sequencer;

      -- The record of deliveries ends after 30 days: what was told stays in the log of entries.
      CREATE POLICY owner_deletes_old ON webhook_delivery FOR DELETE TO colophon_owner
        USING (state <> 'due' AND created_at < now() - interval '30 days');
      CREATE FUNCTION delete_old_webhook_deliveries(at_most integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        deleted integer;
      BEGIN
        DELETE FROM webhook_delivery WHERE (organization_id, id) IN (
          SELECT organization_id, id FROM webhook_delivery
           WHERE state <> 'due' AND created_at < now() - interval '30 days'
           ORDER BY created_at LIMIT least(at_most, 1000));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        RETURN deleted;
      END $$;
      REVOKE ALL ON FUNCTION delete_old_webhook_deliveries(integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION delete_old_webhook_deliveries(integer) TO colophon_sequencer;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION delete_old_webhook_deliveries(integer);
      DROP FUNCTION organizations_with_webhooks_due();
      DROP POLICY owner_sees_sizes ON audit_checkpoint;
      DROP TABLE webhook_delivery, webhook_endpoint;
    `);
  }
}
