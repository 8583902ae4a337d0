import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type ClaimKind } from '../../audit/core/diligence-words.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Claim, MAX_CLAIMS, readClaims } from './read-claims.js';
import { refuseTestKey } from './refuse-test-key.js';
import { requireDayNotAhead } from './require-day-not-ahead.js';

export interface ClaimRequest {
  /** UUID. */
  readonly assetId: string;
  readonly kind: ClaimKind;
  /** `YYYY-MM-DD`. */
  readonly receivedOn: string;
  readonly respondBy: string | undefined;
  /** Who claims it; sealed. */
  readonly claimant: string;
  /** What they say; sealed. */
  readonly text: string;
  /** Of the letter or notice. */
  readonly evidenceSha256: string | undefined;
}

/** Somebody outside claims something about an asset. Until somebody says what became of it, it is not released. */
export class RecordClaim {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `invalid_request`, `conflict` when there are too many */
  async record(tx: Tx, principal: Principal, request: ClaimRequest): Promise<Claim> {
    const { kind, receivedOn, respondBy, claimant, text, evidenceSha256 } = request;
    await this.requirePublishing.check(tx);
    // Before anything is sealed, as an erasure takes the two locks; a removal that is at work ends before this.
    await tx.query('SELECT lock_holds($1)', [tx.organizationId]);
    const asset = await this.assets.get(tx, request.assetId);
    refuseTestKey(principal, asset);
    requireDayNotAhead('receivedOn', receivedOn, this.clock.now());
    if ((await readClaims(tx, [asset.id])).length >= MAX_CLAIMS)
      throw new ColophonError('conflict', `An asset has at most ${MAX_CLAIMS} claims.`);
    const [id, subjectId, createdAt] = [newId(), principal.principalId, this.clock.now()];
    const entryId = await this.appendEntry.append(tx, {
      type: 'claim.received',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', asset.id) },
      data: {
        claimId: publicId('claim', id),
        assetId: publicId('asset', asset.id),
        sha256: asset.sha256,
        kind,
        receivedOn,
        ...(respondBy !== undefined && { respondBy }),
        ...(evidenceSha256 !== undefined && { evidenceSha256 }),
      },
      sealed: { claimant: { value: claimant, subjectId }, text: { value: text, subjectId } },
    });
    const sealedClaimant = await this.vault.encrypt(tx, subjectId, claimant);
    const sealedText = await this.vault.encrypt(tx, subjectId, text);
    await tx.query(
      `INSERT INTO asset_claim
         (organization_id, id, asset_id, kind, received_on, respond_by, sealed_claimant, sealed_text, evidence_sha256,
          recorded_by, entry_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        ...[tx.organizationId, id, asset.id, kind, receivedOn, respondBy ?? null, sealedClaimant, sealedText],
        ...[evidenceSha256 ?? null, subjectId, entryId, createdAt],
      ],
    );
    return {
      ...{ id, assetId: asset.id, kind, receivedOn, respondBy, sealedClaimant, sealedText, evidenceSha256 },
      ...{ recordedBy: subjectId, entryId, createdAt, answers: [], standing: 'open' },
    };
  }
}
