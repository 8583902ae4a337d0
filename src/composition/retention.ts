import { ApplyRetention } from '../retention/application/apply-retention.js';
import { PreviewRetention } from '../retention/application/preview-retention.js';
import { RetentionRounds } from '../retention/application/retention-rounds.js';
import { RetentionRules } from '../retention/application/retention-rules.js';
import { SettleRemovedFiles } from '../retention/application/settle-removed-files.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeLog } from './log.js';
import { type Composed, type ServicesOptions } from './services-options.js';

/** What goes by itself when its time is over. */
export function composeRetention(
  { logger }: ServicesOptions,
  { organizationTx, sequencerPool }: Composed<typeof composeDatabase>,
  { appendEntry }: Composed<typeof composeLog>,
  { store }: Composed<typeof composeAssets>,
) {
  const applyRetention = new ApplyRetention(appendEntry);
  const settleRemovedFiles = new SettleRemovedFiles(
    organizationTx,
    (organizationId, sha256) => store.removeUnlessFresh(organizationId, sha256),
    appendEntry,
  );
  return {
    applyRetention,
    settleRemovedFiles,
    retentionRules: new RetentionRules(appendEntry),
    previewRetention: new PreviewRetention(),
    retentionRounds: new RetentionRounds(
      sequencerPool,
      organizationTx,
      applyRetention,
      settleRemovedFiles,
      logger,
    ),
  };
}
