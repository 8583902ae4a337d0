import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type RemovedContent } from '../../assets/application/removed-content.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf, SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type EffectiveRegistry } from '../../licenses/application/effective-registry.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, parsePublicId, publicId } from '../../shared/ids.js';
import { ReportEntity } from '../adapters/report.entity.js';
import { FORMATS_OF, type ReportFormat, type ReportKind, SIGNED_FORMATS } from '../domain/report-kinds.js';
import { type ReportParameters, reportSubject } from '../domain/report-subject.js';

/** Wakes the worker that makes reports, within the caller's transaction. */
export interface ReportQueue {
  wakeReport(tx: Tx, reportId: string): Promise<void>;
}

export interface ReportRequest {
  readonly kind: ReportKind;
  readonly format: ReportFormat;
  /** UUID: of the asset for `asset`, of the project for `campaign`; otherwise absent. */
  readonly subjectId?: string;
  readonly parameters: ReportParameters;
}

/** On whose behalf: a person, or a schedule that a person set up. */
export type ReportRequester =
  { readonly principal: Principal } | { readonly scheduleId: string; readonly createdBy: string };

export class RequestReport {
  constructor(
    private readonly assets: AssetRepository,
    private readonly removed: RemovedContent,
    private readonly registry: EffectiveRegistry,
    private readonly queue: ReportQueue,
    private readonly appendEntry: AppendEntry,
    /** Whether there is a key: a report that could not be signed is refused at once. */
    private readonly openSigner: () => Promise<unknown>,
    private readonly clock: Clock,
  ) {}

  /**
   * Nothing is promised that cannot be signed: asked before anything is written.
   * @throws ColophonError `signer_unavailable`
   */
  async requireSigner(format: ReportFormat): Promise<void> {
    if (SIGNED_FORMATS.includes(format)) await this.openSigner();
  }

  async request(tx: Tx, requester: ReportRequester, request: ReportRequest): Promise<ReportEntity> {
    const { kind, format, parameters } = request;
    const projectId = await this.requireSubject(tx, request);
    if (kind === 'asset' && format === 'bundle') await this.requireBundleParts(tx, request);
    const report: ReportEntity = {
      organizationId: tx.organizationId,
      id: newId(),
      kind,
      format,
      subjectId: request.subjectId ?? tx.organizationId,
      parameters,
      state: 'QUEUED',
      progress: 0,
      mediaType: null,
      sha256: null,
      sizeBytes: null,
      certificateSha256: null,
      timeStamp: null,
      errorCode: null,
      createdBy: 'principal' in requester ? requester.principal.principalId : requester.createdBy,
      createdAt: this.clock.now(),
      finishedAt: null,
      workedAt: null,
    };
    await this.insert(tx, report);
    await this.appendEntry.append(tx, {
      type: 'report.requested',
      ...(projectId !== undefined && { projectId }),
      actor: 'principal' in requester ? actorOf(requester.principal) : SYSTEM_ACTOR,
      subject: { kind: 'report', id: publicId('report', report.id) },
      data: { kind, format, subjectId: reportSubject(report), ...loggedParameters(parameters) },
    });
    await this.queue.wakeReport(tx, report.id);
    return report;
  }

  /**
   * A bundle is about a file that is there, and holds attachments of its record that are.
   * @throws ColophonError `content_removed`, `not_found`
   */
  private async requireBundleParts(tx: Tx, { subjectId = '', parameters }: ReportRequest): Promise<void> {
    await this.removed.requirePresent(tx, 'asset', subjectId);
    const chosen = parameters.attachments ?? [];
    if (chosen.length === 0) return;
    const lineage = await this.assets.lineage(tx, subjectId);
    const ids = chosen.map((id) => parsePublicId('attachment', id) ?? '');
    const found = await tx.query<{ id: string }>(
      `SELECT x.id FROM contribution_attachment x JOIN contribution c
           ON c.organization_id = x.organization_id AND c.id = x.contribution_id
        WHERE x.organization_id = $1 AND x.id = ANY($2::uuid[]) AND c.asset_id = ANY($3::uuid[])`,
      [tx.organizationId, ids, lineage.map(({ id }) => id)],
    );
    if (found.length !== new Set(ids).size)
      throw new ColophonError('not_found', 'One of the attachments is not of the record of this asset.');
    for (const id of ids) await this.removed.requirePresent(tx, 'attachment', id);
  }

  async get(tx: Tx, id: string): Promise<ReportEntity> {
    const report = await tx.manager.findOneBy(ReportEntity, { organizationId: tx.organizationId, id });
    if (!report) throw new ColophonError('not_found', 'There is no report with this id.');
    return report;
  }

  /** @throws ColophonError `conflict` when a schedule asked for this due time before */
  private async insert(tx: Tx, report: ReportEntity): Promise<void> {
    try {
      await tx.manager.insert(ReportEntity, report);
    } catch (error) {
      if (violatedConstraint(error) === 'report_scheduled_once')
        throw new ColophonError('conflict', 'The schedule has asked for the report of this time before.');
      throw error;
    }
  }

  /**
   * The project in which the subject lies; `undefined` for what belongs to the whole organization.
   * @throws ColophonError `not_found` for a subject that this organization does not have, `invalid_request` for a form in
   * which the kind cannot be had
   */
  async requireSubject(
    tx: Tx,
    { kind, format, subjectId, parameters }: ReportRequest,
  ): Promise<string | undefined> {
    if (!FORMATS_OF[kind].includes(format)) {
      const formats = FORMATS_OF[kind].join(', ');
      throw new ColophonError('invalid_request', `A report of the kind "${kind}" can be had as: ${formats}.`);
    }
    if (kind === 'asset') return (await this.assets.get(tx, subjectId ?? '')).projectId;
    if (kind === 'campaign') return this.requireCampaign(tx, subjectId ?? '', parameters.useCase);
    if (kind === 'model') {
      const { index } = await this.registry.now(tx);
      if (index.get(parameters.listingId ?? '') === undefined)
        throw new ColophonError('not_found', 'There is no model listing with this id.');
    }
    return undefined;
  }

  /** @returns the project @throws ColophonError `not_found` */
  private async requireCampaign(tx: Tx, projectId: string, useCase: string | undefined): Promise<string> {
    const [row] = await tx.query<{ has_use_case: boolean }>(
      `SELECT $3::text IS NULL OR EXISTS (
                SELECT 1 FROM use_case u WHERE u.organization_id = $1 AND u.project_id = $2 AND u.name = $3
              ) AS has_use_case
         FROM project WHERE organization_id = $1 AND id = $2`,
      [tx.organizationId, projectId, useCase ?? null],
    );
    if (row === undefined) throw new ColophonError('not_found', 'There is no project with this id.');
    if (!row.has_use_case) throw new ColophonError('not_found', 'The project has no use case of this name.');
    return projectId;
  }
}

function loggedParameters({ attachments, ...rest }: ReportParameters) {
  return { ...rest, ...(attachments && { attachments: [...attachments] }) };
}
