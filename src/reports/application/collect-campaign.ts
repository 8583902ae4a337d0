import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type RegistryEvent, type RegistryHistory } from '../../licenses/application/registry-changes.js';
import {
  CLEARANCE_COLUMNS,
  type ClearanceRow,
  type StoredClearance,
  toStored,
} from '../../licenses/application/read-clearance.js';
import { readObligations } from '../../licenses/application/read-obligations.js';
import { type AssetObligation } from '../../licenses/domain/asset-obligation.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import {
  type CampaignAsset,
  campaignGaps,
  type CampaignReport,
  type CampaignWaiver,
  type Expiry,
  type IndemnityRow,
  type MatrixCell,
} from '../domain/campaign.js';
import { type ReportSignerIdentity } from '../domain/report-signature.js';

/** More are no report that a person reads: ask for a shorter time, or for one use case. */
const MAX_ASSETS = 5_000;
const DAY_CHARACTERS = 10;

/** What a report is about: a project, perhaps one use case, perhaps a time. */
interface Scope {
  readonly projectId: string;
  readonly useCaseId: string | null;
  readonly from: Date | null;
  readonly until: Date | null;
}

/** Gathers what is recorded of a campaign. Facts only; no name and no sealed text of a person. */
export class CollectCampaign {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly history: RegistryHistory,
    private readonly obligationsToday: Pick<ShowObligationsToday, 'ofId'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `payload_too_large` when there are too many files for a report */
  collect(report: ReportEntity, signer: ReportSignerIdentity | undefined): Promise<CampaignReport> {
    return this.organizationTx.run(report.organizationId, async (tx) => {
      const { useCase, from, until } = report.parameters;
      const names = await namesOf(tx, report.subjectId, useCase);
      const scope: Scope = {
        projectId: report.subjectId,
        useCaseId: names.useCaseId,
        from: from === undefined ? null : new Date(from),
        until: until === undefined ? null : new Date(until),
      };
      const now = this.clock.now();
      const { assets, intermediate } = await assetsOf(tx, scope);
      const matrix = (await mapInOrder(assets, (asset) => this.cellsOf(tx, asset))).flat();
      const known = new Set(matrix.map(({ assetId }) => assetId));
      const lists = await listedAssets(
        tx,
        assets.map(({ id }) => id),
      );
      const clearances = await clearancesOf(tx, scope);
      const waivers = await waiversOf(tx, scope, now);
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
        assets: assets.map((asset) => ({
          ...viewOf(asset),
          obligationsKnown: lists.has(asset.id) || known.has(publicId('asset', asset.id)),
        })),
        intermediateAssets: intermediate,
        matrix,
        expiries: expiriesOf(clearances, waivers, await inputRightsOf(tx, scope), now),
        indemnity: indemnityOf(clearances),
        ...(await spentOf(tx, scope)),
        waivers,
        changes: await this.changesSince(tx, report, assets, now),
      };
      return { ...facts, gaps: campaignGaps(facts) };
    });
  }

  /** What is listed, as it reads today, and what is owed today beside it: that has no id, but a key. */
  private async cellsOf(tx: Tx, { id }: AssetRow): Promise<MatrixCell[]> {
    const list = await readObligations(tx, id);
    if (list === undefined) return [];
    const { added, changed } = await this.obligationsToday.ofId(tx, id, list);
    const corrected = new Map(changed.map(({ key, today }) => [key, today]));
    return [
      ...list.items.map(({ id: obligationId, obligation, state }) =>
        cellOf(id, corrected.get(obligation.key) ?? obligation, {
          id: publicId('obligation', obligationId),
          state,
        }),
      ),
      ...added.map((obligation) => cellOf(id, obligation, { id: obligation.key, state: 'open' })),
    ];
  }

  private async changesSince(
    tx: Tx,
    report: ReportEntity,
    assets: readonly AssetRow[],
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
    const made = assets.flatMap((asset) => [
      ...(asset.created_at > since
        ? [{ at: asset.created_at, text: 'New file', subject: publicId('asset', asset.id) }]
        : []),
      ...(asset.released_at !== null && asset.released_at > since
        ? [{ at: asset.released_at, text: 'Released', subject: publicId('asset', asset.id) }]
        : []),
    ]);
    const registry = (await this.history.between(tx, since, now)).flatMap(({ event }) => eventWords(event));
    const items = [...made, ...registry]
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

interface AssetRow {
  readonly id: string;
  readonly title: string;
  readonly media_type: string;
  readonly mode: 'live' | 'test';
  readonly sha256: string;
  readonly created_at: Date;
  readonly decision: 'approve' | 'reject' | null;
  readonly released_at: Date | null;
  readonly is_finished: boolean;
}

/**
 * Files of the campaign: those of its runs, and what people made of them. Without a use case, all of the project. An
 * edit has no run of its own, so it belongs where one of its ancestors does.
 */
const CAMPAIGN_ASSETS = `
  WITH RECURSIVE member AS (
    SELECT a.id FROM asset a LEFT JOIN run r ON r.organization_id = a.organization_id AND r.id = a.run_id
     WHERE a.organization_id = $1 AND a.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)
    UNION
    SELECT p.asset_id FROM asset_parent p JOIN member m ON m.id = p.parent_asset_id
      JOIN asset child ON child.organization_id = p.organization_id AND child.id = p.asset_id AND child.project_id = $2
     WHERE p.organization_id = $1 AND child.run_id IS NULL
  )`;

async function assetsOf(tx: Tx, scope: Scope): Promise<{ assets: AssetRow[]; intermediate: number }> {
  const rows = await tx.query<AssetRow>(
    `${CAMPAIGN_ASSETS}
     SELECT a.id, a.title, a.media_type, a.mode, a.sha256, a.created_at, v.decision, l.released_at,
            (l.released_at IS NOT NULL OR NOT EXISTS (
               SELECT 1 FROM asset_parent p WHERE p.organization_id = $1 AND p.parent_asset_id = a.id)) AS is_finished
       FROM asset a JOIN member m ON m.id = a.id
       LEFT JOIN review v ON v.organization_id = a.organization_id AND v.asset_id = a.id
       LEFT JOIN asset_release l ON l.organization_id = a.organization_id AND l.asset_id = a.id
      WHERE a.organization_id = $1 AND a.origin <> 'upload'
        AND ($4::timestamptz IS NULL OR a.created_at >= $4) AND ($5::timestamptz IS NULL OR a.created_at < $5)
      ORDER BY a.created_at, a.id LIMIT ${4 * MAX_ASSETS}`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  const assets = rows.filter(({ is_finished }) => is_finished);
  if (assets.length > MAX_ASSETS || rows.length === 4 * MAX_ASSETS) {
    throw new ColophonError(
      'payload_too_large',
      `A report holds at most ${MAX_ASSETS} files. Ask for a shorter time or for one use case.`,
    );
  }
  return { assets, intermediate: rows.length - assets.length };
}

function viewOf(row: AssetRow): Omit<CampaignAsset, 'obligationsKnown'> {
  const reviewed = { approve: 'approved', reject: 'rejected' } as const;
  return {
    id: publicId('asset', row.id),
    title: row.title,
    mediaType: row.media_type,
    mode: row.mode,
    sha256: row.sha256,
    createdAt: row.created_at.toISOString(),
    state:
      row.released_at !== null ? 'released' : row.decision === null ? 'not_reviewed' : reviewed[row.decision],
    releasedAt: row.released_at?.toISOString(),
  };
}

async function listedAssets(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ asset_id: string }>(
    'SELECT asset_id FROM asset_obligation_list WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])',
    [tx.organizationId, ids],
  );
  return new Set(rows.map(({ asset_id }) => asset_id));
}

function cellOf(
  assetId: string,
  obligation: AssetObligation,
  { id, state }: { id: string; state: MatrixCell['state'] },
): MatrixCell {
  return {
    assetId: publicId('asset', assetId),
    market: obligation.where,
    kind: obligation.kind,
    source: obligation.source,
    applies: obligation.applies,
    state,
    blocking: obligation.blocking,
    obligationId: id,
    text: obligation.text,
    notVerified: obligation.notVerified,
  };
}

/** Decisions under which runs of the campaign stand, the last one of each. */
async function clearancesOf(tx: Tx, scope: Scope): Promise<StoredClearance[]> {
  const rows = await tx.query<ClearanceRow>(
    `SELECT DISTINCT ON (c.id) ${CLEARANCE_COLUMNS.split(', ')
      .map((column) => `c.${column}`)
      .join(', ')}
       FROM run r JOIN clearance c ON c.organization_id = r.organization_id AND c.id = r.clearance_id
      WHERE r.organization_id = $1 AND r.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)
        AND ($4::timestamptz IS NULL OR r.created_at >= $4) AND ($5::timestamptz IS NULL OR r.created_at < $5)
      ORDER BY c.id`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  return rows.map(toStored);
}

async function waiversOf(tx: Tx, scope: Scope, now: Date): Promise<CampaignWaiver[]> {
  const rows = await tx.query<{
    id: string;
    reason: string;
    clearance_id: string | null;
    listing_id: string | null;
    rule_id: string | null;
    created_at: Date;
    expires_at: Date;
  }>(
    `SELECT w.id, w.reason, w.clearance_id, w.listing_id, w.rule_id, w.created_at, w.expires_at FROM waiver w
      WHERE w.organization_id = $1 AND ($4::timestamptz IS NULL OR w.created_at < $4) AND (
        (w.project_id = $2 AND ($3::uuid IS NULL OR w.use_case_id IS NULL OR w.use_case_id = $3))
        OR w.clearance_id IN (SELECT r.clearance_id FROM run r
             WHERE r.organization_id = $1 AND r.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)))
      ORDER BY w.expires_at, w.id`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.until],
  );
  return rows.map((row) => ({
    id: publicId('waiver', row.id),
    about:
      row.clearance_id === null
        ? `${row.rule_id ?? ''} of ${row.listing_id ?? ''}`
        : publicId('clearance', row.clearance_id),
    reason: row.reason,
    approvedAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    isOpen: row.expires_at > now,
  }));
}

interface InputRights {
  readonly id: string;
  readonly rights: {
    readonly expiresAt?: string | null;
    readonly releases?: readonly { readonly expiresAt?: string | null }[];
  };
}

/** Files that were brought in and lie behind files of the campaign. */
async function inputRightsOf(tx: Tx, scope: Scope): Promise<InputRights[]> {
  return tx.query<InputRights>(
    `${CAMPAIGN_ASSETS}, ancestor AS (
       SELECT id FROM member
       UNION
       SELECT p.parent_asset_id FROM asset_parent p JOIN ancestor a ON a.id = p.asset_id WHERE p.organization_id = $1
     )
     SELECT a.id, a.rights FROM asset a JOIN ancestor m ON m.id = a.id
      WHERE a.organization_id = $1 AND a.rights IS NOT NULL ORDER BY a.id LIMIT ${MAX_ASSETS}`,
    [tx.organizationId, scope.projectId, scope.useCaseId],
  );
}

function expiriesOf(
  clearances: readonly StoredClearance[],
  waivers: readonly CampaignWaiver[],
  inputs: readonly InputRights[],
  now: Date,
): Expiry[] {
  const today = now.toISOString().slice(0, DAY_CHARACTERS);
  const found: Omit<Expiry, 'isPast'>[] = [
    ...waivers.map(({ id, expiresAt, about }) => ({
      on: expiresAt.slice(0, DAY_CHARACTERS),
      what: 'waiver' as const,
      text: `Exception for ${about}`,
      subject: id,
    })),
    ...inputs.flatMap(({ id, rights }) =>
      [rights.expiresAt, ...(rights.releases ?? []).map(({ expiresAt }) => expiresAt)].flatMap((on, i) =>
        on == null
          ? []
          : [
              {
                on,
                what: 'input_rights' as const,
                text: i === 0 ? 'Right in a file that was brought in' : 'Release of a person or property',
                subject: publicId('asset', id),
              },
            ],
      ),
    ),
    ...clearances.flatMap(({ id, input: { facts } }) =>
      facts.campaignEnd === null
        ? []
        : [
            {
              on: facts.campaignEnd,
              what: 'campaign' as const,
              text: 'Last day for which the licenses were decided',
              subject: publicId('clearance', id),
            },
          ],
    ),
  ];
  return found
    .map((each) => ({ ...each, isPast: each.on !== 'unknown' && each.on < today }))
    .sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0));
}

