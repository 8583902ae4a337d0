import { sqlState, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type AppendEntry } from './append-entry.js';
import { HOLD_SCOPE_IDS, type HoldScope, type LegalHold, scopeData } from './legal-hold.js';

/** Raised by the database when what shall be held does not exist (migration 0006). */
const NOTHING_TO_HOLD_STATE = 'CLP07';

/** From the commit on nothing that the hold covers is erased; an erasure that is under way is waited for. */
export class PlaceLegalHold {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @param request.reason why, in words; sealed under the key of the person who places the hold
   * @throws ColophonError `not_found` for a scope that is not in this organization, `wrong_mode` for a test key
   */
  async place(
    tx: Tx,
    principal: Principal,
    request: { readonly scope: HoldScope; readonly reason: string },
  ): Promise<LegalHold> {
    refuseTestKeyOnLive(principal.mode, 'live', 'A legal hold');
    // Before the reason is sealed: an erasure takes the two locks in this order as well.
    await tx.query('SELECT lock_holds($1)', [tx.organizationId]);
    const { scope } = request;
    const id = newId();
    const placedEntryId = await this.appendEntry.append(tx, {
      type: 'legal_hold.placed',
      actor: actorOf(principal),
      subject: { kind: 'legal_hold', id: publicId('legalHold', id) },
      data: scopeData(scope),
      sealed: { reason: { value: request.reason, subjectId: principal.principalId } },
    });
    const hold: LegalHold = {
      id,
      scope,
      placedBy: principal.principalId,
      placedEntryId,
      placedAt: this.clock.now(),
      lifted: undefined,
    };
    await insert(tx, hold);
    return hold;
  }
}

async function insert(tx: Tx, { id, scope, placedBy, placedEntryId, placedAt }: LegalHold): Promise<void> {
  const scopeId = scope.kind === 'organization' ? null : scope.id;
  try {
    await tx.query(
      `INSERT INTO legal_hold (organization_id, id, scope_kind, scope_id, placed_by, placed_entry_id, placed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [tx.organizationId, id, scope.kind, scopeId, placedBy, placedEntryId, placedAt],
    );
  } catch (error) {
    if (sqlState(error) !== NOTHING_TO_HOLD_STATE || scope.kind === 'organization') throw error;
    throw new ColophonError('not_found', `There is no ${HOLD_SCOPE_IDS[scope.kind]} with this id.`);
  }
}
