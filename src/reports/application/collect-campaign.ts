import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type ListWaivers } from '../../licenses/application/list-waivers.js';
import { type RegistryEvent, type RegistryHistory } from '../../licenses/application/registry-changes.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { type CampaignClaim, campaignGaps, type CampaignReport } from '../domain/campaign.js';
import { spendingOf } from '../domain/campaign-spending.js';
import { type ReportSignerIdentity } from '../domain/report-signature.js';
import { stepsOfCampaign } from './campaign-costs.js';
import { type CampaignFile, collectMatrix } from './campaign-matrix.js';
import {
  claimsOf,
  clearancesOf,
  expiriesOf,
  indemnityOf,
  inputRightsOf,
  waiversOf,
} from './campaign-rights.js';
import { type CollectedDocument } from './make-document-report.js';
import { type CampaignScope } from './campaign-scope.js';

/** Gathers what is recorded of a campaign. Facts only; no name and no sealed text of a person. */
export class CollectCampaign {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly history: RegistryHistory,
    private readonly obligationsToday: Pick<ShowObligationsToday, 'ofMany'>,
    private readonly waivers: Pick<ListWaivers, 'ofIds'>,
    private readonly clock: Clock,
  ) {}

  /**
   * @param progress told how much of it is done, 0 to 1
   * @throws ColophonError `payload_too_large` when there are too many files for a report
   */
  collect(
    report: ReportEntity,
    signer: ReportSignerIdentity | undefined,
    progress: (share: number) => Promise<void>,
  ): Promise<CollectedDocument<CampaignReport>> {
    return this.organizationTx.run(report.organizationId, async (tx) => {
      const { useCase, from, until } = report.parameters;
      const names = await namesOf(tx, report.subjectId, useCase);
      const scope: CampaignScope = {
        projectId: report.subjectId,
        useCaseId: names.useCaseId,
        from: from === undefined ? null : new Date(from),
        until: until === undefined ? null : new Date(until),
      };
      const now = this.clock.now();
      const { files, intermediate, cells } = await collectMatrix(tx, scope, this.obligationsToday, progress);
      const clearances = await clearancesOf(tx, scope);
      const waivers = await waiversOf(tx, scope, this.waivers);
      const claims = await claimsOf(tx, scope);
      const inputs = await inputRightsOf(tx, scope);
      const facts = {
        v: 1 as const,
        reportId: publicId('report', report.id),
        createdAt: now.toISOString(),
        signedBy: signer,
        product: { name: PRODUCT_NAME, version: PRODUCT_VERSION },
        organization: { id: publicId('organization', tx.organizationId), name: names.organization },
        project: { id: publicId('project', report.subjectId), name: names.project },
        useCase,
        span: { from, until },
        assets: files.map(({ asset }) => asset),
        intermediateAssets: intermediate,
        matrix: cells,
        expiries: expiriesOf(clearances, waivers, inputs, claims, now),
        indemnity: indemnityOf(clearances),
        ...spendingOf(await stepsOfCampaign(tx, scope)),
        waivers,
        claims,
        changes: await this.changesSince(tx, report, { files, claims }, now),
      };
      return {
        document: { ...facts, gaps: campaignGaps(facts) },
        principalIds: [...new Set(files.flatMap(({ titledBy }) => titledBy ?? []))],
      };
    });
  }

  private async changesSince(
    tx: Tx,
    report: ReportEntity,
    made: { readonly files: readonly CampaignFile[]; readonly claims: readonly CampaignClaim[] },
    now: Date,
  ): Promise<CampaignReport['changes']> {
    const [before] = await tx.query<{ id: string; created_at: Date }>(
      `SELECT id, created_at FROM report
        WHERE organization_id = $1 AND kind = 'campaign' AND subject_id = $2 AND state = 'DONE' AND id <> $3
          AND created_at <= $4 AND coalesce(parameters->>'useCase', '') = $5
        ORDER BY created_at DESC, id DESC LIMIT 1`,
      [tx.organizationId, report.subjectId, report.id, report.createdAt, report.parameters.useCase ?? ''],
    );
    if (before === undefined) return { items: [] };
    const since = before.created_at;
    const live = made.files.filter(({ asset }) => asset.mode === 'live');
    const ofFiles = live.flatMap(({ createdAt, releasedAt, recalledAt, asset }) =>
      [
        { at: createdAt, text: 'New file' },
        { at: releasedAt, text: 'Released' },
        { at: recalledAt, text: 'Recalled' },
      ].flatMap(({ at, text }) => (at !== undefined && at > since ? [{ at, text, subject: asset.id }] : [])),
    );
    const ofClaims = made.claims
      .map(({ recordedAt, id, kind }) => ({ at: new Date(recordedAt), text: `Claim: ${kind}`, subject: id }))
      .filter(({ at }) => at > since);
    const registry = (await this.history.between(tx, since, now)).flatMap(({ event }) => eventWords(event));
    const items = [...ofFiles, ...ofClaims, ...registry]
      .sort((a, b) => a.at.getTime() - b.at.getTime())
      .map(({ at, text, subject }) => ({ at: at.toISOString(), text, subject }));
    return { since: { reportId: publicId('report', before.id), createdAt: since.toISOString() }, items };
  }
}

function eventWords(event: RegistryEvent): { at: Date; text: string; subject: string }[] {
  const { at } = event;
  switch (event.kind) {
    case 'listing':
      return [
        {
          at,
          text: event.previousSha256 === null ? 'New listing' : 'Listing recorded anew',
          subject: event.listingId,
        },
      ];
    case 'curation':
      return [{ at, text: `Fact corrected: ${event.fact}`, subject: event.listingId }];
    case 'license-text':
      return [{ at, text: `License text read: ${event.change}`, subject: event.licenseKey }];
    case 'waiver-approved':
    case 'waiver-ended':
      return [
        {
          at,
          text: event.kind === 'waiver-approved' ? 'Exception granted' : 'Exception ended',
          subject: publicId('waiver', event.id),
        },
      ];
    case 'product-listings':
      return [
        {
          at,
          text: `Listings of release ${event.productVersion}: ${event.added.length} new, ${event.changed.length} changed, ${event.licenseChanged.length} with another license or text`,
          subject: 'registry',
        },
      ];
  }
}

async function namesOf(tx: Tx, projectId: string, useCase: string | undefined) {
  const [row] = await tx.query<{ organization: string; project: string; use_case_id: string | null }>(
    `SELECT o.name AS organization, p.name AS project,
            (SELECT id FROM use_case u WHERE u.organization_id = $1 AND u.project_id = $2 AND u.name = $3) AS use_case_id
       FROM organization o JOIN project p ON p.organization_id = o.organization_id AND p.id = $2
      WHERE o.organization_id = $1`,
    [tx.organizationId, projectId, useCase ?? null],
  );
  if (row === undefined || (useCase !== undefined && row.use_case_id === null))
    throw new ColophonError('not_found', 'There is no such project or use case.');
  return { organization: row.organization, project: row.project, useCaseId: row.use_case_id };
}
