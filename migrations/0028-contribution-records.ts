import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Records of human work that can be signed, corrected and proved: keys of contributors, corrections that only add,
 * attachments, storyboards (ADR 0030).
 */
export class ContributionRecords1700000000028 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE signature_key (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        -- Whose it is. Nobody else's record can be signed with it: contribution_signature_key_fkey below.
        principal_id uuid NOT NULL,
        algorithm text NOT NULL,
        -- RFC 7638: SHA-256 in hexadecimal digits.
        thumbprint text NOT NULL,
        -- The public key in canonical JSON; the same bytes are in the log.
        jwk bytea NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, principal_id) REFERENCES principal (organization_id, id),
        CONSTRAINT signature_key_of_person_unique UNIQUE (organization_id, id, principal_id),
        -- A key speaks for one person.
        CONSTRAINT signature_key_thumbprint_unique UNIQUE (organization_id, thumbprint),
        CONSTRAINT signature_key_algorithm_check CHECK (algorithm IN ('ES256', 'EdDSA'))
      );
      SELECT tenant_table('signature_key');
      SELECT append_only('signature_key');

      CREATE TABLE signature_key_revocation (
        organization_id uuid NOT NULL,
        key_id uuid NOT NULL,
        reason text NOT NULL,
        revoked_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        revoked_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, key_id),
        FOREIGN KEY (organization_id, key_id) REFERENCES signature_key (organization_id, id),
        FOREIGN KEY (organization_id, revoked_by) REFERENCES principal (organization_id, id),
        CONSTRAINT signature_key_revocation_reason_check CHECK (reason IN ('superseded', 'lost', 'compromised', 'left'))
      );
      SELECT tenant_table('signature_key_revocation');
      SELECT append_only('signature_key_revocation');

      -- Rows of before this migration have none of these.
      ALTER TABLE contribution
        ADD COLUMN engagement text,
        ADD COLUMN assignment text,
        -- The record as it was made and, where it is, signed: canonical JSON, JWE under the contributor's key.
        ADD COLUMN sealed_record text,
        -- Compact JWS with detached payload (RFC 7515, appendix F) over the record. It would confirm a guess at the
        -- words, so it is sealed as they are.
        ADD COLUMN sealed_signature text,
        ADD COLUMN signature_key_id uuid,
        ADD COLUMN difference_sha256 text,
        ADD COLUMN shown_asset_ids uuid[],
        ADD CONSTRAINT contribution_capture_check
          CHECK (capture IN ('automatic', 'declared_at_time', 'declared_later')),
        ADD CONSTRAINT contribution_signature_check
          CHECK ((sealed_signature IS NULL) = (signature_key_id IS NULL)),
        ADD CONSTRAINT contribution_signature_key_fkey
          FOREIGN KEY (organization_id, signature_key_id, contributor_id)
          REFERENCES signature_key (organization_id, id, principal_id);
      CREATE INDEX contribution_by_parent ON contribution (organization_id, parent_asset_id);

      CREATE TABLE contribution_correction (
        organization_id uuid NOT NULL,
        contribution_id uuid NOT NULL,
        -- Counts from 1; nothing is overwritten, the last one counts. Of two at once, one is told that another was first.
        ordinal int NOT NULL,
        id uuid NOT NULL,
        kind text NOT NULL,
        corrected_by uuid NOT NULL,
        -- What it is now said to be; only of 'amended'.
        action_type text,
        basis text,
        sealed_text text NOT NULL,
        -- Of 'signed': the contributor's signature over the record, given later.
        sealed_signature text,
        signature_key_id uuid,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, contribution_id, ordinal),
        FOREIGN KEY (organization_id, contribution_id) REFERENCES contribution (organization_id, id),
        FOREIGN KEY (organization_id, corrected_by) REFERENCES principal (organization_id, id),
        CONSTRAINT contribution_correction_signature_key_fkey
          FOREIGN KEY (organization_id, signature_key_id, corrected_by)
          REFERENCES signature_key (organization_id, id, principal_id),
        CONSTRAINT contribution_correction_id_unique UNIQUE (organization_id, id),
        CONSTRAINT contribution_correction_ordinal_check CHECK (ordinal BETWEEN 1 AND 100),
        CONSTRAINT contribution_correction_kind_check CHECK (kind IN ('amended', 'withdrawn', 'signed')),
        CONSTRAINT contribution_correction_amended_check
          CHECK (kind = 'amended' OR (action_type IS NULL AND basis IS NULL)),
        CONSTRAINT contribution_correction_signed_check
          CHECK ((kind = 'signed') = (sealed_signature IS NOT NULL AND signature_key_id IS NOT NULL))
      );
      SELECT tenant_table('contribution_correction');
      SELECT append_only('contribution_correction');

      CREATE TABLE contribution_attachment (
        organization_id uuid NOT NULL,
        contribution_id uuid NOT NULL,
        ordinal int NOT NULL,
        id uuid NOT NULL,
        kind text NOT NULL,
        sha256 text NOT NULL,
        size_bytes bigint NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        -- How many there are is bounded here: each of several at once takes the next number or none.
        PRIMARY KEY (organization_id, contribution_id, ordinal),
        FOREIGN KEY (organization_id, contribution_id) REFERENCES contribution (organization_id, id),
        CONSTRAINT contribution_attachment_id_unique UNIQUE (organization_id, id),
        CONSTRAINT contribution_attachment_ordinal_check CHECK (ordinal BETWEEN 1 AND 20),
        CONSTRAINT contribution_attachment_kind_check
          CHECK (kind IN ('layered_source', 'sketch', 'screen_recording', 'other'))
      );
      SELECT tenant_table('contribution_attachment');
      SELECT append_only('contribution_attachment');

      -- Assets in an order that a person gave them. Every change is a new version.
      CREATE TABLE storyboard (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        version int NOT NULL,
        project_id uuid NOT NULL,
        mode text NOT NULL,
        asset_ids uuid[] NOT NULL,
        ordered_by uuid NOT NULL,
        sealed_rationale text NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id, version),
        FOREIGN KEY (organization_id, project_id) REFERENCES project (organization_id, id),
        FOREIGN KEY (organization_id, ordered_by) REFERENCES principal (organization_id, id),
        CONSTRAINT storyboard_version_check CHECK (version > 0),
        CONSTRAINT storyboard_mode_check CHECK (mode IN ('live', 'test')),
        CONSTRAINT storyboard_size_check CHECK (cardinality(asset_ids) BETWEEN 2 AND 200)
      );
      CREATE INDEX storyboard_assets ON storyboard USING gin (asset_ids);
      SELECT tenant_table('storyboard');
      SELECT append_only('storyboard');

      -- Only contributors themselves amend and sign; a withdrawal may come from somebody else, who then says why.
      CREATE FUNCTION guard_contribution_correction() RETURNS trigger LANGUAGE plpgsql
        SET search_path = colophon, pg_temp AS $$
      BEGIN
        IF NEW.kind <> 'withdrawn' AND NOT EXISTS (
          SELECT 1 FROM contribution c WHERE c.organization_id = NEW.organization_id
             AND c.id = NEW.contribution_id AND c.contributor_id = NEW.corrected_by)
        THEN
          RAISE EXCEPTION 'only the contributor says otherwise' USING ERRCODE = 'CLP05';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER own_words BEFORE INSERT ON contribution_correction
        FOR EACH ROW EXECUTE FUNCTION guard_contribution_correction();
      ALTER TABLE contribution_correction ENABLE ALWAYS TRIGGER own_words;

      GRANT SELECT, INSERT ON signature_key, signature_key_revocation, contribution_correction,
        contribution_attachment, storyboard TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE storyboard, contribution_attachment, contribution_correction;
      DROP FUNCTION guard_contribution_correction();
      DROP INDEX contribution_by_parent;
      ALTER TABLE contribution
        DROP CONSTRAINT contribution_signature_key_fkey,
        DROP CONSTRAINT contribution_signature_check,
        DROP CONSTRAINT contribution_capture_check,
        DROP COLUMN engagement, DROP COLUMN assignment, DROP COLUMN sealed_record, DROP COLUMN sealed_signature,
        DROP COLUMN signature_key_id, DROP COLUMN difference_sha256, DROP COLUMN shown_asset_ids;
      DROP TABLE signature_key_revocation, signature_key;
    `);
  }
}
