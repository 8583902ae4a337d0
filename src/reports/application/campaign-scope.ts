/** What a campaign report is about: a project, perhaps one use case, perhaps a time. Ids are UUIDs. */
export interface CampaignScope {
  readonly projectId: string;
  readonly useCaseId: string | null;
  readonly from: Date | null;
  readonly until: Date | null;
}

/**
 * Files of the campaign: those of its runs, and what people made of them. Without a use case, all of the project. An
 * edit has no run of its own, so it belongs where one of its ancestors does.
 */
export const CAMPAIGN_ASSETS = `
  WITH RECURSIVE member AS (
    SELECT a.id FROM asset a LEFT JOIN run r ON r.organization_id = a.organization_id AND r.id = a.run_id
     WHERE a.organization_id = $1 AND a.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)
    UNION
    SELECT p.asset_id FROM asset_parent p JOIN member m ON m.id = p.parent_asset_id
      JOIN asset child ON child.organization_id = p.organization_id AND child.id = p.asset_id AND child.project_id = $2
     WHERE p.organization_id = $1 AND child.run_id IS NULL
  )`;
