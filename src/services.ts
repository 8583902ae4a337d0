import { PublishedLogs } from './audit/application/published-logs.js';
import { composeAssets } from './composition/assets.js';
import { composeDatabase } from './composition/database.js';
import { composeErasure } from './composition/erasure.js';
import { composeGeneration } from './composition/generation.js';
import { composeHumanWork } from './composition/human-work.js';
import { composeIdentity } from './composition/identity.js';
import { composeLicenses } from './composition/licenses.js';
import { composeLogReading } from './composition/log-reading.js';
import { composeLog } from './composition/log.js';
import { composeProvenance } from './composition/provenance.js';
import { composeFingerprints, composeRecovery } from './composition/recovery.js';
import { composeReports } from './composition/reports.js';
import { type ServicesOptions, clock } from './composition/services-options.js';
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
  const provenance = await composeProvenance(options);
  const licenses = composeLicenses(options, log);
  const fingerprints = composeFingerprints(options, database);
  const assets = composeAssets(options, database, log, reading, provenance, licenses, fingerprints);
  const recovery = composeRecovery(options, database, log, reading, fingerprints, assets);
  const generation = composeGeneration(options, database, log, reading, assets, licenses);
  const humanWork = composeHumanWork(database, log, reading, assets, licenses);
  const erasure = composeErasure(options, log, assets);
  const reports = composeReports(options, database, log, reading, provenance, assets, licenses);
  return {
    ...database,
    ...log,
    ...reading,
    ...identity,
    ...provenance,
    ...assets,
    ...fingerprints,
    ...recovery,
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
    fingerprintFigures: () => ({
      missing: recovery.fillFingerprints.progress.missing,
      filled: recovery.fillFingerprints.progress.made,
      failures: fingerprints.fingerprinter.failureCount,
    }),
    startedAt: clock.now(),
    logGuarded: options.database.logGuarded,

    /** Starts what this process is configured to do beside HTTP. */
    async start(): Promise<void> {
      await recovery.watermark?.requireModels();
      await assets.store.sweepStaging(clock.now());
      await database.boss.start();
      if (configuration.roles.includes('sequencer')) {
        log.sequencer.start();
        log.anchorLoop.start();
      }
      if (!configuration.roles.includes('worker')) return;
      recovery.fillFingerprints.start();
      await generation.stepWorker.start();
      await reports.reportJobs.startWorker(reports.makeReport);
    },

    /** Finishes what is at hand, then closes every connection. */
    async stop(): Promise<void> {
      await recovery.fillFingerprints.stop();
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
