import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { parse } from 'pg-connection-string';
import { type Logger } from 'pino';
import { AssetRepository, type AssetWithParents } from './assets/adapters/asset.repository.js';
import { FileAssetStore } from './assets/adapters/file-asset-store.js';
import { SharpMediaProbe } from './assets/adapters/sharp-media-probe.js';
import { AssetIntake } from './assets/application/asset-intake.js';
import { ReadAsset } from './assets/application/read-asset.js';
import { RecordAsset } from './assets/application/record-asset.js';
import { SignAsset } from './assets/application/sign-asset.js';
import { UploadAsset } from './assets/application/upload-asset.js';
import { FileLogKeys } from './audit/adapters/file-log-keys.js';
import { FileTileStores } from './audit/adapters/file-tile-store.js';
import { connectByHttp } from './audit/adapters/http-witness.js';
import { Rfc3161Authority } from './audit/adapters/rfc3161-authority.js';
import { AnchoringStatus } from './audit/application/anchoring-status.js';
import { AnchorLoop } from './audit/application/anchor-loop.js';
import { AnchoredCheckpoints } from './audit/application/anchored-checkpoints.js';
import { AppendEntry } from './audit/application/append-entry.js';
import { CheckRows } from './audit/application/check-rows.js';
import { EntryStates } from './audit/application/entry-states.js';
import { ExportArchive } from './audit/application/export-archive.js';
import { ExportEntries } from './audit/application/export-entries.js';
import { EraseDataSubject } from './audit/application/erase-data-subject.js';
import { LiftLegalHold } from './audit/application/lift-legal-hold.js';
import { FindEvidenceCheckpoint } from './audit/application/evidence-checkpoint.js';
import { ListLegalHolds } from './audit/application/list-legal-holds.js';
import { LogWriter } from './audit/application/log-writer.js';
import { PlaceLegalHold } from './audit/application/place-legal-hold.js';
import { RecordOpened } from './audit/application/record-opened.js';
import { PublishedLogs } from './audit/application/published-logs.js';
import { PublishLog } from './audit/application/publish-log.js';
import { ReadErasures } from './audit/application/read-erasures.js';
import { ReadLog } from './audit/application/read-log.js';
import { ReadOpenings } from './audit/application/read-openings.js';
import { RequirePublishing } from './audit/application/require-publishing.js';
import { RotateLogKey } from './audit/application/rotate-log-key.js';
import { Sequencer } from './audit/application/sequencer.js';
import { SettleLogKeys } from './audit/application/settle-log-keys.js';
import { SubjectVault } from './audit/application/subject-vault.js';
import { type TimeStampAuthority } from './audit/application/time-stamp-authority.port.js';
import { TimeStampLog } from './audit/application/time-stamp-log.js';
import { WitnessLog } from './audit/application/witness-log.js';
import { isSatisfiedByKeys } from './audit/core/policy-quorum.js';
import {
  NO_WITNESS_POLICY,
  parseOperatorPolicy,
  witnessKeyName,
  type WitnessPolicy,
} from './audit/core/witness-policy.js';
import { type Configuration } from './config/configuration.js';
import { readOrCreateSecretFile } from './config/secret-file.js';
import { changedRegion } from './contributions/adapters/changed-region.js';
import { RecordContribution } from './contributions/application/record-contribution.js';
import { ReviewAsset } from './contributions/application/review-asset.js';
import { StateAuthorship } from './contributions/application/state-authorship.js';
import { createDataSource } from './database/data-source.js';
import { createJobQueue } from './database/job-queue.js';
import { OrganizationTx } from './database/organization-tx.js';
import { type DatabaseAccess } from './database/prepare-database.js';
import { ENTITIES } from './entities.js';
import { FalProvider } from './generation/adapters/fal/fal-provider.js';
import { FalWebhookVerifier } from './generation/adapters/fal/fal-webhook-keys.js';
import { StepJobQueue } from './generation/adapters/jobs/step-job-queue.js';
import { StepWorker } from './generation/adapters/jobs/step-worker.js';
import { RunRepository } from './generation/adapters/run.repository.js';
import { SandboxProvider } from './generation/adapters/sandbox-provider.js';
import { StudioProvider, type StudioProviderOptions } from './generation/adapters/studio-provider.js';
import { AdvanceStep } from './generation/application/advance-step.js';
import { CancelRun } from './generation/application/cancel-run.js';
import { CaptureOutput, type OutputDownloader } from './generation/application/capture-output.js';
import { CaptureStep } from './generation/application/capture-step.js';
import { CompleteStep } from './generation/application/complete-step.js';
import { CreatePipeline } from './generation/application/create-pipeline.js';
import { EndStep } from './generation/application/end-step.js';
import { FailStep } from './generation/application/fail-step.js';
import { FindPipeline } from './generation/application/find-pipeline.js';
import { Money } from './generation/application/money.js';
import { PollStep } from './generation/application/poll-step.js';
import { Providers } from './generation/application/providers.js';
import { ReceiveFalWebhook } from './generation/application/receive-fal-webhook.js';
import { ReconcileStep } from './generation/application/reconcile-step.js';
import { ResumeWaivedRun } from './generation/application/resume-waived-run.js';
import { RunEvents } from './generation/application/run-events.js';
import { StartRun } from './generation/application/start-run.js';
import { StepInputs } from './generation/application/step-inputs.js';
import { BuildStepRequest } from './generation/application/step-request.js';
import { SubmitStep } from './generation/application/submit-step.js';
import { workBehindClearances } from './generation/application/work-behind-clearances.js';
import { type Provider } from './generation/domain/provider.port.js';
import { Idempotency } from './http/idempotency.js';
import { Administer } from './identity/application/administer.js';
import { Authenticate } from './identity/application/authenticate.js';
import { CreateOrganization } from './identity/application/create-organization.js';
import { ApproveWaiver } from './licenses/application/approve-waiver.js';
import { ClearanceStanding } from './licenses/application/clearance-standing.js';
import { DecideAgain } from './licenses/application/decide-again.js';
import { DecideClearance } from './licenses/application/decide-clearance.js';
import { EffectiveRegistry } from './licenses/application/effective-registry.js';
import { ImportModels } from './licenses/application/import-models.js';
import { RecordBasis } from './licenses/application/record-basis.js';
import { RecordCuration } from './licenses/application/record-curation.js';
import { RecordLicenseText } from './licenses/application/record-license-text.js';
import { RecordListings } from './licenses/application/record-listings.js';
import { RegistryHistory } from './licenses/application/registry-changes.js';
import { ReopenedClearances } from './licenses/application/reopened-clearances.js';
import { RequireCleared } from './licenses/application/require-cleared.js';
import { WaiverFollowUp } from './licenses/application/waiver-follow-up.js';
import { WorkBehindClearances } from './licenses/application/work-behind-clearances.js';
import { refuseCorrection } from './licenses/http/refuse-correction.js';
import { SEED_READ_ON, seedListings } from './licenses/registry/seed.js';
import { downloadToFile } from './outbound/download-to-file.js';
import { type OutboundPolicy } from './outbound/guarded-fetch.js';
import { allowedHostOf, parseAllowedHost } from './outbound/outbound-target.js';
import { C2paMediaSigner } from './provenance/adapters/c2pa-media-signer.js';
import { C2paReader } from './provenance/adapters/c2pa-reader.js';
import { openFileKeystore } from './provenance/adapters/file-keystore.js';
import {
  VerificationProcess,
  type VerificationProcessOptions,
} from './provenance/adapters/verification-process.js';
import { VerifyFile } from './provenance/application/verify-file.js';
import { type TimeStampTrust } from './audit/verify/time-stamp-token.js';
import { dossierRenderer } from './reports/adapters/dossier-renderer.js';
import { ReportJobs } from './reports/adapters/report-jobs.js';
import { CollectDossier } from './reports/application/collect-dossier.js';
import { MakeReport } from './reports/application/make-report.js';
import { ReadReport } from './reports/application/read-report.js';
import { RequestReport } from './reports/application/request-report.js';
import { SealedTexts } from './reports/application/sealed-texts.js';
import { systemClock } from './shared/clock.js';
import { PRODUCT_VERSION } from './shared/product.js';

