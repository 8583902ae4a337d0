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
  const commercial = cleared('commercial', 'flux-1-dev');
  /** A file made from others, under a decision or by a person. */
  const file = (id: string, decision: ReturnType<typeof cleared> | undefined, ...parentIds: string[]) => ({
    id,
    parentIds,
    cleared: decision,
  });
  /** Each file made from the one before it; the last one is to be released. */
  const inARow = (...decisions: (ReturnType<typeof cleared> | undefined)[]) => {
    const files = decisions.map((decision, at) =>
      at === 0 ? file('0', decision) : file(String(at), decision, String(at - 1)),
    );
    return evaluationsOnly(String(decisions.length - 1), files);
  };

  it('is not published, alone or in works that have nothing to do with its models', () => {
    expect(inARow(evaluation)).toEqual([evaluation]);
    expect(inARow(evaluation, cleared('commercial', 'sdxl-1-0'))).toEqual([evaluation]);
    expect(inARow(evaluation, undefined)).toEqual([evaluation]);
  });

  it('is published where a later decision for another purpose was about all of its models', () => {
    expect(inARow(evaluation, cleared('commercial', 'flux-1-dev', 'sdxl-1-0'))).toEqual([]);
    expect(inARow(evaluation, undefined, commercial, undefined)).toEqual([]);
    expect(inARow(commercial)).toEqual([]);
  });

  it('is not covered by what was cleared before it', () => {
    expect(inARow(commercial, evaluation)).toEqual([evaluation]);
    expect(inARow(commercial, evaluation, undefined)).toEqual([evaluation]);
    expect(inARow(evaluation, commercial, evaluation)).toEqual([evaluation]);
  });

  it('is not covered by what was made beside it, or on another way than the one on which it gets out', () => {
    const made = [
      file('test', evaluation),
      file('other', commercial),
      file('both', undefined, 'test', 'other'),
    ];
    expect(evaluationsOnly('both', made)).toEqual([evaluation]);
    const twoWays = [
      file('test', evaluation),
      file('made', commercial, 'test'),
      file('edit', undefined, 'made', 'test'),
    ];
    expect(evaluationsOnly('edit', twoWays)).toEqual([evaluation]);
    expect(evaluationsOnly('made', twoWays.slice(0, 2))).toEqual([]);
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
