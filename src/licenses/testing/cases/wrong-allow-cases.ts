import { type LineageRole, type Listing, listingSchema } from '../../domain/listing.js';
import { withoutUnprovenFacts } from '../../domain/unproven-facts.js';
import { type Case, onPlan, variant } from '../case.js';

/** What rules before 2.5.0 allowed although a text, or something that nobody knows, stands against it. */
const MODEL = 'flux-1-schnell';

/** A permissive license with more terms, from the same source. */
function withTerms(name: string, ...terms: readonly Record<string, unknown>[]): Listing {
  const listing = variant(MODEL, name, {});
  const known = { source: listing.sources[0]?.id, clause: '3', paraphrase: 'More.', verified: 'primary' };
  return listingSchema.parse({
    ...listing,
    terms: [...listing.terms, ...terms.map((term) => ({ ...known, ...term }))],
  });
}

const ONLINE_ONLY = {
  id: 'media',
  kind: 'field-of-use',
  value: 'yes',
  fields: ['online-advertising'],
};
/** The text of the license is kept, the one from which the open media were read is not. */
function fromLostText(listing: Listing): Listing {
  const [source] = listing.sources;
  if (!source) throw new Error('no source');
  const lost = { ...source, id: 'lost', textSha256: 'b'.repeat(64) };
  const others = listing.sources.map((other) => ({ ...other, textSha256: 'c'.repeat(64) }));
  const terms = listing.terms.map((term) => (term.id === 'media' ? { ...term, source: 'lost' } : term));
  const recorded = listingSchema.parse({ ...listing, terms, sources: [...others, lost] });
  const kept = { isLicenseKept: () => true, isKept: (sha256: string) => sha256 !== lost.textSha256 };
  return withoutUnprovenFacts(recorded, kept).listing;
}

/** With what its text says of outputs. */
function encoder(outputs: 'no' | undefined): Listing {
  const listing = variant(MODEL, 'closed-encoder', { roles: ['encoder'] });
  const terms = listing.terms.flatMap((term): Listing['terms'] => {
    if (term.kind !== 'commercial-use-of-outputs') return [term];
    return outputs === undefined ? [] : [{ ...term, value: outputs }];
  });
  return { ...listing, terms };
}
const SMALL_ENCODER = variant(MODEL, 'small-encoder', {
  roles: ['encoder'],
  base: { listingId: 'closed-encoder@self-hosted', relation: 'quantized' },
});

/** Something that the merge always uses. */
const part = (role: LineageRole, name: string): Listing['components'][number] => ({
  role,
  name,
  listingId: `${name}@self-hosted`,
  licenseRef: null,
  use: 'always',
  usedWhen: null,
  source: variant(MODEL, 'merged', {}).sources[0]?.id ?? '',
  clause: null,
  verified: 'primary',
});
const mergedWith = (...components: Listing['components']) =>
  variant(MODEL, 'merged', {
    base: { listingId: `${MODEL}@self-hosted`, relation: 'merge' },
    components,
  });

const ON_PLANS = withTerms(
  'planned',
  { id: 'media', kind: 'field-of-use', value: 'no', fields: ['broadcast'], plans: ['Starter'] },
  { id: 'words', kind: 'attribution-required', when: 'always', text: null, plans: ['Starter'] },
  { id: 'plan', kind: 'plan-tier-required', plans: ['Starter', 'Studio Max'] },
);
/** Without a term that names all plans. */
const LIMITED = { ...ON_PLANS, terms: ON_PLANS.terms.filter(({ id }) => id !== 'plan') };

/** A mail says what is owed on another plan. */
const REPORTED_PLANS = {
  ...LIMITED,
  terms: LIMITED.terms.flatMap((term): Listing['terms'] =>
    term.kind === 'attribution-required'
      ? [term, { ...term, id: 'mail', plans: ['large'], verified: 'secondary' }]
      : [term],
  ),
};
const COUNTED = variant(MODEL, 'counted', {
  roles: ['lora'],
  base: { listingId: `${MODEL}@self-hosted`, relation: 'adapter' },
  datasetManifestSha256: 'a'.repeat(64),
  datasetManifest: {
    images: 5,
    rights: [{ basis: 'owned', images: 50, trainingAllowed: 'yes', expiresAt: null }],
    releases: [],
    showsPeople: 'no',
  },
});

