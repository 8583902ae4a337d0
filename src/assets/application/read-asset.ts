import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { type LogWriter } from '../../audit/application/log-writer.js';
import { type ReadPart } from '../../audit/core/entry-types.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type MediaVerification, type MediaVerifier } from '../../provenance/domain/media-verifier.port.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AssetRepository, type AssetWithParents } from '../adapters/asset.repository.js';
import { type Asset } from '../domain/asset.js';
import { type AssetStore } from '../domain/asset-store.port.js';

/** Below this size the very bytes that were hashed are the ones that are sent. */
const IN_MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

/** Who asks, and what will be sent to them. */
export interface Reader {
  readonly principal: Principal;
  /** False when headers are all that will be sent: that is not written down. */
  readonly sendsBody: boolean;
}

export interface AssetContent {
  readonly asset: Asset;
  /** `undefined` when the reader holds these bytes already. */
  readonly body: Buffer | Readable | undefined;
}

/**
 * The only way out for the bytes of an asset (promise P1): committed entry, right hash, or nothing. Whoever gets them
 * is in the log before the first byte leaves (promise P3).
 */
export class ReadAsset {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly store: AssetStore,
    private readonly verifier: MediaVerifier,
    private readonly log: LogWriter,
  ) {}

  async get(organizationId: string, id: string): Promise<AssetWithParents> {
    return this.organizationTx.run(organizationId, (tx) => this.assets.get(tx, id));
  }

  async lineage(organizationId: string, id: string): Promise<AssetWithParents[]> {
    return this.organizationTx.run(organizationId, (tx) => this.assets.lineage(tx, id));
  }

  /**
   * @param isHeld whether the reader says that it holds the file with this SHA-256 already: then nothing is sent
   * @throws ColophonError `audit_unavailable`, `storage_unavailable`: nothing may be sent
   */
  async content(
    reader: Reader,
    id: string,
    isHeld: (sha256: string) => boolean = () => false,
  ): Promise<AssetContent> {
    const { organizationId } = reader.principal;
    const asset = await this.recorded(organizationId, id);
    if (isHeld(asset.sha256)) return { asset, body: undefined };
    const path = await this.store.localPath(organizationId, asset.sha256);
    if (asset.sizeBytes > IN_MEMORY_LIMIT_BYTES) {
      await this.record(reader, asset, 'content');
      return { asset, body: createReadStream(path) };
    }
    const body = await readFile(path);
    // The file was checked a moment ago; this checks the very bytes that go out.
    if (sha256Hex(body) !== asset.sha256)
      throw new ColophonError('storage_unavailable', 'A file changed while it was read.');
    await this.record(reader, asset, 'content');
    return { asset, body };
  }

  /** What the manifest of the signed file says, read back now. */
  async manifest(reader: Reader, id: string): Promise<MediaVerification> {
    return this.inspect(reader, id, 'manifest', ({ path, mediaType }) =>
      this.verifier.verify({ path, mediaType }),
    );
  }

  /**
   * Something that is made of the signed file now. Whoever gets it is in the log before it leaves.
   * @param what a picture of it counts as content
   */
  async inspect<Result>(
    reader: Reader,
    id: string,
    what: ReadPart,
    look: (file: {
      readonly path: string;
      readonly mediaType: string;
      readonly asset: Asset;
    }) => Promise<Result>,
  ): Promise<Result> {
    const { organizationId } = reader.principal;
    const asset = await this.recorded(organizationId, id);
    const path = await this.store.localPath(organizationId, asset.sha256);
    const result = await look({ path, mediaType: asset.mediaType, asset });
    await this.record(reader, asset, what);
    return result;
  }

  /** An asset whose entry is committed. */
  private async recorded(organizationId: string, id: string): Promise<Asset> {
    return this.organizationTx.run(organizationId, async (tx) => {
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
  }

  /** A crash after this line leaves a reading in the log that nobody got; never one that nobody wrote down. */
  private async record({ principal, sendsBody }: Reader, asset: Asset, what: ReadPart): Promise<void> {
    if (!sendsBody) return;
    const assetId = publicId('asset', asset.id);
    await this.log.append(principal.organizationId, {
      type: 'asset.read',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: assetId },
      data: { assetId, sha256: asset.sha256, what, mode: asset.mode },
    });
  }
}
