import { z } from 'zod';
import { id, identifier, listingId, microUsd, sha256Hex, token } from '../entry-fields.js';

const budgetOf = { level: token, targetId: id.optional(), period: token };

const budgetCounters = { reservedMicroUsd: microUsd, spentMicroUsd: microUsd };

/** Budgets, prices, the choice between models, and what came of it. */
export const MONEY_ENTRIES = {
  /** What the organization may spend in all. */
  'budget.set': z.strictObject({
    limitMicroUsd: microUsd,
    softLimitMicroUsd: microUsd.optional(),
    /** The limit is below what is reserved and spent, and the actor said that this is meant. */
    belowCommitted: z.literal(true).optional(),
  }),
  /** A budget below the organization's, or by month, was made or changed. The counters are those of that moment. */
  'budget.defined': z.strictObject({
    ...budgetOf,
    hardLimitMicroUsd: microUsd.optional(),
    softLimitMicroUsd: microUsd.optional(),
    belowCommitted: z.literal(true).optional(),
    ...budgetCounters,
  }),
  'budget.removed': z.strictObject({ ...budgetOf, ...budgetCounters }),
  /** A reservation went beyond a soft limit: written when it is crossed, not again while it is exceeded. */
  'budget.soft_limit_crossed': z.strictObject({
    ...budgetOf,
    month: token.optional(),
    softLimitMicroUsd: microUsd,
    committedMicroUsd: microUsd,
  }),
  /**
   * The organization's own price of an endpoint, from a day on. `sha256` is over the canonical JSON of the price; without
   * one the organization's price is withdrawn, and the price book counts again.
   */
  'price.recorded': z.strictObject({
    provider: token,
    endpoint: identifier,
    validFrom: token,
    sha256: sha256Hex.optional(),
  }),

  /** A model was chosen by a stated rule. `sha256` is over the canonical JSON of the choice with all its reasons. */
  'route.chosen': z.strictObject({
    routeId: id,
    operation: token,
    rule: token,
    /** Absent where none met the rule. */
    listingId: listingId.optional(),
    fallbacks: z.array(listingId).max(20),
    sha256: sha256Hex,
  }),
  /** A person judged an asset: of the model that made it, in the use case for which it was made. */
  'vote.recorded': z.strictObject({
    vote: token,
    useCaseId: id,
    listingId,
    overAssetId: id.optional(),
    overListingId: listingId.optional(),
  }),
  /** What a piece cost and how long it took in the old way, by the word of the actor; what is absent is not known. */
  'baseline.declared': z.strictObject({
    baselineId: id,
    costMicroUsd: microUsd.optional(),
    seconds: z.int().nonnegative().optional(),
    investmentMicroUsd: microUsd.optional(),
  }),
  /** What became of variants. `sha256` is over the received file, or over the rows as JSON. */
  'outcomes.recorded': z.strictObject({
    importId: id,
    source: token,
    sha256: sha256Hex,
    added: z.int().nonnegative(),
    corrected: z.int().nonnegative(),
    unchanged: z.int().nonnegative(),
    refused: z.int().nonnegative(),
  }),
};
