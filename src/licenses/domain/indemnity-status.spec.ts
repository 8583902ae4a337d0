import { describe, expect, it } from '@jest/globals';
import { decideCase, type Case, variant } from '../testing/case.js';
import { type IndemnityStatus } from './indemnity-status.js';
import { type Listing } from './listing.js';

/** OpenAI's indemnity with its six exclusions, as if the terms in force had been read. */
const READ: Listing = (() => {
  const listing = variant('gpt-image-1@openai', 'read-image@openai', {});
  const { license, indemnity } = listing;
  return {
    ...listing,
    license: { ...license, status: 'current', statusReason: '' },
    indemnity: { ...indemnity, verified: 'primary' },
  };
})();
const CONTRACT = {
  agreements: [{ listingId: 'read-image@openai', kind: 'indemnity' as const, reference: 'C-1' }],
};

function statusOf(one: Partial<Case>, listingId = 'read-image@openai'): IndemnityStatus {
  const { indemnity } = decideCase({
    what: '',
    source: 'OpenAI Services Agreement 2025-05-31, exclusions as quoted',
    use: ['read-image@openai'],
    listings: [READ],
    decision: 'review',
    rules: [],
    ...one,
    facts: { ...CONTRACT, ...one.facts },
  });
  const found = indemnity.find((status) => status.listingId === listingId);
  if (!found) throw new Error(`no indemnity of ${listingId}`);
  return found;
}

describe('indemnity over the lineage', () => {
  it('holds for an output as it was returned, under a contract that covers it', () => {
    expect(statusOf({})).toMatchObject({ result: 'intact', lostBecause: [], open: [] });
  });

  it.each([
    [
      'an upscale by another vendor',
      { use: ['read-image@openai', 'real-esrgan'] },
      'combined-with-other-products',
    ],
    [
      'an upscale by our own tool',
      { use: ['read-image@openai', 'studio-upscale@studio'] },
      'combined-with-other-products',
    ],
    [
      'an inpaint with FLUX',
      { use: ['read-image@openai', 'flux-1-schnell'] },
      'combined-with-other-products',
    ],
    ['an edit', { facts: { editsPlanned: 'yes' } }, 'output-modified'],
    ['safety features off', { facts: { safetyFeaturesOn: 'no' } }, 'safety-disabled'],
    ['use as a trade mark', { facts: { trademarkUse: 'yes' } }, 'trademark-use'],
    ['a complaint', { facts: { infringementNotice: 'yes' } }, 'known-infringement'],
    ['an input without a right', { input: { rightsBasis: 'none' } }, 'input-without-right'],
    ['an input that may not be fed to a model', { input: { aiInput: 'no' } }, 'input-without-right'],
  ] as const)('is lost by %s', (_what, one, cause) => {
    const status = statusOf(one);
    expect(status.result).toBe('lost');
    expect(status.lostBecause).toContain(cause);
  });

  it.each([
    ['edits not stated', { facts: { editsPlanned: 'unknown' } }, 'output-modified'],
    ['safety not stated', { facts: { safetyFeaturesOn: 'unknown' } }, 'safety-disabled'],
    ['trade mark not stated', { facts: { trademarkUse: 'unknown' } }, 'trademark-use'],
    ['complaints not stated', { facts: { infringementNotice: 'unknown' } }, 'known-infringement'],
    ['an input of unknown right', { input: { rightsBasis: 'unknown' } }, 'input-without-right'],
    ['a step that nobody listed', { use: ['read-image@openai', 'nobody'] }, 'combined-with-other-products'],
    ['no contract', { facts: { agreements: [] } }, 'third-party-offering'],
  ] as const)('is not known with %s', (_what, one, cause) => {
    const status = statusOf(one as Partial<Case>);
    expect(status.result).toBe('unknown');
    expect(status.open).toContain(cause);
  });

  it('is never called intact on a report of the terms', () => {
    const agreements = [{ listingId: 'gpt-image-1@openai', kind: 'indemnity' as const, reference: 'C-1' }];
    const status = statusOf({ use: ['gpt-image-1@openai'], facts: { agreements } }, 'gpt-image-1@openai');
    expect(status).toMatchObject({ result: 'unknown', open: ['terms-in-force-not-read'] });
  });

  it('of the vendor itself survives a second step with the same vendor', () => {
    const second = { ...READ, id: 'read-edit@openai', name: 'another model of the vendor' };
    const status = statusOf({ use: ['read-image@openai', 'read-edit@openai'], listings: [READ, second] });
    expect(status.lostBecause).toEqual([]);
  });

  it('is lost for a model tuned on images without a right, and not for one with rights', () => {
    const base: Listing = {
      ...READ,
      indemnity: { ...READ.indemnity, voidedBy: ['fine-tuned-on-unlicensed-data'] },
    };
    const tuned = (basis: 'owned' | 'none'): Listing => ({
      ...READ,
      id: 'tuned@openai',
      roles: ['lora'],
      base: { listingId: READ.id, relation: 'adapter' },
      datasetManifestSha256: 'a'.repeat(64),
      datasetManifest: {
        images: 1,
        rights: [{ basis, images: 1, trainingAllowed: 'yes', expiresAt: null }],
        releases: [],
      },
    });
    const withLora = (lora: Listing) => statusOf({ use: ['tuned@openai'], listings: [base, lora] });
    expect(withLora(tuned('none'))).toMatchObject({ lostBecause: ['fine-tuned-on-unlicensed-data'] });
    expect(withLora(tuned('owned'))).toMatchObject({ result: 'intact' });
  });

  it('of an open text is none, and says so', () => {
    expect(statusOf({ use: ['flux-1-schnell'] }, 'flux-1-schnell@self-hosted').result).toBe('none');
  });

  it('that ends only when the output is modified ends with whatever comes after the vendor, too', () => {
    const only: Listing = { ...READ, indemnity: { ...READ.indemnity, voidedBy: ['output-modified'] } };
    const after = (tool: string) => statusOf({ use: ['read-image@openai', tool], listings: [only] });
    expect(after('real-esrgan')).toMatchObject({ result: 'lost', lostBecause: ['output-modified'] });
    expect(after('nobody')).toMatchObject({ result: 'unknown', open: ['output-modified'] });
    expect(statusOf({ listings: [only] }).result).toBe('intact');
  });

  it('is lost for a model below a LoRA on a LoRA that learnt from images without a right', () => {
    const voidedBy = ['fine-tuned-on-unlicensed-data' as const];
    const base: Listing = { ...READ, indemnity: { ...READ.indemnity, voidedBy } };
    const tuned = (id: string, on: string, basis: 'owned' | 'none'): Listing => ({
      ...READ,
      id,
      roles: ['lora'],
      base: { listingId: on, relation: 'adapter' },
      datasetManifestSha256: 'a'.repeat(64),
      datasetManifest: {
        images: 1,
        rights: [{ basis, images: 1, trainingAllowed: 'yes', expiresAt: null }],
        releases: [],
      },
    });
    const status = (outer: 'owned' | 'none') => {
      const loras = [tuned('inner@openai', READ.id, 'owned'), tuned('outer@openai', 'inner@openai', outer)];
      return statusOf({ use: ['outer@openai'], listings: [base, ...loras] }).lostBecause;
    };
    expect([status('owned'), status('none')]).toEqual([[], voidedBy]);
  });
});
