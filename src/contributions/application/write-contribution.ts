import { type SignalReading, loggedReading } from '../../assets/domain/signal-reading.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { sqlState, type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { MAX_TRACELESS_IN_ENTRY } from '../../audit/core/entries/human-work-entries.js';
import { type ActorKind } from '../../audit/core/entry-types.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { ContributionEntity } from '../adapters/contribution.entity.js';
import { type ActTrace, type ChangedRegion, type ChangeKind } from '../domain/contribution.js';
import { recordText, type RecordedAct } from '../domain/contribution-record.js';
import { requireSignature } from './verify-signature.js';
import { type SignatureKey } from '../domain/signature-key.js';

/** Raised by the database (migration 0030). */
const CHECKER_STATE = 'CLP01';
const NO_PERSON_STATE = 'CLP04';

export interface NewContribution {
  readonly id: string;
  readonly assetId: string;
  readonly projectId: string;
  readonly contributorId: string;
  readonly actor: { readonly kind: ActorKind; readonly id: string };
  readonly act: RecordedAct;
  readonly change:
    | {
        readonly region: ChangedRegion;
        readonly changedPixels: number;
        readonly kind: ChangeKind;
        readonly differenceSha256: string;
      }
    | undefined;
  /** What is left of it and of earlier acts in the new file; absent where that was not found out. */
  readonly traces?: readonly ActTrace[] | undefined;
  /** Of a new file. */
  readonly signalReading?: SignalReading | undefined;
  readonly signature?: { readonly key: SignatureKey; readonly jws: string } | undefined;
}

/** Writes one record of human work with its entry, in the caller's transaction. */
export class WriteContribution {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `four_eyes_required`, `signature_invalid`, `forbidden` for a service */
  async write(tx: Tx, made: NewContribution): Promise<void> {
    const { act, contributorId, signature } = made;
    const record = recordText(tx.organizationId, contributorId, act);
    if (signature) await requireSignature(signature.jws, record, signature.key);
    const entryId = await this.append(tx, made, record);
    const seal = (text: string): Promise<string> => this.vault.encrypt(tx, contributorId, text);
    const row: ContributionEntity = {
      organizationId: tx.organizationId,
      id: made.id,
      assetId: made.assetId,
      parentAssetId: act.parentAssetId,
      contributorId,
      actionType: act.actionType,
      basis: act.basis,
      capture: act.capture,
      tool: act.tool === null ? 'none' : `${act.tool.name} ${act.tool.version}`.trim(),
      sealedStatement: await seal(act.statement),
      beforeSha256: act.beforeSha256,
      afterSha256: act.afterSha256,
      changedRegion: made.change?.region ?? null,
      entryId,
      createdAt: this.clock.now(),
      engagement: act.engagement.status,
      assignment: act.engagement.assignment,
      sealedRecord: await seal(record),
      sealedSignature: signature ? await seal(signature.jws) : null,
      signatureKeyId: signature?.key.id ?? null,
      differenceSha256: made.change?.differenceSha256 ?? null,
      changeKind: made.change?.kind ?? null,
      traces: made.traces === undefined ? null : [...made.traces],
      signedAt: act.signedAt,
      shownAssetIds: act.shownAssetIds.length === 0 ? null : [...act.shownAssetIds],
    };
    try {
      await tx.manager.insert(ContributionEntity, row);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private append(tx: Tx, made: NewContribution, record: string): Promise<string> {
    const { act, contributorId: subjectId, change, traces, signature, signalReading } = made;
    return this.appendEntry.append(tx, {
      type: 'contribution.recorded',
      projectId: made.projectId,
      actor: made.actor,
      subject: { kind: 'contribution', id: publicId('contribution', made.id) },
      data: {
        assetId: publicId('asset', made.assetId),
        parentAssetId: publicId('asset', act.parentAssetId),
        actionType: act.actionType,
        basis: act.basis,
        capture: act.capture,
        contributorId: publicId('principal', subjectId),
        engagement: act.engagement.status,
        assignment: act.engagement.assignment,
        beforeSha256: act.beforeSha256,
        afterSha256: act.afterSha256,
        ...(act.shownAssetIds.length === 0
          ? {}
          : { shown: act.shownAssetIds.map((id) => publicId('asset', id)) }),
        ...(change && { change: loggedChange(change) }),
        ...(traces && { traceless: tracelessIn(traces) }),
        ...(signature && { signatureKeyId: publicId('signatureKey', signature.key.id) }),
        ...(signalReading && loggedReading(signalReading)),
      },
      sealed: {
        statement: { value: act.statement, subjectId },
        record: { value: record, subjectId },
        ...(signature && { signature: { value: signature.jws, subjectId } }),
      },
    });
  }
}

function loggedChange({
  region,
  changedPixels,
  kind,
  differenceSha256,
}: NonNullable<NewContribution['change']>) {
  const { left, top, width, height } = region;
  return { left, top, width, height, changedPixels, kind, differenceSha256 };
}

/** The acts of which nothing is left. */
function tracelessIn(traces: readonly ActTrace[]): string[] {
  return traces
    .filter(({ share }) => share === 0)
    .map(({ contributionId }) => publicId('contribution', contributionId))
    .slice(0, MAX_TRACELESS_IN_ENTRY);
}

function refusalOf(error: unknown): unknown {
  if (violatedConstraint(error) === 'contribution_signature_unique')
    return new ColophonError('conflict', 'With this signature the work is recorded already.');
  const state = sqlState(error);
  if (state === CHECKER_STATE)
    return new ColophonError(
      'four_eyes_required',
      'You have decided on this asset, or on what was made from it: no work of yours on it can be recorded.',
    );
  if (state === NO_PERSON_STATE)
    return new ColophonError('forbidden', 'This key belongs to a service; human work is recorded by people.');
  return error;
}
