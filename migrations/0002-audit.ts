import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The log. The application may insert pending entries and read; only the sequencer's role puts them into the log.
 * Nobody may change or remove what is in the log: grants refuse the application, triggers refuse the owner, and
 * the triggers fire ALWAYS so that session_replication_role does not switch them off. Event triggers refuse what
 * row triggers never see (rewriting a column, detaching or dropping a partition, disabling a trigger); only a
 * superuser can make them, see src/database/log-guards.ts. A superuser can still do all of it: that is found by the
 * signed checkpoints, not prevented (see docs/threat-model.md).
 *
 * Entries lie in partitions by index, each of 2^24 = 16,777,216 = 256^3 indices: whole tiles up to level 2, so that a
 * closed partition can be archived and still be checked against tiles that never change. Not by time: months do not
 * align with tiles.
 */
export class Audit1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$;

      -- Truncation triggers are not inherited by partitions, so each partition gets its own.
      CREATE FUNCTION refuse_truncate(target regclass) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_truncate', target);
      END $$;

      CREATE FUNCTION append_only(target regclass) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        EXECUTE format('CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION refuse_change()', target);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_row', target);
        PERFORM refuse_truncate(target);
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

      CREATE FUNCTION head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.edge <> OLD.edge)
           OR (NEW.organization_id, NEW.origin) <> (OLD.organization_id, OLD.origin) THEN
          RAISE EXCEPTION 'the head of a log only grows: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER head_only_grows BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION head_only_grows();
      ALTER TABLE audit_log ENABLE ALWAYS TRIGGER head_only_grows;
      SELECT refuse_truncate('audit_log');

      -- Outbox: written in the same transaction as the business change it tells of. No foreign key to organization:
      -- it would lock that row for each entry, and the head of the log names the organization already.
      CREATE TABLE audit_pending (
        organization_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        ordinal bigint GENERATED ALWAYS AS IDENTITY,
        entry bytea NOT NULL,
        entry_type text NOT NULL,
        subject_kind text NOT NULL,
        subject_id text NOT NULL,
        actor_id text NOT NULL,
        project_id uuid,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, entry_id)
      );
      CREATE INDEX audit_pending_ordinal ON audit_pending (organization_id, ordinal);
      SELECT tenant_table('audit_pending');

      CREATE TABLE audit_entry (
        organization_id uuid NOT NULL,
        index bigint NOT NULL,
        entry_id uuid NOT NULL,
        entry bytea NOT NULL,
        entry_type text NOT NULL,
        subject_kind text NOT NULL,
        subject_id text NOT NULL,
        actor_id text NOT NULL,
        project_id uuid,
        recorded_at timestamptz NOT NULL,
        -- The server's clock at the insert, which follows the order of the log: see select-entries.ts.
        integrated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (organization_id, index)
      ) PARTITION BY RANGE (index);
      CREATE INDEX audit_entry_by_id ON audit_entry (organization_id, entry_id);
      CREATE INDEX audit_entry_by_subject ON audit_entry (organization_id, subject_id, index);
      CREATE INDEX audit_entry_by_type ON audit_entry (organization_id, entry_type, index);
      CREATE INDEX audit_entry_by_actor ON audit_entry (organization_id, actor_id, index);
      CREATE INDEX audit_entry_by_project ON audit_entry (organization_id, project_id, index) WHERE project_id IS NOT NULL;
      CREATE INDEX audit_entry_by_time ON audit_entry (organization_id, integrated_at, index);
      -- Rows whose own time says nothing about their position: they waited, or a clock was wrong. Mostly empty.
      CREATE INDEX audit_entry_late ON audit_entry (organization_id, recorded_at, index)
        WHERE integrated_at - recorded_at > '5 seconds'::interval OR recorded_at - integrated_at > '5 seconds'::interval;
      SELECT tenant_table('audit_entry');
      SELECT append_only('audit_entry');

      -- Makes the partition that holds an index, with all its guards, unless it is there. It is attached and gets its
      -- name only when it is guarded, and ATTACH, unlike CREATE ... PARTITION OF, lets readers and writers go on.
      -- The sequencer may call it and owns nothing itself.
      CREATE FUNCTION open_entry_partition(of_index bigint) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = colophon, pg_temp AS $$
      DECLARE
        width constant bigint := 16777216;
        ordinal constant bigint := of_index / width;
        name constant text := format('audit_entry_%s', lpad(ordinal::text, 6, '0'));
      BEGIN
        IF of_index < 0 OR ordinal > 999999 THEN
          RAISE EXCEPTION 'a log has no entry with index %', of_index;
        END IF;
        IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('open_entry_partition'));
        IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
        CREATE TABLE audit_entry_opening (LIKE audit_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        EXECUTE format('ALTER TABLE audit_entry_opening ADD CONSTRAINT %I CHECK (index >= %s AND index < %s)',
                       name || '_range', ordinal * width, (ordinal + 1) * width);
        PERFORM tenant_table('audit_entry_opening');
        CREATE POLICY sequencer_sees_all ON audit_entry_opening TO colophon_sequencer USING (true) WITH CHECK (true);
        PERFORM refuse_truncate('audit_entry_opening');
        EXECUTE format('ALTER TABLE audit_entry ATTACH PARTITION audit_entry_opening FOR VALUES FROM (%s) TO (%s)',
                       ordinal * width, (ordinal + 1) * width);
        -- The row trigger came with the attachment; that it fires ALWAYS is said again, whatever the server's version.
        ALTER TABLE audit_entry_opening ENABLE ALWAYS TRIGGER append_only_row;
        EXECUTE format('ALTER TABLE audit_entry_opening RENAME TO %I', name);
      END $$;
      REVOKE ALL ON FUNCTION open_entry_partition(bigint) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION open_entry_partition(bigint) TO colophon_sequencer;
      SELECT open_entry_partition(0);

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

      -- What witnesses signed on a checkpoint: the whole signature line of each.
      CREATE TABLE audit_cosignature (
        organization_id uuid NOT NULL,
        size bigint NOT NULL,
        witness text NOT NULL,
        cosignature text NOT NULL,
        witnessed_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, size, witness),
        FOREIGN KEY (organization_id, size) REFERENCES audit_checkpoint
      );
      SELECT tenant_table('audit_cosignature');
      SELECT append_only('audit_cosignature');

      -- RFC 3161 tokens over the three lines of a checkpoint.
      CREATE TABLE audit_time_stamp (
        organization_id uuid NOT NULL,
        size bigint NOT NULL,
        authority text NOT NULL,
        token bytea NOT NULL,
        stamped_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, size, authority),
        FOREIGN KEY (organization_id, size) REFERENCES audit_checkpoint
      );
      SELECT tenant_table('audit_time_stamp');
      SELECT append_only('audit_time_stamp');

      -- How it stands with each witness and time-stamp authority. Not evidence: it may be changed and lost.
      -- A conflict says that the party knows another history of this log: then nothing is signed any more.
      CREATE TABLE audit_anchor_state (
        organization_id uuid NOT NULL REFERENCES organization,
        kind text NOT NULL,
        name text NOT NULL,
        size bigint NOT NULL,
        failures integer NOT NULL,
        last_error text,
        conflict text,
        attempted_at timestamptz NOT NULL,
        succeeded_at timestamptz,
        PRIMARY KEY (organization_id, kind, name),
        CONSTRAINT audit_anchor_state_kind_check CHECK (kind IN ('witness', 'time_stamp'))
      );
      SELECT tenant_table('audit_anchor_state');

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
      GRANT SELECT ON audit_entry, audit_checkpoint, audit_cosignature, audit_time_stamp, audit_anchor_state TO colophon_app;

      GRANT SELECT, DELETE ON audit_pending TO colophon_sequencer;
      GRANT SELECT, INSERT ON audit_entry, audit_checkpoint, audit_cosignature, audit_time_stamp TO colophon_sequencer;
      GRANT SELECT, INSERT, UPDATE ON audit_anchor_state TO colophon_sequencer;
      GRANT SELECT, UPDATE (size, edge) ON audit_log TO colophon_sequencer;
      -- The sequencer serves the logs of all organizations, and sees nothing but the log tables.
      CREATE POLICY sequencer_sees_all ON audit_log TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_pending TO colophon_sequencer USING (true);
      CREATE POLICY sequencer_sees_all ON audit_entry TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_checkpoint TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_cosignature TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_time_stamp TO colophon_sequencer USING (true) WITH CHECK (true);
      CREATE POLICY sequencer_sees_all ON audit_anchor_state TO colophon_sequencer USING (true) WITH CHECK (true);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE audit_opening, data_subject_key, audit_anchor_state, audit_time_stamp, audit_cosignature,
                 audit_checkpoint, audit_entry, audit_pending, audit_log;
      DROP FUNCTION open_entry_partition(bigint);
      DROP FUNCTION append_only(regclass);
      DROP FUNCTION refuse_truncate(regclass);
      DROP FUNCTION refuse_change();
      DROP FUNCTION head_only_grows();
    `);
  }
}