const OUTPUT_DEADLINE_MS = 5 * 60_000;
const MASTER_KEY_BYTES = 32;
const JOBS_STOP_TIMEOUT_MS = 10_000;
/** A provider's job is asked about every second; our own signer or store after five; an hour-old job is given up. */
const STEP_TIMES = { pollSeconds: 1, holdSeconds: 5, giveUpAfterSeconds: 60 * 60 };

/**
 * A sequencer that stops in the middle of a round (its machine hangs) must not hold the head of a log for ever: the
 * server ends its transaction, and another process goes on.
 */
const SEQUENCER_SESSION =
  '-c search_path=colophon -c idle_in_transaction_session_timeout=15s -c lock_timeout=10s';

const clock = systemClock;

export interface ServicesOptions {
  readonly configuration: Configuration;
  readonly database: DatabaseAccess;
  readonly logger: Logger;
  /** Compiled modules for threads and child processes, for tests that run from TypeScript sources. */
  readonly studio?: Pick<StudioProviderOptions, 'threadModuleUrl'>;
  readonly verification?: Pick<VerificationProcessOptions, 'childModuleUrl' | 'childExecArgv'>;
}

export type Services = Awaited<ReturnType<typeof createServices>>;

/**
 * The composition root: the only place where a port meets its adapter. Everything is built here, module by module in
 * the order in which they depend on each other, and nothing is looked up later by name.
 */
