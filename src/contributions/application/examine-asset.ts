import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import {
  completeMatter,
  type ExaminationFinding,
  resultOf,
  wrongFinding,
} from '../domain/diligence/examination.js';
import {
  countExaminations,
  type Examination,
  type ExaminationDetails,
  MAX_EXAMINATIONS,
} from './read-examinations.js';
import { refuseTestKey } from './refuse-test-key.js';
import { requireDayNotAhead } from './require-day-not-ahead.js';

export interface ExaminationRequest {
  /** UUID. */
  readonly assetId: string;
  readonly finding: ExaminationFinding;
  /** `YYYY-MM-DD`: when it was looked at. */
  readonly examinedOn: string;
  /** The program that looked; `undefined` where a person did. */
  readonly tool: { readonly name: string; readonly version: string } | undefined;
  /** What was seen, and how it was judged, in the person's own words. Sealed. */
  readonly text: string;
  /** Where the contract, license or report can be found. Sealed. */
  readonly document: string | undefined;
  /** UUID of another asset that shows it. */
  readonly evidenceAssetId: string | undefined;
  readonly evidenceSha256: string | undefined;
}

/** What somebody found out about one file. Nothing is overwritten: who knows better examines it once more. */
export class ExamineAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `forbidden`, `invalid_request`, `conflict` when there are too many */
  async examine(tx: Tx, principal: Principal, request: ExaminationRequest): Promise<Examination> {
    const { finding, examinedOn } = request;
    await this.requirePublishing.check(tx);
    const asset = await this.assets.get(tx, request.assetId);
    refuseTestKey(principal, asset);
    if (finding.question === 'exclusivity' || finding.question === 'claims')
      requirePermission(principal, 'examinations:judge');
    const wrong = wrongFinding(finding);
    if (wrong !== undefined) throw new ColophonError('invalid_request', wrong);
    requireDayNotAhead('examinedOn', examinedOn, this.clock.now());
    await this.checkEvidence(tx, asset, request.evidenceAssetId);
    if ((await countExaminations(tx, asset.id)) >= MAX_EXAMINATIONS)
      throw new ColophonError('conflict', `An asset has at most ${MAX_EXAMINATIONS} examinations.`);
    return this.write(tx, principal, asset, request);
  }

  /** What the sandbox drew is no evidence of anything that was published. */
  private async checkEvidence(tx: Tx, { mode }: Asset, evidenceAssetId: string | undefined): Promise<void> {
    if (evidenceAssetId === undefined) return;
    const evidence = await this.assets.get(tx, evidenceAssetId);
    if (evidence.mode !== mode)
      throw new ColophonError('wrong_mode', `The evidence was made with a ${evidence.mode} key.`);
  }

  private async write(
    tx: Tx,
    principal: Principal,
    asset: Asset,
    request: ExaminationRequest,
  ): Promise<Examination> {
    const { finding, examinedOn, text, document, evidenceAssetId, evidenceSha256 } = request;
    const [id, subjectId, createdAt] = [newId(), principal.principalId, this.clock.now()];
    const details = detailsOf(finding, request.tool);
    const { question } = finding;
    const result = resultOf(finding);
    const entryId = await this.appendEntry.append(tx, {
      type: 'asset.examined',
      projectId: asset.projectId,
      actor: actorOf(principal),
      // The asset is the subject, so that a hold on it keeps the words of who examined it, too.
      subject: { kind: 'asset', id: publicId('asset', asset.id) },
      data: {
        examinationId: publicId('examination', id),
        assetId: publicId('asset', asset.id),
        sha256: asset.sha256,
        question,
        result,
        examinedOn,
        ...details,
        ...(evidenceAssetId !== undefined && { evidenceAssetId: publicId('asset', evidenceAssetId) }),
        ...(evidenceSha256 !== undefined && { evidenceSha256 }),
      },
      sealed: {
        text: { value: text, subjectId },
        ...(document !== undefined && { document: { value: document, subjectId } }),
      },
    });
    const sealedText = await this.vault.encrypt(tx, subjectId, text);
    const sealedDocument =
      document === undefined ? undefined : await this.vault.encrypt(tx, subjectId, document);
    await tx.query(
      `INSERT INTO asset_examination
         (organization_id, id, asset_id, question, result, examined_on, details, sealed_text, sealed_document,
          evidence_asset_id, evidence_sha256, examined_by, entry_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        ...[tx.organizationId, id, asset.id, question, result, examinedOn, JSON.stringify(details)],
        ...[sealedText, sealedDocument ?? null, evidenceAssetId ?? null, evidenceSha256 ?? null],
        ...[subjectId, entryId, createdAt],
      ],
    );
    return {
      ...{ id, assetId: asset.id, question, result, examinedOn, details, sealedText, sealedDocument },
      ...{ evidenceAssetId, evidenceSha256, examinedBy: subjectId, entryId, createdAt },
    };
  }
}

function detailsOf(finding: ExaminationFinding, tool: ExaminationRequest['tool']): ExaminationDetails {
  return {
    ...(tool !== undefined && { tool }),
    ...(finding.question === 'third_party_matter' && { matter: completeMatter(finding.matter) }),
    ...(finding.question === 'similar_works' && { index: finding.index, matches: finding.matches }),
  };
}
