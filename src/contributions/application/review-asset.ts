import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { MAX_POLICIES_IN_ENTRY } from '../../audit/core/entry-types.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { sqlState, type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type ObligationList, readObligations } from '../../licenses/application/read-obligations.js';
import { type NewDuties, type RecordObligations } from '../../licenses/application/record-obligations.js';
import { type RequireCleared } from '../../licenses/application/require-cleared.js';
import { type RequireReleasable } from '../../licenses/application/require-releasable.js';
import { type HumanWork, type PolicyRef } from '../../licenses/domain/policies/policy.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { In } from 'typeorm';
import { AssetReleaseEntity, ContributionEntity, ReviewEntity } from '../adapters/contribution.entity.js';

/** Raised by the database when the reviewer took part in making the asset (migration 0005). */
const FOUR_EYES_STATE = 'CLP01';

export interface Review {
  readonly id: string;
  readonly decision: 'approve' | 'reject';
  readonly sha256: string;
  readonly createdAt: Date;
}

export interface Released {
  readonly releasedAt: Date;
  readonly sha256: string;
  readonly obligations: ObligationList | undefined;
  /** Undefined where the calendar of duties is that of the day of signing. */
  readonly newDuties: NewDuties | undefined;
}

/** A second person's decision, and the moment from which an asset may leave for publication. */
export class ReviewAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly requireCleared: RequireCleared,
    private readonly requireReleasable: RequireReleasable,
    private readonly recordObligations: Pick<RecordObligations, 'newSince'>,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `four_eyes_required`, `conflict` when somebody else decided first */
  async decide(
    tx: Tx,
    principal: Principal,
    request: { assetId: string; decision: 'approve' | 'reject'; comment: string },
  ): Promise<Review> {
    const asset = await this.assets.get(tx, request.assetId);
    refuseTestKey(principal, asset);
    const review: Review = {
      id: newId(),
      decision: request.decision,
      sha256: asset.sha256,
      createdAt: this.clock.now(),
    };
    const entryId = await this.appendEntry.append(tx, {
      type: 'review.decided',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'review', id: publicId('review', review.id) },
      data: { assetId: publicId('asset', asset.id), decision: review.decision, sha256: review.sha256 },
      sealed: { comment: { value: request.comment, subjectId: principal.principalId } },
    });
    try {
      await tx.manager.insert(ReviewEntity, {
        ...review,
        organizationId: tx.organizationId,
        assetId: asset.id,
        reviewerId: principal.principalId,
        sealedComment: await this.vault.encrypt(tx, principal.principalId, request.comment),
        entryId,
      });
    } catch (error) {
      if (sqlState(error) === FOUR_EYES_STATE) {
        throw new ColophonError(
          'four_eyes_required',
          'You took part in making this asset or one it descends from.',
        );
      }
      if (violatedConstraint(error) === 'review_asset_unique') {
        throw new ColophonError('conflict', 'This asset has been reviewed already.');
      }
      throw error;
    }
    return review;
  }

  /**
   * What is still owed does not hold a release back, because most of it is done by publishing; it comes with the answer.
   * Only an obligation that its data calls blocking does.
   * @throws ColophonError `not_approved`, `policy_denied`, `obligations_open`, `wrong_mode` for test assets,
   * `conflict` when released before
   */
  async release(tx: Tx, principal: Principal, assetId: string): Promise<Released> {
    const asset = await this.assets.get(tx, assetId);
    if (asset.mode === 'test')
      throw new ColophonError('wrong_mode', 'An asset made with a test key is never released.');
    refuseTestKey(principal, asset);
    const review = await tx.manager.findOneBy(ReviewEntity, { organizationId: tx.organizationId, assetId });
    if (review?.decision !== 'approve')
      throw new ColophonError('not_approved', 'This asset has not been approved.');
    await this.requirePublishing.check(tx);
    const policies = await this.requireCleanOrigin(tx, principal, asset);
    const obligations = await readObligations(tx, assetId);
    const newDuties = obligations && (await this.newDuties(tx, asset, obligations));
    requireBlockingProved(obligations, newDuties);
    const entryId = await this.appendEntry.append(tx, {
      type: 'asset.released',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', assetId) },
      data: {
        assetId: publicId('asset', assetId),
        sha256: asset.sha256,
        ...loggedPolicies(policies),
        ...loggedCalendar(newDuties),
      },
    });
    const releasedAt = this.clock.now();
    const inserted = await tx.query(
      `INSERT INTO asset_release (organization_id, asset_id, review_id, released_by, entry_id, released_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING asset_id`,
      [tx.organizationId, assetId, review.id, principal.principalId, entryId, releasedAt],
    );
    if (inserted.length === 0) throw new ColophonError('conflict', 'This asset was released before.');
    return { releasedAt, sha256: asset.sha256, obligations, newDuties };
  }

  /** A calendar that gained a duty since the asset was signed shows it now, before the asset leaves. */
  private async newDuties(
    tx: Tx,
    asset: AssetWithParents,
    list: ObligationList,
  ): Promise<NewDuties | undefined> {
    const parentIds = asset.parents.map(({ assetId }) => assetId);
    const { origin, runId, digitalSourceType = null, rights } = asset;
    const work = {
      own: { origin, runId, digitalSourceType, showsPeople: rights?.showsPeople },
      ancestors: await this.assets.ancestry(tx, parentIds),
      parentIds,
      madeAt: asset.createdAt,
    };
    return this.recordObligations.newSince(tx, work, list);
  }

  /** Each license decision behind the asset holds, and no policy of today stands against its release. */
  private async requireCleanOrigin(tx: Tx, principal: Principal, asset: Asset) {
    const lineage = await this.assets.lineage(tx, asset.id);
    const assetIds = lineage.map(({ id }) => id);
    const clearanceIds = await this.clearancesBehind(tx, assetIds);
    for (const clearanceId of clearanceIds) await this.requireCleared.check(tx, clearanceId);
    const inputs = lineage.flatMap(({ id, rights }) =>
      rights ? [{ ...rights, assetId: publicId('asset', id) }] : [],
    );
    const human = await humanWorkOn(tx, versionsOf(asset.id, lineage));
    return this.requireReleasable.check(tx, principal, {
      projectId: asset.projectId,
      originProjectIds: [...new Set(lineage.flatMap(({ projectId }) => projectId ?? []))],
      clearanceIds,
      inputs,
      human,
    });
  }

  /** The license decisions on which the asset and everything it descends from rest. */
  private async clearancesBehind(tx: Tx, assetIds: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ clearance_id: string }>(
      `SELECT DISTINCT r.clearance_id FROM asset a
         JOIN run r ON r.organization_id = a.organization_id AND r.id = a.run_id
        WHERE a.organization_id = $1 AND a.id = ANY($2::uuid[])`,
      [tx.organizationId, assetIds],
    );
    return rows.map((row) => row.clearance_id);
  }

  async statusOf(
    tx: Tx,
    assetId: string,
  ): Promise<{ review: ReviewEntity | null; release: AssetReleaseEntity | null }> {
    const where = { organizationId: tx.organizationId, assetId };
    return {
      review: await tx.manager.findOneBy(ReviewEntity, where),
      release: await tx.manager.findOneBy(AssetReleaseEntity, where),
    };
  }
}

