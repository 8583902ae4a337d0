import { type Readable } from 'node:stream';
import { type LogWriter } from '../../audit/application/log-writer.js';
import { type ReadPart } from '../../audit/core/entries/asset-entries.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
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
import { type ContentRemoval, contentRemoved, type RemovedContent } from './removed-content.js';

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

/** An asset whose entry is committed. Only {@link ReadAsset} says so. */
export interface RecordedAsset {
  readonly asset: Asset;
  /** Its bytes are gone. */
  readonly removal: ContentRemoval | undefined;
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
  private readonly known = new WeakSet<RecordedAsset>();

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

  /**
   * Several at once, for {@link content} right after it; in the order of the ids.
   * @throws ColophonError `not_found`, `audit_unavailable`
   */
  async recordedAssets(organizationId: string, ids: readonly string[]): Promise<RecordedAsset[]> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const [rows, removals] = await Promise.all([
        this.assets.byIds(tx, ids),
        this.removed.of(tx, 'asset', ids),
      ]);
      const found = new Map(rows.map((asset) => [asset.id, asset]));
      const assets = ids.map((id) => {
        const asset = found.get(id);
        if (asset === undefined) throw new ColophonError('not_found', 'There is no asset with this id.');
        return asset;
      });
      await requireEntries(tx, assets);
      return assets.map((asset) => this.remember({ asset, removal: removals.get(asset.id) }));
    });
  }

  private remember(recorded: RecordedAsset): RecordedAsset {
    this.known.add(recorded);
    return recorded;
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
   * @param of UUID, or what {@link recordedAssets} found a moment ago
   * @throws ColophonError `audit_unavailable`, `storage_unavailable`: nothing may be sent; `range_not_satisfiable`,
   *   `content_removed`
   */
  async content(
    reader: Reader,
    of: string | RecordedAsset,
    request: ContentRequest = WHOLE_FILE,
  ): Promise<AssetContent> {
    const { organizationId } = reader.principal;
    const asset = typeof of === 'string' ? await this.recorded(organizationId, of) : this.present(of);
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

  private present(recorded: RecordedAsset): Asset {
    if (!this.known.has(recorded)) throw new Error('nobody has looked whether this asset is in the log');
    if (recorded.removal) throw contentRemoved(recorded.removal);
    return recorded.asset;
  }

  /** An asset whose entry is committed. @throws ColophonError `content_removed` */
  private async recorded(organizationId: string, id: string): Promise<Asset> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const found = await this.assets.get(tx, id);
      await requireEntries(tx, [found]);
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

/** @throws ColophonError `audit_unavailable` */
async function requireEntries(tx: Tx, assets: readonly Asset[]): Promise<void> {
  const wanted = new Set(assets.map(({ entryId }) => entryId));
  const rows = await tx.query<{ entry_id: string }>(
    `SELECT entry_id FROM audit_entry WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])
     UNION SELECT entry_id FROM audit_pending WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])`,
    [tx.organizationId, [...wanted]],
  );
  for (const { entry_id: entryId } of rows) wanted.delete(entryId);
  if (wanted.size > 0)
    throw new ColophonError(
      'audit_unavailable',
      'The log entry of this asset is missing, so it is not released.',
    );
}
