import { join } from 'node:path';
import pg from 'pg';
import { parse } from 'pg-connection-string';
import { type Logger } from 'pino';
import { type DataSource } from 'typeorm';
import { AssetRepository } from './assets/adapters/asset.repository.js';
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
import { StudioProvider } from './generation/adapters/studio-provider.js';
import { AdvanceStep } from './generation/application/advance-step.js';
import { CancelRun } from './generation/application/cancel-run.js';
import { CaptureOutput } from './generation/application/capture-output.js';
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

export interface ServicesOptions {
  readonly configuration: Configuration;
  readonly database: DatabaseAccess;
  readonly logger: Logger;
  /** For tests that run from TypeScript sources. */
  readonly verification?: Pick<VerificationProcessOptions, 'childModuleUrl' | 'childExecArgv'>;
}

export type Services = Awaited<ReturnType<typeof createServices>>;

/**
 * The composition root: the only place where a port meets its adapter. Everything is built here, in the order in
 * which it depends on each other, and nothing is looked up later by name.
 */
export async function createServices({ configuration, database, logger, verification }: ServicesOptions) {
  const clock = systemClock;
  const { home } = configuration;

  // Database
  const dataSource: DataSource = createDataSource({
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
  const boss = createJobQueue(
    jobConnection(database),
    Math.max(1, Math.ceil(configuration.stepLeaseSeconds / 4)),
    logger,
  );

  // Log
  const keys = join(home, 'keys');
  const masterKey = readOrCreateSecretFile(join(keys, 'master.key'), () => randomHex(MASTER_KEY_BYTES));
  const vault = new SubjectVault(Buffer.from(masterKey.trim(), 'hex'), clock);
  const logKeys = new FileLogKeys(join(keys, 'logs'));
  const tileStores = new FileTileStores(join(home, 'logs'));
  const publishLog = new PublishLog(sequencerPool, tileStores, logKeys, clock);
  const sequencer = new Sequencer(sequencerPool, publishLog, logger);
  const appendEntry = new AppendEntry(vault, clock, () => sequencer.wake());
  const readLog = new ReadLog(organizationTx, tileStores, logKeys);

  // Identity
  const authenticate = new Authenticate(dataSource, organizationTx, clock);
  const administer = new Administer(appendEntry, clock);
  const createOrganization = new CreateOrganization(organizationTx, logKeys, appendEntry, clock);
  const publishedLogs = new PublishedLogs(tileStores, (authorization) =>
    authenticate.withAuthorization(authorization),
  );

  // Provenance
  const keystore = await openFileKeystore({ folder: keys, clock });
  const trust = { name: 'this installation', anchorsPem: keystore.caCertificatePem };
  const verifier = new VerificationProcess({ trust, ...verification });
  const ownReader = new C2paReader({ trust });
  const signer = new C2paMediaSigner({
    key: keystore.claimKey,
    trust,
    sourceInspector: verifier,
    version: PRODUCT_VERSION,
    clock,
  });

  // Assets
  const store = new FileAssetStore(join(home, 'assets'));
  const probe = new SharpMediaProbe();
  const assets = new AssetRepository();
  const intake = new AssetIntake(store, probe, configuration.uploadMaxBytes);
  const signAsset = new SignAsset(store, signer);
  const recordAsset = new RecordAsset(assets, appendEntry);
  const uploadAsset = new UploadAsset(organizationTx, store, signAsset, recordAsset, appendEntry, clock);
  const readAsset = new ReadAsset(organizationTx, assets, store);
  const verifyFile = new VerifyFile(verifier, async (sha256) => {
    const found = await assets.findSigned(dataSource, sha256);
    return found ? placeInLog(organizationTx, found) : undefined;
  });

  // Licenses
  const registry = new ListingRegistry(seedListings());
  const decideClearance = new DecideClearance(registry.index, appendEntry, clock);
  const approveWaiver = new ApproveWaiver(appendEntry, clock);

  // Generation
  const outbound: OutboundPolicy = { allowedPrivateHosts: allowedHosts(configuration) };
  const providers = new Providers(configuredProviders(configuration, outbound));
  const runs = new RunRepository(clock);
  const events = new RunEvents(clock);
  const money = new Money(appendEntry, clock);
  const { stepLeaseSeconds } = configuration;
  const wakeUps = new StepJobQueue(boss, stepLeaseSeconds, () => stepWorker.nudge());
  const endStep = new EndStep(runs, money, events, wakeUps, appendEntry);
  const stepInputs = new StepInputs(runs, assets, vault);
  const findPipeline = new FindPipeline();
  const download = async (url: string, destinationPath: string): Promise<void> => {
    await downloadToFile({
      ...outbound,
      url,
      destinationPath,
      maxResponseBytes: configuration.uploadMaxBytes,
      deadlineMs: OUTPUT_DEADLINE_MS,
    });
  };
  const captureOutput = new CaptureOutput(store, { download }, probe);
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
    stepInputs,
    store,
    captureOutput,
    completeStep,
    endStep,
    events,
    appendEntry,
    wakeUps,
    { leaseSeconds: stepLeaseSeconds, pollSeconds: 1, holdSeconds: 5, giveUpAfterSeconds: 15 * 60 },
  );
  const stepWorker: StepWorker = new StepWorker(boss, advanceStep, configuration.stepConcurrency, logger);
  const startRun = new StartRun(
    organizationTx,
    runs,
    assets,
    findPipeline,
    decideClearance,
    providers,
    money,
    vault,
    appendEntry,
    events,
    wakeUps,
    clock,
  );
  const reconcileStep = new ReconcileStep(runs, endStep, events, appendEntry, wakeUps);
  const resumeWaivedRun = new ResumeWaivedRun(runs, endStep, events);
  const webhookVerifier = new FalWebhookVerifier(
    { outbound, ...(configuration.fal.baseUrl ? { baseUrlOverride: configuration.fal.baseUrl } : {}) },
    clock,
  );

  // Human work and reports
  const recordContribution = new RecordContribution(
    organizationTx,
    assets,
    store,
    signAsset,
    recordAsset,
    appendEntry,
    vault,
    changedRegion,
    clock,
  );
  const collectDossier = new CollectDossier(
    organizationTx,
    assets,
    readLog,
    vault,
    registry.index,
    async (organizationId, asset) =>
      ownReader.verify({
        path: await store.localPath(organizationId, asset.sha256),
        mediaType: asset.mediaType,
      }),
    clock,
  );
  const makeReport = new MakeReport(
    organizationTx,
    collectDossier,
    dossierRenderer,
    store,
    readLog,
    appendEntry,
    keystore.caCertificatePem,
    clock,
  );
  const reportJobs = new ReportJobs(boss, logger);

  return {
    dataSource,
    organizationTx,
    sequencer,
    appendEntry,
    readLog,
    publishedLogs,
    logKeys,
    authenticate,
    administer,
    createOrganization,
    idempotency: new Idempotency(organizationTx, clock),
    registry,
    decideClearance,
    approveWaiver,
    waiverFollowUp: new WaiverFollowUp((tx, clearanceId) => resumeWaivedRun.resume(tx, clearanceId)),
    assets,
    intake,
    uploadAsset,
    readAsset,
    verifier,
    verifyFile,
    runs,
    events,
    startRun,
    cancelRun: new CancelRun(runs, endStep),
    reconcileStep,
    createPipeline: new CreatePipeline(appendEntry, clock),
    receiveFalWebhook: new ReceiveFalWebhook(
      webhookVerifier,
      dataSource,
      organizationTx,
      runs,
      reconcileStep,
    ),
    recordContribution,
    stateAuthorship: new StateAuthorship(assets),
    reviewAsset: new ReviewAsset(assets, appendEntry, vault, clock),
    requestReport: new RequestReport(assets, reportJobs, clock),
    certificateNotAfter: keystore.certificateNotAfter,
    startedAt: clock.now(),

    /** Starts what this process is configured to do beside HTTP. */
    async start(): Promise<void> {
      await boss.start();
      if (configuration.roles.includes('sequencer')) sequencer.start();
      if (configuration.roles.includes('worker')) {
        await stepWorker.start();
        await reportJobs.startWorker(makeReport);
      }
    },

    /** Finishes what is at hand, then closes every connection. */
    async stop(): Promise<void> {
      await boss.stop({ graceful: true, timeout: 10_000, wait: true });
      await sequencer.stop();
      await verifier.close();
      await sequencerPool.end();
      await dataSource.destroy();
    },
  };
}

function configuredProviders(configuration: Configuration, outbound: OutboundPolicy): Provider[] {
  const providers: Provider[] = [new StudioProvider(), new SandboxProvider()];
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
