import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Values that others could guess or read on. The log and manifests hold a salted commitment to what a decision was made
 * upon; the salt lies with the decision. The tool that a contributor named goes with their other words, and is taken where
 * an erasure of before left it.
 */
export class GuessableValues1700000000049 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- NULL for decisions whose entries say the hash in clear.
      ALTER TABLE clearance ADD COLUMN input_salt bytea
        CONSTRAINT clearance_input_salt_check CHECK (octet_length(input_salt) = 32);

      -- A record never changes, but for its tool, and that only to these words: no entry of the log holds it in clear.
      CREATE FUNCTION guard_contribution() RETURNS trigger LANGUAGE plpgsql SET search_path = colophon, pg_temp AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND NEW.tool = '(tool erased)' AND to_jsonb(NEW) - 'tool' = to_jsonb(OLD) - 'tool' THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'table contribution is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$;
      DROP TRIGGER append_only_row ON contribution;
      CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON contribution
        FOR EACH ROW EXECUTE FUNCTION guard_contribution();
      ALTER TABLE contribution ENABLE ALWAYS TRIGGER append_only_row;

      -- The owner is bound by the policies as well; for this one statement it is not.
      ALTER TABLE contribution NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE erasure NO FORCE ROW LEVEL SECURITY;
      UPDATE contribution c SET tool = '(tool erased)'
       WHERE c.tool NOT IN ('none', '(tool erased)') AND EXISTS (
         SELECT 1 FROM erasure e WHERE e.organization_id = c.organization_id AND e.subject_id = c.contributor_id
            AND e.erased_at >= c.created_at);
      ALTER TABLE contribution FORCE ROW LEVEL SECURITY;
      ALTER TABLE erasure FORCE ROW LEVEL SECURITY;

      -- Runs in the erasure, with the rights of the owner: nobody else deletes such a key.
      CREATE FUNCTION erase_named_tools() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      BEGIN
        UPDATE contribution SET tool = '(tool erased)'
         WHERE organization_id = OLD.organization_id AND contributor_id = OLD.subject_id
           AND tool NOT IN ('none', '(tool erased)');
        RETURN NULL;
      END $$;
      REVOKE ALL ON FUNCTION erase_named_tools() FROM PUBLIC;
      CREATE TRIGGER erase_named_tools AFTER DELETE ON data_subject_key
        FOR EACH ROW EXECUTE FUNCTION erase_named_tools();
      ALTER TABLE data_subject_key ENABLE ALWAYS TRIGGER erase_named_tools;
    `);
  }

  /** Tools that are gone cannot come back. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER erase_named_tools ON data_subject_key;
      DROP FUNCTION erase_named_tools();
      DROP TRIGGER append_only_row ON contribution;
      DROP FUNCTION guard_contribution();
      CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON contribution
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
      ALTER TABLE contribution ENABLE ALWAYS TRIGGER append_only_row;
      ALTER TABLE clearance DROP COLUMN input_salt;
    `);
  }
}
