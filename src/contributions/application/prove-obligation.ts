import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type ObligationOutcome } from '../../audit/core/entries/license-entries.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { type OwedObligation, readObligations } from '../../licenses/application/read-obligations.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { refuseTestKey } from './refuse-test-key.js';

export interface ProofRequest {
  readonly assetId: string;
  readonly obligationId: string;
  readonly outcome: ObligationOutcome;
  /** What was done, or why it need not be, in the person's own words. Sealed. */
  readonly text: string;
  readonly url: string | undefined;
  /** Another asset that shows it, e.g. a screenshot of the label. UUID. */
  readonly evidenceAssetId: string | undefined;
  readonly evidenceSha256: string | undefined;
}

export interface ProvedObligation {
  readonly owed: OwedObligation;
  /** The `asset.signed` entry of the file. */
  readonly signedEntryId: string;
}

/** What somebody says of an obligation of one file. Nothing is overwritten: a correction is one more. */
export class ProveObligation {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `forbidden`, `invalid_request`, `conflict` when another was first */
  async prove(tx: Tx, principal: Principal, request: ProofRequest): Promise<ProvedObligation> {
    await this.requirePublishing.check(tx);
    const asset = await this.assets.get(tx, request.assetId);
    const { owed } = await find(tx, request);
    refuseTestKey(principal, asset);
    requireMayLift(principal, request, owed);
    await this.checkEvidence(tx, asset, request.evidenceAssetId);
    const proofId = newId();
    const entryId = await this.append(tx, principal, asset, { ...request, proofId, owed });
    await this.insert(tx, principal, request, { id: proofId, entryId, ordinal: owed.proofs.length + 1 });
    return find(tx, request);
  }

  /** What the sandbox drew is no evidence of anything that was published. */
  private async checkEvidence(tx: Tx, { mode }: Asset, evidenceAssetId: string | undefined): Promise<void> {
    if (evidenceAssetId === undefined) return;
    const evidence = await this.assets.get(tx, evidenceAssetId);
    if (evidence.mode !== mode)
      throw new ColophonError('wrong_mode', `The evidence was made with a ${evidence.mode} key.`);
  }

  private append(
    tx: Tx,
    principal: Principal,
    asset: Asset,
    { proofId, owed, ...request }: ProofRequest & { proofId: string; owed: OwedObligation },
  ): Promise<string> {
    const { text, url, evidenceAssetId, evidenceSha256 } = request;
    const subjectId = principal.principalId;
    return this.appendEntry.append(tx, {
      type: 'obligation.proved',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'obligation_proof', id: publicId('obligationProof', proofId) },
      data: {
        assetId: publicId('asset', asset.id),
        obligationId: publicId('obligation', owed.id),
        key: owed.obligation.key,
        outcome: request.outcome,
        sha256: asset.sha256,
        obligationSha256: sha256Hex(owed.bytes),
        ...(evidenceAssetId === undefined ? {} : { evidenceAssetId: publicId('asset', evidenceAssetId) }),
        ...(evidenceSha256 === undefined ? {} : { evidenceSha256 }),
      },
      sealed: {
        text: { value: text, subjectId },
        ...(url === undefined ? {} : { url: { value: url, subjectId } }),
      },
    });
  }

  private async insert(
    tx: Tx,
    { principalId }: Principal,
    request: ProofRequest,
    row: { id: string; entryId: string; ordinal: number },
  ): Promise<void> {
    const { url } = request;
    const sealed = [
      await this.vault.encrypt(tx, principalId, request.text),
      url === undefined ? null : await this.vault.encrypt(tx, principalId, url),
    ];
    try {
      await tx.query(
        `INSERT INTO obligation_proof
           (organization_id, asset_id, obligation_id, ordinal, id, proved_by, outcome, sealed_text, sealed_url,
            evidence_asset_id, evidence_sha256, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
        [
          tx.organizationId,
          request.assetId,
          request.obligationId,
          row.ordinal,
          row.id,
          principalId,
          request.outcome,
          ...sealed,
          request.evidenceAssetId ?? null,
          request.evidenceSha256 ?? null,
          row.entryId,
          this.clock.now(),
        ],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'obligation_proof_pkey')
        throw new ColophonError('conflict', 'Somebody else decided on this obligation at the same time.');
      throw error;
    }
  }
}

async function find(tx: Tx, { assetId, obligationId }: ProofRequest): Promise<ProvedObligation> {
  const list = await readObligations(tx, assetId);
  const owed = list?.items.find(({ id }) => id === obligationId);
  if (list === undefined || owed === undefined)
    throw new ColophonError('not_found', 'The asset has no obligation with this id.');
  return { owed, signedEntryId: list.entryId };
}

/** Saying that something need not be done is a legal judgment; and nobody waives what the law demands. */
function requireMayLift(
  principal: Principal,
  { outcome }: ProofRequest,
  { obligation }: OwedObligation,
): void {
  if (outcome === 'waived' || outcome === 'not_applicable') requirePermission(principal, 'obligations:lift');
  if (outcome === 'waived' && obligation.source === 'law') {
    const message = 'a duty of the law cannot be waived; where it does not apply say not_applicable, and why';
    throw new ColophonError('invalid_request', `outcome: ${message}`, {
      extensions: { errors: [{ path: 'outcome', message }] },
    });
  }
}