export const WRONG_ALLOW_CASES: readonly Case[] = [
  {
    what: 'a broadcast, where a text that nobody keeps opens online advertising only',
    source: 'a list of open media stays one, however little is known of it',
    use: ['lost-media'],
    listings: [fromLostText(withTerms('lost-media', ONLINE_ONLY))],
    facts: { fieldsOfUse: ['broadcast'] },
    decision: 'review',
    rules: ['field-of-use'],
  },
  {
    what: 'online advertising, which a text that nobody keeps is said to open',
    source: 'hearsay of one clause allows nothing',
    use: ['lost-media'],
    listings: [fromLostText(withTerms('lost-media', ONLINE_ONLY))],
    facts: { fieldsOfUse: ['online-advertising'] },
    decision: 'review',
    rules: ['field-of-use'],
  },
  {
    what: 'a broadcast, where a text that is kept opens online advertising only',
    source: 'only online advertising is open',
    use: ['media'],
    listings: [withTerms('media', ONLINE_ONLY)],
    facts: { fieldsOfUse: ['broadcast'] },
    decision: 'deny',
    rules: ['field-of-use'],
  },
  {
    what: 'online advertising, where a text that is kept opens it',
    source: 'only online advertising is open',
    use: ['media'],
    listings: [withTerms('media', ONLINE_ONLY)],
    facts: { fieldsOfUse: ['online-advertising'] },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a medium beside those of which nobody knows whether they are open or closed',
    source: 'unknown is not no',
    use: ['media'],
    listings: [withTerms('media', { ...ONLINE_ONLY, value: 'unknown' })],
    facts: { fieldsOfUse: ['broadcast'] },
    decision: 'review',
    rules: ['field-of-use'],
  },
  {
    what: 'a picture for editorial use only, in an advertisement that is called editorial',
    source: 'declared right: purposes',
    use: [MODEL],
    input: { allowedUses: ['editorial'] },
    facts: { purpose: 'editorial', fieldsOfUse: ['offline-advertising'] },
    decision: 'deny',
    rules: ['input-purpose'],
  },
  {
    what: 'a picture for editorial use only, in print',
    source: 'declared right: purposes',
    use: [MODEL],
    input: { allowedUses: ['editorial'] },
    facts: { purpose: 'editorial', fieldsOfUse: ['print'] },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'an encoder whose outputs may not be used for gain, as the generator',
    source: 'what it does decides, not what its listing says that it can do',
    use: ['closed-encoder'],
    roles: ['generator'],
    listings: [encoder('no')],
    decision: 'deny',
    rules: ['commercial-outputs'],
  },
  {
    what: 'an encoder whose text is silent on outputs, as the generator',
    source: 'silence is unknown',
    use: ['closed-encoder'],
    roles: ['generator'],
    listings: [encoder(undefined)],
    decision: 'review',
    rules: ['commercial-outputs'],
  },
  {
    what: 'the same encoder as an encoder',
    source: 'it makes nothing that a viewer sees',
    use: ['closed-encoder'],
    listings: [encoder('no')],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a quantized encoder, as an encoder',
    source: 'what it was made from does what it does',
    use: ['small-encoder'],
    listings: [encoder('no'), SMALL_ENCODER],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a quantized encoder as the generator, made from one whose outputs may not be used for gain',
    source: 'what it was made from does what it does',
    use: ['small-encoder'],
    roles: ['generator'],
    listings: [encoder('no'), SMALL_ENCODER],
    decision: 'deny',
    rules: ['commercial-outputs'],
  },
  {
    what: 'a generator that is laid over another one as a LoRA',
    source: 'nobody knows what it was made from, and on whose images',
    use: [MODEL],
    roles: ['lora'],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a merge beside which only a VAE is named',
    source: 'a VAE is merged into no generator',
    use: ['merged'],
    listings: [mergedWith(part('autoencoder', 'flux-2-autoencoder'))],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a merge beside which only a background remover is named',
    source: 'it is merged into no generator',
    use: ['merged'],
    listings: [mergedWith(part('background-remover', 'birefnet'))],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a merge that names its own base once more',
    source: 'a merge is made of several models',
    use: ['merged'],
    listings: [mergedWith(part('generator', MODEL))],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a merge that names the other model, as one that edits',
    source: 'a merge is made of several models',
    use: ['merged'],
    listings: [mergedWith(part('editor', 'qwen-image'))],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a broadcast on the small plan, with a space behind its name',
    source: 'no broadcast on the plan Starter',
    use: ['planned'],
    listings: [ON_PLANS],
    facts: { ...onPlan('planned@self-hosted', 'starter '), fieldsOfUse: ['broadcast'] },
    decision: 'deny',
    rules: ['field-of-use'],
  },
  {
    what: 'a broadcast on a plan that no text names',
    source: 'it may be the small plan under another name',
    use: ['planned'],
    listings: [LIMITED],
    facts: { ...onPlan('planned@self-hosted', 'banana'), fieldsOfUse: ['broadcast'] },
    decision: 'review',
    rules: ['field-of-use'],
  },
  {
    what: 'no attribution on a plan that no text names',
    source: 'it may be the small plan under another name',
    use: ['planned'],
    listings: [LIMITED],
    facts: { ...onPlan('planned@self-hosted', 'banana'), fieldsOfUse: ['print'], attributionPlanned: 'no' },
    decision: 'review',
    rules: ['attribution'],
  },
  {
    what: 'a broadcast without attribution on the large plan, with spaces about its name',
    source: 'the limits are of the plan Starter',
    use: ['planned'],
    listings: [ON_PLANS],
    facts: {
      ...onPlan('planned@self-hosted', ' studio  max'),
      fieldsOfUse: ['broadcast'],
      attributionPlanned: 'no',
    },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a picture under CC BY-NC 4.0 in a campaign, declared as licensed',
    source: 'CC BY-NC 4.0 section 2(a)(1)',
    use: [MODEL],
    input: { rightsBasis: 'licensed', creativeCommons: 'CC-BY-NC-4.0' },
    decision: 'deny',
    rules: ['input-purpose'],
  },
  {
    what: 'a picture under CC BY-ND 4.0 as a reference, declared as licensed',
    source: 'CC BY-ND 4.0 section 2(a)(1): adaptations are not shared',
    use: [MODEL],
    input: { rightsBasis: 'licensed', creativeCommons: 'CC-BY-ND-4.0' },
    decision: 'review',
    rules: ['input-rights-basis'],
  },
  {
    what: 'a picture under CC BY 4.0, declared as licensed',
    source: 'CC BY 4.0 section 2(a)(1)',
    use: [MODEL],
    input: { rightsBasis: 'licensed', creativeCommons: 'CC-BY-4.0' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a LoRA of five images with rights in fifty',
    source: 'a manifest that contradicts itself',
    use: ['counted'],
    listings: [COUNTED],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a broadcast on a plan that only a report names',
    source: 'it may be the small plan under another name',
    use: ['planned'],
    listings: [REPORTED_PLANS],
    facts: { ...onPlan('planned@self-hosted', 'large'), fieldsOfUse: ['broadcast'] },
    decision: 'review',
    rules: ['field-of-use'],
  },
];
