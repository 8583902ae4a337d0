import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type EffectiveRegistry } from '../../licenses/application/effective-registry.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import {
  type Correction,
  type ModelFile,
  modelGaps,
  type ModelUseHere,
  type ReadText,
} from '../domain/model-file.js';
import { type ReportSignerIdentity } from '../domain/report-signature.js';
import { collectModelWaivers, type ModelWaiversContext } from './collect-model-waivers.js';
import { type CollectedDocument } from './make-document-report.js';
import { People } from './people.js';

/** Gathers what is recorded of a model listing. Names and sealed words are those of people who accepted something of it. */
export class CollectModelFile {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly registry: EffectiveRegistry,
    private readonly accepted: Omit<ModelWaiversContext, 'tx' | 'people'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found` when the listing is gone */
  collect(
    report: ReportEntity,
    signer: ReportSignerIdentity | undefined,
  ): Promise<CollectedDocument<ModelFile>> {
    const listingId = report.parameters.listingId ?? '';
    return this.organizationTx.run(report.organizationId, async (tx) => {
      const { index } = await this.registry.now(tx);
      const indexed = index.get(listingId);
      if (indexed === undefined)
        throw new ColophonError('not_found', 'There is no model listing with this id.');
      const { listing, sha256 } = indexed;
      const people = new People(tx);
      const facts = {
        v: 1 as const,
        reportId: publicId('report', report.id),
        createdAt: this.clock.now().toISOString(),
        signedBy: signer,
        product: { name: PRODUCT_NAME, version: PRODUCT_VERSION },
        organization: await organizationOf(tx),
        listing,
        listingSha256: sha256,
        versions: await versionsOf(tx, listingId),
        texts: await textsOf(tx, listing.license.spdxOrRef, listingId),
        corrections: await correctionsOf(tx, listingId),
        use: await useOf(tx, listingId),
        waivers: await collectModelWaivers(listingId, { ...this.accepted, tx, people }),
      };
      return { document: { ...facts, gaps: modelGaps(facts) }, principalIds: people.principalIds };
    });
  }
}

async function organizationOf(tx: Tx): Promise<ModelFile['organization']> {
  const [row] = await tx.query<{ name: string }>('SELECT name FROM organization WHERE organization_id = $1', [
    tx.organizationId,
  ]);
  return { id: publicId('organization', tx.organizationId), name: row?.name ?? '' };
}

async function versionsOf(tx: Tx, listingId: string): Promise<ModelFile['versions']> {
  const rows = await tx.query<{ created_at: Date; sha256: string; source: string }>(
    `SELECT created_at, sha256, source FROM listing_version
      WHERE organization_id = $1 AND listing_id = $2 ORDER BY version`,
    [tx.organizationId, listingId],
  );
  return rows.map(({ created_at, sha256, source }) => ({ at: created_at.toISOString(), sha256, source }));
}

async function textsOf(tx: Tx, licenseKey: string, listingId: string): Promise<ReadText[]> {
  const rows = await tx.query<{
    created_at: Date;
    sha256: string;
    source_url: string | null;
    read_on: string;
    in_force_since: string | null;
    change: string;
    terms_read_from_this: boolean;
  }>(
    `SELECT created_at, sha256, source_url, read_on::text, in_force_since::text, change, terms_read_from_this
       FROM license_text_reading
      WHERE organization_id = $1 AND license_key = $2 AND (listing_ids = '{}' OR $3 = ANY(listing_ids))
      ORDER BY version`,
    [tx.organizationId, licenseKey, listingId],
  );
  return rows.map((row) => ({
    at: row.created_at.toISOString(),
    sha256: row.sha256,
    sourceUrl: row.source_url,
    readOn: row.read_on,
    inForceSince: row.in_force_since,
    change: row.change,
    termsReadFromThis: row.terms_read_from_this,
  }));
}

async function correctionsOf(tx: Tx, listingId: string): Promise<Correction[]> {
  const rows = await tx.query<{
    id: string;
    created_at: Date;
    fact: string;
    correction: unknown;
    evidence: unknown;
  }>(
    `SELECT id, created_at, fact, correction, evidence FROM curation
      WHERE organization_id = $1 AND listing_id = $2 ORDER BY version`,
    [tx.organizationId, listingId],
  );
  return rows.map(({ id, created_at, ...rest }) => ({
    id: publicId('curation', id),
    at: created_at.toISOString(),
    ...rest,
  }));
}

async function useOf(tx: Tx, listingId: string): Promise<ModelUseHere> {
  const [used] = await tx.query<{
    steps: string;
    projects: string;
    first: Date | null;
    last: Date | null;
    settled: string;
    failed: string;
    failed_settled: string;
    tests: string;
  }>(
    `SELECT count(*) FILTER (WHERE ${MADE}) AS steps, count(DISTINCT r.project_id) FILTER (WHERE ${MADE}) AS projects,
            min(s.created_at) FILTER (WHERE ${MADE}) AS first, max(s.created_at) FILTER (WHERE ${MADE}) AS last,
            coalesce(sum(m.amount_micro_usd) FILTER (WHERE ${MADE}), 0)::bigint AS settled,
            count(m.amount_micro_usd) FILTER (WHERE ${FAILED}) AS failed,
            coalesce(sum(m.amount_micro_usd) FILTER (WHERE ${FAILED}), 0)::bigint AS failed_settled,
            count(*) FILTER (WHERE r.mode = 'test' AND s.state = 'SUCCEEDED') AS tests
       FROM step_run s JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
       LEFT JOIN money_movement m
         ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'settlement'
      WHERE s.organization_id = $1 AND s.listing_id = $2`,
    [tx.organizationId, listingId],
  );
  const decided = await tx.query<{ decision: 'allow' | 'review' | 'deny'; n: string }>(
    `SELECT c.decision, count(*) AS n FROM clearance_listing l
       JOIN clearance c ON c.organization_id = l.organization_id AND coalesce(c.basis_id, c.id) = l.clearance_id
      WHERE l.organization_id = $1 AND l.listing_id = $2 GROUP BY c.decision`,
    [tx.organizationId, listingId],
  );
  const decisions = { allow: 0, review: 0, deny: 0 };
  for (const { decision, n } of decided) decisions[decision] = Number(n);
  return {
    decisions,
    steps: Number(used?.steps ?? 0),
    projects: Number(used?.projects ?? 0),
    firstUsedAt: used?.first?.toISOString() ?? null,
    lastUsedAt: used?.last?.toISOString() ?? null,
    settledMicroUsd: used?.settled ?? '0',
    chargedFailures: { steps: Number(used?.failed ?? 0), settledMicroUsd: used?.failed_settled ?? '0' },
    testSteps: Number(used?.tests ?? 0),
  };
}

/** For a test key the sandbox plays the model. */
const MADE = `r.mode = 'live' AND s.state = 'SUCCEEDED'`;
const FAILED = `r.mode = 'live' AND s.state <> 'SUCCEEDED'`;
