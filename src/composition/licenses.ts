import { pipelineLineage } from '../generation/application/pipeline-lineage.js';
import { AssetRepository } from '../assets/adapters/asset.repository.js';
import { originOfAsset } from '../generation/application/lineage-behind.js';
import {
  isWorkLive,
  isWorkThere,
  isWorkUnfinished,
  workBehindClearances,
} from '../generation/application/work-behind-clearances.js';
import { CedarReader } from '../licenses/adapters/cedar-reader.js';
import { ApproveWaiver } from '../licenses/application/approve-waiver.js';
import { CompleteLineage } from '../licenses/application/complete-lineage.js';
import { CedarPolicyEngine } from '../licenses/adapters/cedar-policy-engine.js';
import { AskPolicies } from '../licenses/application/ask-policies.js';
import { CheckPolicy } from '../licenses/application/check-policy.js';
import { ClearanceStanding } from '../licenses/application/clearance-standing.js';
import { DecideAgain } from '../licenses/application/decide-again.js';
import { DecideClearance } from '../licenses/application/decide-clearance.js';
import { DecideMatrix } from '../licenses/application/decide-matrix.js';
import { EffectiveRegistry } from '../licenses/application/effective-registry.js';
import { ImportModels } from '../licenses/application/import-models.js';
import { ListWaivers } from '../licenses/application/list-waivers.js';
import { PipelineLineage } from '../licenses/application/pipeline-lineage.js';
import { PoliciesInForce } from '../licenses/application/policies-in-force.js';
import { RecordBasis } from '../licenses/application/record-basis.js';
import { RecordCuration } from '../licenses/application/record-curation.js';
import { RecordLicenseText } from '../licenses/application/record-license-text.js';
import { RecordListings } from '../licenses/application/record-listings.js';
import { RecordObligations } from '../licenses/application/record-obligations.js';
import { RegistryHistory } from '../licenses/application/registry-changes.js';
import { ReopenedClearances } from '../licenses/application/reopened-clearances.js';
import { RequireCleared } from '../licenses/application/require-cleared.js';
import { RequireLiveKey } from '../licenses/application/require-live-key.js';
import { RequireReleasable } from '../licenses/application/require-releasable.js';
import { SetPolicy } from '../licenses/application/set-policy.js';
import { WaiversInForce } from '../licenses/application/waivers-in-force.js';
import { WorkBehindClearances } from '../licenses/application/work-behind-clearances.js';
import { refuseCorrection } from '../licenses/http/refuse-correction.js';
import { markingDuties } from '../licenses/registry/marking-duties.js';
import { SEED_READ_ON, seedListings } from '../licenses/registry/seed.js';
import { type composeLog } from './log.js';
import { type Composed, clock, type ServicesOptions } from './services-options.js';
import { type composeOfferings } from './vendors.js';

/** Of one organization, in the queue. */
const MAX_NEW_TEXTS = 4;
/** Each stored text is read once by a process, so these are all different. */
const MAX_STORED_TEXTS = 1_000;
/** It was read once, so it can be read: a busy machine must not turn it into a denial. */
const STORED_TEXT_MS = 120_000;

export function composeLicenses(
  { logger }: ServicesOptions,
  { appendEntry }: Composed<typeof composeLog>,
  { offerings }: Composed<typeof composeOfferings>,
) {
  const seed = seedListings();
  const registry = new EffectiveRegistry(seed);
  const policyEngine = new CedarPolicyEngine((error) =>
    logger.error({ err: error }, 'the policy engine failed'),
  );
  const newPolicies = new CedarReader(MAX_NEW_TEXTS);
  // Of their own, so that no text that somebody tries out keeps a decision waiting.
  const storedPolicies = new CedarReader(MAX_STORED_TEXTS, STORED_TEXT_MS);
  const askPolicies = new AskPolicies(
    new PoliciesInForce(policyEngine, storedPolicies, (tx) => registry.policiesMark(tx)),
  );
  const waiversInForce = new WaiversInForce(clock);
  const work = new WorkBehindClearances(workBehindClearances, isWorkUnfinished, isWorkLive, isWorkThere);
  const standing = new ClearanceStanding(registry, askPolicies, waiversInForce, work, clock);
  const recordBasis = new RecordBasis(seed, SEED_READ_ON, clock);
  const decideClearance = new DecideClearance(registry, recordBasis, askPolicies, appendEntry, clock);
  const requireLiveKey = new RequireLiveKey(work);
  const recordListings = new RecordListings(registry, appendEntry, clock);
  const assets = new AssetRepository();
  return {
    registry,
    standing,
    waiversInForce,
    completeLineage: new CompleteLineage({ of: (tx, id) => originOfAsset(tx, assets, id) }),
    decideClearance,
    decideMatrix: new DecideMatrix(registry, recordBasis, askPolicies, appendEntry, clock),
    pipelineLineage: new PipelineLineage((tx, choice) => pipelineLineage(offerings, tx, choice)),
    decideAgain: new DecideAgain(decideClearance, standing, work, requireLiveKey, clock),
    listWaivers: new ListWaivers(registry, clock),
    approveWaiver: new ApproveWaiver(registry, standing, work, appendEntry, clock),
    requireLiveKey,
    requireCleared: new RequireCleared(standing),
    askPolicies,
    setPolicy: new SetPolicy(newPolicies, askPolicies.inForce, appendEntry, clock),
    checkPolicy: new CheckPolicy(registry, askPolicies, newPolicies),
    requireReleasable: new RequireReleasable(registry, askPolicies, clock),
    recordListings,
    recordObligations: new RecordObligations(markingDuties(), {
      of: async (tx, decisions) => waiversInForce.coversOf(tx, decisions, await registry.now(tx)),
    }),
    importModels: new ImportModels(recordListings, clock),
    recordLicenseText: new RecordLicenseText(registry, appendEntry, clock),
    recordCuration: new RecordCuration(registry, appendEntry, clock, refuseCorrection),
    registryHistory: new RegistryHistory(seed),
    reopenedClearances: new ReopenedClearances(registry, askPolicies, work),
  };
}
