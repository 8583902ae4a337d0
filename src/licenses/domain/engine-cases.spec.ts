import { describe, expect, it } from '@jest/globals';
import { seedListings } from '../registry/seed.js';
import { decide, ENGINE_VERSION } from './engine.js';
import { type Decision } from './finding.js';
import { type Lineage, type LineageInput, lineageSchema } from './lineage.js';
import { type RunFactsInput, runFactsSchema } from './run-facts.js';

/** A small company that has stated everything: whatever is decided follows from the license. */
const SMALL: RunFactsInput = {
  purpose: 'commercial',
  audienceCountries: ['US', 'CA'],
  organizationRevenueUsd: 500_000,
  organizationRevenueWithAffiliatesUsd: 500_000,
  monthlyActiveUsers: 1_000,
  monthlyActiveUsersWithAffiliates: 1_000,
  monthlyVisits: 1_000,
  hosting: 'own-use',
  humanReviewPlanned: 'yes',
  labelPlanned: 'yes',
  editsPlanned: 'no',
  campaignStart: '2026-12-01',
  campaignEnd: '2026-12-31',
};
const OWNED: LineageInput = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
  releases: [],
};

interface Case {
  readonly what: string;
  /** Listing ids without `@` are self-hosted. */
  readonly use: readonly string[];
  readonly facts?: Partial<RunFactsInput>;
  readonly input?: Partial<LineageInput>;
  readonly optional?: Record<string, 'yes' | 'no' | 'unknown'>;
  readonly decision: Decision;
  /** Every rule that speaks with the decisive severity or, for `allow`, none. */
  readonly rules: readonly string[];
}

const full = (id: string) => (id.includes('@') ? id : `${id}@self-hosted`);

function lineageOf({ use, input, optional }: Case): Lineage {
  const optionalComponents =
    optional && Object.fromEntries(Object.entries(optional).map(([id, used]) => [full(id), used]));
  return lineageSchema.parse({
    components: use.map((id, at) => ({
      listingId: full(id),
      role: seedListings().get(full(id))?.listing.roles[0] ?? 'generator',
      stepKey: `step-${String(at)}`,
      ...(optionalComponents && { optionalComponents }),
    })),
    inputs: input ? [{ ...OWNED, ...input }] : [],
  });
}

const registered = (id: string) => ({
  agreements: [{ listingId: full(id), kind: 'registration' as const, reference: 'R-1' }],
});
const onPlan = (listingId: string, plan: string) => ({
  agreements: [{ listingId, kind: 'plan' as const, plan, reference: 'P-1' }],
});
const revenue = (usd: number): Partial<RunFactsInput> => ({
  organizationRevenueUsd: usd,
  organizationRevenueWithAffiliatesUsd: usd,
});
const affiliates = (own: number, all: number): Partial<RunFactsInput> => ({
  organizationRevenueUsd: own,
  organizationRevenueWithAffiliatesUsd: all,
});
const UNKNOWN_REVENUE: Partial<RunFactsInput> = {
  organizationRevenueUsd: 'unknown',
  organizationRevenueWithAffiliatesUsd: 'unknown',
};
const EVALUATION: Partial<RunFactsInput> = { purpose: 'internal-evaluation' };
const DE: Partial<RunFactsInput> = { audienceCountries: ['DE'] };
const WORLD: Partial<RunFactsInput> = { audienceCountries: 'worldwide' };

