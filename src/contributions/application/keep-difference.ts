import { writeFile } from 'node:fs/promises';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type ChangedRegion, type ChangeKind, type VersionDifference } from '../domain/contribution.js';

/** Compares two versions of a picture. A port, because it decodes them. `undefined` when they look the same. */
export type CompareVersions = (
  beforePath: string,
  afterPath: string,
) => Promise<VersionDifference | undefined>;

export interface KeptDifference {
  readonly region: ChangedRegion;
  readonly changedPixels: number;
  readonly kind: ChangeKind;
  /** PNG: black, and white where they differ. */
  readonly picture: Buffer;
  /** The picture of the difference lies in the store under it. */
  readonly differenceSha256: string;
}

/** What changed between two files, with a picture of it in the store. */
export class KeepDifference {
  constructor(
    private readonly store: AssetStore,
    private readonly compareVersions: CompareVersions,
  ) {}

  /** A crash after it leaves a picture that nothing refers to. @throws ColophonError `storage_unavailable` */
  async between(
    organizationId: string,
    beforePath: string,
    afterPath: string,
  ): Promise<KeptDifference | undefined> {
    const difference = await this.compareVersions(beforePath, afterPath);
    if (difference === undefined) return undefined;
    const { region, changedPixels, kind, picture } = difference;
    const differenceSha256 = sha256Hex(picture);
    const staged = await this.store.stage();
    try {
      await writeFile(staged, picture, { mode: 0o600 });
      await this.store.put(organizationId, differenceSha256, staged);
    } finally {
      await this.store.discard(staged);
    }
    return { region, changedPixels, kind, picture, differenceSha256 };
  }
}
