import { AwaitRun } from '../generation/gateway/application/await-run.js';
import { CapabilityLinks } from '../generation/gateway/application/capability-links.js';
import { GatewayModels } from '../generation/gateway/application/gateway-models.js';
import { GatewayRequests } from '../generation/gateway/application/gateway-requests.js';
import { GatewaySettingsOfUseCase } from '../generation/gateway/application/gateway-settings-of-use-case.js';
import { ListGatewayModels } from '../generation/gateway/application/list-gateway-models.js';
import { ReceivePictures } from '../generation/gateway/application/receive-pictures.js';
import { TakeCall } from '../generation/gateway/application/take-call.js';
import { CapabilityAddresses } from '../generation/gateway/http/capability-address.js';
import { GatewayAnswers } from '../generation/gateway/http/gateway-answers.js';
import { type composeAssets } from './assets.js';
import { type composeDatabase } from './database.js';
import { type composeGeneration } from './generation.js';
import { type composeIdentity } from './identity.js';
import { type composeLicenses } from './licenses.js';
import { type composeLog } from './log.js';
import { type composeRecovery } from './recovery.js';
import { type ServicesOptions, type Composed, clock } from './services-options.js';
import { type composeOfferings } from './vendors.js';

/** The surfaces for the vendors' own SDKs, in front of ordinary runs. */
export function composeGateway(
  { configuration, logger }: ServicesOptions,
  { organizationTx, gatewayKeys }: Composed<typeof composeDatabase>,
  { appendEntry }: Composed<typeof composeLog>,
  { authenticate }: Composed<typeof composeIdentity>,
  { intake, uploadAsset, readAsset }: Composed<typeof composeAssets>,
  { decideClearance, standing }: Composed<typeof composeLicenses>,
  { offerings }: Composed<typeof composeOfferings>,
  { startRun, runs }: Composed<typeof composeGeneration>,
  { publicAddress }: Composed<typeof composeRecovery>,
) {
  const settings = new GatewaySettingsOfUseCase(appendEntry, clock);
  const models = new GatewayModels(offerings);
  const requests = new GatewayRequests(organizationTx, gatewayKeys.requests);
  const receivePictures = new ReceivePictures(organizationTx, intake, uploadAsset);
  const takeCall = new TakeCall(organizationTx, settings, models, requests, receivePictures, startRun);
  const awaitRun = new AwaitRun(organizationTx, runs, { waitMs: configuration.gatewayWaitMs });
  const links = new CapabilityLinks(authenticate, gatewayKeys.links, clock);
  return {
    gatewaySettings: settings,
    gatewayModels: new ListGatewayModels(organizationTx, settings, models, decideClearance, standing),
    gatewayAnswers: new GatewayAnswers(takeCall, awaitRun, readAsset, requests, logger),
    capabilityLinks: links,
    capabilityAddresses: new CapabilityAddresses(links, publicAddress),
  };
}
