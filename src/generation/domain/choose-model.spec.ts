import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Candidate, chooseModel, type Rule } from './choose-model.js';

const candidate = fc.record<Candidate>({
  listingId: fc.integer({ min: 0, max: 30 }).map((n) => `model-${n}@fal`),
  endpoint: fc.constantFrom('a', 'b'),
  provider: fc.constant('fal'),
  decision: fc.constantFrom('allow', 'review', 'deny'),
  configured: fc.boolean(),
  estimateMicroUsd: fc.option(fc.bigInt(1n, 50n), { nil: undefined }),
  quality: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
});
const rule = fc.oneof(
  fc.record({ kind: fc.constant('cheapest_above_floor' as const), floor: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ kind: fc.constant('best_under_ceiling' as const), ceilingMicroUsd: fc.bigInt(0n, 50n) }),
);

function meets(one: Candidate, { ...asked }: Rule): boolean {
  if (one.decision !== 'allow' || !one.configured) return false;
  if (one.estimateMicroUsd === undefined || one.quality === undefined) return false;
  return asked.kind === 'cheapest_above_floor'
    ? one.quality >= asked.floor
    : one.estimateMicroUsd <= asked.ceilingMicroUsd;
}

describe('the choice of a model', () => {
  it('and every fallback are cleared, known, configured and within the rule; everything else has its reason', () => {
    fc.assert(
      fc.property(fc.array(candidate), rule, (all, asked) => {
        const { ranked, excluded } = chooseModel(all, asked);
        expect(ranked.every((one) => meets(one, asked))).toBe(true);
        expect(excluded.some((one) => meets(one.candidate, asked))).toBe(false);
        expect(ranked.length + excluded.length).toBe(all.length);
        expect(excluded.every(({ because }) => because.length > 0)).toBe(true);
      }),
    );
  });

  it('is the cheapest, or the best, of all that meet the rule', () => {
    fc.assert(
      fc.property(fc.array(candidate), rule, (all, asked) => {
        const [first, ...others] = chooseModel(all, asked).ranked;
        for (const other of others) {
          if (asked.kind === 'cheapest_above_floor')
            expect((first?.estimateMicroUsd ?? 0n) <= (other.estimateMicroUsd ?? 0n)).toBe(true);
          else expect((first?.quality ?? 0) >= (other.quality ?? 0)).toBe(true);
        }
      }),
    );
  });

  it('does not depend on the order of the candidates', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(candidate, { selector: (one) => `${one.listingId} ${one.endpoint}` }),
        rule,
        (all, asked) => {
          expect(chooseModel([...all].reverse(), asked).ranked).toEqual(chooseModel(all, asked).ranked);
        },
      ),
    );
  });

  it('says why', () => {
    const known = { endpoint: 'e', provider: 'fal', decision: 'allow', configured: true } as const;
    const cheap = { ...known, listingId: 'cheap@fal', estimateMicroUsd: 3_000n, quality: 1100 };
    const good = { ...known, listingId: 'good@fal', estimateMicroUsd: 40_000n, quality: 1240 };
    const unknown = { ...known, listingId: 'unknown@fal', estimateMicroUsd: undefined, quality: 1500 };
    const choice = chooseModel([cheap, good, unknown], { kind: 'cheapest_above_floor', floor: 1200 });
    expect(choice.because).toContain('good@fal is the cheapest (0.040000 USD)');
    expect(choice.excluded.map(({ candidate: { listingId }, because }) => [listingId, because])).toEqual([
      ['cheap@fal', 'its quality is 1100, below the floor of 1200'],
      ['unknown@fal', 'its price is not known for these parameters'],
    ]);
  });
});
