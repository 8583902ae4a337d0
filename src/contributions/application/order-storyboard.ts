import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';

export interface StoryboardVersion {
  readonly id: string;
  readonly version: number;
  readonly projectId: string;
  readonly mode: KeyMode;
  readonly assetIds: readonly string[];
  readonly orderedBy: string;
  readonly entryId: string;
  readonly createdAt: Date;
}

interface Row {
  id: string;
  version: number;
  project_id: string;
  mode: KeyMode;
  asset_ids: string[];
  ordered_by: string;
  entry_id: string;
  created_at: Date;
}

export const MAX_ORDERED = 200;

/**
 * Assets in an order that a person gives them. The act happens here, so the record is made of what was done and of
 * nothing else: each version has its order, its author, its time and their reasons.
 */
export class OrderStoryboard {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /**
   * @param request.id of the storyboard whose order changes; absent for a new one
   * @throws ColophonError `not_found`, `wrong_mode`, `forbidden` for a service, `conflict`
   */
  async order(
    tx: Tx,
    principal: Principal,
    request: {
      readonly id: string | undefined;
      readonly assetIds: readonly string[];
      readonly rationale: string;
    },
  ): Promise<StoryboardVersion> {
    await requirePerson(tx, principal, 'human-work');
    const { assetIds, rationale } = request;
    const projectId = await this.projectOf(tx, principal, assetIds);
    const previous = request.id === undefined ? [] : await this.versions(tx, request.id);
    const last = previous.at(-1);
    if (last && (last.projectId !== projectId || last.mode !== principal.mode))
      throw new ColophonError('conflict', 'The storyboard belongs to another project or mode.');
    if (last && String(last.assetIds) === String(assetIds))
      throw new ColophonError('conflict', 'This is its order already.');
    const made = {
      id: request.id ?? newId(),
      version: (last?.version ?? 0) + 1,
      projectId,
      mode: principal.mode,
      assetIds,
      orderedBy: principal.principalId,
      createdAt: this.clock.now(),
    };
    return this.insert(tx, principal, made, rationale);
  }

  /** Oldest first. @throws ColophonError `not_found` */
  async versions(tx: Tx, id: string): Promise<StoryboardVersion[]> {
    const rows = await tx.query<Row>(
      `SELECT id, version, project_id, mode, asset_ids, ordered_by, entry_id, created_at FROM storyboard
        WHERE organization_id = $1 AND id = $2 ORDER BY version`,
      [tx.organizationId, id],
    );
    if (rows.length === 0) throw new ColophonError('not_found', 'There is no storyboard with this id.');
    return rows.map((row) => ({
      id: row.id,
      version: row.version,
      projectId: row.project_id,
      mode: row.mode,
      assetIds: row.asset_ids,
      orderedBy: row.ordered_by,
      entryId: row.entry_id,
      createdAt: row.created_at,
    }));
  }

  private async projectOf(tx: Tx, { mode }: Principal, assetIds: readonly string[]): Promise<string> {
    const found = await this.assets.byIds(tx, assetIds);
    const [first] = found;
    if (first === undefined || found.length !== new Set(assetIds).size)
      throw new ColophonError('not_found', 'There is no asset with one of these ids.');
    if (found.some((asset) => asset.mode !== mode))
      throw new ColophonError('wrong_mode', 'One of the assets was made with a key of the other mode.');
    if (found.some(({ projectId }) => projectId !== first.projectId))
      throw new ColophonError('invalid_request', 'assetIds: all of them must belong to one project');
    return first.projectId;
  }

  private async insert(
    tx: Tx,
    principal: Principal,
    made: Omit<StoryboardVersion, 'entryId'>,
    rationale: string,
  ): Promise<StoryboardVersion> {
    const subjectId = principal.principalId;
    const id = publicId('storyboard', made.id);
    const entryId = await this.appendEntry.append(tx, {
      type: 'storyboard.ordered',
      projectId: made.projectId,
      actor: actorOf(principal),
      subject: { kind: 'storyboard', id },
      data: {
        storyboardId: id,
        version: made.version,
        projectId: publicId('project', made.projectId),
        assetIds: made.assetIds.map((assetId) => publicId('asset', assetId)),
      },
      sealed: { rationale: { value: rationale, subjectId } },
    });
    try {
      await tx.query(
        `INSERT INTO storyboard
           (organization_id, id, version, project_id, mode, asset_ids, ordered_by, sealed_rationale, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6::uuid[], $7, $8, $9, $10)`,
        [
          ...[tx.organizationId, made.id, made.version, made.projectId, made.mode, made.assetIds, subjectId],
          ...[await this.vault.encrypt(tx, subjectId, rationale), entryId, made.createdAt],
        ],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'storyboard_pkey')
        throw new ColophonError('conflict', 'Somebody else has changed the order at the same moment.');
      throw error;
    }
    return { ...made, entryId };
  }
}