export async function createServices(options: ServicesOptions) {
  const { configuration, logger } = options;
  const database = await composeDatabase(options);
  const log = composeLog(options, database);
  const identity = composeIdentity(database, log);
  const provenance = await composeProvenance(options);
  const assets = composeAssets(options, database, log, provenance);
  const licenses = composeLicenses(log);
  const generation = composeGeneration(options, database, log, assets, licenses);
  const humanWork = composeHumanWork(database, log, assets, licenses);
  const erasure = composeErasure(options, log, assets);
  const reports = composeReports(options, database, log, provenance, assets, licenses);
  return {
    ...database,
    ...log,
    ...identity,
    ...provenance,
    ...assets,
    ...licenses,
    ...generation,
    ...humanWork,
    ...erasure,
    ...reports,
    waiverFollowUp: new WaiverFollowUp((tx, clearanceId, keyMode) =>
      generation.resumeWaivedRun.resume(tx, clearanceId, keyMode),
    ),
    publishedLogs: new PublishedLogs(
      database.organizationTx,
      log.tileStores,
      log.logKeys,
      log.anchored,
      log.policy,
      (header) => identity.authenticate.withAuthorization(header),
    ),
    startedAt: clock.now(),
    logGuarded: options.database.logGuarded,

    /** Starts what this process is configured to do beside HTTP. */
    async start(): Promise<void> {
      await assets.store.sweepStaging(clock.now());
      await database.boss.start();
      if (configuration.roles.includes('sequencer')) {
        log.sequencer.start();
        log.anchorLoop.start();
      }
      if (!configuration.roles.includes('worker')) return;
      await generation.stepWorker.start();
      await reports.reportJobs.startWorker(reports.makeReport);
    },

    /** Finishes what is at hand, then closes every connection. */
    async stop(): Promise<void> {
      await database.boss.stop({ graceful: true, timeout: JOBS_STOP_TIMEOUT_MS, wait: true });
      await generation.studioProvider.close();
      await log.anchorLoop.stop();
      await log.sequencer.stop();
      provenance.verifier.close();
      await database.sequencerPool.end();
      await database.dataSource.destroy();
      logger.flush();
    },
  };
}

