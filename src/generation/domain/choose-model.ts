import { formatUsd, type MicroUsd } from '../../shared/money.js';

/** A way to do an operation, with everything that a rule looks at. */
export interface Candidate {
  readonly listingId: string;
  readonly endpoint: string;
  readonly provider: string;
  readonly decision: 'allow' | 'review' | 'deny';
  /** Whether it can be run here and now: a key is there. */
  readonly configured: boolean;
  /** `undefined`: not known, or only a ceiling. Never 0 for that. */
  readonly estimateMicroUsd: MicroUsd | undefined;
  /** By the one measure that the rule names. `undefined`: not known. */
  readonly quality: number | undefined;
  /** What the measure calls what it measured, e.g. a board's entry with its setting. */
  readonly qualityOf?: string | undefined;
}

export type Rule =
  | { readonly kind: 'cheapest_above_floor'; readonly floor: number }
  | { readonly kind: 'best_under_ceiling'; readonly ceilingMicroUsd: MicroUsd };

export interface Choice<C extends Candidate = Candidate> {
  /** The first is chosen, the others are its fallbacks in their order. */
  readonly ranked: readonly C[];
  readonly excluded: readonly { readonly candidate: C; readonly because: string }[];
  readonly because: string;
}

/**
 * Picks by the rule among candidates that are cleared without a waiver, can be run, and of which price and quality are
 * known. What is not known never wins. Equal ones come in a fixed order, so the same question has the same answer.
 */
export function chooseModel<C extends Candidate>(candidates: readonly C[], rule: Rule): Choice<C> {
  const judged = candidates.map((candidate) => ({ candidate, because: reasonAgainst(candidate, rule) }));
  const ranked = judged
    .flatMap(({ candidate, because }) => (because === undefined ? [candidate] : []))
    .sort((one, other) => compare(one, other, rule));
  const excluded = judged.flatMap(({ candidate, because }) =>
    because === undefined ? [] : [{ candidate, because }],
  );
  return { ranked, excluded, because: explain(ranked, rule) };
}

function reasonAgainst(candidate: Candidate, rule: Rule): string | undefined {
  const { decision, configured, estimateMicroUsd, quality } = candidate;
  if (decision === 'deny') return 'the licenses or policies forbid it for these facts';
  if (decision === 'review') return 'it waits for a waiver by a person with the role legal';
  if (!configured) return 'no key of its provider is configured';
  if (estimateMicroUsd === undefined) return 'its price is not known for these parameters';
  if (quality === undefined) return 'its quality is not known by the chosen measure';
  if (rule.kind === 'cheapest_above_floor' && quality < rule.floor)
    return `its quality is ${quality}, below the floor of ${rule.floor}`;
  if (rule.kind === 'best_under_ceiling' && estimateMicroUsd > rule.ceilingMicroUsd)
    return `it costs ${formatUsd(estimateMicroUsd)} USD, above the ceiling of ${formatUsd(rule.ceilingMicroUsd)} USD`;
  return undefined;
}

function compare(one: Candidate, other: Candidate, rule: Rule): number {
  const byPrice = Number((one.estimateMicroUsd ?? 0n) - (other.estimateMicroUsd ?? 0n));
  const byQuality = (other.quality ?? 0) - (one.quality ?? 0);
  const byName = `${one.listingId} ${one.endpoint}` < `${other.listingId} ${other.endpoint}` ? -1 : 1;
  const order = rule.kind === 'cheapest_above_floor' ? [byPrice, byQuality] : [byQuality, byPrice];
  return order.find((difference) => difference !== 0) ?? byName;
}

function explain(ranked: readonly Candidate[], rule: Rule): string {
  const [first] = ranked;
  if (first === undefined) return 'No candidate meets the rule: see why each is excluded.';
  const price = `${formatUsd(first.estimateMicroUsd ?? 0n)} USD`;
  const quality =
    first.qualityOf === undefined ? `${first.quality}` : `${first.quality} for "${first.qualityOf}"`;
  const among = `among ${ranked.length} that are cleared, configured and known in price and quality`;
  return rule.kind === 'cheapest_above_floor'
    ? `${first.listingId} is the cheapest (${price}) with a quality of at least ${rule.floor} (${quality}), ${among}.`
    : `${first.listingId} is the best (${quality}) at no more than ${formatUsd(rule.ceilingMicroUsd)} USD (${price}), ${among}.`;
}
