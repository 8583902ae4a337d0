import { type AssetStore } from '../assets/domain/asset-store.port.js';
import { AnnouncedFiles } from '../generation/gateway/application/announced-files.js';
import { AwaitRun } from '../generation/gateway/application/await-run.js';
import { CapabilityLinks } from '../generation/gateway/application/capability-links.js';
import { DeliverWebhook } from '../generation/gateway/application/deliver-webhook.js';
import { FileParts } from '../generation/gateway/application/file-parts.js';
import { FetchInputs } from '../generation/gateway/application/fetch-inputs.js';
import { GatewayJobs, type JobOptions } from '../generation/gateway/application/gateway-jobs.js';
import { GatewayModels } from '../generation/gateway/application/gateway-models.js';
import { GatewayRequests } from '../generation/gateway/application/gateway-requests.js';
import { GatewaySettingsOfUseCase } from '../generation/gateway/application/gateway-settings-of-use-case.js';
import { ListGatewayModels } from '../generation/gateway/application/list-gateway-models.js';
import { ReceiveFiles } from '../generation/gateway/application/receive-files.js';
import { TakeCall } from '../generation/gateway/application/take-call.js';
import { WebhookAddresses } from '../webhooks/application/webhook-address.js';
import { WebhookKeys } from '../generation/gateway/domain/webhook-signing.js';
import { FalResults } from '../generation/registry/fal-results.js';
import { CapabilityAddresses } from '../generation/gateway/http/capability-address.js';
import { FalJobs } from '../generation/gateway/http/fal/fal-jobs.js';
import { GatewayAnswers } from '../generation/gateway/http/gateway-answers.js';
import { HandOver } from '../generation/gateway/http/hand-over.js';
import { JobAnswers } from '../generation/gateway/http/job-answers.js';
import { Predictions } from '../generation/gateway/http/replicate/predictions.js';
import { FilesOfJobs } from '../generation/gateway/http/sent-files.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeGeneration, STEP_TIMES } from './generation.js';
import { type composeIdentity } from './identity.js';
import { type composeLicenses } from './licenses.js';
import { type composeLog } from './log.js';
import { type composeRecovery } from './recovery.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';
import { checkedHosts, type composeOfferings, deployedModelsOf } from './vendors.js';

/** For the files that one call names. A claim to a call ends after two minutes. */
const FETCH_DEADLINE_MS = 60_000;

/** The surfaces for the vendors' own SDKs, in front of ordinary runs. */
export function composeGateway(
  { configuration, logger }: ServicesOptions,
  { organizationTx, gatewayKeys }: Composed<typeof composeDatabase>,
  { appendEntry, vault }: Composed<typeof composeLog>,
  { authenticate }: Composed<typeof composeIdentity>,
  { intake, uploadAsset, readAsset, assets, store }: Composed<typeof composeAssets>,
  { decideClearance, waiversInForce }: Composed<typeof composeLicenses>,
  { offerings, ownServers }: Composed<typeof composeOfferings>,
  { startRun, runs, runEvents, cancelRun, webhookJobs }: Composed<typeof composeGeneration>,
  { publicAddress }: Composed<typeof composeRecovery>,
) {
  const settings = new GatewaySettingsOfUseCase(appendEntry, clock);
  const models = new GatewayModels(offerings);
  const requests = new GatewayRequests(organizationTx, gatewayKeys.requests);
  const receiveFiles = new ReceiveFiles(organizationTx, intake, uploadAsset);
  const fetchInputs = inputFetcher(configuration, store, intake.maxBytes);
  const takeCall = new TakeCall(
    organizationTx,
    settings,
    models,
    requests,
    receiveFiles,
    fetchInputs,
    startRun,
  );
  const awaitRun = new AwaitRun(organizationTx, runs, runEvents, { waitMs: configuration.gatewayWaitMs });
  const links = new CapabilityLinks(authenticate, gatewayKeys.links, clock);
  const addresses = new CapabilityAddresses(links, publicAddress);
  const handOver = new HandOver(requests, logger);
  const jobOptions = { ...findableFor(configuration), deployedModels: deployedModelsOf(ownServers) };
  const jobs = new GatewayJobs(
    organizationTx,
    runs,
    assets,
    vault,
    cancelRun,
    new FalResults(),
    clock,
    jobOptions,
  );
  const jobAnswers = new JobAnswers(takeCall, jobs, handOver);
  const announced = new AnnouncedFiles(organizationTx, assets, settings, receiveFiles, clock);
  const files = new FilesOfJobs(store, links, announced);
  const webhookKeys = new WebhookKeys(gatewayKeys.webhooks);
  // Not the hosts that the operator opened for models and stores: those are not for clients to send to.
  const outbound = { allowedPrivateHosts: checkedHosts(configuration.webhookAllowedHosts) };
  const webhooks = new WebhookAddresses(outbound);
  const waiting = { waitMs: configuration.gatewayWaitMs };
  return {
    announcedFiles: announced,
    fileParts: new FileParts(store, intake.maxBytes),
    webhookKeys,
    falJobs: new FalJobs(jobAnswers, jobs, models, files, webhooks, addresses, waiting),
    predictions: new Predictions(jobAnswers, jobs, models, files, webhooks, addresses),
    deliverWebhook: new DeliverWebhook(
      organizationTx,
      jobs,
      links,
      authenticate,
      webhookKeys,
      webhookJobs,
      outbound,
      clock,
    ),
    gatewaySettings: settings,
    gatewayModels: new ListGatewayModels(organizationTx, settings, models, decideClearance, waiversInForce),
    gatewayAnswers: new GatewayAnswers(takeCall, awaitRun, readAsset, handOver),
    capabilityLinks: links,
    capabilityAddresses: addresses,
  };
}

/** Not from the hosts that the operator opened for models, stores or webhooks: clients name what is fetched. */
function inputFetcher(
  { inputAllowedHosts }: ServicesOptions['configuration'],
  store: AssetStore,
  maxFileBytes: number,
): FetchInputs {
  const outbound = { allowedPrivateHosts: checkedHosts(inputAllowedHosts) };
  return new FetchInputs(store, outbound, { maxFileBytes, deadlineMs: FETCH_DEADLINE_MS });
}

/** Vendors name a lost job by the address of the webhook, which they are given only where there is a public one. */
function findableFor({ publicUrl }: ServicesOptions['configuration']): Pick<JobOptions, 'findableMs'> {
  return { findableMs: publicUrl === undefined ? 0 : STEP_TIMES.lookForSeconds * 1000 };
}
