import { type AssetWithParents } from '../assets/adapters/asset.repository.js';
import { ReadErasures } from '../audit/application/read-erasures.js';
import { ReadOpenings } from '../audit/application/read-openings.js';
import { certificateRenderer, dossierRenderer } from '../reports/adapters/dossier-renderer.js';
import { ReportJobs } from '../reports/adapters/report-jobs.js';
import { BillOfMaterials } from '../reports/application/bill-of-materials.js';
import { CollectDossier } from '../reports/application/collect-dossier.js';
import { CollectHumanWork } from '../reports/application/collect-human-work.js';
import { MakeCertificate } from '../reports/application/make-certificate.js';
import { MakeReport } from '../reports/application/make-report.js';
import { ReadReport } from '../reports/application/read-report.js';
import { RequestReport } from '../reports/application/request-report.js';
import { SealedTexts } from '../reports/application/sealed-texts.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeHumanWork } from './human-work.js';
import { type composeLicenses } from './licenses.js';
import { type composeLogReading } from './log-reading.js';
import { type composeLog } from './log.js';
import { type composeProvenance } from './provenance.js';
import { type composeVerification } from './verification.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';

export function composeReports(
  { logger }: ServicesOptions,
  { organizationTx, boss }: Composed<typeof composeDatabase>,
  { vault, appendEntry, logWriter, timeStampTrust }: Composed<typeof composeLog>,
  { readLog, evidenceCheckpoint }: Composed<typeof composeLogReading>,
  { ownReader, installationTrust, identityLists }: Composed<typeof composeProvenance>,
  { store, assets, readAsset }: Composed<typeof composeAssets>,
  { registry, pipelineLineage }: Composed<typeof composeLicenses>,
  { verifyFile }: Composed<typeof composeVerification>,
  { stateAuthorship, readReview, signatureKeys }: Composed<typeof composeHumanWork>,
) {
  const verifyAsset = async (organizationId: string, asset: AssetWithParents) =>
    ownReader.verify({
      path: await store.localPath(organizationId, asset.sha256),
      mediaType: asset.mediaType,
      manifestPath:
        asset.manifestPlacement === 'sidecar'
          ? await store.localPath(organizationId, asset.manifestSha256)
          : undefined,
    });
  const erasures = new ReadErasures();
  const sealedTexts = new SealedTexts(vault, erasures);
  const collectDossier = new CollectDossier(
    organizationTx,
    assets,
    readLog,
    evidenceCheckpoint,
    sealedTexts,
    new CollectHumanWork(stateAuthorship, readReview, signatureKeys, sealedTexts),
    erasures,
    registry,
    verifyAsset,
    clock,
  );
  const reportJobs = new ReportJobs(boss, logger);
  const requestReport = new RequestReport(assets, reportJobs, appendEntry, clock);
  return {
    reportJobs,
    makeReport: new MakeReport(
      organizationTx,
      collectDossier,
      dossierRenderer,
      store,
      readLog,
      new ReadOpenings(vault),
      erasures,
      appendEntry,
      installationTrust,
      identityLists,
      timeStampTrust?.rootsPem,
      clock,
    ),
    makeCertificate: new MakeCertificate(readAsset, verifyFile, certificateRenderer, clock),
    requestReport,
    billOfMaterials: new BillOfMaterials(assets, registry, pipelineLineage),
    readReport: new ReadReport(organizationTx, requestReport, store, logWriter),
  };
}
