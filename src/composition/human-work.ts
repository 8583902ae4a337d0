import { changedRegion } from '../contributions/adapters/changed-region.js';
import { ProveObligation } from '../contributions/application/prove-obligation.js';
import { RecordContribution } from '../contributions/application/record-contribution.js';
import { RecordSelection } from '../contributions/application/record-selection.js';
import { ReviewAsset } from '../contributions/application/review-asset.js';
import { StateAuthorship } from '../contributions/application/state-authorship.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeLicenses } from './licenses.js';
import { type composeLogReading } from './log-reading.js';
import { type composeLog } from './log.js';
import { type Composed, clock } from './services-options.js';

export function composeHumanWork(
  { organizationTx }: Composed<typeof composeDatabase>,
  { vault, appendEntry }: Composed<typeof composeLog>,
  { requirePublishing }: Composed<typeof composeLogReading>,
  {
    store,
    assets,
    signalReader,
    signAsset,
    recordAsset,
    manifestSettings,
    namedActors,
    pictureHistory,
  }: Composed<typeof composeAssets>,
  { requireCleared, requireReleasable, recordObligations }: Composed<typeof composeLicenses>,
) {
  return {
    recordSelection: new RecordSelection(appendEntry, vault, clock),
    recordContribution: new RecordContribution(
      organizationTx,
      assets,
      store,
      signalReader,
      signAsset,
      recordAsset,
      appendEntry,
      requirePublishing,
      vault,
      changedRegion,
      clock,
      manifestSettings,
      namedActors,
      pictureHistory,
    ),
    proveObligation: new ProveObligation(assets, appendEntry, requirePublishing, vault, clock),
    stateAuthorship: new StateAuthorship(assets),
    reviewAsset: new ReviewAsset(
      assets,
      appendEntry,
      requirePublishing,
      requireCleared,
      requireReleasable,
      recordObligations,
      vault,
      clock,
    ),
  };
}
