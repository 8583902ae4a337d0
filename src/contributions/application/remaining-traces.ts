import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { type Tx } from '../../database/organization-tx.js';
import { isColophonError } from '../../shared/errors.js';
import { type ActTrace } from '../domain/contribution.js';
import { type CompareVersions, type KeptDifference } from './keep-difference.js';
import { type ReadContributions } from './read-contribution.js';

/**
 * Of two pictures of what changed, the share of the picture that changed in both; `undefined` where they are of different
 * sizes, so that places cannot be compared. A port, because it decodes them.
 */
export type SharedChange = (differencePath: string, other: Buffer) => Promise<number | undefined>;

/** The edits behind a new version, up to the last version that no person made. */
export interface EditsBehind {
  readonly base: AssetWithParents;
  /** The acts by which the edits came to be, with the pictures of what they changed. */
  readonly acts: readonly { readonly contributionId: string; readonly differenceSha256: string }[];
}

/** Finds out what is left of earlier acts in a new version: what was painted and painted over is no part of the work. */
export class RemainingTraces {
  constructor(
    private readonly assets: Pick<AssetRepository, 'lineage'>,
    private readonly contributions: ReadContributions,
    private readonly store: AssetStore,
    private readonly compareVersions: CompareVersions,
    private readonly sharedChange: SharedChange,
  ) {}

  /** `undefined` where the parent itself is what no person made, or has no picture. */
  async editsBehind(tx: Tx, parentId: string): Promise<EditsBehind | undefined> {
    const byId = new Map((await this.assets.lineage(tx, parentId)).map((asset) => [asset.id, asset]));
    const edits: string[] = [];
    let base = byId.get(parentId);
    while (base?.origin === 'edit') {
      edits.push(base.id);
      base = byId.get(base.parents.find(({ relationship }) => relationship === 'parentOf')?.assetId ?? '');
    }
    if (base === undefined || edits.length === 0 || !isStillImageType(base.mediaType)) return undefined;
    const acts = (await this.contributions.of(tx, edits)).flatMap(({ row: { id, differenceSha256 } }) =>
      differenceSha256 === null ? [] : [{ contributionId: id, differenceSha256 }],
    );
    return { base, acts };
  }

  /** Of the new act as well. `undefined` where it cannot be found out, because files are gone. */
  async in(
    organizationId: string,
    filePath: string,
    { base, acts }: EditsBehind,
    own: { readonly contributionId: string; readonly change: KeptDifference },
  ): Promise<ActTrace[] | undefined> {
    const basePath = await this.present(organizationId, base.sha256);
    if (basePath === undefined) return undefined;
    const all = [
      ...acts,
      { contributionId: own.contributionId, differenceSha256: own.change.differenceSha256 },
    ];
    const whole = await this.compareVersions(basePath, filePath);
    if (whole === undefined) return all.map(({ contributionId }) => ({ contributionId, share: 0 }));
    const traces: ActTrace[] = [];
    for (const { contributionId, differenceSha256 } of all) {
      const path = await this.present(organizationId, differenceSha256);
      const share = path === undefined ? undefined : await this.sharedChange(path, whole.picture);
      if (share !== undefined) traces.push({ contributionId, share });
    }
    return traces;
  }

  /** `undefined` for a file that was removed. */
  private async present(organizationId: string, sha256: string): Promise<string | undefined> {
    try {
      return await this.store.localPath(organizationId, sha256);
    } catch (error) {
      if (isColophonError(error, 'content_removed')) return undefined;
      throw error;
    }
  }
}
