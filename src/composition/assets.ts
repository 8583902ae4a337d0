import { join } from 'node:path';
import { AssetRepository } from '../assets/adapters/asset.repository.js';
import { FileAssetStore } from '../assets/adapters/file-asset-store.js';
import { RemovalAwareStore } from '../assets/adapters/removal-aware-store.js';
import { IsolatedSignalReader } from '../assets/adapters/isolated-signal-reader.js';
import { IsolatedMediaProbe } from '../assets/adapters/isolated-media-probe.js';
import { AssetIntake } from '../assets/application/asset-intake.js';
import { KnownFiles } from '../assets/application/known-files.js';
import { ManifestSettingsOfProject } from '../assets/application/manifest-settings.js';
import { NamedActors } from '../assets/application/named-actors.js';
import { PictureHistory } from '../assets/application/picture-history.js';
import { ReadAsset } from '../assets/application/read-asset.js';
import { RecordAsset } from '../assets/application/record-asset.js';
import { RemovedContent } from '../assets/application/removed-content.js';
import { ShowObligationsToday } from '../assets/application/show-obligations-today.js';
import { SignAsset } from '../assets/application/sign-asset.js';
import { StagingSweep } from '../assets/application/staging-sweep.js';
import { StoredMedia } from '../assets/application/stored-media.js';
import { UploadAsset } from '../assets/application/upload-asset.js';
import { type composeDatabase } from './database.js';
import { type composeFingerprints } from './recovery.js';
import { type composeLicenses } from './licenses.js';
import { type composeLogReading } from './log-reading.js';
import { type composeLog } from './log.js';
import { type composeProvenance } from './provenance.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';

export function composeAssets(
  { configuration, logger }: ServicesOptions,
  { organizationTx }: Composed<typeof composeDatabase>,
  { appendEntry, logWriter, vault }: Composed<typeof composeLog>,
  { requirePublishing }: Composed<typeof composeLogReading>,
  { signer, verifier, ownFiles, keyUse, identityIssuer, openIdentity }: Composed<typeof composeProvenance>,
  { recordObligations }: Composed<typeof composeLicenses>,
  { fingerprinter, fingerprints }: Composed<typeof composeFingerprints>,
) {
  const removedContent = new RemovedContent();
  const files = new FileAssetStore(join(configuration.home, 'assets'));
  const store = new RemovalAwareStore(files, organizationTx, removedContent);
  const probe = new IsolatedMediaProbe(ownFiles);
  const assets = new AssetRepository();
  const knownFiles = new KnownFiles(assets);
  const signAsset = new SignAsset(store, signer, fingerprinter);
  const manifestSettings = new ManifestSettingsOfProject(appendEntry, clock);
  const signalReader = new IsolatedSignalReader(ownFiles);
  const recordAsset = new RecordAsset(assets, appendEntry, recordObligations, keyUse, fingerprints);
  return {
    store,
    stagingSweep: new StagingSweep(files, clock, logger),
    removedContent,
    probe,
    storedMedia: new StoredMedia(probe),
    assets,
    knownFiles,
    signAsset,
    recordAsset,
    manifestSettings,
    namedActors: new NamedActors(vault, appendEntry, identityIssuer, openIdentity, clock),
    pictureHistory: new PictureHistory(assets),
    signalReader,
    intake: new AssetIntake(store, probe, configuration.uploadMaxBytes),
    uploadAsset: new UploadAsset(
      organizationTx,
      knownFiles,
      store,
      signalReader,
      signAsset,
      recordAsset,
      appendEntry,
      requirePublishing,
      manifestSettings,
      clock,
    ),
    obligationsToday: new ShowObligationsToday(assets, recordObligations, clock),
    readAsset: new ReadAsset(organizationTx, assets, store, removedContent, verifier, logWriter),
  };
}
