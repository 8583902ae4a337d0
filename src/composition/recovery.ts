import { IsolatedMediaProbe } from '../assets/adapters/isolated-media-probe.js';
import { downloadToFile } from '../outbound/download-to-file.js';
import { TrustmarkWatermark } from '../provenance/adapters/trustmark/trustmark-watermark.js';
import { readManifestStore } from '../provenance/adapters/carried-store.js';
import { FingerprintRepository } from '../recovery/adapters/fingerprint.repository.js';
import { PublicationRepository } from '../recovery/adapters/publication.repository.js';
import { IsolatedFingerprinter } from '../recovery/adapters/isolated-fingerprinter.js';
import { FetchReference } from '../recovery/application/fetch-reference.js';
import { FillFingerprints } from '../recovery/application/fill-fingerprints.js';
import { FindSimilarPictures } from '../recovery/application/find-similar-pictures.js';
import { FindSimilarToFile } from '../recovery/application/find-similar-to-file.js';
import { FingerprintFile } from '../recovery/application/fingerprint-file.js';
import { ManifestReceipts } from '../recovery/application/manifest-receipts.js';
import { RecoverableManifests } from '../recovery/application/recoverable-manifests.js';
import { SetManifestPublication } from '../recovery/application/set-manifest-publication.js';
import { PublicAddress } from '../http/public-address.js';
import { isColophonError } from '../shared/errors.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeLogReading } from './log-reading.js';
import { type composeLog } from './log.js';
import { type composeProvenance } from './provenance.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';

/** What assets need when they are made. */
export function composeFingerprints(
  { logger }: ServicesOptions,
  { dataSource }: Composed<typeof composeDatabase>,
  { ownFiles }: Pick<Composed<typeof composeProvenance>, 'ownFiles'>,
) {
  return {
    fingerprinter: new IsolatedFingerprinter(new IsolatedMediaProbe(ownFiles), (err) =>
      logger.warn(reasonOf(err), 'a picture has no fingerprint'),
    ),
    fingerprints: new FingerprintRepository(dataSource, clock),
  };
}

export function composeRecovery(
  { configuration, logger }: ServicesOptions,
  { organizationTx }: Composed<typeof composeDatabase>,
  { logKeys, logWriter, appendEntry }: Composed<typeof composeLog>,
  { readLog }: Composed<typeof composeLogReading>,
  { fingerprinter, fingerprints }: Composed<typeof composeFingerprints>,
  { assets, store, removedContent }: Composed<typeof composeAssets>,
  { verifier }: Pick<Composed<typeof composeProvenance>, 'verifier'>,
) {
  const publications = new PublicationRepository();
  const similarPictures = new FindSimilarPictures(organizationTx, fingerprints, publications);
  const fingerprintFile = new FingerprintFile(new IsolatedMediaProbe(verifier));
  const recoverableManifests = new RecoverableManifests(
    organizationTx,
    fingerprints,
    publications,
    assets,
    store,
    readManifestStore,
    readLog,
    logWriter,
    removedContent,
  );
  const { recovery, uploadMaxBytes, publicUrl } = configuration;
  const { trustmarkModelsFolder: modelsFolder } = recovery;
  return {
    /** No step embeds one yet; a folder that is configured is looked at all the same. */
    watermark: modelsFolder === undefined ? undefined : new TrustmarkWatermark({ modelsFolder }),
    publications,
    similarPictures,
    fingerprintFile,
    recoverableManifests,
    findSimilar: new FindSimilarToFile(fingerprintFile, similarPictures),
    manifestReceipts: new ManifestReceipts(recoverableManifests, readLog, logKeys),
    setManifestPublication: new SetManifestPublication(publications, appendEntry, clock),
    publicAddress: new PublicAddress(publicUrl),
    fetchReference: new FetchReference(
      // Strangers name the address: hosts that are open for anything of the operator's are not for them to read from.
      recovery.byReference ? downloadToFile : undefined,
      uploadMaxBytes,
    ),
    fillFingerprints: new FillFingerprints(
      organizationTx,
      fingerprints,
      store,
      fingerprinter,
      (progress, problem) => {
        if (problem === undefined) return logger.info(progress, 'fingerprints of earlier assets');
        const { assetId, error } = problem;
        logger.warn(
          { ...progress, assetId, ...reasonOf(error) },
          'a fingerprint of an earlier asset could not be made',
        );
      },
    ),
  };
}

/** A picture that cannot be read is known by its code; where in this program that was found helps nobody. */
function reasonOf(error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  return isColophonError(error) ? { code: error.code, reason: error.message } : { err: error };
}
