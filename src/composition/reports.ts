import { type AssetWithParents } from '../assets/adapters/asset.repository.js';
import { ReadErasures } from '../audit/application/read-erasures.js';
import { ReadOpenings } from '../audit/application/read-openings.js';
import { certificateRenderer, dossierRenderer } from '../reports/adapters/dossier-renderer.js';
import { openReportSigner } from '../reports/adapters/signing/report-key-signer.js';
import { ReportJobs } from '../reports/adapters/report-jobs.js';
import { BillOfMaterials } from '../reports/application/bill-of-materials.js';
import { CollectDossier } from '../reports/application/collect-dossier.js';
import { CollectHumanWork } from '../reports/application/collect-human-work.js';
import { MakeDueReports } from '../reports/application/make-due-reports.js';
import { MakeCertificate } from '../reports/application/make-certificate.js';
import { CollectCampaign } from '../reports/application/collect-campaign.js';
import { CollectModelFile } from '../reports/application/collect-model-file.js';
import { MakeDocumentReport } from '../reports/application/make-document-report.js';
import { MakePeriodReport } from '../reports/application/make-period-report.js';
import { campaignViews } from '../reports/adapters/campaign-views.js';
import { modelFileViews } from '../reports/adapters/model-file-views.js';
import { periodCertification, periodInstructions } from '../reports/adapters/period-instructions.js';
import { writePeriodZip } from '../reports/adapters/period-zip.js';
import { CAMPAIGN_TYPE, MODEL_FILE_TYPE } from '../reports/domain/report-kinds.js';
import { ReadShared } from '../reports/application/read-shared.js';
import { Removals } from '../reports/application/removals.js';
import { ReportSchedules } from '../reports/application/report-schedules.js';
import { ShareLinks } from '../reports/application/share-links.js';
import { ScheduleJobs } from '../reports/adapters/schedule-jobs.js';
import { ListReports } from '../reports/application/list-reports.js';
import { MakeAssetReport } from '../reports/application/make-asset-report.js';
import { MakeReport } from '../reports/application/make-report.js';
import { type OpenReportSigner } from '../reports/domain/report-signature.js';
import { reportAnchorsPem } from '../reports/domain/report-anchors.js';
import { ReportLeases } from '../reports/application/report-lease.js';
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
  { configuration, logger }: ServicesOptions,
  { organizationTx, boss }: Composed<typeof composeDatabase>,
  { vault, appendEntry, logWriter, timeStampTrust, timeStampAuthority }: Composed<typeof composeLog>,
  { readLog, evidenceCheckpoint, logPeriods }: Composed<typeof composeLogReading>,
  {
    ownReader,
    installationTrust,
    identityLists,
    activeKeys,
    keyGenerations,
    keyUse,
  }: Composed<typeof composeProvenance>,
  { store, removedContent, assets, readAsset, obligationsToday }: Composed<typeof composeAssets>,
  { registry, pipelineLineage, registryHistory, listWaivers }: Composed<typeof composeLicenses>,
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
  const removals = new Removals(removedContent);
  const collectDossier = new CollectDossier(
    organizationTx,
    assets,
    readLog,
    evidenceCheckpoint,
    sealedTexts,
    new CollectHumanWork(stateAuthorship, readReview, signatureKeys, sealedTexts, removals),
    erasures,
    registry,
    removals,
    verifyAsset,
    obligationsToday,
    clock,
  );
  const reportJobs = new ReportJobs(boss, logger);
  const scheduleJobs = new ScheduleJobs(boss, logger);
  const policy = configuration.keys.manifestTimeStamp;
  // In a worker and in the process that is asked alike: the key is opened once and kept.
  const anySigner = () =>
    openReportSigner(
      activeKeys,
      policy === 'off' || timeStampAuthority === undefined
        ? undefined
        : { authority: timeStampAuthority, policy },
      clock,
    );
  const openSigner: OpenReportSigner = async (organizationId) => {
    const signer = await anySigner();
    await keyUse.nameKey(organizationId, signer.identity.certificateSha256);
    return signer;
  };
  const requestReport = new RequestReport(
    assets,
    removedContent,
    registry,
    reportJobs,
    appendEntry,
    anySigner,
    clock,
  );
  const reportSchedules = new ReportSchedules(
    organizationTx,
    requestReport,
    scheduleJobs,
    appendEntry,
    clock,
  );
  const anchorsPem = async (): Promise<string> => reportAnchorsPem(await keyGenerations.list('report'));
  const countErasures = (organizationId: string): Promise<number> =>
    organizationTx.run(organizationId, (tx) => erasures.count(tx));
  const collectCampaign = new CollectCampaign(
    organizationTx,
    registryHistory,
    obligationsToday,
    listWaivers,
    clock,
  );
  const collectModelFile = new CollectModelFile(
    organizationTx,
    registry,
    { waivers: listWaivers, log: readLog, sealedTexts },
    clock,
  );
  const makers = {
    asset: new MakeAssetReport({
      organizationTx,
      collectDossier,
      renderer: dossierRenderer,
      openSigner,
      store,
      log: readLog,
      readOpenings: new ReadOpenings(vault),
      installationTrust,
      reportAnchorsPem: anchorsPem,
      identityLists,
      timeStampRootsPem: timeStampTrust?.rootsPem,
    }),
    campaign: new MakeDocumentReport({
      type: CAMPAIGN_TYPE,
      collect: (report, signer, progress) => collectCampaign.collect(report, signer, progress),
      views: campaignViews,
      openSigner,
      countErasures,
    }),
    model: new MakeDocumentReport({
      type: MODEL_FILE_TYPE,
      collect: (report, signer) => collectModelFile.collect(report, signer),
      views: modelFileViews,
      openSigner,
      countErasures,
    }),
    period: new MakePeriodReport(
      logPeriods,
      openSigner,
      {
        write: writePeriodZip,
        instructions: periodInstructions,
        certification: periodCertification,
      },
      anchorsPem,
      countErasures,
      clock,
    ),
  };
  return {
    reportJobs,
    makeReport: new MakeReport(
      organizationTx,
      makers,
      store,
      erasures,
      appendEntry,
      clock,
      new ReportLeases(organizationTx),
    ),
    listReports: new ListReports(organizationTx),
    shareLinks: new ShareLinks(organizationTx, assets, requestReport, appendEntry, clock),
    readShared: new ReadShared(organizationTx, store, appendEntry, clock),
    scheduleJobs,
    reportSchedules,
    makeDueReports: new MakeDueReports(
      organizationTx,
      requestReport,
      reportSchedules,
      scheduleJobs,
      appendEntry,
      clock,
    ),
    makeCertificate: new MakeCertificate(readAsset, verifyFile, certificateRenderer, clock),
    requestReport,
    billOfMaterials: new BillOfMaterials(assets, registry, pipelineLineage),
    readReport: new ReadReport(organizationTx, requestReport, store, removedContent, logWriter),
  };
}
