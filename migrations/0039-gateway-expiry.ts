import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What the gateway keeps beside runs ends after 30 days (ADR 0036): jobs of SDKs with what was told about them, files that
 * were announced, and which call became which run. Runs, assets and entries stay. Each function is bounded, deletes only
 * what is old and over, and nothing that a legal hold covers.
 */
export class GatewayExpiry1700000000039 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A page of predictions.list: the runs of one key in one use case, newest first.
      CREATE INDEX run_of_replicate_key ON run (organization_id, api_key_id, use_case_id, id DESC)
        WHERE pipeline_name = 'gateway-replicate';
      CREATE INDEX gateway_job_by_age ON gateway_job (created_at);
      CREATE INDEX gateway_upload_by_age ON gateway_upload (created_at);

      -- A job is never changed, and deleted only by the owner, when it is old.
      CREATE FUNCTION guard_gateway_job() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
      BEGIN
        IF TG_OP = 'DELETE' AND current_user = 'colophon_owner' AND OLD.created_at < now() - interval '30 days' THEN
          RETURN OLD;
        END IF;
        RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$;
      DROP TRIGGER append_only_row ON gateway_job;
      CREATE TRIGGER guard_gateway_job BEFORE UPDATE OR DELETE ON gateway_job
        FOR EACH ROW EXECUTE FUNCTION guard_gateway_job();
      ALTER TABLE gateway_job ENABLE ALWAYS TRIGGER guard_gateway_job;

      -- In which organizations something is old, across all of them. Everything else is read inside of one organization.
      CREATE POLICY owner_sees_expired ON gateway_job FOR SELECT TO colophon_owner
        USING (created_at < now() - interval '30 days');
      CREATE POLICY owner_sees_expired ON gateway_upload FOR SELECT TO colophon_owner
        USING (created_at < now() - interval '30 days');
      CREATE POLICY owner_deletes_expired ON gateway_upload FOR DELETE TO colophon_owner
        USING (created_at < now() - interval '30 days');

      -- Everything that the person said is under one key, so what holds one of their values holds all of them, as for
      -- erasure (holds_on_subject, migration 0006).
      CREATE FUNCTION delete_expired_gateway_jobs(at_most integer) RETURNS integer
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        most constant integer := least(at_most, 1000);
        of_organization uuid;
        held uuid[];
        expired uuid[];
        deleted integer := 0;
      BEGIN
        FOR of_organization IN
          SELECT DISTINCT organization_id FROM gateway_job WHERE created_at < now() - interval '30 days' ORDER BY 1
        LOOP
          EXIT WHEN deleted >= most;
          PERFORM set_config('app.organization_id', of_organization::text, true);
          -- A hold is there before we look, or it comes after we are done.
          PERFORM lock_holds(of_organization);
          held := ARRAY(
            SELECT person.id FROM (
              SELECT DISTINCT r.created_by AS id FROM gateway_job j
                JOIN run r ON r.organization_id = j.organization_id AND r.id = j.run_id
               WHERE j.organization_id = of_organization AND j.created_at < now() - interval '30 days'
                 AND EXISTS (SELECT 1 FROM legal_hold h
                   WHERE h.organization_id = of_organization AND h.lifted_at IS NULL)) person
             WHERE EXISTS (SELECT 1 FROM holds_on_subject(of_organization, person.id)));
          expired := ARRAY(
            SELECT j.run_id FROM gateway_job j
              JOIN run r ON r.organization_id = j.organization_id AND r.id = j.run_id
             WHERE j.organization_id = of_organization AND j.created_at < now() - interval '30 days'
               AND r.finished_at < now() - interval '30 days' AND NOT r.created_by = ANY (held)
               AND NOT EXISTS (SELECT 1 FROM gateway_delivery d
                 WHERE d.organization_id = j.organization_id AND d.run_id = j.run_id AND d.state = 'due')
             ORDER BY j.created_at LIMIT most - deleted);
          DELETE FROM gateway_delivery WHERE organization_id = of_organization AND run_id = ANY (expired);
          DELETE FROM gateway_job WHERE organization_id = of_organization AND run_id = ANY (expired);
          deleted := deleted + cardinality(expired);
        END LOOP;
        PERFORM set_config('app.organization_id', '', true);
        RETURN deleted;
      END $$;

      -- The asset stays, with its entry; what goes is the address.
      CREATE FUNCTION delete_expired_gateway_uploads(at_most integer) RETURNS integer
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        deleted integer;
      BEGIN
        DELETE FROM gateway_upload WHERE (organization_id, id) IN (
          SELECT organization_id, id FROM gateway_upload
           WHERE created_at < now() - interval '30 days'
           ORDER BY created_at LIMIT least(at_most, 1000));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        RETURN deleted;
      END $$;

      -- As before, but not while the run of a request is open: its answer is still owed, and charged once.
      CREATE OR REPLACE FUNCTION delete_expired_gateway_requests(at_most integer) RETURNS integer
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        most constant integer := least(at_most, 1000);
        of_organization uuid;
        gone integer;
        deleted integer := 0;
      BEGIN
        FOR of_organization IN
          SELECT DISTINCT organization_id FROM gateway_request WHERE created_at < now() - interval '30 days' ORDER BY 1
        LOOP
          EXIT WHEN deleted >= most;
          PERFORM set_config('app.organization_id', of_organization::text, true);
          DELETE FROM gateway_request WHERE organization_id = of_organization AND id IN (
            SELECT q.id FROM gateway_request q
              LEFT JOIN run r ON r.organization_id = q.organization_id AND r.id = q.run_id
             WHERE q.organization_id = of_organization AND q.created_at < now() - interval '30 days'
               AND (q.run_id IS NULL OR r.finished_at IS NOT NULL)
             ORDER BY q.created_at LIMIT most - deleted);
          GET DIAGNOSTICS gone = ROW_COUNT;
          deleted := deleted + gone;
        END LOOP;
        PERFORM set_config('app.organization_id', '', true);
        RETURN deleted;
      END $$;

      REVOKE ALL ON FUNCTION delete_expired_gateway_jobs(integer), delete_expired_gateway_uploads(integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION delete_expired_gateway_jobs(integer), delete_expired_gateway_uploads(integer)
        TO colophon_sequencer;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION delete_expired_gateway_requests(at_most integer) RETURNS integer
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
      DROP FUNCTION delete_expired_gateway_uploads(integer);
      DROP FUNCTION delete_expired_gateway_jobs(integer);
      DROP POLICY owner_deletes_expired ON gateway_upload;
      DROP POLICY owner_sees_expired ON gateway_upload;
      DROP POLICY owner_sees_expired ON gateway_job;
      DROP TRIGGER guard_gateway_job ON gateway_job;
      CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON gateway_job
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
      ALTER TABLE gateway_job ENABLE ALWAYS TRIGGER append_only_row;
      DROP FUNCTION guard_gateway_job();
      DROP INDEX gateway_upload_by_age;
      DROP INDEX gateway_job_by_age;
      DROP INDEX run_of_replicate_key;
    `);
  }
}