type Composed<Compose extends (...args: never[]) => unknown> = Awaited<ReturnType<Compose>>;

async function composeDatabase({ configuration, database, logger }: ServicesOptions) {
  const masterKey = readMasterKey(configuration);
  const dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'colophon',
    poolSize: 16,
    entities: ENTITIES,
  });
  await dataSource.initialize();
  const organizationTx = new OrganizationTx(dataSource);
  const sequencerPool = new pg.Pool({
    connectionString: database.sequencerUrl,
    max: 8,
    options: SEQUENCER_SESSION,
    application_name: 'colophon sequencer',
  });
  sequencerPool.on('error', (error) => logger.warn({ err: error }, 'a connection of the sequencer broke'));
  const maintenanceSeconds = Math.max(1, Math.ceil(configuration.stepLeaseSeconds / 4));
  const boss = createJobQueue(jobConnection(database), maintenanceSeconds, logger);
  return {
    dataSource,
    organizationTx,
    sequencerPool,
    boss,
    idempotency: new Idempotency(organizationTx, clock, deriveKey(masterKey, 'idempotency')),
    masterKey,
  };
}

function composeLog({ configuration, logger }: ServicesOptions, database: Composed<typeof composeDatabase>) {
  const keys = join(configuration.home, 'keys');
  const vault = new SubjectVault(database.masterKey, clock);
  const policy = witnessPolicy(configuration);
  const logKeys = new FileLogKeys(join(keys, 'logs'));
  const tileStores = new FileTileStores(join(configuration.home, 'logs'));
  const outbound = anchoringPolicy(configuration, policy);
  const publishLog = new PublishLog(
    database.sequencerPool,
    tileStores,
    logKeys,
    clock,
    policy.witnesses.map(witnessKeyName),
  );
  const witnessLog = new WitnessLog({
    pool: database.sequencerPool,
    stores: tileStores,
    keys: logKeys,
    policy,
    connect: connectByHttp(outbound),
    clock,
  });
  const timeStampTrust = readTimeStampTrust(configuration);
  const authority = timeStampTrust && timeStampAuthority(configuration, timeStampTrust, outbound);
  const timeStampLog =
    authority &&
    new TimeStampLog(database.sequencerPool, authority, clock, {
      minimumIntervalMs: configuration.anchoring.timeStampIntervalMs,
    });
  const logWriter = new LogWriter(database.sequencerPool, clock, () => sequencer.wake());
  const settleLogKeys = new SettleLogKeys(database.organizationTx, logKeys, async (organizationId) => {
    await witnessLog.checkBeforeSigning(organizationId);
    await publishLog.publish(organizationId);
  });
  const sequencer: Sequencer = new Sequencer(
    database.sequencerPool,
    logWriter,
    publishLog,
    logger,
    undefined,
    async (organizationId) => {
      await settleLogKeys.settle(organizationId);
      await witnessLog.checkBeforeSigning(organizationId);
    },
  );
  const anchorLoop = new AnchorLoop(
    database.sequencerPool,
    publishLog,
    policy.witnesses.length > 0 ? witnessLog : undefined,
    timeStampLog,
    logger,
    configuration.anchoring.intervalMs,
  );
  const appendEntry = new AppendEntry(vault, clock, () => sequencer.wake());
  const anchored = new AnchoredCheckpoints(
    policy.witnesses.length > 0 ? (names) => isSatisfiedByKeys(policy, names) : undefined,
  );
  const anchoringStatus = new AnchoringStatus(
    database.sequencerPool,
    policy,
    configuration.anchoring.intervalMs,
  );
  const readLog = new ReadLog(database.organizationTx, tileStores, logKeys, anchored);
  const entryStates = new EntryStates(database.organizationTx, readLog, anchored);
  const exportEntries = new ExportEntries(readLog, tileStores, logWriter);
  const exportArchive = new ExportArchive(
    database.organizationTx,
    readLog,
    tileStores,
    anchored,
    policy,
    logWriter,
  );
  const checkRows = new CheckRows(database.organizationTx, tileStores, logKeys, logWriter);
  const rotateLogKey = new RotateLogKey(
    logKeys,
    appendEntry,
    async (organizationId) => (await readLog.published(organizationId)).vkey,
  );
  const evidenceCheckpoint = new FindEvidenceCheckpoint({
    organizationTx: database.organizationTx,
    log: readLog,
    anchored,
    keys: logKeys,
    policy,
    timeStampTrust,
    waitMs: configuration.anchoring.reportWaitMs,
  });
  const requirePublishing = new RequirePublishing(clock, (organizationId) =>
    readLog.publishedSize(organizationId),
  );
  return {
    vault,
    logKeys,
    tileStores,
    sequencer,
    anchorLoop,
    anchored,
    anchoringStatus,
    evidenceCheckpoint,
    timeStampTrust,
    policy,
    logWriter,
    appendEntry,
    readLog,
    entryStates,
    exportEntries,
    exportArchive,
    checkRows,
    rotateLogKey,
    settleLogKeys,
    requirePublishing,
  };
}

