import { describe, expect, it } from '@jest/globals';
import { departures, type RoutedStep, type RouteTerms, settingsIn } from './route-terms.js';

const FACTS = { purpose: 'commercial', audienceCountries: ['US', 'CA'], monthlyVisits: 'unknown' };
const TERMS: RouteTerms = {
  operation: 'generate',
  rule: { kind: 'best_under_ceiling', ceilingMicroUsd: '10000' },
  chosen: { model: 'a@fal', estimateMicroUsd: '9000' },
  fallbacks: [{ model: 'b@fal', estimateMicroUsd: '4000' }],
  parameters: { quality: 'low' },
  inputPictures: 0,
  facts: FACTS,
};
const STEP: RoutedStep = {
  key: 'generate',
  operation: 'generate',
  listingId: 'a@fal',
  parameters: { prompt: 'a bottle', quality: 'low' },
  images: {},
  reservedMicroUsd: 9_000n,
  plan: {},
};

describe('a run that names the choice of a model', () => {
  it('keeps to it with the same facts and settings, at no more than the ceiling', () => {
    const facts = { ...FACTS, audienceCountries: ['CA', 'US'], generatedOn: '2026-11-30', agreements: [] };
    expect(departures(TERMS, facts, [STEP, { ...STEP, listingId: 'b@fal' }])).toEqual([]);
  });

  it('departs from it in facts, settings, pictures and price', () => {
    const facts = { ...FACTS, audienceCountries: ['CN'], showsPeople: 'yes' };
    const step = {
      ...STEP,
      parameters: { quality: 'high' },
      images: { image: {} },
      reservedMicroUsd: 211_090n,
    };
    expect(departures(TERMS, facts, [step])).toEqual([
      'The model was chosen for other facts: audienceCountries, showsPeople.',
      'generate: the model was chosen for quality low, and the step has high.',
      'generate: the model was chosen for 0 input pictures, and the step has 1.',
      'generate: 0.211090 USD would be reserved for the step; its ceiling is 0.010000 USD.',
    ]);
  });

  it('departs from it where a setting is missing, and says no text of the step', () => {
    expect(departures(TERMS, FACTS, [{ ...STEP, parameters: {} }])).toHaveLength(1);
    const [said] = departures(TERMS, FACTS, [{ ...STEP, parameters: { quality: 'a secret of Ada' } }]);
    expect(said).not.toContain('Ada');
  });

  it('costs no more than the estimate by which it was the cheapest', () => {
    const floor: RouteTerms = { ...TERMS, rule: { kind: 'cheapest_above_floor', floor: 1 } };
    expect(departures(floor, FACTS, [STEP])).toEqual([]);
    const cheap = { ...STEP, listingId: 'b@fal', reservedMicroUsd: 4_001n };
    expect(departures(floor, FACTS, [cheap])).toHaveLength(1);
    const both = { ...cheap, plan: { alternatives: [{ listingId: 'b@fal' }, { listingId: 'a@fal' }] } };
    expect(departures(floor, FACTS, [both])).toEqual([]);
  });

  it('is not bound in steps of other operations and other models', () => {
    const dear = { ...STEP, reservedMicroUsd: 1_000_000n };
    expect(departures(TERMS, FACTS, [{ ...dear, operation: 'upscale' }])).toEqual([]);
    expect(departures(TERMS, FACTS, [{ ...dear, listingId: 'c@fal' }])).toEqual([]);
  });

  it('is bound to the ceiling alone by a choice that kept no more', () => {
    const old = { ...TERMS, parameters: undefined, facts: undefined, inputPictures: undefined };
    expect(departures(old, { purpose: 'other' }, [{ ...STEP, parameters: {} }])).toEqual([]);
    expect(departures(old, FACTS, [{ ...STEP, reservedMicroUsd: 10_001n }])).toHaveLength(1);
  });
});

describe('what a choice keeps of the parameters', () => {
  it('is settings, and nothing that may be a prompt', () => {
    expect(
      settingsIn({
        quality: 'low',
        size: '1024x1024',
        width: 512,
        hd: true,
        prompt: 'bottle',
        style: 'as Ada',
      }),
    ).toEqual({ quality: 'low', size: '1024x1024', width: 512, hd: true });
  });
});
