import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { sqlState, type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type ContributionAction, type ContributionBasis } from '../domain/contribution.js';
import { type CorrectionKind, type FullContribution, type ReadContributions } from './read-contribution.js';
import { refuseTestKey } from './refuse-test-key.js';
import { type SignatureKeys } from './signature-keys.js';
import { requireSignature } from './verify-signature.js';

/** Raised by the database when it is not the contributor who amends or signs (migration 0028). */
const NOT_OWN_STATE = 'CLP05';
const TOO_MANY = 'contribution_correction_ordinal_check';

export interface CorrectionRequest {
  readonly contributionId: string;
  readonly kind: CorrectionKind;
  /** Of `amended`: what it is now said to be. */
  readonly actionType: ContributionAction | undefined;
  readonly basis: ContributionBasis | undefined;
  /** Why, in the person's own words. Sealed. */
  readonly text: string;
  /** Of `signed`: over the record as it was made. */
  readonly signature: { readonly keyId: string; readonly jws: string } | undefined;
}

/** What is said of a record later. Nothing is overwritten: the record, and every correction before, stay as they are. */
export class CorrectContribution {
  constructor(
    private readonly contributions: ReadContributions,
    private readonly assets: AssetRepository,
    private readonly signatureKeys: SignatureKeys,
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `forbidden`, `signature_invalid`, `conflict` */
  async correct(tx: Tx, principal: Principal, request: CorrectionRequest): Promise<FullContribution> {
    const found = await this.contributions.get(tx, request.contributionId);
    refuseTestKey(principal, await this.assets.get(tx, found.row.assetId));
    const isOwn = found.row.contributorId === principal.principalId;
    if (!isOwn && request.kind !== 'withdrawn')
      throw new ColophonError('forbidden', 'Only the contributor can amend or sign this record.');
    if (!isOwn) requireMayWithdrawOthers(principal);
    await requirePerson(tx, principal, 'decision');
    if (found.corrections.some(({ kind }) => kind === 'withdrawn'))
      throw new ColophonError('conflict', 'This contribution has been withdrawn.');
    await this.requireSigned(tx, principal, request, found);
    await this.write(tx, principal, request, found);
    return this.contributions.get(tx, request.contributionId);
  }

  private async requireSigned(
    tx: Tx,
    principal: Principal,
    { kind, signature }: CorrectionRequest,
    found: FullContribution,
  ): Promise<void> {
    if (kind !== 'signed' || signature === undefined) return;
    const key = await this.signatureKeys.usable(tx, principal.principalId, signature.keyId);
    const { record } = await this.contributions.open(tx, found);
    if (record === undefined)
      throw new ColophonError('conflict', 'This record has no text to sign: it is older, or was erased.');
    await requireSignature(signature.jws, record, key);
  }

  private async write(
    tx: Tx,
    principal: Principal,
    request: CorrectionRequest,
    { row, corrections }: FullContribution,
  ): Promise<void> {
    const [id, ordinal] = [newId(), corrections.length + 1];
    const { kind, actionType, basis, text, signature } = request;
    const subjectId = principal.principalId;
    const entryId = await this.appendEntry.append(tx, {
      type: 'contribution.corrected',
      projectId: (await this.assets.get(tx, row.assetId)).projectId,
      actor: actorOf(principal),
      subject: { kind: 'contribution', id: publicId('contribution', row.id) },
      data: {
        contributionId: publicId('contribution', row.id),
        correctionId: publicId('correction', id),
        ordinal,
        kind,
        ...(actionType === undefined ? {} : { actionType }),
        ...(basis === undefined ? {} : { basis }),
        ...(signature && { signatureKeyId: publicId('signatureKey', signature.keyId) }),
      },
      sealed: {
        text: { value: text, subjectId },
        ...(signature && { signature: { value: signature.jws, subjectId } }),
      },
    });
    const values = [
      ...[tx.organizationId, row.id, ordinal, id, kind, subjectId, actionType ?? null, basis ?? null],
      await this.vault.encrypt(tx, subjectId, text),
      signature ? await this.vault.encrypt(tx, subjectId, signature.jws) : null,
      ...[signature?.keyId ?? null, entryId, this.clock.now()],
    ];
    try {
      await tx.query(
        `INSERT INTO contribution_correction
           (organization_id, contribution_id, ordinal, id, kind, corrected_by, action_type, basis, sealed_text,
            sealed_signature, signature_key_id, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
        values,
      );
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** A creator withdraws their own acts alone. */
function requireMayWithdrawOthers(principal: Principal): void {
  requirePermission(principal, 'contributions:withdraw');
  if (!principal.roles.includes('legal'))
    throw new ColophonError('forbidden', 'Acts of others are withdrawn by a person with the role legal.');
}

function refusalOf(error: unknown): unknown {
  if (sqlState(error) === NOT_OWN_STATE)
    return new ColophonError('forbidden', 'Only the contributor can amend or sign this record.');
  if (violatedConstraint(error) === TOO_MANY)
    return new ColophonError('conflict', 'A record takes at most 100 corrections.');
  if (violatedConstraint(error) === 'contribution_correction_pkey')
    return new ColophonError('conflict', 'Another correction came first.');
  return error;
}
