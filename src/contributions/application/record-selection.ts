import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { SELECTION } from '../domain/contribution.js';
import { type EngagementTerms, UNKNOWN_ENGAGEMENT } from '../domain/contribution-record.js';
import { type WriteContribution } from './write-contribution.js';

export interface Selection {
  readonly chosen: AssetWithParents;
  /** In the order in which they were shown, the chosen one among them. */
  readonly shownAssetIds: readonly string[];
  /** Why, in the person's own words. Sealed. */
  readonly statement: string;
  readonly engagement?: EngagementTerms;
}

/**
 * A person chose one of several assets. Nothing new is made: the record says which were shown, and names the chosen one
 * as what was there before and after. The act itself happens here, so its capture is automatic; the reasons are declared.
 */
export class RecordSelection {
  constructor(
    private readonly writeContribution: WriteContribution,
    private readonly assets: AssetRepository,
  ) {}

  /** @returns the id of the contribution. @throws ColophonError `forbidden` for a service, `four_eyes_required` */
  async record(tx: Tx, principal: Principal, selection: Selection): Promise<string> {
    const { chosen, shownAssetIds, statement, engagement = UNKNOWN_ENGAGEMENT } = selection;
    const id = newId();
    await this.writeContribution.write(tx, {
      id,
      assetId: chosen.id,
      projectId: chosen.projectId,
      contributorId: principal.principalId,
      actor: actorOf(principal),
      change: undefined,
      act: {
        parentAssetId: chosen.id,
        beforeSha256: chosen.sha256,
        afterSha256: chosen.originalSha256,
        actionType: SELECTION,
        basis: 'selection_coordination_arrangement',
        capture: 'automatic',
        engagement,
        tool: null,
        statement,
        shownAssetIds,
        signedAt: null,
      },
    });
    return id;
  }

  /**
   * The same outside of a pipeline, among assets that exist.
   * @throws ColophonError `not_found`, `wrong_mode`, `invalid_request`, `forbidden`, `four_eyes_required`
   */
  async choose(
    tx: Tx,
    principal: Principal,
    request: {
      readonly chosenAssetId: string;
      readonly shownAssetIds: readonly string[];
      readonly statement: string;
      readonly engagement: EngagementTerms;
    },
  ): Promise<string> {
    const { chosenAssetId, shownAssetIds, statement, engagement } = request;
    await requirePerson(tx, principal, 'human-work');
    const chosen = await this.assets.get(tx, chosenAssetId);
    if (!shownAssetIds.includes(chosenAssetId))
      throw new ColophonError('invalid_request', 'shown: the chosen asset must be among what was shown');
    const shown = await this.assets.byIds(tx, shownAssetIds);
    const known = new Set(shown.map(({ id }) => id));
    if (shownAssetIds.some((id) => !known.has(id)))
      throw new ColophonError('not_found', 'There is no asset with one of these ids.');
    if (shown.some(({ mode }) => mode !== principal.mode))
      throw new ColophonError(
        'wrong_mode',
        'Something that was shown was made with a key of the other mode.',
      );
    if (shown.some(({ projectId }) => projectId !== chosen.projectId))
      throw new ColophonError('invalid_request', 'shown: everything must belong to the project of the asset');
    return this.record(tx, principal, { chosen, shownAssetIds, statement, engagement });
  }
}
