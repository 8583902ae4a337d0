import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type IdKind, publicId } from '../../shared/ids.js';
import { type HoldScopeKind } from '../core/entries/retention-entries.js';
import { type EntryData } from '../core/entry-types.js';

/** What a hold is on: the whole organization, or one person, asset, run or project. Ids are UUIDs. */
export type HoldScope =
  | { readonly kind: 'organization' }
  | { readonly kind: Exclude<HoldScopeKind, 'organization'>; readonly id: string };

export const HOLD_SCOPE_IDS = {
  data_subject: 'principal',
  asset: 'asset',
  run: 'run',
  project: 'project',
} as const satisfies Record<Exclude<HoldScopeKind, 'organization'>, IdKind>;

/** A hold is in force until it is lifted; after that it never changes. */
export interface LegalHold {
  readonly id: string;
  readonly scope: HoldScope;
  readonly placedBy: string;
  readonly placedEntryId: string;
  readonly placedAt: Date;
  readonly lifted: { readonly by: string; readonly entryId: string; readonly at: Date } | undefined;
}

export interface LegalHoldRow {
  id: string;
  scope_kind: HoldScopeKind;
  scope_id: string | null;
  placed_by: string;
  placed_entry_id: string;
  placed_at: Date;
  lifted_by: string | null;
  lifted_entry_id: string | null;
  lifted_at: Date | null;
}

export const LEGAL_HOLD_COLUMNS =
  'id, scope_kind, scope_id, placed_by, placed_entry_id, placed_at, lifted_by, lifted_entry_id, lifted_at';

export function toLegalHold(row: LegalHoldRow): LegalHold {
  const { lifted_by: by, lifted_entry_id: entryId, lifted_at: at } = row;
  return {
    id: row.id,
    scope: scopeOf(row),
    placedBy: row.placed_by,
    placedEntryId: row.placed_entry_id,
    placedAt: row.placed_at,
    lifted: by === null || entryId === null || at === null ? undefined : { by, entryId, at },
  };
}

function scopeOf({ scope_kind: kind, scope_id: id }: LegalHoldRow): HoldScope {
  if (kind === 'organization') return { kind };
  if (id === null) throw new Error(`a hold on a ${kind} has no id`);
  return { kind, id };
}

/** The scope as the log and the API name it. */
export function publicScope(scope: HoldScope): { kind: HoldScopeKind; id: string | undefined } {
  return scope.kind === 'organization'
    ? { kind: scope.kind, id: undefined }
    : { kind: scope.kind, id: publicId(HOLD_SCOPE_IDS[scope.kind], scope.id) };
}

export function scopeData(scope: HoldScope): EntryData<'legal_hold.placed'> {
  const { kind, id } = publicScope(scope);
  return { scopeKind: kind, ...(id === undefined ? {} : { scopeId: id }) };
}

/** @throws ColophonError `not_found` */
export async function readLegalHold(tx: Tx, id: string): Promise<LegalHold> {
  const [row] = await tx.query<LegalHoldRow>(
    `SELECT ${LEGAL_HOLD_COLUMNS} FROM legal_hold WHERE organization_id = $1 AND id = $2`,
    [tx.organizationId, id],
  );
  if (!row) throw new ColophonError('not_found', 'There is no legalHold with this id.');
  return toLegalHold(row);
}
