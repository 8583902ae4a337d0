import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Idempotency keys end after 30 days. The sequencer's role may call one function and delete nothing itself; the
 * function runs as the owner, whom row-level security shows nothing of this table but what is older than that. So not
 * even a mistake in the function reaches a younger key.
 */
export class IdempotencyExpiry1700000000017 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);
      CREATE POLICY owner_sees_expired ON idempotency_key FOR SELECT TO colophon_owner
        USING (created_at < now() - interval '30 days');
      CREATE POLICY owner_deletes_expired ON idempotency_key FOR DELETE TO colophon_owner
        USING (created_at < now() - interval '30 days');

      -- The oldest first, at most so many and never more than 1,000: a transaction that is soon over.
      CREATE FUNCTION delete_expired_idempotency_keys(at_most integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        deleted integer;
      BEGIN
        DELETE FROM idempotency_key WHERE (organization_id, key) IN (
          SELECT organization_id, key FROM idempotency_key
           WHERE created_at < now() - interval '30 days'
           ORDER BY created_at LIMIT least(at_most, 1000));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        RETURN deleted;
      END $$;
      REVOKE ALL ON FUNCTION delete_expired_idempotency_keys(integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION delete_expired_idempotency_keys(integer) TO colophon_sequencer;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION delete_expired_idempotency_keys(integer);
      DROP POLICY owner_deletes_expired ON idempotency_key;
      DROP POLICY owner_sees_expired ON idempotency_key;
      DROP INDEX idempotency_key_by_age;
    `);
  }
}
