import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What people say of assets, what a use case cost before, and what became of what it shows. Nothing is ever changed. */
export class QualityAndReturns1700000000026 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE asset_vote (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        asset_id uuid NOT NULL,
        -- Where it was made, and with which model: fixed when the vote is cast.
        use_case_id uuid NOT NULL,
        listing_id text NOT NULL,
        vote text NOT NULL,
        over_asset_id uuid,
        over_listing_id text,
        voted_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, over_asset_id) REFERENCES asset (organization_id, id),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, voted_by) REFERENCES principal (organization_id, id),
        CONSTRAINT asset_vote_vote_check CHECK (vote IN ('accept', 'reject', 'prefer')),
        CONSTRAINT asset_vote_over_check CHECK ((vote = 'prefer') = (over_asset_id IS NOT NULL AND over_listing_id IS NOT NULL))
      );
      CREATE INDEX asset_vote_use_case ON asset_vote (organization_id, use_case_id, listing_id);
      SELECT tenant_table('asset_vote');
      SELECT append_only('asset_vote');

      -- The old way, as somebody declares it: what one piece cost, how long it took, what the new way cost to set up.
      CREATE TABLE use_case_baseline (
        organization_id uuid NOT NULL,
        id uuid NOT NULL,
        use_case_id uuid NOT NULL,
        cost_micro_usd bigint,
        minutes double precision,
        investment_micro_usd bigint,
        -- JWE under the key of who declared it: where the numbers are from, in their words.
        sealed_source text NOT NULL,
        declared_by uuid NOT NULL,
        declared_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, declared_by) REFERENCES principal (organization_id, id),
        CONSTRAINT use_case_baseline_amounts_check CHECK (cost_micro_usd >= 0 AND minutes >= 0 AND investment_micro_usd >= 0)
      );
      SELECT tenant_table('use_case_baseline');
      SELECT append_only('use_case_baseline');

      -- One row of what became of a variant on a day, by the customer's own key; a correction is the next version.
      CREATE TABLE outcome (
        organization_id uuid NOT NULL,
        use_case_id uuid NOT NULL,
        row_key text NOT NULL,
        version int NOT NULL,
        variant text NOT NULL,
        asset_id uuid,
        day date NOT NULL,
        impressions bigint,
        clicks bigint,
        conversions bigint,
        revenue_micro_usd bigint,
        import_id uuid NOT NULL,
        PRIMARY KEY (organization_id, use_case_id, row_key, version),
        FOREIGN KEY (organization_id, use_case_id) REFERENCES use_case (organization_id, id),
        FOREIGN KEY (organization_id, asset_id) REFERENCES asset (organization_id, id),
        CONSTRAINT outcome_counts_check CHECK (impressions >= 0 AND clicks >= 0 AND conversions >= 0)
      );
      SELECT tenant_table('outcome');
      SELECT append_only('outcome');
      GRANT SELECT, INSERT ON asset_vote, use_case_baseline, outcome TO colophon_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outcome, use_case_baseline, asset_vote;');
  }
}
