import { z } from 'zod';
import { id, identifier, listingId, microUsd, mode, name, sha256Hex, token } from '../entry-fields.js';

/** 500 ids of 36 characters leave an entry below its 65,535 bytes. */
export const MAX_SHOWN_IN_ENTRY = 500;

/** A step as it was accepted; the fallbacks are cleared with it, and used in this order. */
const acceptedStep = z.strictObject({
  stepRunId: id,
  key: token,
  provider: token,
  listingId,
  fallbacks: z.array(listingId).min(1).max(4).optional(),
});

/** Pipelines, runs and their steps. */
export const RUN_ENTRIES = {
  'pipeline.created': z.strictObject({
    name,
    version: z.int().positive(),
    definitionSha256: sha256Hex,
  }),
  'run.accepted': z.strictObject({
    pipeline: name,
    pipelineVersion: z.int().positive(),
    mode,
    projectId: id,
    useCase: name,
    clearanceId: id,
    steps: z.array(acceptedStep).min(1).max(128),
    /** Where these are not all: how many there are. The others are in `run.steps_accepted`. */
    stepsTotal: z.int().positive().optional(),
    /** The failed run that this one goes on with. */
    resumes: id.optional(),
    reservedMicroUsd: microUsd,
    /** The recorded choice of a model that the run follows. */
    routeId: id.optional(),
    /** Steps whose price nobody knows: a ceiling is reserved for each. */
    ceilingSteps: z.array(token).max(128).optional(),
  }),
  /** Further steps of a run, written together with `run.accepted`, which is the first part. */
  'run.steps_accepted': z.strictObject({
    part: z.int().min(2),
    parts: z.int().min(2),
    steps: z.array(acceptedStep).min(1).max(128),
  }),
  /** Intent: committed before the provider is called. */
  'step.submitted': z.strictObject({
    runId: id,
    stepKey: token,
    provider: token,
    listingId,
    requestSha256: sha256Hex,
    upstreamId: identifier.optional(),
  }),
  /** A crash or a lost answer: the provider may or may not have worked. Never submitted again by itself. */
  'step.outcome_unknown': z.strictObject({ runId: id, stepKey: token, provider: token }),
  /**
   * A request failed for certain and at no cost, and the step is tried again: the same model later, or the next one that
   * its definition names. `attempt` counts the requests to this model.
   */
  'step.attempt_failed': z.strictObject({
    runId: id,
    stepKey: token,
    provider: token,
    listingId,
    code: token,
    attempt: z.int().positive(),
    notAccepted: z.enum(['not_sent', 'rate_limited', 'unavailable']).optional(),
    next: z.enum(['retry', 'fallback']),
    nextProvider: token.optional(),
    nextListingId: listingId.optional(),
  }),
  /** Not done: its condition does not hold, or what it works on is not there. `passedAssetId`: it hands this on. */
  'step.skipped': z.strictObject({
    runId: id,
    stepKey: token,
    reason: z.enum(['condition', 'input_missing']),
    passedAssetId: id.optional(),
  }),
  /** A person answered a step that waited for one. `assetId`: what it hands on; absent where the answer was no. */
  'step.answered': z.strictObject({
    runId: id,
    stepKey: token,
    outcome: z.enum(['edited', 'approved', 'rejected', 'chosen']),
    shown: z.array(id).min(1).max(MAX_SHOWN_IN_ENTRY),
    assetId: id.optional(),
  }),
  'step.reconciled': z.strictObject({
    runId: id,
    stepKey: token,
    outcome: token,
    /** What the vendor charged by the word of the actor; only with the outcome `charged`. */
    costMicroUsd: microUsd.optional(),
  }),
  'step.failed': z.strictObject({ runId: id, stepKey: token, provider: token, code: token }),
  'step.settled': z.strictObject({
    runId: id,
    stepKey: token,
    costMicroUsd: microUsd,
    basis: token,
    /** Only where the cost is higher than that. */
    reservedMicroUsd: microUsd.optional(),
  }),
  /** Somebody wants nothing more to be sent to a provider. `state` is the state of the run at that moment. */
  'run.cancel_requested': z.strictObject({ state: token }),
  'run.finished': z.strictObject({ state: token }),
};
