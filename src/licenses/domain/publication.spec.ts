import { describe, expect, it } from '@jest/globals';
import { SMALL } from '../testing/case.js';
import { lineageInputSchema, lineageSchema } from './lineage.js';
import { deadRights, evaluationsOnly } from './publication.js';
import { runFactsSchema } from './run-facts.js';

const cleared = (purpose: 'commercial' | 'internal-evaluation', ...models: string[]) => ({
  facts: runFactsSchema.parse({ ...SMALL, purpose }),
  lineage: lineageSchema.parse({
    components: models.map((name) => ({
      listingId: `${name}@self-hosted`,
      role: 'generator',
      stepKey: name,
    })),
  }),
});

describe('what was cleared for an evaluation', () => {
  const evaluation = cleared('internal-evaluation', 'flux-1-dev');

  it('is not published, alone or beside works that have nothing to do with its models', () => {
    expect(evaluationsOnly([evaluation])).toEqual([evaluation]);
    expect(evaluationsOnly([cleared('commercial', 'sdxl-1-0'), evaluation])).toEqual([evaluation]);
  });

  it('is published where a later decision for another purpose was about all of its models', () => {
    expect(evaluationsOnly([evaluation, cleared('commercial', 'flux-1-dev', 'sdxl-1-0')])).toEqual([]);
    expect(evaluationsOnly([cleared('commercial', 'flux-1-dev')])).toEqual([]);
  });
});

describe('rights in a received file that are over', () => {
  const input = (changes: Record<string, unknown>) =>
    lineageInputSchema.parse({
      rightsBasis: 'owned',
      allowedUses: ['commercial'],
      aiInput: 'yes',
      territory: 'worldwide',
      expiresAt: null,
      ...changes,
    });
  const rules = (changes: Record<string, unknown>) =>
    deadRights([input(changes)], '2026-12-15').map(({ ruleId }) => ruleId);
  const release = (expiresAt: string) => ({ reference: 'M-1', coversAiAlteration: 'yes', expiresAt });

  it('are named: none at all, one that ended, a release that ended; the last day still counts', () => {
    expect(rules({ rightsBasis: 'none' })).toEqual(['input-rights-basis']);
    expect(rules({ expiresAt: '2026-12-14' })).toEqual(['input-expiry']);
    expect(rules({ releases: [release('2026-12-14')] })).toEqual(['input-release']);
    expect(rules({ expiresAt: '2026-12-15', releases: [release('2026-12-15')] })).toEqual([]);
    expect(rules({ expiresAt: 'unknown' })).toEqual([]);
  });
});
