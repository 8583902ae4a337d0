import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { MAX_POLICIES_IN_ENTRY } from '../../audit/core/entries/license-entries.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { sqlState, type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { owedToday } from '../../licenses/application/owed-today.js';
import { type ObligationList, readObligations } from '../../licenses/application/read-obligations.js';
import { type RequireCleared } from '../../licenses/application/require-cleared.js';
import { type RequireReleasable } from '../../licenses/application/require-releasable.js';
import { type AssetObligation } from '../../licenses/domain/asset-obligation.js';
import { type ObligationsToday } from '../../licenses/domain/obligations-today.js';
import { type HumanWork, type PolicyRef } from '../../licenses/domain/policies/policy.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AuthorshipStatement } from '../domain/authorship/authorship-statement.js';
import { isBorneOut } from '../domain/authorship/grade-act.js';
import { clearancesOf } from './clearances-behind.js';
import { type AssetReview, type ReadReview, reviewNeeds } from './read-review.js';
import { readClaims } from './read-claims.js';
import { refuseTestKey } from './refuse-test-key.js';
import { type StateAuthorship } from './state-authorship.js';

/** Raised by the database when an asset lacks what its use cases ask for (migration 0030). */
const NOT_APPROVED_STATE = 'CLP02';

export interface Released {
  readonly releasedAt: Date;
  readonly sha256: string;
  readonly obligations: ObligationList | undefined;
  /** What the list of the day of signing does not say; undefined where there is no list. */
  readonly today: ObligationsToday | undefined;
}

