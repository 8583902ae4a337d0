import { BudgetRepository } from '../generation/adapters/budget.repository.js';
import { FalWebhookVerifier } from '../generation/adapters/fal/fal-webhook-keys.js';
import { StepJobQueue } from '../generation/adapters/jobs/step-job-queue.js';
import { StepWorker } from '../generation/adapters/jobs/step-worker.js';
import { WebhookJobs } from '../generation/adapters/jobs/webhook-jobs.js';
import { ProviderCredentialRepository } from '../generation/adapters/provider-credential.repository.js';
import { FetchingDeliveryVerifier } from '../generation/adapters/replicate/replicate-delivery-verifier.js';
import { ReplicateWebhookSecrets } from '../generation/adapters/replicate/replicate-webhook-secret.js';
import { RunRepository } from '../generation/adapters/run.repository.js';
import { StudioProvider } from '../generation/adapters/studio-provider.js';
import { AcceptRun } from '../generation/application/accept-run.js';
import { AdvanceStep } from '../generation/application/advance-step.js';
import { AnswerStep } from '../generation/application/answer-step.js';
import { CancelRun } from '../generation/application/cancel-run.js';
import { CaptureOutput } from '../generation/application/capture-output.js';
import { CheckReservation } from '../generation/application/check-reservation.js';
import { CaptureStep } from '../generation/application/capture-step.js';
import { CompleteStep } from '../generation/application/complete-step.js';
import { CreatePipeline } from '../generation/application/create-pipeline.js';
import { Baselines } from '../generation/application/declare-baseline.js';
import { OwnQualityOfModels } from '../generation/application/own-quality.js';
import { RankModels } from '../generation/application/rank-models.js';
import { RecordOutcomes } from '../generation/application/record-outcomes.js';
import { RepriceMonth } from '../generation/application/reprice-month.js';
import { ReturnOfUseCase } from '../generation/application/return-of-use-case.js';
import { RouteChoices } from '../generation/application/route-choices.js';
import { QualityScores } from '../generation/registry/quality-scores.js';
import { EndStep } from '../generation/application/end-step.js';
import { ExpireStep } from '../generation/application/expire-step.js';
import { FailStep } from '../generation/application/fail-step.js';
import { FindPipeline } from '../generation/application/find-pipeline.js';
import { ListOpenMoney } from '../generation/application/list-open-money.js';
import { ManageBudgets } from '../generation/application/manage-budgets.js';
import { Money } from '../generation/application/money.js';
import { LookForLostJob } from '../generation/application/look-for-lost-job.js';
import { ReadOutputFacts } from '../generation/application/output-facts.js';
import { OwnPrices } from '../generation/application/own-prices.js';
import { PollStep } from '../generation/application/poll-step.js';
import { ProviderCredentials } from '../generation/application/provider-credentials.js';
import { Providers } from '../generation/application/providers.js';
import { WebhookAddress } from '../generation/domain/webhook-address.js';
import { ReceiveFalWebhook } from '../generation/application/receive-fal-webhook.js';
import { ReceiveReplicateWebhook } from '../generation/application/receive-replicate-webhook.js';
import { ReconcileStep } from '../generation/application/reconcile-step.js';
import { ResumeRun } from '../generation/application/resume-run.js';
import { ResumeWaivedRun } from '../generation/application/resume-waived-run.js';
import { RunEvents } from '../generation/application/run-events.js';
import { StartRun } from '../generation/application/start-run.js';
import { LoadStepFacts } from '../generation/application/step-facts.js';
import { StepInputs } from '../generation/application/step-inputs.js';
import { BuildStepRequest } from '../generation/application/step-request.js';
import { SubmitStep } from '../generation/application/submit-step.js';
import { TryAgain } from '../generation/application/try-again.js';
import { JobDeliveries } from '../generation/gateway/application/job-deliveries.js';
import { type OutboundPolicy } from '../outbound/guarded-fetch.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeHumanWork } from './human-work.js';
import { type composeLicenses } from './licenses.js';
import { type composeLogReading } from './log-reading.js';
import { type composeLog } from './log.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';
import {
  allowedHosts,
  baseUrlOf,
  type composeOfferings,
  keyedProviders,
  outputDownloader,
  sharedKeys,
  unsharedKeys,
  unkeyedProviders,
} from './vendors.js';

