import { type OwnQuality } from '../application/own-quality.js';
import { type RankedModel } from '../application/rank-models.js';
import { type Proportion } from '../domain/statistics.js';

/** `null`: nobody has judged. */
export function proportionView(proportion: Proportion | undefined) {
  if (proportion === undefined) return null;
  const { successes, trials, share, interval } = proportion;
  return { successes, trials, share, low95: interval.low, high95: interval.high };
}

export function ownQualityView({ listingId, accepted, preferred }: OwnQuality) {
  return { model: listingId, accepted: proportionView(accepted), preferred: proportionView(preferred) };
}

export function rankedView(model: RankedModel) {
  const { price, score, own } = model;
  return {
    model: model.listingId,
    provider: model.provider,
    endpoint: model.endpoint,
    configured: model.configured,
    price: {
      estimateMicroUsd: model.estimateMicroUsd?.toString() ?? null,
      unknownBecause: model.priceUnknownBecause ?? null,
      source: price?.source ?? null,
      dateRead: price?.dateRead ?? null,
      verified: price?.verified ?? null,
    },
    quality: model.quality ?? null,
    boardScore: score ?? null,
    ownVotes: own === undefined ? null : ownQualityView(own),
    clearance: { decision: model.decision, findings: model.findings },
  };
}
