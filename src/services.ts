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
import { AppendEntry } from './audit/application/append-entry.js';
import { PublishedLogs } from './audit/application/published-logs.js';
import { PublishLog } from './audit/application/publish-log.js';
import { ReadLog } from './audit/application/read-log.js';
import { ReadOpenings } from './audit/application/read-openings.js';
import { RequirePublishing } from './audit/application/require-publishing.js';
import { Sequencer } from './audit/application/sequencer.js';
import { SubjectVault } from './audit/application/subject-vault.js';
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
import { CompleteStep } from './generation/application/complete-step.js';
import { CreatePipeline } from './generation/application/create-pipeline.js';
import { EndStep } from './generation/application/end-step.js';
import { FindPipeline } from './generation/application/find-pipeline.js';
import { Money } from './generation/application/money.js';
import { Providers } from './generation/application/providers.js';
import { ReceiveFalWebhook } from './generation/application/receive-fal-webhook.js';
import { ReconcileStep } from './generation/application/reconcile-step.js';
import { ResumeWaivedRun } from './generation/application/resume-waived-run.js';
import { RunEvents } from './generation/application/run-events.js';
import { StartRun } from './generation/application/start-run.js';
import { StepInputs } from './generation/application/step-inputs.js';
import { type Provider } from './generation/domain/provider.port.js';
import { Idempotency } from './http/idempotency.js';
import { Administer } from './identity/application/administer.js';
import { Authenticate } from './identity/application/authenticate.js';
import { CreateOrganization } from './identity/application/create-organization.js';
import { ApproveWaiver } from './licenses/application/approve-waiver.js';
import { DecideClearance } from './licenses/application/decide-clearance.js';
import { ListingRegistry } from './licenses/application/listing-registry.js';
import { RequireCleared } from './licenses/application/require-cleared.js';
import { WaiverFollowUp } from './licenses/application/waiver-follow-up.js';
import { seedListings } from './licenses/registry/seed.js';
import { downloadToFile } from './outbound/download-to-file.js';
import { type OutboundPolicy } from './outbound/guarded-fetch.js';
import { parseAllowedHost } from './outbound/outbound-target.js';
import { C2paMediaSigner } from './provenance/adapters/c2pa-media-signer.js';
import { C2paReader } from './provenance/adapters/c2pa-reader.js';
import { openFileKeystore } from './provenance/adapters/file-keystore.js';
import {
  VerificationProcess,
  type VerificationProcessOptions,
} from './provenance/adapters/verification-process.js';
import { VerifyFile } from './provenance/application/verify-file.js';
import { dossierRenderer } from './reports/adapters/dossier-renderer.js';
import { ReportJobs } from './reports/adapters/report-jobs.js';
import { CollectDossier } from './reports/application/collect-dossier.js';
import { MakeReport } from './reports/application/make-report.js';
import { RequestReport } from './reports/application/request-report.js';
import { systemClock } from './shared/clock.js';
import { PRODUCT_VERSION } from './shared/product.js';

const OUTPUT_DEADLINE_MS = 5 * 60_000;
const MASTER_KEY_BYTES = 32;
const JOBS_STOP_TIMEOUT_MS = 10_000;
/** A provider's job is asked about every second; our own signer or store after five; an hour-old job is given up. */
const STEP_TIMES = { pollSeconds: 1, holdSeconds: 5, giveUpAfterSeconds: 60 * 60 };

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
    ...reports,
    waiverFollowUp: new WaiverFollowUp((tx, clearanceId, keyMode) =>
      generation.resumeWaivedRun.resume(tx, clearanceId, keyMode),
    ),
    publishedLogs: new PublishedLogs(log.tileStores, (header) =>
      identity.authenticate.withAuthorization(header),
    ),
    startedAt: clock.now(),

    /** Starts what this process is configured to do beside HTTP. */
    async start(): Promise<void> {
      await database.boss.start();
      if (configuration.roles.includes('sequencer')) log.sequencer.start();
      if (!configuration.roles.includes('worker')) return;
      await generation.stepWorker.start();
      await reports.reportJobs.startWorker(reports.makeReport);
    },

    /** Finishes what is at hand, then closes every connection. */
    async stop(): Promise<void> {
      await database.boss.stop({ graceful: true, timeout: JOBS_STOP_TIMEOUT_MS, wait: true });
      await generation.studioProvider.close();
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
    max: 3,
    options: '-c search_path=colophon',
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
    idempotency: new Idempotency(organizationTx, clock),
  };
}