/**
 * A provider's job is asked about every second; our own signer or store after five, later at least each minute; an
 * hour-old job is given up. A submit whose answer was lost is looked for in the provider's list every ten seconds, for an
 * hour.
 */
export const STEP_TIMES = {
  pollSeconds: 1,
  holdSeconds: 5,
  longestHoldSeconds: 60,
  giveUpAfterSeconds: 60 * 60,
  lookSeconds: 10,
  lookForSeconds: 60 * 60,
};

export async function composeGeneration(
  { configuration, logger, studio }: ServicesOptions,
  {
    dataSource,
    organizationTx,
    boss,
    providerKeyEncryptionKey,
    stepWebhookKey,
    ownServerJobKey,
  }: Composed<typeof composeDatabase>,
  { vault, appendEntry }: Composed<typeof composeLog>,
  { requirePublishing }: Composed<typeof composeLogReading>,
  {
    store,
    assets,
    signalReader,
    signAsset,
    recordAsset,
    storedMedia,
    manifestSettings,
    namedActors,
    pictureHistory,
  }: Composed<typeof composeAssets>,
  { decideClearance, requireCleared, requireLiveKey }: Composed<typeof composeLicenses>,
  { offerings, ownServers, priceBook }: Composed<typeof composeOfferings>,
  { recordSelection, recordMask }: Composed<typeof composeHumanWork>,
) {
  const outbound: OutboundPolicy = { allowedPrivateHosts: allowedHosts(configuration) };
  const studioProvider = new StudioProvider(studio);
  const unshared = unsharedKeys(configuration);
  if (unshared.length > 0) {
    const names = unshared.join(', ');
    logger.warn(`keys of ${names} are set and not shared: see COLOPHON_SHARED_PROVIDER_KEYS`);
  }
  const falWebhookAddresses = new WebhookAddress(stepWebhookKey, 'fal');
  const credentials = new ProviderCredentialRepository(providerKeyEncryptionKey, clock);
  const providers = new Providers({
    fixed: [studioProvider, ...(await unkeyedProviders(ownServers, outbound, ownServerJobKey))],
    keyed: keyedProviders(configuration, outbound, falWebhookAddresses, ownServers),
    sharedKeys: sharedKeys(configuration),
    credentials,
  });
  const runs = new RunRepository(clock);
  const webhookJobs = new WebhookJobs(boss, logger);
  const jobDeliveries = new JobDeliveries(webhookJobs, clock);
  const runEvents = new RunEvents(clock, (tx, runId, event) => jobDeliveries.note(tx, runId, event));
  const budgets = new BudgetRepository();
  const money = new Money(appendEntry, budgets, clock);
  const { stepLeaseSeconds } = configuration;
  const wakeUps = new StepJobQueue(boss, stepLeaseSeconds, () => stepWorker.nudge());
  const { unknownPriceCeilingMicroUsd: ceiling } = configuration;
  const ownPrices = new OwnPrices(offerings, priceBook, appendEntry, clock, ceiling);
  const qualityScores = new QualityScores();
  const ownQuality = new OwnQualityOfModels(assets, appendEntry, clock);
  const rankModels = new RankModels(ownPrices, providers, decideClearance, ownQuality, qualityScores, clock);
  const routeChoices = new RouteChoices(rankModels, appendEntry, clock);
  const baselines = new Baselines(vault, appendEntry, clock);
  const outputFacts = new ReadOutputFacts(assets);
  const endStep = new EndStep(runs, money, runEvents, wakeUps, appendEntry, ownPrices, outputFacts, clock);
  const stepInputs = new StepInputs(runs, assets, vault);
  const captureOutput = new CaptureOutput(store, outputDownloader(configuration, outbound), storedMedia);
  const stepFacts = new LoadStepFacts(runs, stepInputs, manifestSettings, namedActors, pictureHistory, vault);
  const completeStep = new CompleteStep(
    organizationTx,
    store,
    storedMedia,
    signalReader,
    signAsset,
    recordAsset,
    stepFacts,
    endStep,
    offerings,
    recordMask,
    clock,
  );
  const tryAgain = new TryAgain(runs, runEvents, wakeUps, appendEntry, clock);
  const failStep = new FailStep(organizationTx, endStep, tryAgain);
  const captureStep = new CaptureStep(organizationTx, runs, captureOutput, failStep, runEvents);
  const submitStep = new SubmitStep(
    organizationTx,
    runs,
    providers,
    requireCleared,
    new BuildStepRequest(organizationTx, stepInputs, store),
    new CheckReservation(ownPrices),
    captureStep,
    endStep,
    failStep,
    runEvents,
    appendEntry,
  );
  const reconcileStep = new ReconcileStep(runs, endStep, runEvents, appendEntry, wakeUps);
  const advanceStep = new AdvanceStep(
    organizationTx,
    runs,
    submitStep,
    new PollStep(organizationTx, providers, captureStep, failStep, STEP_TIMES),
    new LookForLostJob(organizationTx, providers, reconcileStep, STEP_TIMES),
    completeStep,
    failStep,
    new ExpireStep(failStep, clock),
    wakeUps,
    {
      ...STEP_TIMES,
      leaseSeconds: stepLeaseSeconds,
      held: (stepRunId, err) => {
        logger.error({ err, stepRunId }, 'an output is held until it can be signed; it will be tried again');
      },
    },
    clock,
  );
  const stepWorker: StepWorker = new StepWorker(boss, advanceStep, configuration.stepConcurrency, logger);
  const { baseUrl } = configuration.fal;
  const webhookVerifier = new FalWebhookVerifier(
    { outbound, ...(baseUrl ? { baseUrlOverride: baseUrl } : {}) },
    clock,
  );
  const acceptRun = new AcceptRun(runs, money, vault, appendEntry, runEvents, endStep, clock);
  const startRun = new StartRun(
    organizationTx,
    assets,
    new FindPipeline(),
    decideClearance,
    requireCleared,
    requirePublishing,
    providers,
    ownPrices,
    routeChoices,
    acceptRun,
    clock,
  );
  return {
    runs,
    offerings,
    runEvents,
    webhookJobs,
    jobDeliveries,
    studioProvider,
    stepWorker,
    advanceStep,
    reconcileStep,
    startRun,
    resumeRun: new ResumeRun(organizationTx, runs, stepInputs, startRun),
    answerStep: new AnswerStep(runs, assets, endStep, requirePublishing, recordSelection, appendEntry, clock),
    money,
    listOpenMoney: new ListOpenMoney(organizationTx, providers, clock),
    manageBudgets: new ManageBudgets(budgets, appendEntry, clock),
    ownPrices,
    qualityScores,
    ownQuality,
    rankModels,
    routeChoices,
    repriceMonth: new RepriceMonth(runs, stepInputs, ownPrices),
    baselines,
    recordOutcomes: new RecordOutcomes(organizationTx, assets, appendEntry, clock),
    returnOfUseCase: new ReturnOfUseCase(baselines, clock),
    providerCredentials: new ProviderCredentials(credentials, appendEntry),
    cancelRun: new CancelRun(runs, endStep, appendEntry),
    resumeWaivedRun: new ResumeWaivedRun(runs, requireLiveKey, endStep, runEvents),
    createPipeline: new CreatePipeline(appendEntry, clock),
    receiveReplicateWebhook: new ReceiveReplicateWebhook(
      new FetchingDeliveryVerifier(
        new ReplicateWebhookSecrets({ outbound, ...baseUrlOf(configuration.replicate) }, clock),
      ),
      dataSource,
      organizationTx,
      runs,
      providers,
      reconcileStep,
    ),
    falWebhookAddresses,
    receiveFalWebhook: new ReceiveFalWebhook(
      webhookVerifier,
      falWebhookAddresses,
      dataSource,
      organizationTx,
      runs,
      reconcileStep,
    ),
  };
}
