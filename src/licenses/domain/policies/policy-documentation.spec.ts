import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { decideWith, factsWith, lineageOf, read, setOf } from '../../testing/policy-workshop.js';
import { lineageInputSchema } from '../lineage.js';
import { MAX_TERM_LENGTH, MAX_TERMS } from './blocked-terms.js';
import { POLICY_SCHEMA } from './policy-schema.js';
import { MAX_ACCESSES, MAX_NESTING, MAX_OPERATORS, MAX_POLICIES, MAX_POLICY_BYTES } from './policy-text.js';

const page = readFileSync(new URL('../../../../docs/licenses/policies.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```cedar\n([^`]+)```/g)].map(([, text]) => text ?? '');
const number = (value: number) => value.toLocaleString('en-US');

/** What the example with this id says of a work made with one model. */
function said(id: string, listingId: string, more: Partial<Parameters<typeof decideWith>[1]> = {}): string[] {
  const text = examples.find((example) => example.includes(`@id("${id}")`)) ?? '';
  const { findings } = decideWith([setOf(text)], { lineage: lineageOf(listingId), ...more });
  return findings.flatMap(({ ruleId, severity }) => (ruleId === `policy.${id}` ? [severity] : []));
}

describe('the page about policies', () => {
  it('shows policies that are taken as they stand, without a warning', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
    for (const example of examples)
      expect(read(example)).toMatchObject({ policies: expect.anything(), warnings: [] });
  });

  it('shows policies that do what is written beside them', () => {
    expect(said('no-tencent', 'hunyuan-image-3.0@fal')).toEqual(['deny']);
    expect(said('no-tencent', 'flux-1-schnell@self-hosted')).toEqual([]);
    expect(said('approved-only', 'studio-scene@studio')).toEqual([]);
    expect(said('approved-only', 'qwen-image@self-hosted')).toEqual(['deny']);
    expect(said('training-data-disclosed', 'flux-1-schnell@self-hosted')).toEqual(['deny']);
    const free = { facts: factsWith({ purpose: 'non-commercial' }) };
    expect(said('training-data-disclosed', 'flux-1-schnell@self-hosted', free)).toEqual([]);
    expect(said('hero-indemnified', 'flux-1-schnell@self-hosted')).toEqual(['deny']);
    expect(said('hero-indemnified', 'studio-scene@studio')).toEqual([]);
    expect(said('human-hand', 'studio-scene@studio')).toEqual([]);
    const release = {
      action: 'release',
      human: { humanContribution: false, contributionKinds: [] },
    } as const;
    expect(said('human-hand', 'studio-scene@studio', release)).toEqual(['deny']);
    const upload = lineageInputSchema.parse({
      rightsBasis: 'unknown',
      allowedUses: 'unknown',
      aiInput: 'unknown',
      territory: 'unknown',
      expiresAt: null,
    });
    const lineage = { ...lineageOf('studio-scene@studio'), inputs: [upload] };
    expect(said('unclear-uploads', 'studio-scene@studio', { lineage })).toEqual(['deny']);
    const question = { roles: ['legal'], project: null, useCase: null } as const;
    expect(said('unclear-uploads', 'studio-scene@studio', { lineage, question })).toEqual([]);
  });

  it('names the limits as they are', () => {
    const limits = page.slice(page.indexOf('## Limits'));
    for (const value of [MAX_POLICY_BYTES, MAX_POLICIES, MAX_OPERATORS, MAX_NESTING, MAX_ACCESSES])
      expect(limits).toContain(number(value));
    expect(page).toContain(`up to ${number(MAX_TERMS)} terms`);
    expect(page).toContain(`up to ${MAX_TERM_LENGTH} characters`);
  });

  it('names every attribute that a policy can ask for', () => {
    const attributes = [...POLICY_SCHEMA.matchAll(/\b(\w+)\??: (?:Set<|String|Bool|Listings|Purpose|\{)/g)];
    expect(attributes.length).toBeGreaterThan(15);
    for (const [, name] of attributes) expect(page).toContain(name);
  });
});