/** The worst answer of all runs counts: an indemnity that one run lost is not intact for the campaign. */
const WORST = ['lost', 'unknown', 'none', 'intact'] as const;

function indemnityOf(clearances: readonly StoredClearance[]): IndemnityRow[] {
  const rows = new Map<string, IndemnityRow>();
  for (const { indemnity } of clearances) {
    for (const { listingId, result, lostBecause, open } of indemnity) {
      const known = rows.get(listingId);
      const worst = WORST.find((each) => each === known?.result || each === result) ?? result;
      rows.set(listingId, {
        listingId,
        result: worst,
        runs: (known?.runs ?? 0) + 1,
        lostBecause: [...new Set([...(known?.lostBecause ?? []), ...lostBecause])].sort(),
        open: [...new Set([...(known?.open ?? []), ...open])].sort(),
      });
    }
  }
  return [...rows.values()].sort((a, b) => (a.listingId < b.listingId ? -1 : 1));
}

async function spentOf(tx: Tx, scope: Scope): Promise<Pick<CampaignReport, 'models' | 'costs'>> {
  const rows = await tx.query<{
    listing_id: string;
    succeeded: string;
    settled: string;
    settled_steps: string;
    open: string;
    open_steps: string;
    bases: Record<string, number> | null;
  }>(
    `SELECT s.listing_id, count(*) FILTER (WHERE s.state = 'SUCCEEDED') AS succeeded,
            coalesce(sum(m.amount_micro_usd), 0)::bigint AS settled, count(m.basis) AS settled_steps,
            coalesce(sum(s.reserved_micro_usd) FILTER (WHERE ${OPEN_STEP}), 0)::bigint AS open,
            count(*) FILTER (WHERE ${OPEN_STEP}) AS open_steps,
            (SELECT jsonb_object_agg(basis, n) FROM (
               SELECT m2.basis, count(*) AS n FROM money_movement m2 JOIN step_run s2
                   ON s2.organization_id = m2.organization_id AND s2.id = m2.step_run_id
                 JOIN run r2 ON r2.organization_id = s2.organization_id AND r2.id = s2.run_id
                WHERE m2.organization_id = $1 AND m2.kind = 'settlement' AND s2.listing_id = s.listing_id
                  AND r2.project_id = $2 AND ($3::uuid IS NULL OR r2.use_case_id = $3)
                  AND ($4::timestamptz IS NULL OR r2.created_at >= $4)
                  AND ($5::timestamptz IS NULL OR r2.created_at < $5)
                GROUP BY m2.basis) b) AS bases
       FROM step_run s JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
       LEFT JOIN money_movement m
         ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'settlement'
       LEFT JOIN money_movement e
         ON e.organization_id = s.organization_id AND e.step_run_id = s.id AND e.kind <> 'reservation'
      WHERE s.organization_id = $1 AND r.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)
        AND ($4::timestamptz IS NULL OR r.created_at >= $4) AND ($5::timestamptz IS NULL OR r.created_at < $5)
      GROUP BY s.listing_id ORDER BY s.listing_id`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  const sum = (of: (row: (typeof rows)[number]) => string): bigint =>
    rows.reduce((total, row) => total + BigInt(of(row)), 0n);
  const steps = Number(sum(({ succeeded }) => succeeded));
  const basis: Record<string, number> = {};
  for (const { bases } of rows)
    for (const [name, number] of Object.entries(bases ?? {})) basis[name] = (basis[name] ?? 0) + number;
  return {
    models: rows
      .filter(({ succeeded }) => succeeded !== '0')
      .map((row) => ({
        listingId: row.listing_id,
        steps: Number(row.succeeded),
        shareBasisPoints: Math.round((10_000 * Number(row.succeeded)) / steps),
        settledMicroUsd: row.settled,
      }))
      .sort((a, b) => b.steps - a.steps || (a.listingId < b.listingId ? -1 : 1)),
    costs: {
      settledMicroUsd: sum(({ settled }) => settled).toString(),
      openMicroUsd: sum(({ open }) => open).toString(),
      settledSteps: Number(sum(({ settled_steps }) => settled_steps)),
      openSteps: Number(sum(({ open_steps }) => open_steps)),
      basis,
    },
  };
}

/** Begun, and neither paid nor given back. */
const OPEN_STEP = `e.kind IS NULL AND s.reserved_micro_usd > 0`;