function composeLog({ configuration, logger }: ServicesOptions, database: Composed<typeof composeDatabase>) {
  const keys = join(configuration.home, 'keys');
  const masterKey = readOrCreateSecretFile(join(keys, 'master.key'), () => randomHex(MASTER_KEY_BYTES));
  const vault = new SubjectVault(Buffer.from(masterKey.trim(), 'hex'), clock);
  const logKeys = new FileLogKeys(join(keys, 'logs'));
  const tileStores = new FileTileStores(join(configuration.home, 'logs'));
  const publishLog = new PublishLog(database.sequencerPool, tileStores, logKeys, clock);
  const sequencer = new Sequencer(database.sequencerPool, publishLog, logger);
  const appendEntry = new AppendEntry(vault, clock, () => sequencer.wake());
  const readLog = new ReadLog(database.organizationTx, tileStores, logKeys);
  const requirePublishing = new RequirePublishing(clock);
  return { vault, logKeys, tileStores, sequencer, appendEntry, readLog, requirePublishing };
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
  { appendEntry, requirePublishing }: Composed<typeof composeLog>,
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
    readAsset: new ReadAsset(organizationTx, assets, store),
    verifyFile: new VerifyFile(verifier, async (sha256) => {
      const found = await assets.findSigned(dataSource, sha256);
      return found ? placeInLog(organizationTx, found) : undefined;
    }),
  };
}

function composeLicenses({ appendEntry }: Composed<typeof composeLog>) {
  const registry = new ListingRegistry(seedListings());
  return {
    registry,
    decideClearance: new DecideClearance(registry.index, appendEntry, clock),
    approveWaiver: new ApproveWaiver(appendEntry, clock),
    requireCleared: new RequireCleared(clock),
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
  const advanceStep = new AdvanceStep(
    organizationTx,
    runs,
    providers,
    requireCleared,
    stepInputs,
    store,
    captureOutput,
    completeStep,
    endStep,
    events,
    appendEntry,
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
      requirePublishing,
      providers,
      money,
      vault,
      appendEntry,
      events,
      wakeUps,
      clock,
    ),
    cancelRun: new CancelRun(runs, endStep),
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

function composeReports(
  { logger }: ServicesOptions,
  { organizationTx, boss }: Composed<typeof composeDatabase>,
  { vault, appendEntry, readLog }: Composed<typeof composeLog>,
  { ownReader, trustAnchorsPem }: Composed<typeof composeProvenance>,
  { store, assets }: Composed<typeof composeAssets>,
  { registry }: Composed<typeof composeLicenses>,
) {
  const verifyAsset = async (organizationId: string, asset: AssetWithParents) =>
    ownReader.verify({
      path: await store.localPath(organizationId, asset.sha256),
      mediaType: asset.mediaType,
    });
  const collectDossier = new CollectDossier(
    organizationTx,
    assets,
    readLog,
    vault,
    registry.index,
    verifyAsset,
    clock,
  );
  const reportJobs = new ReportJobs(boss, logger);
  return {
    reportJobs,
    makeReport: new MakeReport(
      organizationTx,
      collectDossier,
      dossierRenderer,
      store,
      readLog,
      new ReadOpenings(vault),
      appendEntry,
      trustAnchorsPem,
      clock,
    ),
    requestReport: new RequestReport(assets, reportJobs, clock),
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
  if (configuration.fal.baseUrl !== undefined) hosts.push(new URL(configuration.fal.baseUrl).host);
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

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
