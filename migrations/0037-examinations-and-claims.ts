import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What people find out about a file beyond what the program records itself, and what outsiders claim of it. Nothing is
 * overwritten: of examinations and of answers to a claim the last one counts.
 */
export class ExaminationsAndClaims1700000000037 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE asset_examination (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        asset_id uuid NOT NULL,
        question text NOT NULL,
        result text NOT NULL,
        examined_on date NOT NULL,
        -- What the entry says beside these: tool, kinds of matter, index, matches.
        details jsonb NOT NULL,
        -- Words are encrypted under the key of who examined it, like comments in reviews.
        sealed_text text NOT NULL,
        sealed_document text,
        evidence_asset_id uuid,
        evidence_sha256 text,
        examined_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, evidence_asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, examined_by) REFERENCES principal (organization_id, id),
        CONSTRAINT asset_examination_question_check
          CHECK (question IN ('third_party_matter', 'similar_works', 'exclusivity', 'claims')),
        CONSTRAINT asset_examination_result_check CHECK (
          (question IN ('third_party_matter', 'similar_works') AND result IN ('none_found', 'found', 'inconclusive'))
          OR (question = 'exclusivity' AND result IN ('exclusive', 'not_exclusive', 'unknown'))
          OR (question = 'claims' AND result IN ('none_known', 'unknown'))),
        CONSTRAINT asset_examination_sha256_check CHECK (evidence_sha256 ~ '^[0-9a-f]{64}$')
      );
      CREATE INDEX asset_examination_asset ON asset_examination (organization_id, asset_id, id);
      SELECT tenant_table('asset_examination');
      SELECT append_only('asset_examination');

      CREATE TABLE asset_claim (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        asset_id uuid NOT NULL,
        kind text NOT NULL,
        received_on date NOT NULL,
        respond_by date,
        sealed_claimant text NOT NULL,
        sealed_text text NOT NULL,
        evidence_sha256 text,
        recorded_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, recorded_by) REFERENCES principal (organization_id, id),
        CONSTRAINT asset_claim_kind_check CHECK (kind IN ('copyright', 'trademark', 'design', 'likeness', 'privacy',
          'contract', 'advertising', 'takedown', 'other')),
        CONSTRAINT asset_claim_sha256_check CHECK (evidence_sha256 ~ '^[0-9a-f]{64}$')
      );
      CREATE INDEX asset_claim_asset ON asset_claim (organization_id, asset_id, id);
      SELECT tenant_table('asset_claim');
      SELECT append_only('asset_claim');

      CREATE TABLE claim_answer (
        organization_id uuid NOT NULL,
        claim_id uuid NOT NULL,
        -- Of two people who answer at once, one is told that somebody was first.
        ordinal int NOT NULL,
        id uuid NOT NULL,
        outcome text NOT NULL,
        sealed_text text NOT NULL,
        evidence_sha256 text,
        answered_by uuid NOT NULL,
        entry_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, claim_id, ordinal),
        CONSTRAINT claim_answer_id_unique UNIQUE (organization_id, id),
        FOREIGN KEY (organization_id, claim_id) REFERENCES asset_claim (organization_id, id),
        FOREIGN KEY (organization_id, answered_by) REFERENCES principal (organization_id, id),
        CONSTRAINT claim_answer_ordinal_check CHECK (ordinal > 0),
        CONSTRAINT claim_answer_outcome_check
          CHECK (outcome IN ('acknowledged', 'rejected', 'settled', 'withdrawn', 'upheld', 'open')),
        CONSTRAINT claim_answer_sha256_check CHECK (evidence_sha256 ~ '^[0-9a-f]{64}$')
      );
      SELECT tenant_table('claim_answer');
      SELECT append_only('claim_answer');

      GRANT SELECT, INSERT ON asset_examination, asset_claim, claim_answer TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE claim_answer, asset_claim, asset_examination;');
  }
}
