import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The keys that sign manifests and reports, one row per key: a generation. They belong to the installation, not to an
 * organization, so there is no row-level security on them; where a key lies is no secret, and private keys are not here.
 * Which one signs is what the row says that is `active`, for all processes at once.
 *
 * A row follows one way only: pending, active, retiring, retired; and compromised from anywhere. The trigger holds
 * that against the application and the owner alike.
 */
export class SigningKeys1700000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE signing_key (
        id uuid PRIMARY KEY,
        purpose text NOT NULL,
        -- URI of exactly one key: file:, awskms:, pkcs11:, vault:
        reference text NOT NULL,
        algorithm text NOT NULL,
        -- A new certificate never takes an old key (C2PA certificate policy), whatever the purpose.
        spki_sha256 text NOT NULL,
        state text NOT NULL,
        -- Certified by the development authority of this program.
        development boolean NOT NULL,
        -- PEM: leaf first, root last.
        chain_pem text,
        certificate_sha256 text,
        not_before timestamptz,
        not_after timestamptz,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT signing_key_spki_unique UNIQUE (spki_sha256),
        CONSTRAINT signing_key_certificate_unique UNIQUE (certificate_sha256),
        CONSTRAINT signing_key_purpose_check CHECK (purpose IN ('claim', 'report')),
        CONSTRAINT signing_key_state_check CHECK (state IN ('pending', 'active', 'retiring', 'retired', 'compromised')),
        CONSTRAINT signing_key_certificate_check CHECK (
          num_nonnulls(chain_pem, certificate_sha256, not_before, not_after) IN (0, 4)
          AND (chain_pem IS NOT NULL OR state IN ('pending', 'compromised')))
      );
      CREATE UNIQUE INDEX signing_key_one_active ON signing_key (purpose) WHERE state = 'active';

      CREATE FUNCTION signing_key_follows_its_way() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE'
           OR (NEW.id, NEW.purpose, NEW.reference, NEW.algorithm, NEW.spki_sha256, NEW.created_at)
              IS DISTINCT FROM (OLD.id, OLD.purpose, OLD.reference, OLD.algorithm, OLD.spki_sha256, OLD.created_at)
           OR (OLD.chain_pem IS NOT NULL
               AND (NEW.chain_pem, NEW.certificate_sha256, NEW.not_before, NEW.not_after, NEW.development)
                   IS DISTINCT FROM (OLD.chain_pem, OLD.certificate_sha256, OLD.not_before, OLD.not_after, OLD.development))
           OR (NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
               ('pending', 'active'), ('active', 'retiring'), ('retiring', 'retired'), ('pending', 'compromised'),
               ('active', 'compromised'), ('retiring', 'compromised'), ('retired', 'compromised'))) THEN
          RAISE EXCEPTION 'a signing key goes from pending to active, retiring and retired, and never back: % refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER signing_key_follows_its_way BEFORE UPDATE OR DELETE ON signing_key
        FOR EACH ROW EXECUTE FUNCTION signing_key_follows_its_way();
      ALTER TABLE signing_key ENABLE ALWAYS TRIGGER signing_key_follows_its_way;
      SELECT refuse_truncate('signing_key');

      CREATE TABLE signing_key_event (
        ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        key_id uuid NOT NULL REFERENCES signing_key,
        event text NOT NULL,
        -- Only for compromised.
        reason text,
        at timestamptz NOT NULL,
        CONSTRAINT signing_key_event_check CHECK (
          event IN ('created', 'certified', 'activated', 'retiring', 'retired', 'compromised'))
      );
      SELECT append_only('signing_key_event');

      -- Which of these events stand in the log of an organization.
      CREATE TABLE signing_key_log_entry (
        organization_id uuid NOT NULL REFERENCES organization,
        event_ordinal bigint NOT NULL REFERENCES signing_key_event,
        entry_id uuid NOT NULL,
        PRIMARY KEY (organization_id, event_ordinal)
      );
      SELECT tenant_table('signing_key_log_entry');
      SELECT append_only('signing_key_log_entry');

      -- Which certificate signed, and what became of the time-stamp of the signature:
      -- {outcome: stamped, authority, time} or {outcome: missing, authority, reason}. NULL in rows of before.
      ALTER TABLE asset
        ADD COLUMN certificate_sha256 text,
        ADD COLUMN time_stamp jsonb;
      CREATE INDEX asset_certificate ON asset (organization_id, certificate_sha256);

      GRANT SELECT, INSERT ON signing_key, signing_key_event, signing_key_log_entry TO colophon_app;
      GRANT UPDATE (state, development, chain_pem, certificate_sha256, not_before, not_after, changed_at)
        ON signing_key TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Refused as long as a key signed something: without these rows nobody could say with what.
    await runner.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM asset WHERE certificate_sha256 IS NOT NULL OR time_stamp IS NOT NULL) THEN
          RAISE EXCEPTION 'assets were signed with recorded keys';
        END IF;
      END $$;
      DROP INDEX asset_certificate;
      ALTER TABLE asset DROP COLUMN certificate_sha256, DROP COLUMN time_stamp;
      DROP TABLE signing_key_log_entry, signing_key_event, signing_key;
      DROP FUNCTION signing_key_follows_its_way();
    `);
  }
}
