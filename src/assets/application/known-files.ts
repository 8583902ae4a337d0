import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type AssetRepository } from '../adapters/asset.repository.js';
import { type Asset } from '../domain/asset.js';

/** Finds what an organization already holds of a file that somebody sends. */
export class KnownFiles {
  constructor(private readonly assets: AssetRepository) {}

  /** The asset whose file, as it was signed here, has exactly these bytes. */
  signed(tx: Tx, sha256: string): Promise<Asset | undefined> {
    return this.assets.findByFile(tx, sha256);
  }

  /** The assets that were made from exactly these bytes, as they were captured or received; the oldest first. */
  received(tx: Tx, sha256: string): Promise<Asset[]> {
    return this.assets.findByOriginal(tx, sha256);
  }

  /** The asset whose manifest the file carries: it is that file, changed by somebody, or a later version of it. */
  async ofManifests(tx: Tx, versionLabels: readonly string[]): Promise<Asset | undefined> {
    const found = await this.assets.findByManifestLabels(tx, versionLabels);
    const byLabel = new Map(found.map((asset) => [asset.manifestLabel, asset]));
    return versionLabels.flatMap((label) => byLabel.get(label) ?? [])[0];
  }

  /**
   * What was made here and comes back, as it was signed or as it was captured. Steps may have made the same bytes several
   * times: it is all of those, so that none of their makers approves it; of the sender's mode alone where there are some,
   * because what the sandbox drew does not stand for what a live run made.
   */
  async returned(tx: Tx, sha256: string, mode: KeyMode): Promise<Asset[]> {
    const signed = await this.signed(tx, sha256);
    if (signed !== undefined) return [signed];
    const made = (await this.received(tx, sha256)).filter(({ origin }) => origin !== 'upload');
    const ofMode = made.filter((asset) => asset.mode === mode);
    return ofMode.length > 0 ? ofMode : made;
  }
}
