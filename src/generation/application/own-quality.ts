import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Operation } from '../domain/operation.js';
import { proportion, type Proportion } from '../domain/statistics.js';

export type Vote =
  | { readonly vote: 'accept' | 'reject' }
  /** Better than another asset of the same use case. */
  | { readonly vote: 'prefer'; readonly overAssetId: string };

/** What an organization's own people said of a model in one use case. */
export interface OwnQuality {
  readonly listingId: string;
  /** Accepted assets among those that somebody judged. */
  readonly accepted: Proportion | undefined;
  /** Comparisons with another model's asset that it won. */
  readonly preferred: Proportion | undefined;
}

/** Operations whose result is a model's work; cutting or resizing it is not what is judged. */
const MODEL_WORK: readonly Operation[] = [
  'generate',
  'edit',
  'generate-video',
  'animate',
  'speak',
  'compose-music',
  'generate-3d',
];

interface Work {
  readonly use_case_id: string;
  readonly listing_id: string;
}

/**
 * Votes on assets, by use case: the number that should drive the choice of a model, apart from every public board. One
 * person has one vote on an asset; the newest counts.
 */
export class OwnQualityOfModels {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `conflict` for an asset that no model made */
  async cast(tx: Tx, principal: Principal, assetId: string, vote: Vote): Promise<string> {
    const work = await this.workBehind(tx, principal, assetId);
    const over =
      vote.vote === 'prefer'
        ? { assetId: vote.overAssetId, ...(await this.workBehind(tx, principal, vote.overAssetId)) }
        : undefined;
    if (over !== undefined && (over.assetId === assetId || over.use_case_id !== work.use_case_id))
      throw new ColophonError('conflict', 'Compare two different assets of the same use case.');
    const id = newId();
    await tx.query(
      `INSERT INTO asset_vote (organization_id, id, asset_id, use_case_id, listing_id, vote, over_asset_id,
                               over_listing_id, voted_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        tx.organizationId,
        id,
        assetId,
        work.use_case_id,
        work.listing_id,
        vote.vote,
        over?.assetId ?? null,
        over?.listing_id ?? null,
        principal.principalId,
        this.clock.now(),
      ],
    );
    await this.appendEntry.append(tx, {
      type: 'vote.recorded',
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', assetId) },
      data: {
        vote: vote.vote,
        useCaseId: publicId('useCase', work.use_case_id),
        listingId: work.listing_id,
        ...(over === undefined
          ? {}
          : { overAssetId: publicId('asset', over.assetId), overListingId: over.listing_id }),
      },
    });
    return id;
  }

  async ofUseCase(tx: Tx, useCaseId: string): Promise<OwnQuality[]> {
    const rows = await tx.query<{
      listing_id: string;
      accepted: number;
      judged: number;
      won: number;
      compared: number;
    }>(
      `WITH judged AS (
         SELECT DISTINCT ON (asset_id, voted_by) listing_id, vote FROM asset_vote
          WHERE organization_id = $1 AND use_case_id = $2 AND vote <> 'prefer'
          ORDER BY asset_id, voted_by, created_at DESC, id DESC),
       compared AS (
         SELECT DISTINCT ON (least(asset_id, over_asset_id), greatest(asset_id, over_asset_id), voted_by)
                listing_id, over_listing_id FROM asset_vote
          WHERE organization_id = $1 AND use_case_id = $2 AND vote = 'prefer'
          ORDER BY least(asset_id, over_asset_id), greatest(asset_id, over_asset_id), voted_by, created_at DESC, id DESC),
       counted AS (
         SELECT listing_id, (vote = 'accept')::int AS accepted, 1 AS judged, 0 AS won, 0 AS compared FROM judged
         UNION ALL SELECT listing_id, 0, 0, 1, 1 FROM compared WHERE listing_id <> over_listing_id
         UNION ALL SELECT over_listing_id, 0, 0, 0, 1 FROM compared WHERE listing_id <> over_listing_id)
       SELECT listing_id, sum(accepted)::int AS accepted, sum(judged)::int AS judged, sum(won)::int AS won,
              sum(compared)::int AS compared
         FROM counted GROUP BY listing_id ORDER BY listing_id`,
      [tx.organizationId, useCaseId],
    );
    return rows.map((row) => ({
      listingId: row.listing_id,
      accepted: proportion(row.accepted, row.judged),
      preferred: proportion(row.won, row.compared),
    }));
  }

  /** The last model that made or edited what is seen, and for which use case. */
  private async workBehind(tx: Tx, principal: Principal, assetId: string): Promise<Work> {
    const lineage = await this.assets.lineage(tx, assetId);
    const [asset] = lineage;
    if (asset !== undefined) refuseTestKeyOnLive(principal.mode, asset.mode, 'The asset');
    if (asset?.mode !== 'live')
      throw new ColophonError('wrong_mode', 'What the sandbox made says nothing of a model.');
    const stepRunIds = lineage.flatMap(({ stepRunId }) => (stepRunId === undefined ? [] : [stepRunId]));
    const [work] = await tx.query<Work>(
      `SELECT r.use_case_id, s.listing_id FROM step_run s
         JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
        WHERE s.organization_id = $1 AND s.id = ANY($2::uuid[]) AND s.operation = ANY($3::text[])
        ORDER BY s.created_at DESC, s.ordinal DESC LIMIT 1`,
      [tx.organizationId, stepRunIds, MODEL_WORK],
    );
    if (!work) throw new ColophonError('conflict', 'No model made this asset, so there is none to judge.');
    return work;
  }
}
