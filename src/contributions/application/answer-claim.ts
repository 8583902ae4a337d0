import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type ClaimOutcome } from '../../audit/core/diligence-words.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Claim, MAX_ANSWERS, readClaim } from './read-claims.js';
import { refuseTestKey } from './refuse-test-key.js';

export interface AnswerRequest {
  /** UUID. */
  readonly claimId: string;
  readonly outcome: ClaimOutcome;
  /** What was done, and why; sealed. */
  readonly text: string;
  readonly evidenceSha256: string | undefined;
}

/** What became of a claim. The claim stays; of several answers the last one counts. */
export class AnswerClaim {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `conflict` when another was first */
  async answer(tx: Tx, principal: Principal, request: AnswerRequest): Promise<Claim> {
    const { claimId, outcome, text, evidenceSha256 } = request;
    await this.requirePublishing.check(tx);
    // Before anything is sealed, as an erasure takes the two locks; a removal that is at work ends before this.
    await tx.query('SELECT lock_holds($1)', [tx.organizationId]);
    const claim = await readClaim(tx, claimId);
    if (claim === undefined) throw new ColophonError('not_found', 'There is no claim with this id.');
    const asset = await this.assets.get(tx, claim.assetId);
    refuseTestKey(principal, asset);
    if (claim.answers.length >= MAX_ANSWERS)
      throw new ColophonError('conflict', `A claim has at most ${MAX_ANSWERS} answers.`);
    const [id, subjectId] = [newId(), principal.principalId];
    const entryId = await this.appendEntry.append(tx, {
      type: 'claim.answered',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', asset.id) },
      data: {
        claimId: publicId('claim', claimId),
        assetId: publicId('asset', asset.id),
        sha256: asset.sha256,
        answerId: publicId('claimAnswer', id),
        outcome,
        ...(evidenceSha256 !== undefined && { evidenceSha256 }),
      },
      sealed: { text: { value: text, subjectId } },
    });
    const sealedText = await this.vault.encrypt(tx, subjectId, text);
    try {
      await tx.query(
        `INSERT INTO claim_answer (organization_id, claim_id, ordinal, id, outcome, sealed_text, evidence_sha256,
           answered_by, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          ...[tx.organizationId, claimId, claim.answers.length + 1, id, outcome, sealedText],
          ...[evidenceSha256 ?? null, subjectId, entryId, this.clock.now()],
        ],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'claim_answer_pkey')
        throw new ColophonError('conflict', 'Somebody else answered this claim at the same time.');
      throw error;
    }
    return (await readClaim(tx, claimId)) ?? claim;
  }
}
