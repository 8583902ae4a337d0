import { describe, expect, it } from '@jest/globals';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ALL_CASES } from '../testing/cases/all-cases.js';
import { CAP_CASES } from '../testing/cases/cap-cases.js';
import { COMPONENT_CASES } from '../testing/cases/component-cases.js';
import { type Case, decideCase, indexFor } from '../testing/case.js';
import { basisSha256, decisionBasis } from './decision-basis.js';
import { type DecisionResult } from './engine.js';
import { type RecordedOutlook } from './listing-outlook.js';
import { fullOutcome, type StoredOutcome, storedOutcomeJson } from './stored-outcome.js';

const text = (value: unknown) => canonicalJson(value as JsonValue).toString();

/** As it is written to the database, and with it what is needed to read it. */
function stored(one: Case, change: (result: DecisionResult) => DecisionResult = (result) => result) {
  const { input, ...said } = change(decideCase(one));
  const basis = decisionBasis({ input, engineVersion: said.engineVersion }, indexFor(one));
  const json = storedOutcomeJson(said, basis.outlooks, undefined);
  const outlooks = new Map(
    basis.outlooks.map(({ bytes, listingId }) => [
      listingId,
      JSON.parse(bytes.toString()) as RecordedOutlook,
    ]),
  );
  return { said, basis, json, outcome: JSON.parse(json) as StoredOutcome, outlooks };
}

const many = COMPONENT_CASES.find((one) => decideCase(one).obligations.length > 1) as Case;

describe('what is stored of a decision', () => {
  it('is canonical, says in full what was decided in every case of the tables, and is less than half as long', () => {
    let [full, kept] = [0, 0];
    for (const one of ALL_CASES) {
      const { said, basis, json, outcome, outlooks } = stored(one);
      expect([one.what, json]).toEqual([one.what, text(outcome)]);
      expect([one.what, text(fullOutcome(outcome, outlooks))]).toEqual([one.what, text(said)]);
      for (const { bytes, sha256 } of basis.outlooks) expect(sha256Hex(bytes)).toBe(sha256);
      [full, kept] = [full + text(said).length, kept + json.length];
    }
    expect(kept).toBeLessThan(full / 2);
  });

  it('says in full what is not the very words of an outlook', () => {
    const { said, outcome, outlooks } = stored(many, (result) => ({
      ...result,
      findings: result.findings.map((finding) => ({
        ...finding,
        fact: { ...finding.fact },
        term: finding.term && { ...finding.term },
      })),
      obligations: result.obligations.map((duty) => ({ ...duty, text: `Perhaps: ${duty.text}` })),
    }));
    expect(JSON.stringify(outcome)).not.toMatch(/"said"|"cites"/);
    expect(text(fullOutcome(outcome, outlooks))).toBe(text(said));
  });

  it('keeps the words that the decision put before or after those of the outlook', () => {
    const { said, json, outcome, outlooks } = stored(many, (result) => ({
      ...result,
      findings: result.findings.map((finding) => ({
        ...finding,
        howToFix: `${finding.howToFix} Allowed: x@y.`,
        message: `If it is used: ${finding.message}`,
        severity: 'review',
      })),
    }));
    expect(json).toContain('"said"');
    expect(json).toContain('If it is used: ');
    expect(text(fullOutcome(outcome, outlooks))).toBe(text(said));
  });

  it('names the term that a finding by facts cites', () => {
    const one = CAP_CASES.find((each) => stored(each).json.includes('"cites"')) as Case;
    const { said, outcome, outlooks } = stored(one);
    const withoutTerms = [...outlooks].map(([id, outlook]) => [id, { ...outlook, terms: [] }] as const);
    expect(text(fullOutcome(outcome, outlooks))).toBe(text(said));
    expect(() => fullOutcome(outcome, new Map(withoutTerms))).toThrow(RangeError);
  });

  it('has the policies that were asked in their place', () => {
    const { said, basis } = stored(many);
    const asked = { a: 2, z: 1 };
    const json = storedOutcomeJson(said, basis.outlooks, text(asked));
    expect(json).toBe(text(JSON.parse(json)));
    expect(JSON.parse(json)).toMatchObject({ policies: asked, termsSha256: said.termsSha256 });
  });

  it('cannot be read when an outlook is missing, or does not say so much', () => {
    const { outcome, outlooks } = stored(many);
    expect(() => fullOutcome(outcome, new Map())).toThrow(RangeError);
    const short = new Map(
      [...outlooks].map(
        ([id, outlook]) => [id, { ...outlook, obligations: [], findings: [], terms: [] }] as const,
      ),
    );
    expect(() => fullOutcome(outcome, short)).toThrow(RangeError);
  });
});

describe('the hash of a basis', () => {
  const part = { listingId: 'a@b', sha256: '1', decisiveSha256: '2', outlookSha256: '3' };
  const other = { ...part, listingId: 'B@c' };

  it('is that of its parts, in whatever order, and of nothing less', () => {
    expect(basisSha256([part, other])).toBe(basisSha256([other, part]));
    const changed = Object.keys(part).map((name) => basisSha256([{ ...part, [name]: 'x' }, other]));
    const all = [basisSha256([part, other]), basisSha256([part]), basisSha256([]), ...changed];
    expect(new Set(all).size).toBe(all.length);
  });

  it('differs with the purpose, because listings say other things for it', () => {
    const [commercial, evaluation] = [
      stored(many),
      stored({ ...many, facts: { ...many.facts, purpose: 'internal-evaluation' } }),
    ];
    expect(commercial.said.termsSha256).toBe(evaluation.said.termsSha256);
    expect(commercial.basis.sha256).not.toBe(evaluation.basis.sha256);
  });
});
