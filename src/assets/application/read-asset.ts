import { type Readable } from 'node:stream';
import { type LogWriter } from '../../audit/application/log-writer.js';
import { type ReadPart } from '../../audit/core/entries/asset-entries.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import {
  type MediaToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../../provenance/domain/media-verifier.port.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AssetRepository, type AssetWithParents } from '../adapters/asset.repository.js';
import { type Asset } from '../domain/asset.js';
import { type AssetStore, type ByteRange } from '../domain/asset-store.port.js';
import { type ContentRemoval, type RemovedContent } from './removed-content.js';

/** Who asks, and what will be sent to them. */
export interface Reader {
  readonly principal: Principal;
  /** False when headers are all that will be sent: that is not written down. */
  readonly sendsBody: boolean;
  /** By an address that was given to the principal and works without a key: it may be somebody else who reads. */
  readonly via?: 'capability_url';
}

export interface AssetContent {
  readonly asset: Asset;
  /** `undefined` when the reader holds these bytes already, or asked for some that are not there. */
  readonly body: Readable | undefined;
  /** What of the file is sent; `undefined`: all. */
  readonly range: ByteRange | undefined;
}

/** How a reader asks for the file. */
export interface ContentRequest {
  /** Whether the reader says that it holds the file with this SHA-256 already: then nothing is sent. */
  isHeld(sha256: string): boolean;
  /**
   * The part that is asked for, once it is known what there is.
   * @throws ColophonError `range_not_satisfiable`
   */
  rangeOf(file: { readonly sha256: string; readonly sizeBytes: number }): ByteRange | undefined;
}

export const WHOLE_FILE: ContentRequest = { isHeld: () => false, rangeOf: () => undefined };

/** A manifest store in a file of its own. */
export interface Sidecar {
  readonly asset: Asset;
  readonly sizeBytes: number;
  readonly body: Readable;
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
    private readonly removed: RemovedContent,
    private readonly verifier: MediaVerifier,
    private readonly log: LogWriter,
  ) {}

  async get(organizationId: string, id: string): Promise<AssetWithParents> {
    return this.organizationTx.run(organizationId, (tx) => this.assets.get(tx, id));
  }

  /** Of which of these assets the content is gone. */
  async removals(
    organizationId: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, ContentRemoval>> {
    return this.organizationTx.run(organizationId, (tx) => this.removed.of(tx, 'asset', ids));
  }

  async lineage(organizationId: string, id: string): Promise<AssetWithParents[]> {
    return this.organizationTx.run(organizationId, (tx) => this.assets.lineage(tx, id));
  }

  /**
   * Every byte is compared with what was hashed before it leaves, in ranges too (promise P1).
   * @throws ColophonError `audit_unavailable`, `storage_unavailable`: nothing may be sent; `range_not_satisfiable`
   */
  async content(reader: Reader, id: string, request: ContentRequest = WHOLE_FILE): Promise<AssetContent> {
    const { organizationId } = reader.principal;
    const asset = await this.recorded(organizationId, id);
    if (request.isHeld(asset.sha256)) return { asset, body: undefined, range: undefined };
    const range = request.rangeOf(asset);
    const content = await this.store.openVerified(organizationId, asset.sha256);
    await this.record(reader, asset, 'content', range);
    return { asset, body: content.stream(range), range };
  }

  /** What the manifest of the signed file says, read back now. */
  async manifest(reader: Reader, id: string): Promise<MediaVerification> {
    return this.inspect(reader, id, 'manifest', ({ asset: _, ...file }) => this.verifier.verify(file));
  }

  /**
   * Something that is made of the signed file now. Whoever gets it is in the log before it leaves.
   * @param what a picture of it counts as content
   */
  async inspect<Result>(
    reader: Reader,
    id: string,
    what: ReadPart,
    look: (file: MediaToVerify & { readonly asset: Asset }) => Promise<Result>,
  ): Promise<Result> {
    const { organizationId } = reader.principal;
    const asset = await this.recorded(organizationId, id);
    const path = await this.store.localPath(organizationId, asset.sha256);
    const manifestPath = await this.sidecarPath(organizationId, asset);
    const result = await look({ path, mediaType: asset.mediaType, manifestPath, mayBeLarge: true, asset });
    await this.record(reader, asset, what);
    return result;
  }

  /**
   * The manifest itself, where it is a file of its own; `undefined` where it is inside of the asset's file.
   * @throws ColophonError `audit_unavailable`, `storage_unavailable`
   */
  async sidecar(reader: Reader, id: string): Promise<Sidecar | undefined> {
    const { organizationId } = reader.principal;
    const asset = await this.recorded(organizationId, id);
    if (asset.manifestPlacement === 'embedded') return undefined;
    const content = await this.store.openVerified(organizationId, asset.manifestSha256);
    await this.record(reader, asset, 'manifest');
    return { asset, sizeBytes: content.sizeBytes, body: content.stream() };
  }

  private async sidecarPath(organizationId: string, asset: Asset): Promise<string | undefined> {
    if (asset.manifestPlacement === 'embedded') return undefined;
    return this.store.localPath(organizationId, asset.manifestSha256);
  }

  /** An asset whose entry is committed. @throws ColophonError `content_removed` */
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
      // From the removal on, also where the file itself is not deleted yet, or another asset has the same one.
      await this.removed.requirePresent(tx, 'asset', id);
      return found;
    });
  }

  /** A crash after this line leaves a reading in the log that nobody got; never one that nobody wrote down. */
  private async record(
    { principal, sendsBody, via }: Reader,
    asset: Asset,
    what: ReadPart,
    range?: ByteRange,
  ): Promise<void> {
    if (!sendsBody) return;
    const assetId = publicId('asset', asset.id);
    await this.log.append(principal.organizationId, {
      type: 'asset.read',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: assetId },
      data: {
        assetId,
        sha256: asset.sha256,
        what,
        mode: asset.mode,
        ...(range && { range }),
        ...(via && { via }),
      },
    });
  }
}
