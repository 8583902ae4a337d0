import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AppendEntry } from './append-entry.js';
import { type LegalHold, readLegalHold, scopeData } from './legal-hold.js';

/** Ends a hold, for good: what it covered may be erased again, unless another hold covers it. */
export class LiftLegalHold {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `conflict` when it was lifted before, `wrong_mode` for a test key */
  async lift(
    tx: Tx,
    principal: Principal,
    request: { readonly holdId: string; readonly reason: string },
  ): Promise<LegalHold> {
    refuseTestKeyOnLive(principal.mode, 'live', 'A legal hold');
    const hold = await readLegalHold(tx, request.holdId);
    const entryId = await this.appendEntry.append(tx, {
      type: 'legal_hold.lifted',
      actor: actorOf(principal),
      subject: { kind: 'legal_hold', id: publicId('legalHold', hold.id) },
      data: scopeData(hold.scope),
      sealed: { reason: { value: request.reason, subjectId: principal.principalId } },
    });
    const lifted = { by: principal.principalId, entryId, at: this.clock.now() };
    const changed = await tx.query(
      `UPDATE legal_hold SET lifted_by = $3, lifted_entry_id = $4, lifted_at = $5
        WHERE organization_id = $1 AND id = $2 AND lifted_at IS NULL RETURNING id`,
      [tx.organizationId, hold.id, lifted.by, lifted.entryId, lifted.at],
    );
    if (changed.length === 0) throw new ColophonError('conflict', 'This hold was lifted before.');
    return { ...hold, lifted };
  }
}