/** The asset and what it is a later version of. What was only used in it, as a reference or a part, is another work. */
export function versionsOf(
  assetId: string,
  lineage: readonly Pick<AssetWithParents, 'id' | 'parents'>[],
): string[] {
  const byId = new Map(lineage.map((asset) => [asset.id, asset]));
  const versions = new Set<string>();
  const open = [assetId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (versions.has(id)) continue;
    versions.add(id);
    for (const parent of byId.get(id)?.parents ?? [])
      if (parent.relationship === 'parentOf') open.push(parent.assetId);
  }
  return [...versions];
}

/** Acts that only assisted are no contribution of a person to the work: a policy that demands one is not met by them. */
async function humanWorkOn(tx: Tx, assetIds: readonly string[]): Promise<HumanWork> {
  const contributions = await tx.manager.find(ContributionEntity, {
    where: { organizationId: tx.organizationId, assetId: In([...assetIds]) },
  });
  return {
    humanContribution: contributions.some(({ basis }) => basis !== 'assistive_only'),
    contributionKinds: [...new Set(contributions.map(({ actionType }) => actionType))].sort(),
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

function loggedCalendar(found: NewDuties | undefined) {
  if (found === undefined) return {};
  const { calendar, duties } = found;
  return { calendar: { sha256: calendar.sha256, newDuties: duties.slice(0, 200).map(({ key }) => key) } };
}

function requireBlockingProved(list: ObligationList | undefined, found: NewDuties | undefined): void {
  const added = (found?.duties ?? []).filter(({ blocking, due }) => blocking && due === 'before-publication');
  const [first] = added;
  if (first !== undefined) {
    throw new ColophonError(
      'obligations_open',
      'Since this asset was signed a duty was added to the calendar that is due before publication. Make the asset anew, so that it is listed and can be proved.',
      { extensions: { obligations: added.map(({ key, text, where }) => ({ key, text, where })) } },
    );
  }
  const blocking = (list?.items ?? []).filter(
    ({ state, obligation }) =>
      state === 'open' && obligation.blocking && obligation.due === 'before-publication',
  );
  if (blocking.length === 0) return;
  throw new ColophonError(
    'obligations_open',
    'Something that is due before publication has not been proved.',
    {
      extensions: {
        obligations: blocking.map(({ id, obligation }) => ({
          id: publicId('obligation', id),
          text: obligation.text,
          where: obligation.where,
        })),
      },
    },
  );
}

export function refuseTestKey(principal: Principal, asset: Asset): void {
  if (principal.mode === 'test' && asset.mode === 'live')
    throw new ColophonError('wrong_mode', 'The asset was made with a live key.');
}
