import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { type AssetRepository, type AssetWithParents } from '../adapters/asset.repository.js';
import { type Asset } from '../domain/asset.js';
import { type AssetStore } from '../domain/asset-store.port.js';

/** Below this size the very bytes that were hashed are the ones that are sent. */
const IN_MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

export interface AssetContent {
  readonly asset: Asset;
  readonly body: Buffer | Readable;
}

/** The only way out for the bytes of an asset (promise P1): committed entry, right hash, or nothing. */
export class ReadAsset {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly store: AssetStore,
  ) {}

  async get(organizationId: string, id: string): Promise<AssetWithParents> {
    return this.organizationTx.run(organizationId, (tx) => this.assets.get(tx, id));
  }

  async lineage(organizationId: string, id: string): Promise<AssetWithParents[]> {
    return this.organizationTx.run(organizationId, (tx) => this.assets.lineage(tx, id));
  }

  async content(organizationId: string, id: string): Promise<AssetContent> {
    const asset = await this.organizationTx.run(organizationId, async (tx) => {
      const found = await this.assets.get(tx, id);
      const [entry] = await tx.query(
        `SELECT 1 FROM audit_entry WHERE organization_id = $1 AND entry_id = $2
         UNION ALL SELECT 1 FROM audit_pending WHERE organization_id = $1 AND entry_id = $2`,
        [organizationId, found.entryId],
      );
      if (!entry)
        throw new ColophonError(
          'audit_unavailable',
          'The log entry of this asset is missing, so it is not released.',
        );
      return found;
    });
    const path = await this.store.localPath(organizationId, asset.sha256);
    if (asset.sizeBytes > IN_MEMORY_LIMIT_BYTES) return { asset, body: createReadStream(path) };
    const body = await readFile(path);
    // The file was checked a moment ago; this checks the very bytes that go out.
    if (sha256Hex(body) !== asset.sha256)
      throw new ColophonError('storage_unavailable', 'A file changed while it was read.');
    return { asset, body };
  }
}
