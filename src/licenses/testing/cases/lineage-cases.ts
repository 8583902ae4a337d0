import { type Case, DE, revenue } from '../case.js';

/** The conjunction over a whole chain. */
export const LINEAGE_CASES: readonly Case[] = [
  {
    what: 'a clean chain of five',
    source: 'Apache-2.0, MIT and RAIL++-M together',
    use: ['flux-1-schnell', 'qwen-image', 'birefnet', 'sdxl-1-0', 'studio-crop@studio'],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'one research-only step in it',
    source: 'SUPIR Software License, SUPIR@bda91af',
    use: ['flux-1-schnell', 'birefnet', 'supir', 'studio-crop@studio'],
    decision: 'deny',
    rules: ['commercial-weights', 'commercial-outputs'],
  },
  {
    what: 'one step that nobody listed',
    source: 'no text',
    use: ['flux-1-schnell', 'brand-new-model', 'birefnet'],
    decision: 'review',
    rules: ['listing-unknown'],
  },
  {
    what: 'one denial among unknown steps stays a denial',
    source: 'Tencent Hunyuan Community License 2025-09-28 section 5(c)',
    use: ['brand-new-model', 'hunyuan-image-3.0'],
    facts: DE,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'two caps of which the smaller breaks',
    source: 'Krea 2 section 2.3 and LTX-2.x sections 2.1-2.2',
    use: ['krea-2', 'ltx-2.5'],
    facts: revenue(2_000_000),
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'the first family member does not vouch for the second',
    source: 'Apache-2.0 of Qwen-Image; Qwen Research License of Qwen-Image-2.1',
    use: ['qwen-image', 'qwen-image-2.1'],
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'gpt-image enlarged by another vendor is a question of indemnity, not of permission',
    source: 'OpenAI Services Agreement 2025-05-31; BSD-3-Clause',
    use: ['gpt-image-1@openai', 'real-esrgan'],
    optional: { gfpgan: 'no' },
    decision: 'review',
    rules: ['commercial-outputs', 'commercial-channel', 'license-status'],
  },
  {
    what: 'a photograph through a face model',
    source: 'InsightFace README: models for research only',
    use: ['flux-1-schnell', 'insightface-models'],
    input: {},
    decision: 'deny',
    rules: ['commercial-weights'],
  },
];
