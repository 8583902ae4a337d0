import { type DescribedIngredient, type PlannedAssertion } from './manifest-plan.js';

/** A model as this program cleared and asked for it. What a vendor then ran is the vendor's word. */
export interface RequestedModel {
  readonly listingId: string;
  /** SHA-256 of the listing as it was cleared; `undefined` when the registry had none. */
  readonly listingSha256: string | undefined;
  readonly name: string;
  /** SHA-256 of the weights, commit, or name; the most exact one that is known. */
  readonly revision: string | undefined;
  readonly channel: string;
  /** The provider's own name for it. */
  readonly endpoint: string | undefined;
  /** What it does in the step: `generator`, `lora`, `encoder`. */
  readonly role: string;
}

/** C2PA 2.4 section 18.28: the closed list has no value for "run by somebody else, form unknown" but the general one. */
const MODEL_TYPE = 'c2pa.types.model';

/** Package URL of type `generic` (ECMA-427): qualifiers in the order of their names, each value percent-encoded. */
export function modelPackageUrl({ listingId, channel, endpoint, revision }: RequestedModel): string {
  const name = encodeURIComponent(listingId.split('@')[0] ?? listingId);
  const version = revision === undefined ? '' : `@${encodeURIComponent(revision)}`;
  const qualifiers = [`channel=${encodeURIComponent(channel)}`];
  if (endpoint !== undefined) qualifiers.push(`endpoint=${encodeURIComponent(endpoint)}`);
  return `pkg:generic/${name}${version}?${qualifiers.join('&')}`;
}

/**
 * `c2pa.ai-disclosure`, one for a trained model. `prompt_guided` only where a prompt went in; never `human_validated`,
 * because a manifest is written before anybody reviews, and never `fully_autonomous`, because nobody knows that.
 */
export function aiDisclosure(model: RequestedModel, isPrompted: boolean): PlannedAssertion {
  return {
    label: 'c2pa.ai-disclosure',
    kind: 'created',
    data: {
      modelType: MODEL_TYPE,
      modelName: model.name,
      modelIdentifier: modelPackageUrl(model),
      ...(isPrompted && { contentProfile: { humanOversightLevel: 'prompt_guided' } }),
    },
  };
}

export function modelIngredient(model: RequestedModel): DescribedIngredient {
  const { listingId, listingSha256, revision, channel, endpoint, role } = model;
  return {
    title: model.name,
    relationship: 'inputTo',
    dataType: 'c2pa.types.model',
    description: `The ${role} that was cleared and asked for`,
    identifiers: {
      listing: listingId,
      ...(listingSha256 !== undefined && { listingSha256 }),
      ...(revision !== undefined && { revision }),
      channel,
      ...(endpoint !== undefined && { endpoint }),
      role,
      packageUrl: modelPackageUrl(model),
    },
  };
}

/** Fixes a prompt without showing it. */
export interface PromptCommitment {
  /** Commitment and entry of the log, whose opening shows that it is this prompt; `undefined` for a prompt of the pipeline. */
  readonly inLog: { readonly commitment: string; readonly entryId: string } | undefined;
  /** The salted hash of the whole request, as in `step.submitted`. */
  readonly requestSha256: string | undefined;
}

export function promptIngredient({ inLog, requestSha256 }: PromptCommitment): DescribedIngredient {
  return {
    title: 'Prompt',
    relationship: 'inputTo',
    dataType: 'c2pa.types.generator.prompt',
    description: 'The prompt is not shown; the log holds a commitment to it',
    identifiers: {
      ...(inLog && {
        commitment: inLog.commitment,
        commitmentScheme: 'base64url(SHA-256(32-byte salt || UTF-8 prompt))',
        commitmentEntry: inLog.entryId,
      }),
      ...(requestSha256 !== undefined && { requestSha256 }),
    },
  };
}
