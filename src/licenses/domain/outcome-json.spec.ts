import { describe, expect, it } from '@jest/globals';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ALL_CASES } from '../testing/cases/all-cases.js';
import { LICENSE_CASES } from '../testing/cases/license-cases.js';
import { decideCase } from '../testing/case.js';
import { outcomeJson } from './outcome-json.js';
import { policyFindings, termFindings } from './policies/decide-policies.js';
import { type PolicyEngine } from './policies/policy-engine.port.js';

function written(said: Parameters<typeof outcomeJson>[0]): string {
  const { front, end } = outcomeJson(said);
  return `{${front.toString()},${end.toString()}}`;
}

describe('the answer of a decision', () => {
  it.each(ALL_CASES)('is the canonical form of what it says: $what', (one) => {
    const { input, ...said } = decideCase(one);
    expect(input).toBeDefined();
    expect(written(said)).toBe(canonicalJson(said as unknown as JsonValue).toString());
  });

  it('also of what policies found', () => {
    const ref = { kind: 'cedar', scope: 'project', version: 2, sha256: 'a' } as const;
    const failing = {
      name: 'none',
      evaluate: () => {
        throw new Error('no engine');
      },
    } as unknown as PolicyEngine;
    const policies = [{ id: 'p', severity: 'deny', message: 'm', fix: 'f', text: 't' }] as const;
    const call = { action: 'generate', principal: {}, work: {}, context: {} } as const;
    const match = {
      stepKey: 'a',
      scope: 'project',
      version: 1,
      listSha256: 'b',
      termId: 't-1',
    } as const;
    const found = [...policyFindings([{ ref, policies }], call, failing), ...termFindings([match])];
    expect(found).toHaveLength(2);
    const { input, ...said } = decideCase({ ...LICENSE_CASES[0], findings: [] } as never);
    expect(input).toBeDefined();
    const outcome = { ...said, findings: found };
    expect(written(outcome)).toBe(canonicalJson(outcome as unknown as JsonValue).toString());
  });
});
