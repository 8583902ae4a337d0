import { changedRegion } from '../contributions/adapters/changed-region.js';
import { sharedChange } from '../contributions/adapters/difference-picture.js';
import { AnswerClaim } from '../contributions/application/answer-claim.js';
import { AttachFile } from '../contributions/application/attach-file.js';
import { CollectChecklist } from '../contributions/application/collect-checklist.js';
import { CorrectContribution } from '../contributions/application/correct-contribution.js';
import { ExamineAsset } from '../contributions/application/examine-asset.js';
import { KeepDifference } from '../contributions/application/keep-difference.js';
import { ListObligations } from '../contributions/application/list-obligations.js';
import { ListReviewQueue } from '../contributions/application/list-review-queue.js';
import { OrderStoryboard } from '../contributions/application/order-storyboard.js';
import { ProveObligation } from '../contributions/application/prove-obligation.js';
import { ReadContributions } from '../contributions/application/read-contribution.js';
import { ReadReleaseStandings } from '../contributions/application/read-release-standings.js';
import { ReadReview } from '../contributions/application/read-review.js';
import { RecallAsset } from '../contributions/application/recall-asset.js';
import { RecordClaim } from '../contributions/application/record-claim.js';
import { RecordContribution } from '../contributions/application/record-contribution.js';
import { RecordMask } from '../contributions/application/record-mask.js';
import { RecordSelection } from '../contributions/application/record-selection.js';
import { ReleaseAsset } from '../contributions/application/release-asset.js';
import { RemainingTraces } from '../contributions/application/remaining-traces.js';
import { RequestReview } from '../contributions/application/request-review.js';
import { RequireOwnWork } from '../contributions/application/require-own-work.js';
import { ReviewAsset } from '../contributions/application/review-asset.js';
import { ReviewSettingsOfUseCase } from '../contributions/application/review-settings.js';
import { SignatureKeys } from '../contributions/application/signature-keys.js';
import { StateAuthorship } from '../contributions/application/state-authorship.js';
import { WriteContribution } from '../contributions/application/write-contribution.js';
import { markingDuties } from '../licenses/registry/marking-duties.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeLicenses } from './licenses.js';
import { type composeLogReading } from './log-reading.js';
import { type composeLog } from './log.js';
import { type Composed, clock } from './services-options.js';

export function composeHumanWork(
  { organizationTx }: Composed<typeof composeDatabase>,
  { vault, appendEntry, logWriter }: Composed<typeof composeLog>,
  { requirePublishing }: Composed<typeof composeLogReading>,
  {
    store,
    removedContent,
    assets,
    knownFiles,
    signalReader,
    signAsset,
    recordAsset,
    manifestSettings,
    namedActors,
    pictureHistory,
    obligationsToday,
  }: Composed<typeof composeAssets>,
  { requireCleared, requireReleasable }: Composed<typeof composeLicenses>,
) {
  const readContributions = new ReadContributions(vault, removedContent);
  const stateAuthorship = new StateAuthorship(assets, readContributions);
  const collectChecklist = new CollectChecklist(assets, stateAuthorship, obligationsToday);
  const readReview = new ReadReview(vault);
  const signatureKeys = new SignatureKeys(appendEntry, clock);
  const writeContribution = new WriteContribution(appendEntry, vault, clock);
  const recordSelection = new RecordSelection(writeContribution, assets);
  return {
    readContributions,
    stateAuthorship,
    collectChecklist,
    readReview,
    signatureKeys,
    recordSelection,
    recordMask: new RecordMask(writeContribution),
    recordContribution: new RecordContribution(
      organizationTx,
      assets,
      store,
      signalReader,
      signAsset,
      recordAsset,
      writeContribution,
      requirePublishing,
      signatureKeys,
      new KeepDifference(store, changedRegion),
      clock,
      manifestSettings,
      namedActors,
      pictureHistory,
      new RequireOwnWork(knownFiles, assets),
      new RemainingTraces(assets, readContributions, store, changedRegion, sharedChange),
    ),
    correctContribution: new CorrectContribution(
      readContributions,
      assets,
      signatureKeys,
      appendEntry,
      vault,
      clock,
    ),
    attachFile: new AttachFile(
      organizationTx,
      readContributions,
      assets,
      store,
      removedContent,
      appendEntry,
      logWriter,
      clock,
    ),
    orderStoryboard: new OrderStoryboard(assets, appendEntry, vault, clock),
    proveObligation: new ProveObligation(
      assets,
      appendEntry,
      requirePublishing,
      vault,
      obligationsToday,
      clock,
    ),
    examineAsset: new ExamineAsset(assets, appendEntry, requirePublishing, vault, clock),
    recordClaim: new RecordClaim(assets, appendEntry, requirePublishing, vault, clock),
    answerClaim: new AnswerClaim(assets, appendEntry, requirePublishing, vault, clock),
    requestReview: new RequestReview(assets, collectChecklist, appendEntry, vault, clock),
    reviewQueue: new ListReviewQueue(),
    listObligations: new ListObligations(obligationsToday, markingDuties(), clock),
    reviewSettings: new ReviewSettingsOfUseCase(appendEntry, clock),
    reviewAsset: new ReviewAsset(assets, collectChecklist, appendEntry, vault, clock),
    releaseAsset: new ReleaseAsset(
      assets,
      readReview,
      stateAuthorship,
      appendEntry,
      requirePublishing,
      requireCleared,
      requireReleasable,
      obligationsToday,
      clock,
    ),
    recallAsset: new RecallAsset(assets, appendEntry, vault, clock),
    releaseStandings: new ReadReleaseStandings(),
  };
}
