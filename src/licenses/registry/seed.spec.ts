import { describe, expect, it } from '@jest/globals';
import { COUNTRIES, territoryOf } from '../domain/countries.js';
import { type Listing } from '../domain/listing.js';
import { parseSeed, seedListings } from './seed.js';

/** The catalog that the seed must cover, by `<model>` or, where the channel matters, `<model>@<channel>`. */
const CATALOG = (
  'flux-1-dev flux-1-kontext-dev flux-1-krea-dev flux-1-schnell flux-1-pro flux-1-kontext-pro flux-2-dev ' +
  'flux-2-klein-4b flux-2-klein-9b flux-2-pro qwen-image qwen-image-edit qwen-image-2.1 sd-1-5 sdxl-1-0 sdxl-turbo ' +
  'sd-3-5 hidream-i1 wan-2.2 wan-2.1 wan-2.5-plus hunyuan-video hunyuan-image-3.0 hunyuan3d-2.1 ltx-video-0.9 ' +
  'ltx-2.5 ltx-2.3 cogvideox-2b cogvideox-5b nano-banana@gemini-api nano-banana-pro@gemini-api ' +
  'nano-banana-pro@vertex imagen-4@vertex veo-3@vertex gpt-image-1@openai adobe-firefly adobe-partner-models ' +
  'bria-foundation bria-rmbg-2.0 birefnet rembg u2net real-esrgan supir recraft-v3 ideogram-3 ideogram-4-open ' +
  'midjourney kling elevenlabs-tts eleven-music-v1 meshy trellis trellis-2 getty-generative-ai ' +
  'shutterstock-generate krea-2 minimax-h3 insightface-models moonvalley-marey'
).split(' ');

const listings: readonly Listing[] = seedListings().all.map(({ listing }) => listing);
const everyTerm = listings.flatMap((listing) => listing.terms.map((term) => ({ listing, term })));

function listing(id: string): Listing {
  const found = seedListings().get(id)?.listing;
  if (!found) throw new Error(`${id} is not in the seed`);
  return found;
}

function termOf(id: string, termId: string) {
  const found = listing(id).terms.find((term) => term.id === termId);
  if (!found) throw new Error(`${id} has no term ${termId}`);
  return found;
}

