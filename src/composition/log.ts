import { join } from 'node:path';
import { FileLogKeys } from '../audit/adapters/file-log-keys.js';
import { FileTileStores } from '../audit/adapters/file-tile-store.js';
import { connectByHttp } from '../audit/adapters/http-witness.js';
import { AnchorStates } from '../audit/application/anchor-state.js';
import { ClearWitnessConflict } from '../audit/application/clear-witness-conflict.js';
import { AnchorLoop } from '../audit/application/anchor-loop.js';
import { AnchoredCheckpoints } from '../audit/application/anchored-checkpoints.js';
import { AnchoringStatus } from '../audit/application/anchoring-status.js';
import { AppendEntry } from '../audit/application/append-entry.js';
import { LogWriter } from '../audit/application/log-writer.js';
import { PublishLog } from '../audit/application/publish-log.js';
import { Sequencer } from '../audit/application/sequencer.js';
import { SettleLogKeys } from '../audit/application/settle-log-keys.js';
import { SubjectVault } from '../audit/application/subject-vault.js';
import { TimeStampLog } from '../audit/application/time-stamp-log.js';
import { WitnessLog } from '../audit/application/witness-log.js';
import { isSatisfiedByKeys } from '../audit/core/policy-quorum.js';
import { witnessKeyName } from '../audit/core/witness-policy.js';
import { witnessPolicy, readTimeStampTrust, timeStampAuthority, anchoringPolicy } from './anchoring.js';
import { type composeDatabase } from './database.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';

export function composeLog(
  { configuration, logger }: ServicesOptions,
  database: Composed<typeof composeDatabase>,
) {
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
    (organizationId) => sequencer.maySign(organizationId),
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
  const clearWitnessConflict = new ClearWitnessConflict(
    database.organizationTx,
    new AnchorStates(database.sequencerPool, 'witness'),
    appendEntry,
    () => sequencer.wake(),
  );
  return {
    vault,
    logKeys,
    tileStores,
    sequencer,
    anchorLoop,
    anchored,
    anchoringStatus,
    timeStampTrust,
    timeStampAuthority: authority,
    policy,
    logWriter,
    appendEntry,
    settleLogKeys,
    clearWitnessConflict,
  };
}
