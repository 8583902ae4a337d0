import fc from 'fast-check';
import { type Listing, type LineageRole, listingSchema } from '../domain/listing.js';
import { type RunFacts, runFactsSchema } from '../domain/run-facts.js';
import {
  FIELDS_OF_USE,
  PURPOSES,
  type Term,
  termSchema,
  type Verification,
  VERIFICATIONS,
} from '../domain/terms.js';
import { THREE_VALUES } from '../domain/three-valued.js';
import { SMALL, variant } from './case.js';

// Listings as an organization may record them: a permissive license, and a few terms more that somebody may have read.

const original = variant('flux-1-schnell', 'own', {});
const SOURCES = ['license', 'channel'] as const;
const known = {
  source: fc.constantFrom(...SOURCES),
  clause: fc.constant(null),
  paraphrase: fc.constant('As read.'),
  verified: fc.constantFrom(...VERIFICATIONS),
};
const value = fc.constantFrom(...THREE_VALUES);
export const PLANS = ['free', 'starter', 'Pro'] as const;
const plans = fc.uniqueArray(fc.constantFrom(...PLANS), { minLength: 1 });
const permission = (kind: Term['kind']) => fc.record({ ...known, kind: fc.constant(kind), value });

/** A term without its id. */
export interface StatedTerm {
  readonly source: string;
  readonly verified: Verification;
  readonly kind: string;
}
export const statedTerm: fc.Arbitrary<StatedTerm> = fc.oneof(
  permission('commercial-use-of-weights'),
  permission('commercial-use-of-outputs'),
  permission('evaluation-use'),
  permission('hosting-for-others'),
  fc.record({
    ...known,
    kind: fc.constant('field-of-use'),
    value,
    fields: fc.uniqueArray(fc.constantFrom(...FIELDS_OF_USE), { minLength: 1, maxLength: 3 }),
    plans: fc.option(plans),
  }),
  fc.record(
    {
      ...known,
      kind: fc.constant('attribution-required'),
      when: fc.constantFrom('always', 'on-display-or-product'),
      text: fc.constant(null),
      plans,
    },
    { requiredKeys: ['source', 'clause', 'paraphrase', 'verified', 'kind', 'when', 'text'] },
  ),
  fc.record({
    ...known,
    kind: fc.constant('redistribution'),
    of: fc.constantFrom('weights', 'outputs'),
    value,
  }),
  fc.record({
    ...known,
    kind: fc.constant('territory-exclusion'),
    countries: fc.constantFrom(['US'], ['EU']),
    appliesTo: fc.constant('outputs'),
  }),
  fc.record({ ...known, kind: fc.constant('information') }),
);

const terms: fc.Arbitrary<Term[]> = fc
  .array(statedTerm, { maxLength: 3 })
  .map((stated) => stated.map((term, at) => termSchema.parse({ ...term, id: `more-${String(at)}` })));

const role: fc.Arbitrary<LineageRole> = fc.constantFrom('generator', 'encoder', 'library', 'upscaler');

/** Of `primary` sources, one of which is the license and one the terms of its channel. */
export const ownListing: fc.Arbitrary<Listing> = fc
  .record({ more: terms, role })
  .map(({ more, role: own }) => {
    const [source] = original.sources;
    return listingSchema.parse({
      ...original,
      roles: [own],
      terms: [...original.terms.map((term) => ({ ...term, source: 'license' })), ...more],
      trainingData: { disclosure: 'none', summary: 'Nothing.', source: 'license', verified: 'primary' },
      indemnity: { offered: 'no', conditions: [], voidedBy: [], source: 'license', verified: 'primary' },
      sources: SOURCES.map((id, at) => ({ ...source, id, textSha256: String(at).repeat(64) })),
    });
  });

/** Facts that mostly allow what the license does. */
export const openFacts: fc.Arbitrary<RunFacts> = fc
  .record({
    purpose: fc.constantFrom(...PURPOSES),
    fieldsOfUse: fc.oneof(
      fc.constant('unknown' as const),
      fc.uniqueArray(fc.constantFrom(...FIELDS_OF_USE), { minLength: 1, maxLength: 2 }),
    ),
    attributionPlanned: value,
    hosting: fc.constantFrom('own-use' as const, 'served-to-others' as const),
    furtherActs: fc.constantFrom([], ['distribute-weights' as const], ['redistribute-outputs' as const]),
    plan: fc.option(fc.constantFrom('free', 'starter', 'pro')),
  })
  .map(({ plan, ...stated }) =>
    runFactsSchema.parse({ ...SMALL, ...stated, agreements: plan === null ? [] : [agreed(plan)] }),
  );

/** A plan of the own listing, as it is stated. */
export function agreed(plan: string) {
  return { listingId: original.id, kind: 'plan' as const, plan, reference: 'P-1' };
}
