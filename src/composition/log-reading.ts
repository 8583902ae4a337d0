import { CheckRows } from '../audit/application/check-rows.js';
import { EntryStates } from '../audit/application/entry-states.js';
import { FindEvidenceCheckpoint } from '../audit/application/evidence-checkpoint.js';
import { ExportArchive } from '../audit/application/export-archive.js';
import { ExportEntries } from '../audit/application/export-entries.js';
import { LogPeriods } from '../audit/application/log-periods.js';
import { type FollowPublication, ReadLog } from '../audit/application/read-log.js';
import { RequirePublishing } from '../audit/application/require-publishing.js';
import { RotateLogKey } from '../audit/application/rotate-log-key.js';
import { type composeDatabase } from './database.js';
import { type composeLog } from './log.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';

/** What is shown of a log: entries, proofs, exports, checks. */
export function composeLogReading(
  { configuration }: ServicesOptions,
  { organizationTx }: Composed<typeof composeDatabase>,
  {
    tileStores,
    logKeys,
    anchored,
    policy,
    logWriter,
    appendEntry,
    sequencer,
    timeStampTrust,
  }: Composed<typeof composeLog>,
) {
  const follow: FollowPublication = (organizationId, changed) => sequencer.follow(organizationId, changed);
  const readLog = new ReadLog(organizationTx, tileStores, logKeys, anchored, follow);
  const entryStates = new EntryStates(organizationTx, readLog, anchored, follow);
  const exportEntries = new ExportEntries(readLog, tileStores, logWriter);
  const exportArchive = new ExportArchive(organizationTx, readLog, tileStores, anchored, policy, logWriter);
  const checkRows = new CheckRows(organizationTx, tileStores, logKeys, logWriter);
  const rotateLogKey = new RotateLogKey(
    logKeys,
    appendEntry,
    async (organizationId) => (await readLog.published(organizationId)).vkey,
  );
  const evidenceCheckpoint = new FindEvidenceCheckpoint({
    organizationTx,
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
  const logPeriods = new LogPeriods(organizationTx, readLog, tileStores, logKeys, anchored, policy);
  return {
    logPeriods,
    evidenceCheckpoint,
    readLog,
    entryStates,
    exportEntries,
    exportArchive,
    checkRows,
    rotateLogKey,
    requirePublishing,
  };
}
