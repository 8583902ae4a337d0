import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The log. The application may insert pending entries and read; only the sequencer moves them into the log.
 * Nobody may change or remove what is in the log: grants refuse the application, triggers refuse the owner, and
 * the triggers fire ALWAYS so that session_replication_role does not switch them off. A superuser can still do
 * all of it: that is found by the signed checkpoints, not prevented (see docs/threat-model.md).
 */
export class Audit1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$;

      CREATE FUNCTION append_only(target regclass) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        EXECUTE format('CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION refuse_change()', target);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_row', target);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_truncate', target);
      END $$;

      -- Head of one log: size and right edge (the roots of its full subtrees, largest first) give the root hash.
      CREATE TABLE audit_log (
        organization_id uuid PRIMARY KEY REFERENCES organization,
        origin text NOT NULL UNIQUE,
        vkey text NOT NULL,
        size bigint NOT NULL,
        edge bytea[] NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT audit_log_size_check CHECK (size >= 0)
      );
      SELECT tenant_table('audit_log');

      -- Outbox: written in the same transaction as the business change it tells of.
      CREATE TABLE audit_pending (
        organization_id uuid NOT NULL REFERENCES organization,
        entry_id uuid NOT NULL,
        ordinal bigint GENERATED ALWAYS AS IDENTITY,
        entry bytea NOT NULL,
        entry_type text NOT NULL,
        subject_kind text NOT NULL,
        subject_id text NOT NULL,
        actor_id text NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, entry_id)
      );
      CREATE INDEX audit_pending_ordinal ON audit_pending (organization_id, ordinal);
      SELECT tenant_table('audit_pending');

      CREATE TABLE audit_entry (
        organization_id uuid NOT NULL REFERENCES organization,
        index bigint NOT NULL,
        entry_id uuid NOT NULL,
        entry bytea NOT NULL,
        leaf_hash bytea NOT NULL,
        entry_type text NOT NULL,
        subject_kind text NOT NULL,
        subject_id text NOT NULL,
        actor_id text NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, index),
        CONSTRAINT audit_entry_id_unique UNIQUE (organization_id, entry_id)
      );
      CREATE INDEX audit_entry_subject ON audit_entry (organization_id, subject_kind, subject_id, index);
      CREATE INDEX audit_entry_type ON audit_entry (organization_id, entry_type, index);
      SELECT tenant_table('audit_entry');
      SELECT append_only('audit_entry');

      CREATE TABLE audit_checkpoint (
        organization_id uuid NOT NULL REFERENCES organization,
        size bigint NOT NULL,
        edge bytea[] NOT NULL,
        note text NOT NULL,
        signed_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, size)
      );
      SELECT tenant_table('audit_checkpoint');
      SELECT append_only('audit_checkpoint');

      -- Values behind commitments, encrypted under a key per data subject. Deleting both erases the person
      -- without touching the log.
      CREATE TABLE data_subject_key (
        organization_id uuid NOT NULL REFERENCES organization,
        subject_id uuid NOT NULL,
        wrapped_key text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, subject_id)
      );
      SELECT tenant_table('data_subject_key');

      CREATE TABLE audit_opening (
        organization_id uuid NOT NULL REFERENCES organization,
        entry_id uuid NOT NULL,
        field text NOT NULL,
        subject_id uuid NOT NULL,
        sealed_opening text NOT NULL,
        PRIMARY KEY (organization_id, entry_id, field),
        FOREIGN KEY (organization_id, subject_id) REFERENCES data_subject_key (organization_id, subject_id)
      );
      SELECT tenant_table('audit_opening');

      GRANT SELECT, INSERT ON audit_log, audit_pending, audit_opening, data_subject_key TO colophon_app;
      GRANT SELECT ON audit_entry, audit_checkpoint TO colophon_app;

      GRANT SELECT, DELETE ON audit_pending TO colophon_sequencer;
      GRANT SELECT, INSERT ON audit_entry, audit_checkpoint TO colophon_sequencer;
      GRANT SELECT, UPDATE (size, edge) ON audit_log TO colophon_sequencer;
      -- The sequencer serves the logs of all organizations, and sees nothing but the log tables.
      CREATE POLICY sequencer_sees_all ON audit_log TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_pending TO colophon_sequencer USING (true);
      CREATE POLICY sequencer_sees_all ON audit_entry TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_checkpoint TO colophon_sequencer USING (true) WITH CHECK (true);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE audit_opening, data_subject_key, audit_checkpoint, audit_entry, audit_pending, audit_log;
      DROP FUNCTION append_only(regclass);
      DROP FUNCTION refuse_change();
    `);
  }
}
