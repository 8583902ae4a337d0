import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type KnownFiles } from '../../assets/application/known-files.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';

/** Refuses what somebody sends as a version of their own and what is on record as something else. */
export class RequireOwnWork {
  constructor(
    private readonly knownFiles: KnownFiles,
    private readonly assets: Pick<AssetRepository, 'lineage'>,
  ) {}

  /**
   * What came out of this service, or into it through somebody else, is no work of this person on the asset.
   * @throws ColophonError `conflict`
   */
  async checkBytes(tx: Tx, personId: string, parent: Asset, sha256: string): Promise<void> {
    const signed = await this.knownFiles.signed(tx, sha256);
    if (signed !== undefined && signed.id !== parent.id)
      throw refusal(signed, 'as it was signed: no work of a person on this asset.');
    for (const known of await this.knownFiles.received(tx, sha256)) {
      if (known.id === parent.id) continue;
      if (known.origin === 'step')
        throw refusal(known, 'as it was captured: no work of a person on this asset.');
      if (await isOfSomebodyElse(tx, personId, known))
        throw refusal(known, 'as somebody else sent it: it is recorded already, and not as your work.');
    }
  }

  /**
   * The same in the transaction that records the work: of two people who send the same bytes at once, the second is
   * refused. @throws ColophonError `conflict`
   */
  async checkBytesAlone(tx: Tx, personId: string, parent: Asset, sha256: string): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `contributed file ${tx.organizationId} ${sha256}`,
    ]);
    await this.checkBytes(tx, personId, parent, sha256);
  }

  /**
   * A file that carries the manifest of another asset is that asset, changed by somebody. Of the parent, and of what it
   * was made from, it is what an editor leaves in a file. @throws ColophonError `conflict`
   */
  async checkManifests(tx: Tx, parent: Asset, versionLabels: readonly string[]): Promise<void> {
    const known = await this.knownFiles.ofManifests(tx, versionLabels);
    if (known === undefined || known.id === parent.id) return;
    const lineage = await this.assets.lineage(tx, parent.id);
    if (lineage.some(({ id }) => id === known.id)) return;
    const id = publicId('asset', known.id);
    throw new ColophonError(
      'conflict',
      `The file carries the manifest of ${id}, of which this asset is no version. Send it as a version of ${id}.`,
    );
  }
}

/** Who made an edit is its contributor; of an upload it is who sent it. */
async function isOfSomebodyElse(tx: Tx, personId: string, known: Asset): Promise<boolean> {
  if (known.origin === 'upload') return known.createdBy !== personId;
  const rows = await tx.query<{ contributor_id: string }>(
    `SELECT contributor_id FROM contribution
      WHERE organization_id = $1 AND asset_id = $2 AND after_sha256 = $3 AND contributor_id <> $4 LIMIT 1`,
    [tx.organizationId, known.id, known.originalSha256, personId],
  );
  return rows.length > 0;
}

function refusal(known: Asset, how: string): ColophonError {
  return new ColophonError('conflict', `The file is ${publicId('asset', known.id)} ${how}`);
}