const CASES: readonly Case[] = [
  // Permissive texts that were read
  { what: 'FLUX.1 [schnell] is Apache-2.0', use: ['flux-1-schnell'], decision: 'allow', rules: [] },
  {
    what: 'Apache-2.0 has no territory',
    use: ['flux-1-schnell'],
    facts: WORLD,
    decision: 'allow',
    rules: [],
  },
  {
    what: 'Apache-2.0 has no cap',
    use: ['flux-1-schnell'],
    facts: revenue(90_000_000_000),
    decision: 'allow',
    rules: [],
  },
  {
    what: 'Apache-2.0 does not ask for revenue',
    use: ['flux-1-schnell'],
    facts: UNKNOWN_REVENUE,
    decision: 'allow',
    rules: [],
  },
  {
    what: 'editorial use is gainful and allowed by Apache-2.0',
    use: ['flux-1-schnell'],
    facts: { purpose: 'editorial' },
    decision: 'allow',
    rules: [],
  },
  { what: 'RAIL++-M allows commercial use', use: ['sdxl-1-0'], decision: 'allow', rules: [] },
  { what: 'BiRefNet is MIT', use: ['birefnet'], decision: 'allow', rules: [] },
  { what: 'CogVideoX-2B is Apache-2.0', use: ['cogvideox-2b'], decision: 'allow', rules: [] },
  {
    what: 'the own tools',
    use: ['studio-scene@studio', 'studio-cut-out@studio', 'studio-upscale@studio', 'studio-recolor@studio'],
    facts: WORLD,
    decision: 'allow',
    rules: [],
  },
  { what: 'the sandbox runs', use: ['sandbox-generator@sandbox'], decision: 'allow', rules: [] },
  // Same family, another license
  { what: 'Qwen-Image 1.x is Apache-2.0', use: ['qwen-image'], decision: 'allow', rules: [] },
  {
    what: 'Qwen-Image-2.1 is research only',
    use: ['qwen-image-2.1'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'Qwen-Image-2.1 may be evaluated, if the text is as reported',
    use: ['qwen-image-2.1'],
    facts: EVALUATION,
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'Qwen-Image-Edit: the cards of the checkpoints were not read',
    use: ['qwen-image-edit'],
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'Qwen-Image-2.0 was announced and is not listed',
    use: ['qwen-image-2.0'],
    decision: 'review',
    rules: ['listing-unknown'],
  },
  {
    what: 'Wan 2.2 without the optional FLUX step',
    use: ['wan-2.2'],
    optional: { 'flux-1-kontext-dev': 'no' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'Wan 2.2, nobody said whether FLUX is used',
    use: ['wan-2.2'],
    decision: 'review',
    rules: ['commercial-weights', 'commercial-outputs', 'license-status'],
  },
  {
    what: 'Wan 2.2 with the FLUX step',
    use: ['wan-2.2'],
    optional: { 'flux-1-kontext-dev': 'yes' },
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'Wan 2.1 is not Wan 2.2',
    use: ['wan-2.1'],
    decision: 'review',
    rules: ['commercial-weights', 'commercial-outputs', 'license-status'],
  },
  {
    what: 'Wan 2.5 is not Wan 2.2',
    use: ['wan-2.5-plus@alibaba-model-studio'],
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'klein 4B is known from copies',
    use: ['flux-2-klein-4b'],
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'klein 9B is non-commercial',
    use: ['flux-2-klein-9b'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  // FLUX.1 [dev]: weights and outputs are two questions
  {
    what: 'outputs of FLUX.1 [dev] from a host: the text contradicts itself',
    use: ['flux-1-dev@fal'],
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'weights of FLUX.1 [dev] in own production',
    use: ['flux-1-dev'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'FLUX.1 [dev] under evaluation: two texts claim it',
    use: ['flux-1-dev'],
    facts: EVALUATION,
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'FLUX.1 [dev] without review of outputs',
    use: ['flux-1-dev@fal'],
    facts: { humanReviewPlanned: 'no' },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'filter-or-review', 'license-status'],
  },
  {
    what: 'Kontext [dev] is under the same license',
    use: ['flux-1-kontext-dev'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'FLUX.2 [dev] in own production',
    use: ['flux-2-dev'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'the API terms of FLUX.1 [pro] were not read',
    use: ['flux-1-pro@bfl-api'],
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  // A channel is a layer of its own
  {
    what: 'Apache-2.0 weights through a channel whose terms are not known',
    use: ['flux-1-schnell@fal'],
    decision: 'review',
    rules: ['commercial-channel'],
  },
  {
    what: 'Qwen-Image through that channel',
    use: ['qwen-image@fal'],
    decision: 'review',
    rules: ['commercial-channel'],
  },
  {
    what: 'Nano Banana: superseded text, service announced to end',
    use: ['nano-banana@gemini-api'],
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'Nano Banana Pro for the EEA without a plan stated',
    use: ['nano-banana-pro@gemini-api'],
    facts: { audienceCountries: ['NO'] },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'plan-tier', 'license-status'],
  },
  {
    what: 'Nano Banana Pro for the EEA on the unpaid tier',
    use: ['nano-banana-pro@gemini-api'],
    facts: { ...DE, ...onPlan('nano-banana-pro@gemini-api', 'free') },
    decision: 'deny',
    rules: ['plan-tier'],
  },
  {
    what: 'GPT Image: the text in force was not read',
    use: ['gpt-image-1@openai'],
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'Midjourney above USD 1M on the basic plan',
    use: ['midjourney@midjourney'],
    facts: { ...revenue(1_000_001), ...onPlan('midjourney@midjourney', 'basic') },
    decision: 'deny',
    rules: ['plan-tier'],
  },
  {
    what: 'Midjourney at exactly USD 1M: "more than" is not reached',
    use: ['midjourney@midjourney'],
    facts: { ...revenue(1_000_000), ...onPlan('midjourney@midjourney', 'basic') },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'Recraft on the free plan',
    use: ['recraft-v3@recraft'],
    facts: onPlan('recraft-v3@recraft', 'free'),
    decision: 'deny',
    rules: ['plan-tier'],
  },
  {
    what: 'Eleven Music: advertising on a small plan',
    use: ['eleven-music-v1@elevenlabs'],
    facts: { ...onPlan('eleven-music-v1@elevenlabs', 'business'), fieldsOfUse: ['online-advertising'] },
    decision: 'deny',
    rules: ['field-of-use'],
  },
  {
    what: 'Eleven Music: medium not stated',
    use: ['eleven-music-v1@elevenlabs'],
    facts: onPlan('eleven-music-v1@elevenlabs', 'business'),
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'field-of-use', 'license-status'],
  },
  // Territory: where it is shown, not where it is made
  { what: 'HunyuanImage shown in North America', use: ['hunyuan-image-3.0'], decision: 'allow', rules: [] },
  {
    what: 'HunyuanImage shown in Germany, made in the US',
    use: ['hunyuan-image-3.0'],
    facts: { ...DE, processingCountries: ['US'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'HunyuanImage shown worldwide',
    use: ['hunyuan-image-3.0'],
    facts: WORLD,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'HunyuanImage shown in the United Kingdom',
    use: ['hunyuan-image-3.0'],
    facts: { audienceCountries: ['US', 'GB'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'HunyuanImage shown in South Korea',
    use: ['hunyuan-image-3.0'],
    facts: { audienceCountries: ['KR'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'Reunion is European Union',
    use: ['hunyuan-image-3.0'],
    facts: { audienceCountries: ['RE'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'Switzerland is not',
    use: ['hunyuan-image-3.0'],
    facts: { audienceCountries: ['CH'] },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'Jersey: the text does not say',
    use: ['hunyuan-image-3.0'],
    facts: { audienceCountries: ['JE'] },
    decision: 'review',
    rules: ['territory-outputs'],
  },
  {
    what: 'HunyuanImage run in France for the US',
    use: ['hunyuan-image-3.0'],
    facts: { processingCountries: ['FR'] },
    decision: 'deny',
    rules: ['territory-weights'],
  },
  {
    what: 'HunyuanImage from a host, shown in Germany',
    use: ['hunyuan-image-3.0@fal'],
    facts: DE,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'one excluded output among clean steps',
    use: ['hunyuan-image-3.0', 'birefnet', 'studio-upscale@studio'],
    facts: DE,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'MiniMax H3 excludes the US too',
    use: ['minimax-h3'],
    facts: { audienceCountries: ['US'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'MiniMax H3 in Japan: the text was withdrawn',
    use: ['minimax-h3'],
    facts: { audienceCountries: ['JP'] },
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'Puerto Rico and a text that says United States',
    use: ['minimax-h3'],
    facts: { audienceCountries: ['PR'] },
    decision: 'review',
    rules: ['territory-outputs', 'license-status'],
  },
  {
    what: 'HunyuanVideo carries an encoder nobody read',
    use: ['hunyuan-video'],
    decision: 'review',
    rules: ['commercial-weights', 'license-status'],
  },
  // Caps at exactly the boundary
  {
    what: 'Stability one dollar below',
    use: ['sd-3-5'],
    facts: { ...revenue(999_999), ...registered('sd-3-5') },
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'Stability at exactly USD 1M: the text disagrees with itself',
    use: ['sd-3-5'],
    facts: { ...revenue(1_000_000), ...registered('sd-3-5') },
    decision: 'review',
    rules: ['revenue-cap', 'license-status'],
  },
  {
    what: 'Stability one dollar above',
    use: ['sd-3-5'],
    facts: { ...revenue(1_000_001), ...registered('sd-3-5') },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'Stability counts affiliates',
    use: ['sd-3-5'],
    facts: { ...affiliates(10, 1_000_001), ...registered('sd-3-5') },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'Stability, affiliates not stated',
    use: ['sd-3-5'],
    facts: { organizationRevenueWithAffiliatesUsd: 'unknown', ...registered('sd-3-5') },
    decision: 'review',
    rules: ['revenue-cap', 'license-status'],
  },
  {
    what: 'Stability without registration',
    use: ['sd-3-5'],
    decision: 'review',
    rules: ['registration', 'license-status'],
  },
  {
    what: 'LTX-2.5 one dollar below: only the encoder is open',
    use: ['ltx-2.5'],
    facts: revenue(9_999_999),
    decision: 'review',
    rules: ['commercial-weights', 'license-status'],
  },
  {
    what: 'LTX-2.5 at exactly USD 10M',
    use: ['ltx-2.5'],
    facts: revenue(10_000_000),
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'LTX-2.5 above the cap in evaluation',
    use: ['ltx-2.5'],
    facts: { ...revenue(10_000_000), ...EVALUATION },
    decision: 'review',
    rules: ['commercial-weights', 'license-status'],
  },
  {
    what: 'LTX-2.3 has no exception for evaluation',
    use: ['ltx-2.3'],
    facts: { ...revenue(10_000_000), ...EVALUATION },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'LTX-2.5 own revenue breaks the cap although affiliates are not stated',
    use: ['ltx-2.5'],
    facts: { organizationRevenueUsd: 10_000_000, organizationRevenueWithAffiliatesUsd: 'unknown' },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  { what: 'Krea 2 one dollar below', use: ['krea-2'], facts: revenue(999_999), decision: 'allow', rules: [] },
  {
    what: 'Krea 2 at exactly USD 1M',
    use: ['krea-2'],
    facts: revenue(1_000_000),
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'Krea 2, revenue not known',
    use: ['krea-2'],
    facts: UNKNOWN_REVENUE,
    decision: 'review',
    rules: ['revenue-cap'],
  },
  {
    what: 'MiniMax H3 at exactly USD 20M of the product',
    use: ['minimax-h3'],
    facts: { audienceCountries: ['JP'], ...revenue(50_000_000), productRevenueUsd: 20_000_000 },
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'MiniMax H3 above',
    use: ['minimax-h3'],
    facts: { audienceCountries: ['JP'], ...revenue(50_000_000), productRevenueUsd: 20_000_001 },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'MiniMax H3, product revenue not stated and company above',
    use: ['minimax-h3'],
    facts: { audienceCountries: ['JP'], ...revenue(50_000_000) },
    decision: 'review',
    rules: ['revenue-cap', 'license-status'],
  },
  {
    what: 'CogVideoX-5B at exactly 1,000,000 visits',
    use: ['cogvideox-5b'],
    facts: { monthlyVisits: 1_000_000, ...registered('cogvideox-5b') },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'CogVideoX-5B one visit above',
    use: ['cogvideox-5b'],
    facts: { monthlyVisits: 1_000_001, ...registered('cogvideox-5b') },
    decision: 'deny',
    rules: ['usage-cap'],
  },
  {
    what: 'CogVideoX-5B without registration',
    use: ['cogvideox-5b'],
    decision: 'review',
    rules: ['registration'],
  },
  {
    what: 'Hunyuan at exactly 100M users',
    use: ['hunyuan-image-3.0'],
    facts: { monthlyActiveUsers: 100_000_000, monthlyActiveUsersWithAffiliates: 'unknown' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'Hunyuan one user above',
    use: ['hunyuan-image-3.0'],
    facts: { monthlyActiveUsers: 100_000_001, monthlyActiveUsersWithAffiliates: 'unknown' },
    decision: 'deny',
    rules: ['usage-cap'],
  },
  {
    what: 'Hunyuan, users not stated',
    use: ['hunyuan-image-3.0'],
    facts: { monthlyActiveUsers: 'unknown', monthlyActiveUsersWithAffiliates: 'unknown' },
    decision: 'review',
    rules: ['usage-cap'],
  },
  {
    what: 'Hunyuan3D has the smaller cap of 1M',
    use: ['hunyuan3d-2.1'],
    facts: { monthlyActiveUsers: 1_000_001, monthlyActiveUsersWithAffiliates: 'unknown' },
    decision: 'deny',
    rules: ['usage-cap'],
  },
  // Components that hide
  {
    what: 'HiDream is MIT and pulls a Llama encoder',
    use: ['hidream-i1'],
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'HiDream above the user cap of its encoder, with affiliates',
    use: ['hidream-i1'],
    facts: { monthlyActiveUsersWithAffiliates: 700_000_001 },
    decision: 'deny',
    rules: ['usage-cap'],
  },
  {
    what: 'Real-ESRGAN without face enhancement',
    use: ['real-esrgan'],
    optional: { gfpgan: 'no' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'Real-ESRGAN with face enhancement',
    use: ['real-esrgan'],
    optional: { gfpgan: 'yes' },
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'Real-ESRGAN, not stated',
    use: ['real-esrgan'],
    decision: 'review',
    rules: ['commercial-weights', 'commercial-outputs'],
  },
  {
    what: 'TRELLIS.2 is MIT and needs nvdiffrast',
    use: ['trellis-2'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'rembg says nothing about the weights it loads',
    use: ['rembg'],
    optional: { u2net: 'yes', isnet: 'no', sam: 'no', birefnet: 'no', 'bria-rmbg-2.0': 'no' },
    decision: 'review',
    rules: ['commercial-outputs'],
  },
  {
    what: 'rembg with the non-commercial model',
    use: ['rembg'],
    optional: { 'bria-rmbg-2.0': 'yes' },
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'SUPIR counts processing for sale as commercial',
    use: ['supir'],
    decision: 'deny',
    rules: ['commercial-weights', 'commercial-outputs'],
  },
  {
    what: 'one non-commercial step spoils the chain',
    use: ['flux-1-schnell', 'bria-rmbg-2.0'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'InsightFace models are research only',
    use: ['insightface-models'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'Bria weights may not serve others',
    use: ['bria-foundation'],
    facts: { ...EVALUATION, hosting: 'served-to-others' },
    decision: 'deny',
    rules: ['hosting-for-others'],
  },
  {
    what: 'SDXL-Turbo: three declarations disagree',
    use: ['sdxl-turbo'],
    decision: 'review',
    rules: ['commercial-weights', 'commercial-outputs', 'license-status'],
  },
  {
    what: 'Ideogram 4 open: advertising is not non-commercial',
    use: ['ideogram-4-open'],
    decision: 'deny',
    rules: ['commercial-weights', 'commercial-outputs'],
  },
  // Duties against plans
  {
    what: 'Hunyuan without a label',
    use: ['hunyuan-image-3.0'],
    facts: { labelPlanned: 'no' },
    decision: 'review',
    rules: ['output-label'],
  },
  {
    what: 'Krea 2 without a review',
    use: ['krea-2'],
    facts: { humanReviewPlanned: 'no' },
    decision: 'review',
    rules: ['filter-or-review'],
  },
  // Inputs
  { what: 'an owned photograph', use: ['flux-1-schnell'], input: {}, decision: 'allow', rules: [] },
  {
    what: 'a photograph that opted out of AI',
    use: ['flux-1-schnell'],
    input: { aiInput: 'no' },
    decision: 'deny',
    rules: ['input-ai-use'],
  },
  {
    what: 'the same photograph, only cropped',
    use: ['studio-crop@studio'],
    input: { aiInput: 'no' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'AI input not known',
    use: ['flux-1-schnell'],
    input: { aiInput: 'unknown' },
    decision: 'review',
    rules: ['input-ai-use'],
  },
  {
    what: 'no right at all',
    use: ['studio-crop@studio'],
    input: { rightsBasis: 'none' },
    decision: 'deny',
    rules: ['input-rights-basis'],
  },
  {
    what: 'right not known',
    use: ['studio-crop@studio'],
    input: { rightsBasis: 'unknown' },
    decision: 'review',
    rules: ['input-rights-basis'],
  },
  {
    what: 'editorial picture in an advertisement',
    use: ['studio-crop@studio'],
    input: { allowedUses: ['editorial'] },
    decision: 'deny',
    rules: ['input-purpose'],
  },
  {
    what: 'right for Germany, audience in the US',
    use: ['studio-crop@studio'],
    input: { territory: ['DE'] },
    decision: 'deny',
    rules: ['input-territory'],
  },
  {
    what: 'right ends on the last day of the campaign',
    use: ['studio-crop@studio'],
    input: { expiresAt: '2026-12-31' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'right ends one day before',
    use: ['studio-crop@studio'],
    input: { expiresAt: '2026-12-30' },
    decision: 'deny',
    rules: ['input-expiry'],
  },
  {
    what: 'right ends, campaign open',
    use: ['studio-crop@studio'],
    facts: { campaignEnd: null },
    input: { expiresAt: '2027-12-30' },
    decision: 'review',
    rules: ['input-expiry'],
  },
  {
    what: 'a release that ends during the campaign',
    use: ['studio-crop@studio'],
    input: { releases: [{ reference: 'M-1', coversAiAlteration: 'yes', expiresAt: '2026-12-15' }] },
    decision: 'deny',
    rules: ['input-release'],
  },
  {
    what: 'a release without AI alteration',
    use: ['flux-1-schnell'],
    input: { releases: [{ reference: 'M-1', coversAiAlteration: 'no', expiresAt: null }] },
    decision: 'deny',
    rules: ['input-release'],
  },
];

function decideCase(one: Case) {
  const facts = runFactsSchema.parse({ ...SMALL, ...one.facts });
  return decide({ lineage: lineageOf(one), facts, listings: seedListings(), engineVersion: ENGINE_VERSION });
}

describe('decisions written from the license texts', () => {
  it.each(CASES)('$what -> $decision', (one) => {
    const { decision, findings } = decideCase(one);
    const decisive = findings.filter(({ severity }) => severity === decision).map(({ ruleId }) => ruleId);
    expect({ decision, rules: [...new Set(decisive)].sort() }).toEqual({
      decision: one.decision,
      rules: [...one.rules].sort(),
    });
  });

  it('are at least sixty', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(60);
  });
});

describe('what counsel reads', () => {
  const refused = decideCase({
    what: '',
    use: ['hunyuan-image-3.0'],
    facts: DE,
    decision: 'deny',
    rules: [],
  });

  it('a denial names the term, its source, the fact and an allowed model of the same kind', () => {
    const [finding] = refused.findings;
    expect(finding).toMatchObject({
      ruleId: 'territory-outputs',
      severity: 'deny',
      listingId: 'hunyuan-image-3.0@self-hosted',
      term: {
        kind: 'territory-exclusion',
        clause: '5(c)',
        verified: 'primary',
        source: { dateRead: '2026-11-22' },
      },
      fact: { name: 'audienceCountries', value: ['DE'] },
    });
    expect(finding?.alternatives).toContain('flux-1-schnell@self-hosted');
    expect(finding?.howToFix).toContain('flux-1-schnell@self-hosted');
  });

  it('every proposed alternative is in fact allowed under the same facts', () => {
    for (const id of refused.findings.flatMap(({ alternatives }) => alternatives)) {
      expect(decideCase({ what: '', use: [id], facts: DE, decision: 'allow', rules: [] }).decision).toBe(
        'allow',
      );
    }
  });

  it('a hidden component is traced to the model that brought it', () => {
    const { findings } = decideCase({ what: '', use: ['hidream-i1'], decision: 'review', rules: [] });
    const llama = findings.find(({ listingId }) => listingId === 'llama-3.1-8b-instruct@self-hosted');
    expect(llama).toMatchObject({ via: ['hidream-i1@self-hosted'], stepKeys: ['step-0'] });
    expect(llama?.alternatives).toContain('flux-1-schnell@self-hosted');
  });

  it('an allowed work still owes a label, the words of attribution and the place of use', () => {
    const { obligations } = decideCase({
      what: '',
      use: ['hunyuan-image-3.0', 'hidream-i1'],
      decision: 'allow',
      rules: [],
    });
    expect(obligations.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['label-output', 'place-of-use', 'no-training-on-outputs']),
    );
    expect(obligations.find(({ kind }) => kind === 'attribution')?.text).toContain('"Built with Llama"');
  });

  it("an upscale by another vendor ends OpenAI's indemnity, and an edit does", () => {
    const lost = (one: Partial<Case>) =>
      decideCase({
        what: '',
        use: ['gpt-image-1@openai'],
        decision: 'review',
        rules: [],
        ...one,
      }).findings.filter(
        ({ ruleId, message }) =>
          ruleId === 'indemnity' && message.includes('GPT Image') && message.includes('lost'),
      );
    expect(lost({})).toEqual([]);
    expect(lost({ use: ['gpt-image-1@openai', 'real-esrgan'] })).toHaveLength(1);
    expect(lost({ facts: { editsPlanned: 'yes' } })).toHaveLength(1);
  });
});