/** The moment from which an asset may leave for publication. */
export class ReleaseAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly readReview: ReadReview,
    private readonly stateAuthorship: StateAuthorship,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly requireCleared: RequireCleared,
    private readonly requireReleasable: RequireReleasable,
    private readonly obligationsToday: Pick<ShowObligationsToday, 'of'>,
    private readonly clock: Clock,
  ) {}

  /**
   * What is still owed does not hold a release back, because most of it is done by publishing; it comes with the answer.
   * Only an obligation that its data calls blocking does.
   * @throws ColophonError `not_approved`, `contribution_required`, `policy_denied`, `obligations_open`, `claim_open`,
   * `wrong_mode` for test assets, `conflict` when released before
   */
  async release(tx: Tx, principal: Principal, assetId: string): Promise<Released> {
    const asset = await this.assets.get(tx, assetId);
    if (asset.mode === 'test')
      throw new ColophonError('wrong_mode', 'An asset made with a test key is never released.');
    refuseTestKey(principal, asset);
    const reviewId = requireApproved(await this.readReview.of(tx, assetId));
    await this.requirePublishing.check(tx);
    const policies = await this.requireCleanOrigin(tx, principal, asset);
    const obligations = await readObligations(tx, assetId);
    // A calendar that gained a duty since the asset was signed shows it now, before the asset leaves.
    const today = obligations && (await this.obligationsToday.of(tx, asset, obligations));
    requireBlockingProved(assetId, obligations, today);
    const entryId = await this.appendEntry.append(tx, {
      type: 'asset.released',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', assetId) },
      data: {
        assetId: publicId('asset', assetId),
        sha256: asset.sha256,
        ...loggedPolicies(policies),
        ...loggedCalendar(obligations, today),
      },
    });
    const releasedAt = this.clock.now();
    await this.insert(tx, [tx.organizationId, assetId, reviewId, principal.principalId, entryId, releasedAt]);
    return { releasedAt, sha256: asset.sha256, obligations, today };
  }

  /** Each license decision behind the asset holds, and no policy of today stands against its release. */
  private async requireCleanOrigin(tx: Tx, principal: Principal, asset: Asset) {
    const lineage = await this.assets.lineage(tx, asset.id);
    const assetIds = lineage.map(({ id }) => id);
    await requireNoClaim(tx, assetIds);
    const clearances = await clearancesOf(tx, assetIds);
    const clearanceIds = [...new Set(clearances.values())];
    for (const clearanceId of clearanceIds) await this.requireCleared.check(tx, clearanceId);
    const inputs = lineage.flatMap(({ id, rights }) =>
      rights ? [{ ...rights, assetId: publicId('asset', id) }] : [],
    );
    const human = await this.humanWork(tx, asset, lineage);
    return this.requireReleasable.check(tx, principal, {
      projectId: asset.projectId,
      originProjectIds: [...new Set(lineage.flatMap(({ projectId }) => projectId ?? []))],
      assetId: asset.id,
      files: lineage.map(({ id, parents }) => ({
        id,
        parentIds: parents.map(({ assetId }) => assetId),
        clearanceId: clearances.get(id),
      })),
      inputs,
      human,
    });
  }

  /** @throws ColophonError `contribution_required` */
  private async humanWork(tx: Tx, asset: Asset, lineage: readonly AssetWithParents[]): Promise<HumanWork> {
    const { statement } = await this.stateAuthorship.ofLineage(tx, asset.id, lineage);
    const { humanContribution: isDemanded } = await reviewNeeds(tx, asset.id);
    if (isDemanded && !statement.isSufficient)
      throw new ColophonError(
        'contribution_required',
        'The use case demands a human contribution, and the record of this asset supports none.',
      );
    return humanWorkOf(statement);
  }

  private async insert(tx: Tx, values: readonly unknown[]): Promise<void> {
    try {
      await tx.query(
        `INSERT INTO asset_release (organization_id, asset_id, review_id, released_by, entry_id, released_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        values,
      );
    } catch (error) {
      if (violatedConstraint(error) === 'asset_release_pkey')
        throw new ColophonError('conflict', 'This asset was released before.');
      // Somebody rejected it, or asked for changes, between the look above and this line.
      if (sqlState(error) === NOT_APPROVED_STATE)
        throw new ColophonError('not_approved', 'This asset is not approved any more.');
      throw error;
    }
  }
}

/** @returns the review on which the release rests. @throws ColophonError `not_approved`, `conflict` */
function requireApproved({ standing, decisions, needs }: AssetReview): string {
  const approval = decisions.find(({ decision }) => decision === 'approve');
  switch (standing) {
    case 'approved':
      if (approval === undefined) throw new Error('an approved asset has an approval');
      return approval.id;
    case 'released':
      throw new ColophonError('conflict', 'This asset was released before.');
    case 'recalled':
      throw new ColophonError(
        'conflict',
        'The release of this asset was taken back, for good. Make a new version and have it reviewed.',
      );
    case 'rejected':
      throw new ColophonError('not_approved', 'This asset was rejected.');
    case 'changes_requested':
      throw new ColophonError('not_approved', 'A reviewer asked for changes and has not approved since.');
    case 'in_review':
      throw new ColophonError(
        'not_approved',
        needs.approvals === 1
          ? 'This asset has not been approved.'
          : 'This asset needs the approval of two different people.',
      );
  }
}

/** What somebody outside claims of the file, or of one it was made from, is answered before it leaves. */
async function requireNoClaim(tx: Tx, assetIds: readonly string[]): Promise<void> {
  const standing = (await readClaims(tx, assetIds)).filter((claim) => claim.standing !== 'closed');
  if (standing.length === 0) return;
  throw new ColophonError(
    'claim_open',
    'Claims on this asset, or on what it was made from, are not closed.',
    {
      extensions: {
        claims: standing.map(({ id, assetId, kind, standing: state }) => ({
          id: publicId('claim', id),
          assetId: publicId('asset', assetId),
          kind,
          state,
        })),
      },
    },
  );
}

/**
 * A policy that demands a contribution of a person is met by what may be claimed, and by nothing that is uncertain. The
 * kinds are those of all acts that the files bear out.
 */
function humanWorkOf({ claimed, uncertain }: AuthorshipStatement): HumanWork {
  const kinds = [...claimed, ...uncertain]
    .map(({ act }) => act)
    .filter((act) => act.relation === 'version' && isBorneOut(act))
    .map(({ actionType }) => actionType);
  return {
    humanContribution: claimed.some(({ act }) => act.relation === 'version'),
    contributionKinds: [...new Set(kinds)].sort(),
  };
}

/** An entry has room for a hundred; of more, the hash of the whole list fixes which they were. */
export function loggedPolicies(asked: readonly PolicyRef[]): {
  policies?: PolicyRef[];
  allPolicies?: { count: number; sha256: string };
} {
  if (asked.length === 0) return {};
  const named = asked
    .map(({ kind, scope, version, sha256 }) => ({ kind, scope, version, sha256 }))
    .sort((a, b) => compare(a.sha256, b.sha256) || compare(a.scope, b.scope) || a.version - b.version);
  const policies = named.slice(0, MAX_POLICIES_IN_ENTRY);
  if (named.length === policies.length) return { policies };
  return { policies, allPolicies: { count: named.length, sha256: sha256Hex(canonicalJson(named)) } };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function loggedCalendar(list: ObligationList | undefined, today: ObligationsToday | undefined) {
  if (list === undefined || today === undefined) return {};
  const { calendar, added, changed } = today;
  const newDuties = [...added, ...changed].map(({ key }) => key);
  if (newDuties.length === 0 && list.calendarSha256 === calendar.sha256) return {};
  return { calendar: { sha256: calendar.sha256, newDuties: newDuties.slice(0, MAX_LOGGED_DUTIES) } };
}

const MAX_LOGGED_DUTIES = 200;

/**
 * As they read today: what a calendar gained or corrected since the signing holds a release back, too, until it is proved
 * as it reads now.
 */
function requireBlockingProved(
  assetId: string,
  list: ObligationList | undefined,
  today: ObligationsToday | undefined,
): void {
  if (list === undefined || today === undefined) return;
  const listed = new Map(list.items.map(({ id, obligation }) => [id, obligation]));
  const blocking = owedToday(assetId, list, today).filter(
    ({ state, obligation, listedId }) =>
      state === 'open' && (isBlocking(obligation) || isBlocking(listed.get(listedId ?? ''))),
  );
  if (blocking.length === 0) return;
  throw new ColophonError(
    'obligations_open',
    'Something that is due before publication has not been proved.',
    {
      extensions: {
        obligations: blocking.map(({ id, since, obligation: { key, text, where } }) => ({
          id: publicId('obligation', id),
          since,
          key,
          text,
          where,
        })),
      },
    },
  );
}

function isBlocking(obligation: AssetObligation | undefined): boolean {
  return obligation?.blocking === true && obligation.due === 'before-publication';
}