describe('the seed', () => {
  it('covers the catalog of 60 models', () => {
    expect(CATALOG).toHaveLength(60);
    const ids = listings.map(({ id }) => id);
    const covered = (name: string) => ids.some((id) => id === name || id.startsWith(`${name}@`));
    expect(CATALOG.filter((name) => !covered(name))).toEqual([]);
  });

  it('has a listing for every tool of the built-in pipelines and for the sandbox', () => {
    const tools = ['scene', 'cut-out', 'upscale', 'recolor', 'crop', 'convert'].map(
      (tool) => `studio-${tool}@studio`,
    );
    for (const id of [...tools, 'sandbox-generator@sandbox']) expect(listing(id).access).toBe('code');
  });

  it('names for each term a source with a date', () => {
    for (const { listing: owner, term } of everyTerm) {
      const source = owner.sources.find(({ id }) => id === term.source);
      expect(`${owner.id} ${term.id} ${source?.dateRead ?? 'no source'}`).toMatch(/\d{4}-\d{2}-\d{2}$/);
    }
  });

  it('holds only whole SHA-256 values', () => {
    const hashes = listings.flatMap(({ license, history }) =>
      [license, ...history].map(({ textSha256 }) => textSha256),
    );
    const known = hashes.filter((hash) => hash !== null);
    expect(known.length).toBeGreaterThan(20);
    for (const hash of known) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('never says yes without a text behind it', () => {
    const unfounded = everyTerm.filter(
      ({ term }) => 'value' in term && term.value === 'yes' && term.verified === 'unverified',
    );
    expect(unfounded.map(({ listing: owner, term }) => `${owner.id} ${term.id}`)).toEqual([]);
  });

  it('lets no permission that is known from a report only lead to an allowance', () => {
    const hearsay = everyTerm.filter(
      ({ listing: { license }, term }) =>
        term.kind.startsWith('commercial-use') &&
        'value' in term &&
        term.value === 'yes' &&
        term.verified === 'secondary' &&
        license.status === 'current',
    );
    expect(hearsay.map(({ listing: owner }) => owner.id)).toEqual([]);
  });

  it('answers the two questions of every model, if only with "unknown"', () => {
    for (const { id, access, roles, terms } of listings) {
      const kinds = terms.map(({ kind }) => kind);
      expect([
        id,
        kinds.includes(access === 'api' ? 'commercial-use-through-channel' : 'commercial-use-of-weights'),
      ]).toEqual([id, true]);
      const makesOutput = !roles.every((role) => role === 'encoder' || role === 'library');
      if (makesOutput && id !== 'nvdiffrast@self-hosted')
        expect([id, kinds.includes('commercial-use-of-outputs')]).toEqual([id, true]);
    }
  });

  it('says why a license is not known to be in force', () => {
    for (const { id, license } of listings) {
      expect([id, license.status === 'current']).toEqual([id, license.statusReason === '']);
    }
  });

  it('lists every component that it names', () => {
    for (const { components } of listings) {
      for (const { listingId, use, usedWhen } of components) {
        expect(listingId === null || seedListings().get(listingId) !== undefined).toBe(true);
        expect(use === 'optional').toBe(usedWhen !== null);
      }
    }
  });

  it('knows the hidden components that catalogs leave out', () => {
    const components = (id: string) => listing(id).components.map(({ listingId }) => listingId);
    expect(components('wan-2.2@self-hosted')).toContain('flux-1-kontext-dev@self-hosted');
    expect(components('trellis-2@self-hosted')).toEqual(
      expect.arrayContaining([
        'nvdiffrast@self-hosted',
        'nvdiffrec@self-hosted',
        'dinov3@self-hosted',
        'bria-rmbg-2.0@self-hosted',
      ]),
    );
    expect(components('hunyuan-video@self-hosted')).toEqual(['llava-llama-3-8b@self-hosted']);
    expect(components('ltx-2.5@self-hosted')).toEqual(['gemma-4@self-hosted']);
    expect(components('ltx-2.3@self-hosted')).toEqual(['gemma-3@self-hosted']);
    expect(components('supir@self-hosted')).toEqual(['sdxl-1-0@self-hosted', 'llava-1.5-13b@self-hosted']);
    expect(components('real-esrgan@self-hosted')).toEqual(['gfpgan@self-hosted']);
  });

  it('keeps boundary and scope of each cap as the text has them', () => {
    expect(termOf('sd-3-5@self-hosted', 'revenue-cap')).toMatchObject({
      amountUsd: 1_000_000,
      boundary: 'exclusive',
      boundaryDisputed: true,
      scope: 'entity+affiliates',
    });
    expect(termOf('ltx-2.5@self-hosted', 'revenue-cap')).toMatchObject({
      amountUsd: 10_000_000,
      boundary: 'inclusive',
      exempts: ['internal-evaluation'],
    });
    expect(termOf('ltx-2.3@self-hosted', 'revenue-cap')).toMatchObject({
      amountUsd: 10_000_000,
      boundary: 'inclusive',
      exempts: [],
    });
    expect(termOf('krea-2@self-hosted', 'revenue-cap')).toMatchObject({
      amountUsd: 1_000_000,
      boundary: 'inclusive',
      metric: 'trailing-twelve-months-revenue',
    });
    expect(termOf('minimax-h3@self-hosted', 'revenue-cap')).toMatchObject({
      amountUsd: 20_000_000,
      boundary: 'exclusive',
      scope: 'product',
    });
    expect(termOf('hunyuan-image-3.0@self-hosted', 'usage-cap')).toMatchObject({
      amount: 100_000_000,
      boundary: 'exclusive',
      scope: 'entity',
    });
    expect(termOf('hunyuan3d-2.1@self-hosted', 'usage-cap')).toMatchObject({
      amount: 1_000_000,
      boundary: 'exclusive',
    });
    expect(termOf('llama-3.1-8b-instruct@self-hosted', 'usage-cap')).toMatchObject({
      scope: 'entity+affiliates',
    });
    expect(termOf('cogvideox-5b@self-hosted', 'usage-cap')).toMatchObject({
      amount: 1_000_000,
      boundary: 'exclusive',
      metric: 'visits-per-month',
    });
  });

  it('does not carry what the texts do not say', () => {
    expect(listing('ltx-2.3@self-hosted').terms.some(({ kind }) => kind === 'registration-required')).toBe(
      false,
    );
    expect(listing('ltx-2.5@self-hosted').terms.some(({ kind }) => kind === 'attribution-required')).toBe(
      false,
    );
    expect(listing('trellis@self-hosted').trainingData.summary).toContain('Toys4k is the evaluation set');
    expect(listing('flux-2-dev@self-hosted').license).toMatchObject({
      version: '2.0',
      spdxOrRef: 'LicenseRef-FLUX-dev-NC-2.0',
    });
    expect(listing('sdxl-turbo@self-hosted').license.spdxOrRef).toBe(
      'LicenseRef-Stability-AI-NC-Research-Community',
    );
  });

  it('keeps the four texts of FLUX.1 [dev]', () => {
    expect(listing('flux-1-dev@self-hosted').history.map(({ date }) => date)).toEqual([
      '2024-08-01',
      '2024-11-21',
      '2025-06-26',
      '2025-06-27',
    ]);
  });
});

describe('the loader', () => {
  it('refuses a damaged registry as a whole', () => {
    const damaged = structuredClone(listing('krea-2@self-hosted'));
    expect(() => parseSeed([{ ...damaged, id: 'krea-2@fal' }])).toThrow('does not end in its channel');
    expect(() => parseSeed([{ ...damaged, sources: [] }])).toThrow();
    expect(() => parseSeed([{ ...damaged, license: { ...damaged.license, textSha256: 'abc' } }])).toThrow();
    expect(() => parseSeed([{ ...damaged, terms: [...damaged.terms, damaged.terms[0]] }])).toThrow('one id');
    expect(() => parseSeed([{ ...damaged, commercial: 'yes' }])).toThrow();
  });
});

describe('countries', () => {
  it('are the 249 of ISO 3166-1', () => {
    expect(COUNTRIES.size).toBe(249);
  });

  it('puts the 27 members and the outermost regions into the Union, and nothing else', () => {
    const { certain, doubtful } = territoryOf(['EU']);
    expect(certain.size).toBe(34);
    for (const code of [...certain, ...doubtful]) expect(COUNTRIES.has(code)).toBe(true);
    for (const outside of ['GB', 'CH', 'NO', 'IS', 'US']) expect(certain.has(outside)).toBe(false);
  });
});
