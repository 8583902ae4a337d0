import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Asset, type RightsDeclaration } from '../domain/asset.js';
import { type AssetStore } from '../domain/asset-store.port.js';
import { displayName } from '../domain/display-name.js';
import { type FileSignalReader, loggedReading, statedSourceType } from '../domain/signal-reading.js';
import { uploadManifest } from '../domain/upload-manifest.js';
import { type KnownFiles } from './known-files.js';
import { type ManifestSettingsOfProject } from './manifest-settings.js';
import { keepOriginal, type ReceivedFile } from './receive-file.js';
import { madeBy, type RecordAsset } from './record-asset.js';
import { type SignAsset } from './sign-asset.js';

export interface UploadRequest {
  readonly projectId: string;
  readonly file: ReceivedFile;
  readonly rights: RightsDeclaration;
  /** The settings of the gateway that declared the rights beforehand; absent where the sender declared them. */
  readonly gatewaySettingsSha256?: string;
  /** The address from which it was fetched for the caller, who named it. Sealed in the log: it may hold names and tokens. */
  readonly fetchedFrom?: string;
}

/**
 * A file from outside with a rights declaration becomes an asset. Its manifest says that we received it and what
 * was declared; it never says who made it or how, because nobody here knows (promises P9, P10), beyond what the file
 * says of itself. A file that was made or signed here comes back as a version of what it was, also when it was changed and
 * still carries its manifest: its origin, duties, claims and recall stay with it.
 */
export class UploadAsset {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly knownFiles: KnownFiles,
    private readonly store: AssetStore,
    private readonly signals: FileSignalReader,
    private readonly signAsset: SignAsset,
    private readonly recordAsset: RecordAsset,
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly settings: ManifestSettingsOfProject,
    private readonly clock: Clock,
  ) {}

  /**
   * @param completed runs in the transaction that makes the asset: stores the answer of an idempotent request
   * @throws ColophonError `wrong_mode` for a file that was made with a test key
   */
  async upload(
    principal: Principal,
    request: UploadRequest,
    completed: (tx: Parameters<Parameters<OrganizationTx['run']>[1]>[0], asset: Asset) => Promise<void>,
  ): Promise<Asset> {
    const { organizationId } = principal;
    const { file, rights, projectId, gatewaySettingsSha256, fetchedFrom } = request;
    const { logOrigin, returned } = await this.organizationTx.run(organizationId, async (tx) => {
      await this.requirePublishing.check(tx);
      const found = await this.knownFiles.returned(tx, file.sha256, principal.mode);
      refuseTestFile(principal, found[0]);
      return { ...(await this.settings.context(tx, projectId)), returned: found };
    });
    const id = newId();
    const title = displayName(file.fileName, 'upload');
    await keepOriginal(this.store, organizationId, file);
    const received = {
      path: await this.store.localPath(organizationId, file.sha256),
      mediaType: file.mediaType,
    };
    const { reading: signalReading, versionLabels } = await this.signals.read(received);
    const known = returned.length > 0 ? returned : await this.carried(principal, versionLabels);
    const digitalSourceType = statedSourceType(signalReading);
    const signed = await this.signAsset.sign({
      organizationId,
      original: { ...file, ...received },
      origin: { kind: 'received_with_declaration', originalSha256: file.sha256, assetId: id },
      plan: uploadManifest({
        assetId: publicId('asset', id),
        title,
        file: received,
        rights,
        signalReading,
        logOrigin,
        mode: principal.mode,
      }),
    });
    return this.organizationTx.run(organizationId, async (tx) => {
      await this.appendEntry.append(tx, {
        type: 'asset.received',
        projectId,
        actor: actorOf(principal),
        subject: { kind: 'asset', id: publicId('asset', id) },
        data: {
          sha256: file.sha256,
          sizeBytes: file.sizeBytes,
          mediaType: file.mediaType,
          rightsBasis: rights.rightsBasis,
          ...(gatewaySettingsSha256 === undefined ? {} : { gatewaySettingsSha256 }),
          ...(fetchedFrom === undefined ? {} : { fetched: true as const }),
          ...loggedReading(signalReading),
        },
        sealed: {
          fileName: { value: title, subjectId: principal.principalId },
          ...(fetchedFrom === undefined
            ? {}
            : { sourceAddress: { value: fetchedFrom, subjectId: principal.principalId } }),
        },
      });
      const asset = await this.recordAsset.record(tx, {
        id,
        projectId,
        origin: 'upload',
        title,
        original: file,
        signed,
        ...(digitalSourceType === undefined ? {} : { digitalSourceType }),
        rights,
        signalReading,
        parents: known.map(({ id: assetId }) => ({ assetId, relationship: 'parentOf' as const })),
        ...madeBy(principal),
        createdAt: this.clock.now(),
      });
      await completed(tx, asset);
      return asset;
    });
  }

  /** The asset whose manifest the file carries. @throws ColophonError `wrong_mode` */
  private async carried(
    { organizationId, mode }: Principal,
    versionLabels: readonly string[],
  ): Promise<Asset[]> {
    if (versionLabels.length === 0) return [];
    const found = await this.organizationTx.run(organizationId, (tx) =>
      this.knownFiles.ofManifests(tx, versionLabels),
    );
    refuseTestFile({ mode }, found);
    return found === undefined ? [] : [found];
  }
}

/** What the sandbox drew does not become live by the way out and in again. */
function refuseTestFile(principal: Pick<Principal, 'mode'>, known: Asset | undefined): void {
  if (known?.mode !== 'test' || principal.mode === 'test') return;
  throw new ColophonError('wrong_mode', `The file is ${publicId('asset', known.id)}, made with a test key.`);
}
