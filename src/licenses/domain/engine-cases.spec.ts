import { describe, expect, it } from '@jest/globals';
import { ALL_CASES, CASE_TABLES } from '../testing/cases/all-cases.js';
import { DE, decideCase } from '../testing/case.js';
import { RULE_IDS } from './finding.js';

describe.each(Object.entries(CASE_TABLES))('decisions written from the texts: %s', (_name, cases) => {
  it.each(cases)('$what -> $decision [$source]', (one) => {
    const { decision, findings } = decideCase(one);
    const decisive = findings.filter(({ severity }) => severity === decision).map(({ ruleId }) => ruleId);
    expect({ decision, rules: [...new Set(decisive)].sort() }).toEqual({
      decision: one.decision,
      rules: [...one.rules].sort(),
    });
  });
});

describe('the table', () => {
  const all = ALL_CASES;

  it('has at least 150 cases, each of which names its source', () => {
    expect(all.length).toBeGreaterThanOrEqual(150);
    expect(all.filter(({ source }) => source.trim() === '')).toEqual([]);
  });

  it('has every answer, and every rule that decides', () => {
    expect(new Set(all.map(({ decision }) => decision)).size).toBe(3);
    const spoken = new Set(all.flatMap(({ rules }) => rules));
    const informing = [
      'indemnity',
      'training-data',
      'secondary-source',
      'litigation',
      'revocable',
      'test-output',
    ];
    expect(RULE_IDS.filter((rule) => !spoken.has(rule) && !informing.includes(rule))).toEqual([]);
  });
});

describe('what counsel reads', () => {
  const refused = decideCase({
    what: '',
    source: '',
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
      expect(
        decideCase({ what: '', source: '', use: [id], facts: DE, decision: 'allow', rules: [] }).decision,
      ).toBe('allow');
    }
  });

  it('a hidden component is traced to the model that brought it', () => {
    const { findings } = decideCase({
      what: '',
      source: '',
      use: ['hidream-i1'],
      decision: 'review',
      rules: [],
    });
    const llama = findings.find(({ listingId }) => listingId === 'llama-3.1-8b-instruct@self-hosted');
    expect(llama).toMatchObject({ via: ['hidream-i1@self-hosted'], stepKeys: ['step-0'] });
    expect(llama?.alternatives).toContain('flux-1-schnell@self-hosted');
  });

  it('an allowed work still owes a label, the words of attribution and the place of use', () => {
    const { obligations } = decideCase({
      what: '',
      source: '',
      use: ['hunyuan-image-3.0', 'hidream-i1'],
      decision: 'allow',
      rules: [],
    });
    expect(obligations.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['label-output', 'place-of-use', 'no-training-on-outputs']),
    );
    expect(obligations.find(({ kind }) => kind === 'attribution')?.text).toContain('"Built with Llama"');
  });

  it('every finding rests on a cited text or says that there is none to cite', () => {
    const { findings } = decideCase({
      what: '',
      source: '',
      use: ['gpt-image-1@openai', 'minimax-h3', 'sd-3-5', 'eleven-music-v1@elevenlabs'],
      facts: DE,
      decision: 'deny',
      rules: [],
    });
    expect(findings.length).toBeGreaterThan(20);
    for (const { term, message, howToFix, fact } of findings) {
      if (term !== null) expect(term.source.dateRead).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect([message, howToFix, fact.name].includes('')).toBe(false);
    }
    const cited = findings.filter(({ term }) => term === null).map(({ ruleId }) => ruleId);
    expect(cited).toEqual([]);
  });

  it('training data stands in every decision: disclosure, rights, reservations, suits', () => {
    const { decision, findings } = decideCase({
      what: '',
      source: '',
      use: ['trellis'],
      decision: 'review',
      rules: [],
    });
    expect(decision).toBe('review');
    const note = findings.find(
      ({ ruleId, listingId }) => ruleId === 'training-data' && listingId === 'trellis@self-hosted',
    );
    expect(note?.severity).toBe('note');
    expect(note?.fact.value).toEqual(['disclosure:full', 'opt-outs:unknown', 'rights:mixed']);
    expect(note?.term?.kind).toBe('training-data');
  });

  it('a claim about training data without a text behind it counts as unknown', () => {
    const { findings } = decideCase({
      what: '',
      source: 'vendor claim, not verified',
      use: ['moonvalley-marey@moonvalley'],
      decision: 'review',
      rules: [],
    });
    const note = findings.find(({ ruleId }) => ruleId === 'training-data');
    expect(note?.fact.value).toEqual(['disclosure:unknown', 'opt-outs:unknown', 'rights:unknown']);
  });
});
