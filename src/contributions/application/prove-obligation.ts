import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type ObligationOutcome } from '../../audit/core/entries/license-entries.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { owedToday } from '../../licenses/application/owed-today.js';
import { type OwedObligation, readObligations } from '../../licenses/application/read-obligations.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
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

/** What came after the file was signed, or reads otherwise since. */
interface LaterReading {
  readonly since: 'added' | 'changed';
  /** `YYYY-MM-DD`. */
  readonly asOf: string;
  readonly calendarSha256: string;
  readonly clearanceId: string | null;
}

type FoundObligation = ProvedObligation & { readonly later: LaterReading | undefined };

/** What somebody says of an obligation of one file. Nothing is overwritten: a correction is one more. */
export class ProveObligation {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly vault: SubjectVault,
    private readonly obligationsToday: Pick<ShowObligationsToday, 'of'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `forbidden`, `invalid_request`, `conflict` when another was first */
  async prove(tx: Tx, principal: Principal, request: ProofRequest): Promise<ProvedObligation> {
    await this.requirePublishing.check(tx);
    const asset = await this.assets.get(tx, request.assetId);
    const { owed, later } = await this.find(tx, asset, request);
    refuseTestKey(principal, asset);
    if (requireMayLift(principal, request, owed)) await requirePerson(tx, principal, 'decision');
    await this.checkEvidence(tx, asset, request.evidenceAssetId);
    const proofId = newId();
    const entryId = await this.append(tx, principal, asset, { ...request, proofId, owed, later });
    if (later !== undefined) await this.keepReading(tx, asset.id, owed, later);
    const row = { id: proofId, entryId, ordinal: owed.proofs.length + 1, isLater: later !== undefined };
    await this.insert(tx, principal, request, row);
    return this.find(tx, asset, request);
  }

  /** One of the list, or one as it reads today: what nobody owes any more in these words, nobody proves. */
  private async find(
    tx: Tx,
    asset: AssetWithParents,
    { obligationId }: ProofRequest,
  ): Promise<FoundObligation> {
    const list = await readObligations(tx, asset.id);
    const unknown = new ColophonError('not_found', 'The asset has no obligation with this id.');
    if (list === undefined) throw unknown;
    const signedEntryId = list.entryId;
    const listed = list.items.find(({ id }) => id === obligationId);
    if (listed !== undefined) return { owed: listed, signedEntryId, later: undefined };
    const today = await this.obligationsToday.of(tx, asset, list);
    const reading = owedToday(asset.id, list, today).find(({ id }) => id === obligationId);
    const said = list.later.find(({ id }) => id === obligationId);
    if (reading === undefined || reading.since === 'signing')
      throw said === undefined
        ? unknown
        : new ColophonError('conflict', 'This obligation reads otherwise by now, or is owed no more.');
    const { obligation, since } = reading;
    const later = {
      ...{ since, asOf: today.asOf, calendarSha256: today.calendar.sha256 },
      clearanceId: obligation.clearanceId,
    };
    if (said !== undefined) return { owed: said, signedEntryId, later };
    const bytes = canonicalJson(obligation as unknown as JsonValue);
    return { owed: { id: obligationId, bytes, obligation, state: 'open', proofs: [] }, signedEntryId, later };
  }

  /** With the first word on it. The words stay as they were when it was said: the log has their hash. */
  private async keepReading(
    tx: Tx,
    assetId: string,
    { id, obligation, bytes }: OwedObligation,
    { since, asOf }: LaterReading,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO later_obligation (organization_id, asset_id, id, key, since, as_of, obligation, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [tx.organizationId, assetId, id, obligation.key, since, asOf, bytes, this.clock.now()],
    );
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
    {
      proofId,
      owed,
      later,
      ...request
    }: ProofRequest & { proofId: string; owed: OwedObligation; later: LaterReading | undefined },
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
        ...(later && { later: loggedReading(later) }),
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
    row: { id: string; entryId: string; ordinal: number; isLater: boolean },
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
            evidence_asset_id, evidence_sha256, entry_id, created_at, is_later)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
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
          row.isLater,
        ],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'obligation_proof_pkey')
        throw new ColophonError('conflict', 'Somebody else decided on this obligation at the same time.');
      throw error;
    }
  }
}

function loggedReading({ since, asOf, calendarSha256, clearanceId }: LaterReading) {
  return { since, asOf, calendarSha256, ...(clearanceId === null ? {} : { clearanceId }) };
}

/**
 * Saying that something need not be done is a legal judgment, of a person; and nobody waives what the law demands.
 * @returns whether it is said
 */
function requireMayLift(
  principal: Principal,
  { outcome }: ProofRequest,
  { obligation }: OwedObligation,
): boolean {
  if (outcome !== 'waived' && outcome !== 'not_applicable') return false;
  requirePermission(principal, 'obligations:lift');
  if (outcome === 'waived' && obligation.source === 'law') {
    const message = 'a duty of the law cannot be waived; where it does not apply say not_applicable, and why';
    throw new ColophonError('invalid_request', `outcome: ${message}`, {
      extensions: { errors: [{ path: 'outcome', message }] },
    });
  }
  return true;
}
