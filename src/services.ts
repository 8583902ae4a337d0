import { PublishedLogs } from './audit/application/published-logs.js';
import { composeAssets } from './composition/assets.js';
import { composeDatabase } from './composition/database.js';
import { composeErasure } from './composition/erasure.js';
import { composeGateway } from './composition/gateway.js';
import { composeGeneration } from './composition/generation.js';
import { composeHumanWork } from './composition/human-work.js';
import { composeIdentity } from './composition/identity.js';
import { composeLicenses } from './composition/licenses.js';
import { composeLogReading } from './composition/log-reading.js';
import { composeLog } from './composition/log.js';
import { composeProvenance } from './composition/provenance.js';
import { composeFingerprints, composeRecovery } from './composition/recovery.js';
import { composeReports } from './composition/reports.js';
import { composeRetention } from './composition/retention.js';
import { composeVerification } from './composition/verification.js';
import { type ServicesOptions, clock } from './composition/services-options.js';
import { composeOfferings } from './composition/vendors.js';
import { composeWebhooks } from './composition/webhooks.js';
import { WaiverFollowUp } from './licenses/application/waiver-follow-up.js';

const JOBS_STOP_TIMEOUT_MS = 10_000;

export type Services = Awaited<ReturnType<typeof createServices>>;

/**
 * The composition root: the only place where a port meets its adapter. Everything is built here, module by module in
 * the order in which they depend on each other, and nothing is looked up later by name.
 */
export async function createServices(options: ServicesOptions) {
  const { configuration, logger } = options;
  const database = await composeDatabase(options);
  const log = composeLog(options, database);
  const reading = composeLogReading(options, database, log);
  const identity = composeIdentity(database, log);
  const provenance = await composeProvenance(options, database, log).catch(async (error: unknown) => {
    // There is no key to sign with: the start is refused, and nothing must be left open.
    await database.sequencerPool.end();
    await database.dataSource.destroy();
    throw error;
  });
  const offered = composeOfferings(configuration);
  const licenses = composeLicenses(options, log, offered);
  const fingerprints = composeFingerprints(options, database, provenance);
  const assets = composeAssets(options, database, log, reading, provenance, licenses, fingerprints);
  const recovery = composeRecovery(options, database, log, reading, fingerprints, assets, provenance);
  const verification = composeVerification(options, database, assets, provenance);
  const humanWork = composeHumanWork(database, log, reading, assets, licenses);
  const generation = await composeGeneration(
    options,
    database,
    log,
    reading,
    assets,
    licenses,
    offered,
    humanWork,
  );
  const gateway = composeGateway(
    options,
    database,
    log,
    identity,
    assets,
    licenses,
    offered,
    generation,
    recovery,
  );
  const retention = composeRetention(options, database, log, assets);
  const erasure = composeErasure(options, log, assets, retention);
  const reports = composeReports(
    options,
    database,
    log,
    reading,
    provenance,
    assets,
    licenses,
    verification,
    humanWork,
  );
  const webhooks = composeWebhooks(options, database, log);
  return {
    ...database,
    ...log,
    ...reading,
    ...identity,
    ...provenance,
    ...assets,
    ...verification,
    ...fingerprints,
    ...recovery,
    ...licenses,
    ...generation,
    ...gateway,
    ...humanWork,
    ...erasure,
    ...retention,
    ...reports,
    ...webhooks,
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
    fingerprintFigures: () => ({
      missing: recovery.fillFingerprints.progress.missing,
      filled: recovery.fillFingerprints.progress.made,
      failures: fingerprints.fingerprinter.failureCount,
    }),
    /** Whether this process takes entries into the log. */
    sequences: configuration.roles.includes('sequencer'),
    startedAt: clock.now(),
    logGuarded: options.database.logGuarded,

    /** Starts what this process is configured to do beside HTTP. */
    async start(): Promise<void> {
      await recovery.watermark?.requireModels();
      await assets.stagingSweep.start();
      provenance.keyRounds.start();
      // Told now, and not with the first picture. What needs a signature is held; everything else works.
      void provenance.activeKeys
        .current('claim')
        .catch((error: unknown) => logger.error({ err: error }, 'the claim key cannot be used'));
      await database.boss.start();
      if (configuration.roles.includes('sequencer')) {
        log.sequencer.start();
        log.anchorLoop.start();
        database.idempotencyExpiry.start();
      }
      if (!configuration.roles.includes('worker')) return;
      recovery.fillFingerprints.start();
      webhooks.webhookRounds.start();
      retention.retentionRounds.start();
      await generation.stepWorker.start();
      await generation.webhookJobs.startWorkers((organizationId, deliveryId) =>
        gateway.deliverWebhook.deliver(organizationId, deliveryId),
      );
      await reports.reportJobs.startWorker(reports.makeReport);
      await reports.scheduleJobs.startWorker(reports.makeDueReports);
    },

    /** Finishes what is at hand, then closes every connection. */
    async stop(): Promise<void> {
      await recovery.fillFingerprints.stop();
      await assets.stagingSweep.stop();
      await webhooks.webhookRounds.stop();
      await retention.retentionRounds.stop();
      await database.boss.stop({ graceful: true, timeout: JOBS_STOP_TIMEOUT_MS, wait: true });
      await generation.studioProvider.close();
      await log.anchorLoop.stop();
      await log.sequencer.stop();
      await database.idempotencyExpiry.stop();
      await provenance.keyRounds.stop();
      provenance.verifier.close();
      provenance.ownFiles.close();
      provenance.closeKeys();
      await database.sequencerPool.end();
      await database.dataSource.destroy();
      logger.flush();
    },
  };
}
