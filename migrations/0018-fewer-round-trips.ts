import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What every request and every decision asks first, each in one statement. */
export class FewerRoundTrips1700000000018 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The key with this id, whatever its organization: looks the organization up, enters it, reads, and leaves it
      -- again. With the rights of the caller, so row-level security holds; a second key id cannot widen it.
      CREATE FUNCTION api_key_for_authentication(presented_key_id text)
        RETURNS TABLE (organization_id uuid, principal_id uuid, mode text, secret_sha256 bytea, expires_at timestamptz,
                       revoked_at timestamptz, roles text[], disabled_at timestamptz)
        LANGUAGE plpgsql VOLATILE SET search_path = colophon, pg_temp AS $$
      DECLARE
        of_organization uuid;
      BEGIN
        SELECT r.organization_id INTO of_organization FROM api_key_route r WHERE r.key_id = presented_key_id;
        IF of_organization IS NULL THEN
          RETURN;
        END IF;
        PERFORM set_config('app.organization_id', of_organization::text, true);
        -- RETURN QUERY reads all rows before it goes on.
        RETURN QUERY
          SELECT k.organization_id, k.principal_id, k.mode, k.secret_sha256, k.expires_at, k.revoked_at, p.roles, p.disabled_at
            FROM api_key k JOIN principal p ON p.organization_id = k.organization_id AND p.id = k.principal_id
           WHERE k.organization_id = of_organization AND k.id = presented_key_id;
        PERFORM set_config('app.organization_id', '', true);
      END $$;

      -- Takes the lock of decisions (migration 0007) and then says what they rest on: the version of the registry, and
      -- a mark of the policies. Versions of policies are only ever added, so their number alone names a state of them;
      -- the greatest id tells it from that of a database that was restored and went another way.
      CREATE FUNCTION decision_basis(of_organization uuid)
        RETURNS TABLE (registry_version bigint, policies_mark text)
        LANGUAGE plpgsql VOLATILE SET search_path = colophon, pg_temp AS $$
      BEGIN
        registry_version := registry_version_for_decision(of_organization);
        -- Volatile: read in a snapshot taken after the lock was given.
        SELECT count(*) || ' ' || coalesce(max(p.id::text), '') INTO policies_mark
          FROM policy_version p WHERE p.organization_id = of_organization;
        RETURN NEXT;
      END $$;

      REVOKE ALL ON FUNCTION api_key_for_authentication(text), decision_basis(uuid) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION api_key_for_authentication(text), decision_basis(uuid) TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION api_key_for_authentication(text), decision_basis(uuid)');
  }
}