/** @throws Error with one sentence for the operator */
function witnessPolicy({ anchoring }: Configuration): WitnessPolicy {
  const file = anchoring.witnessPolicyFile;
  if (file === undefined) return NO_WITNESS_POLICY;
  try {
    return parseOperatorPolicy(readFileSync(file));
  } catch (error) {
    throw new Error(`The witness policy ${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws Error with one sentence for the operator */
function readTimeStampTrust({ anchoring }: Configuration): TimeStampTrust | undefined {
  if (anchoring.timeStampAuthority === undefined) return undefined;
  const { rootsFile } = anchoring.timeStampAuthority;
  try {
    return { rootsPem: readFileSync(rootsFile, 'utf8') };
  } catch (error) {
    throw new Error(`The roots ${rootsFile} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

function timeStampAuthority(
  { anchoring }: Configuration,
  trust: TimeStampTrust,
  outbound: OutboundPolicy,
): TimeStampAuthority | undefined {
  if (anchoring.timeStampAuthority === undefined) return undefined;
  const { url, rootsFile } = anchoring.timeStampAuthority;
  try {
    return new Rfc3161Authority({ url, trust, clock, outbound });
  } catch (error) {
    throw new Error(`The roots ${rootsFile} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** The operator named these addresses, so they may lie on a private network. */
function anchoringPolicy(configuration: Configuration, policy: WitnessPolicy): OutboundPolicy {
  const urls = policy.witnesses.map(({ url }) => url);
  const named = [...urls, configuration.anchoring.timeStampAuthority?.url].filter((url) => url !== undefined);
  return {
    allowedPrivateHosts: [...configuration.outboundAllowedHosts, ...named.map(allowedHostOf)],
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function composeIdentity(
  { dataSource, organizationTx }: Composed<typeof composeDatabase>,
  { logKeys, appendEntry }: Composed<typeof composeLog>,
) {
  return {
    authenticate: new Authenticate(dataSource, organizationTx, clock),
    administer: new Administer(appendEntry, clock),
    createOrganization: new CreateOrganization(organizationTx, logKeys, appendEntry, clock),
  };
}

async function composeProvenance({ configuration, verification }: ServicesOptions) {
  const keystore = await openFileKeystore({ folder: join(configuration.home, 'keys'), clock });
  const trust = { name: 'this installation', anchorsPem: keystore.caCertificatePem };
  const verifier = new VerificationProcess({ trust, ...verification });
  const signer = new C2paMediaSigner({
    key: keystore.claimKey,
    trust,
    sourceInspector: verifier,
    version: PRODUCT_VERSION,
    clock,
  });
  return {
    verifier,
    signer,
    /** For files that this installation made itself. */
    ownReader: new C2paReader({ trust }),
    trustAnchorsPem: keystore.caCertificatePem,
    certificateNotAfter: keystore.certificateNotAfter,
  };
}

function composeAssets(
  { configuration }: ServicesOptions,
  { dataSource, organizationTx }: Composed<typeof composeDatabase>,
  { appendEntry, logWriter, requirePublishing }: Composed<typeof composeLog>,
  { signer, verifier }: Composed<typeof composeProvenance>,
) {
  const store = new FileAssetStore(join(configuration.home, 'assets'));
  const probe = new SharpMediaProbe();
  const assets = new AssetRepository();
  const signAsset = new SignAsset(store, signer);
  const recordAsset = new RecordAsset(assets, appendEntry);
  return {
    store,
    probe,
    assets,
    signAsset,
    recordAsset,
    intake: new AssetIntake(store, probe, configuration.uploadMaxBytes),
    uploadAsset: new UploadAsset(
      organizationTx,
      store,
      signAsset,
      recordAsset,
      appendEntry,
      requirePublishing,
      clock,
    ),
    readAsset: new ReadAsset(organizationTx, assets, store, verifier, logWriter),
    verifyFile: new VerifyFile(verifier, async (sha256) => {
      const found = await assets.findSigned(dataSource, sha256);
      return found ? placeInLog(organizationTx, found) : undefined;
    }),
  };
}

function composeLicenses({ appendEntry }: Composed<typeof composeLog>) {
  const seed = seedListings();
  const registry = new EffectiveRegistry(seed);
  const standing = new ClearanceStanding(registry, clock);
  const recordBasis = new RecordBasis(seed, SEED_READ_ON, clock);
  const decideClearance = new DecideClearance(registry, recordBasis, appendEntry, clock);
  const recordListings = new RecordListings(registry, appendEntry, clock);
  return {
    registry,
    standing,
    decideClearance,
    decideAgain: new DecideAgain(decideClearance, standing),
    approveWaiver: new ApproveWaiver(registry, standing, appendEntry, clock),
    requireCleared: new RequireCleared(standing),
    recordListings,
    importModels: new ImportModels(recordListings, clock),
    recordLicenseText: new RecordLicenseText(registry, appendEntry, clock),
    recordCuration: new RecordCuration(registry, appendEntry, clock, refuseCorrection),
    registryHistory: new RegistryHistory(seed),
    reopenedClearances: new ReopenedClearances(registry, new WorkBehindClearances(workBehindClearances)),
  };
}

function composeGeneration(
  { configuration, logger, studio }: ServicesOptions,
  { dataSource, organizationTx, boss }: Composed<typeof composeDatabase>,
  { vault, appendEntry, requirePublishing }: Composed<typeof composeLog>,
  { store, probe, assets, signAsset, recordAsset }: Composed<typeof composeAssets>,
  { decideClearance, requireCleared }: Composed<typeof composeLicenses>,
) {
  const outbound: OutboundPolicy = { allowedPrivateHosts: allowedHosts(configuration) };
  const studioProvider = new StudioProvider(studio);
  const providers = new Providers([studioProvider, ...configuredProviders(configuration, outbound)]);
  const runs = new RunRepository(clock);
  const events = new RunEvents(clock);
  const money = new Money(appendEntry, clock);
  const { stepLeaseSeconds } = configuration;
  const wakeUps = new StepJobQueue(boss, stepLeaseSeconds, () => stepWorker.nudge());
  const endStep = new EndStep(runs, money, events, wakeUps, appendEntry);
  const stepInputs = new StepInputs(runs, assets, vault);
  const captureOutput = new CaptureOutput(store, outputDownloader(configuration, outbound), probe);
  const completeStep = new CompleteStep(
    organizationTx,
    runs,
    store,
    probe,
    signAsset,
    recordAsset,
    stepInputs,
    endStep,
    clock,
  );
  const failStep = new FailStep(organizationTx, endStep);
  const captureStep = new CaptureStep(organizationTx, runs, captureOutput, failStep, events);
  const submitStep = new SubmitStep(
    organizationTx,
    runs,
    providers,
    requireCleared,
    new BuildStepRequest(organizationTx, stepInputs, store),
    captureStep,
    endStep,
    failStep,
    events,
    appendEntry,
  );
  const advanceStep = new AdvanceStep(
    organizationTx,
    runs,
    submitStep,
    new PollStep(providers, captureStep, failStep, STEP_TIMES),
    completeStep,
    failStep,
    wakeUps,
    { ...STEP_TIMES, leaseSeconds: stepLeaseSeconds },
  );
  const stepWorker: StepWorker = new StepWorker(boss, advanceStep, configuration.stepConcurrency, logger);
  const reconcileStep = new ReconcileStep(runs, endStep, events, appendEntry, wakeUps);
  const { baseUrl } = configuration.fal;
  const webhookVerifier = new FalWebhookVerifier(
    { outbound, ...(baseUrl ? { baseUrlOverride: baseUrl } : {}) },
    clock,
  );
  return {
    runs,
    events,
    studioProvider,
    stepWorker,
    reconcileStep,
    startRun: new StartRun(
      organizationTx,
      runs,
      assets,
      new FindPipeline(),
      decideClearance,
      requireCleared,
      requirePublishing,
      providers,
      money,
      vault,
      appendEntry,
      events,
      wakeUps,
      clock,
    ),
    cancelRun: new CancelRun(runs, endStep, appendEntry),
    resumeWaivedRun: new ResumeWaivedRun(runs, endStep, events),
    createPipeline: new CreatePipeline(appendEntry, clock),
    receiveFalWebhook: new ReceiveFalWebhook(
      webhookVerifier,
      dataSource,
      organizationTx,
      runs,
      reconcileStep,
    ),
  };
}

function composeHumanWork(
  { organizationTx }: Composed<typeof composeDatabase>,
  { vault, appendEntry, requirePublishing }: Composed<typeof composeLog>,
  { store, assets, signAsset, recordAsset }: Composed<typeof composeAssets>,
  { requireCleared }: Composed<typeof composeLicenses>,
) {
  return {
    recordContribution: new RecordContribution(
      organizationTx,
      assets,
      store,
      signAsset,
      recordAsset,
      appendEntry,
      requirePublishing,
      vault,
      changedRegion,
      clock,
    ),
    stateAuthorship: new StateAuthorship(assets),
    reviewAsset: new ReviewAsset(assets, appendEntry, requirePublishing, requireCleared, vault, clock),
  };
}

function composeErasure(
  { logger }: ServicesOptions,
  { vault, appendEntry, logWriter }: Composed<typeof composeLog>,
  { store }: Composed<typeof composeAssets>,
) {
  return {
    eraseDataSubject: new EraseDataSubject(
      appendEntry,
      (organizationId, sha256) => store.remove(organizationId, sha256),
      (error) =>
        logger.error({ err: error }, 'the file of an erased report could not be deleted; erase again'),
      clock,
    ),
    placeLegalHold: new PlaceLegalHold(appendEntry, clock),
    liftLegalHold: new LiftLegalHold(appendEntry, clock),
    listLegalHolds: new ListLegalHolds(vault),
    recordOpened: new RecordOpened(logWriter),
  };
}

function composeReports(
  { logger }: ServicesOptions,
  { organizationTx, boss }: Composed<typeof composeDatabase>,
  { vault, appendEntry, readLog, logWriter, evidenceCheckpoint, timeStampTrust }: Composed<typeof composeLog>,
  { ownReader, trustAnchorsPem }: Composed<typeof composeProvenance>,
  { store, assets }: Composed<typeof composeAssets>,
  { registry }: Composed<typeof composeLicenses>,
) {
  const verifyAsset = async (organizationId: string, asset: AssetWithParents) =>
    ownReader.verify({
      path: await store.localPath(organizationId, asset.sha256),
      mediaType: asset.mediaType,
    });
  const erasures = new ReadErasures();
  const collectDossier = new CollectDossier(
    organizationTx,
    assets,
    readLog,
    evidenceCheckpoint,
    new SealedTexts(vault, erasures),
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
      trustAnchorsPem,
      timeStampTrust?.rootsPem,
      clock,
    ),
    requestReport,
    readReport: new ReadReport(organizationTx, requestReport, store, logWriter),
  };
}

function outputDownloader(configuration: Configuration, outbound: OutboundPolicy): OutputDownloader {
  const limits = { maxResponseBytes: configuration.uploadMaxBytes, deadlineMs: OUTPUT_DEADLINE_MS };
  return {
    download: async (url, destinationPath) => {
      await downloadToFile({ ...outbound, ...limits, url, destinationPath });
    },
  };
}

function configuredProviders(configuration: Configuration, outbound: OutboundPolicy): Provider[] {
  const providers: Provider[] = [new SandboxProvider()];
  const { key, baseUrl } = configuration.fal;
  if (key !== undefined) {
    const { publicUrl } = configuration;
    providers.push(
      new FalProvider({
        credentials: key,
        outbound,
        ...(baseUrl === undefined ? {} : { baseUrlOverride: baseUrl }),
        // Without a public address fal cannot reach us: then its queue is polled only.
        webhookUrl: (stepRunId) =>
          publicUrl === undefined ? undefined : new URL(`${publicUrl}/v1/webhooks/fal/${stepRunId}`),
      }),
    );
  }
  return providers;
}

/** The operator's list, and the address that the operator gave for fal. A wrong entry stops the start. */
function allowedHosts(configuration: Configuration): string[] {
  const hosts = [...configuration.outboundAllowedHosts];
  if (configuration.fal.baseUrl !== undefined) hosts.push(allowedHostOf(configuration.fal.baseUrl));
  for (const host of hosts) parseAllowedHost(host);
  return hosts;
}

async function placeInLog(
  organizationTx: OrganizationTx,
  found: { organizationId: string; assetId: string },
) {
  const [row] = await organizationTx.run(found.organizationId, (tx) =>
    tx.query<{ origin: string; index: string | null }>(
      `SELECT l.origin, e.index FROM asset a JOIN audit_log l ON l.organization_id = a.organization_id
         LEFT JOIN audit_entry e ON e.organization_id = a.organization_id AND e.entry_id = a.entry_id
        WHERE a.organization_id = $1 AND a.id = $2`,
      [found.organizationId, found.assetId],
    ),
  );
  if (!row) return undefined;
  return { origin: row.origin, entryIndex: row.index === null ? undefined : Number(row.index) };
}

function jobConnection({ applicationUrl }: DatabaseAccess) {
  const { host, port, user, password, database } = parse(applicationUrl);
  return {
    host: host ?? 'localhost',
    port: port ? Number(port) : undefined,
    user: user ?? '',
    password: password ?? '',
    database: database ?? '',
  };
}

function readMasterKey({ home }: Configuration): Buffer {
  const file = join(home, 'keys', 'master.key');
  return Buffer.from(readOrCreateSecretFile(file, () => randomHex(MASTER_KEY_BYTES)).trim(), 'hex');
}

/** A key for one purpose, HKDF-SHA256 (RFC 5869): what is learnt of it says nothing about the others. */
function deriveKey(masterKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', `colophon ${purpose}`, MASTER_KEY_BYTES));
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
