import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { readClearance } from './read-clearance.js';

export const WAIVER_REASONS = [
  'LICENSE_ACQUIRED',
  'LEGAL_OPINION',
  'TERRITORY_NOT_SERVED',
  'INTERNAL_EVALUATION_ONLY',
  'CLIENT_ACCEPTED_RISK',
  'FALSE_POSITIVE',
] as const;

export interface Waiver {
  readonly id: string;
  readonly clearanceId: string;
  readonly reason: (typeof WAIVER_REASONS)[number];
  readonly comment: string;
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

/**
 * A person with the role legal accepts the findings that sent a clearance to review. Never turns a `deny` into an
 * `allow`, and never by the person who asked for the run.
 */
export class ApproveWaiver {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async approve(
    tx: Tx,
    principal: Principal,
    request: Pick<Waiver, 'clearanceId' | 'reason' | 'comment' | 'expiresAt'>,
  ): Promise<Waiver> {
    const clearance = await readClearance(tx, request.clearanceId);
    if (clearance.decision !== 'review') {
      throw new ColophonError(
        'conflict',
        `This clearance was decided "${clearance.decision}"; only "review" can be waived.`,
      );
    }
    if (clearance.createdBy === principal.principalId) {
      throw new ColophonError(
        'four_eyes_required',
        'A waiver is approved by someone other than who asked for the run.',
      );
    }
    if (request.expiresAt <= this.clock.now())
      throw new ColophonError('invalid_request', 'expiresAt: must lie in the future');
    const waiver: Waiver = {
      ...request,
      id: newId(),
      requestedBy: clearance.createdBy,
      approvedBy: principal.principalId,
      createdAt: this.clock.now(),
    };
    await tx.query(
      `INSERT INTO waiver
         (organization_id, id, clearance_id, reason, comment, requested_by, approved_by, expires_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        tx.organizationId,
        waiver.id,
        waiver.clearanceId,
        waiver.reason,
        waiver.comment,
        waiver.requestedBy,
        waiver.approvedBy,
        waiver.expiresAt,
        waiver.createdAt,
      ],
    );
    await this.appendEntry.append(tx, {
      type: 'waiver.approved',
      actor: actorOf(principal),
      subject: { kind: 'waiver', id: publicId('waiver', waiver.id) },
      data: {
        clearanceId: publicId('clearance', waiver.clearanceId),
        reason: waiver.reason,
        expiresAt: waiver.expiresAt.toISOString(),
      },
      sealed: { comment: { value: waiver.comment, subjectId: principal.principalId } },
    });
    return waiver;
  }
}
