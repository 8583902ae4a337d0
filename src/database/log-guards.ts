import type pg from 'pg';
import { SCHEMA } from './data-source.js';
import { sqlState } from './organization-tx.js';

/** insufficient_privilege */
const DENIED = '42501';

/**
 * Event triggers around the tables of the log. Row triggers never see a rewritten column, a detached partition or
 * their own removal; these do, also when the owner of the tables, who runs the migrations, is the one who tries.
 *
 * Only a superuser who says so (`SET colophon.break_glass = 'on'`) gets past them. The functions belong to the
 * superuser, so that the owner of the tables cannot replace them.
 *
 * @returns false where the server does not let this user make event triggers (some managed services): then the row
 *   triggers and the signed checkpoints stand alone, which `/readyz` tells.
 */
export async function installLogGuards(administrator: pg.Client): Promise<boolean> {
  try {
    await administrator.query('BEGIN');
    await administrator.query(GUARDS);
    await administrator.query('COMMIT');
    return true;
  } catch (error) {
    await administrator.query('ROLLBACK');
    if (sqlState(error) === DENIED) return false;
    throw error;
  }
}

const GUARDS = `
  CREATE SCHEMA IF NOT EXISTS colophon_guard;
  GRANT USAGE ON SCHEMA colophon_guard TO PUBLIC;

  CREATE OR REPLACE FUNCTION colophon_guard.is_log_table(relation oid) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog AS $$
    SELECT EXISTS (
      SELECT 1 FROM pg_class c WHERE c.oid = relation AND c.relnamespace = '${SCHEMA}'::regnamespace
         AND c.relname ~ '^audit_(log|entry(_[0-9]{6})?|checkpoint|cosignature|time_stamp)$')
      OR EXISTS (SELECT 1 FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
         WHERE i.inhrelid = relation AND p.relname = 'audit_entry')
  $$;

  CREATE OR REPLACE FUNCTION colophon_guard.glass_is_broken() RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog AS $$
    SELECT coalesce(current_setting('colophon.break_glass', true), '') = 'on'
       AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  $$;

  -- A column is never given another value by ALTER TABLE ... TYPE ... USING.
  CREATE OR REPLACE FUNCTION colophon_guard.refuse_rewrite() RETURNS event_trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
  BEGIN
    IF colophon_guard.is_log_table(pg_event_trigger_table_rewrite_oid()) AND NOT colophon_guard.glass_is_broken() THEN
      RAISE EXCEPTION 'the log is append-only: rewriting % refused', pg_event_trigger_table_rewrite_oid()::regclass
        USING ERRCODE = 'insufficient_privilege';
    END IF;
  END $$;

  CREATE OR REPLACE FUNCTION colophon_guard.refuse_drop() RETURNS event_trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
  DECLARE
    dropped record;
  BEGIN
    IF colophon_guard.glass_is_broken() THEN RETURN; END IF;
    FOR dropped IN SELECT * FROM pg_event_trigger_dropped_objects() LOOP
      -- Triggers and policies lie in no schema of their own: theirs is named for them by some versions of the server only.
      IF (dropped.schema_name = '${SCHEMA}'
          OR (dropped.schema_name IS NULL AND dropped.object_identity LIKE '% on ${SCHEMA}.%')) AND (
           (dropped.object_type IN ('table', 'table column', 'trigger', 'policy', 'table constraint')
              AND dropped.object_identity ~ '(^|[ .])audit_(log|entry(_[0-9]{6}|_opening)?|checkpoint|cosignature|time_stamp)([ .]|$)')
           OR (dropped.object_type = 'function'
              AND dropped.object_identity ~ '\\.(refuse_change|head_only_grows)\\(')) THEN
        RAISE EXCEPTION 'the log is append-only: dropping % % refused', dropped.object_type, dropped.object_identity
          USING ERRCODE = 'insufficient_privilege';
      END IF;
    END LOOP;
  END $$;

  -- After every other change of a definition: is each table of the log still guarded, and each partition in its place?
  CREATE OR REPLACE FUNCTION colophon_guard.require_guards() RETURNS event_trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
  DECLARE
    unguarded text;
  BEGIN
    IF colophon_guard.glass_is_broken() THEN RETURN; END IF;
    SELECT string_agg(name, ', ') INTO unguarded
      FROM unnest(ARRAY['audit_log', 'audit_entry', 'audit_checkpoint', 'audit_cosignature', 'audit_time_stamp']) AS name
     WHERE to_regclass('${SCHEMA}.' || name) IS NULL;
    IF unguarded IS NOT NULL THEN
      RAISE EXCEPTION 'the log is append-only: this would leave % in another place', unguarded
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT string_agg(c.relname, ', ') INTO unguarded FROM pg_class c
     WHERE colophon_guard.is_log_table(c.oid) AND (
           c.relnamespace <> '${SCHEMA}'::regnamespace
        OR (c.relispartition AND c.relname !~ '^audit_entry_([0-9]{6}|opening)$')
        OR NOT (c.relrowsecurity AND c.relforcerowsecurity)
        OR pg_get_userbyid(c.relowner) <> 'colophon_owner'
        OR (c.relname ~ '^audit_entry_' AND NOT c.relispartition)
        OR (SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
             WHERE t.tgrelid = c.oid AND t.tgenabled = 'A'
               AND p.proname IN ('refuse_change', 'head_only_grows')
               AND t.tgname IN ('append_only_row', 'append_only_truncate', 'head_only_grows')) <> 2);
    IF unguarded IS NOT NULL THEN
      RAISE EXCEPTION 'the log is append-only: this would leave % without its guards', unguarded
        USING ERRCODE = 'insufficient_privilege';
    END IF;
  END $$;

  DROP EVENT TRIGGER IF EXISTS colophon_log_rewrite;
  DROP EVENT TRIGGER IF EXISTS colophon_log_drop;
  DROP EVENT TRIGGER IF EXISTS colophon_log_guards;
  CREATE EVENT TRIGGER colophon_log_rewrite ON table_rewrite EXECUTE FUNCTION colophon_guard.refuse_rewrite();
  CREATE EVENT TRIGGER colophon_log_drop ON sql_drop EXECUTE FUNCTION colophon_guard.refuse_drop();
  CREATE EVENT TRIGGER colophon_log_guards ON ddl_command_end
    WHEN TAG IN ('ALTER SCHEMA', 'ALTER TABLE', 'ALTER TRIGGER', 'CREATE TRIGGER', 'CREATE FUNCTION', 'ALTER FUNCTION', 'ALTER POLICY')
    EXECUTE FUNCTION colophon_guard.require_guards();
  ALTER EVENT TRIGGER colophon_log_rewrite ENABLE ALWAYS;
  ALTER EVENT TRIGGER colophon_log_drop ENABLE ALWAYS;
  ALTER EVENT TRIGGER colophon_log_guards ENABLE ALWAYS;
  -- The owner of the tables must not replace what the triggers call.
  ALTER FUNCTION ${SCHEMA}.refuse_change() OWNER TO CURRENT_USER;
  ALTER FUNCTION ${SCHEMA}.head_only_grows() OWNER TO CURRENT_USER;
`;
