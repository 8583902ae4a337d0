import { describe, expect, it } from '@jest/globals';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { AGAINST_ALLOW_CASES } from '../testing/cases/against-allow-cases.js';
import { CAP_CASES } from '../testing/cases/cap-cases.js';
import { COMPONENT_CASES } from '../testing/cases/component-cases.js';
import { DUTY_CASES } from '../testing/cases/duty-cases.js';
import { INPUT_CASES } from '../testing/cases/input-cases.js';
import { LICENSE_CASES } from '../testing/cases/license-cases.js';
import { LORA_CASES } from '../testing/cases/lora-cases.js';
import { TERRITORY_CASES } from '../testing/cases/territory-cases.js';
import { decideCase } from '../testing/case.js';
import { outcomeJson } from './outcome-json.js';
import { policyFindings, termFindings } from './policies/decide-policies.js';
import { type PolicyEngine } from './policies/policy-engine.port.js';

const ALL = [
  AGAINST_ALLOW_CASES,
  CAP_CASES,
  COMPONENT_CASES,
  DUTY_CASES,
  INPUT_CASES,
  LICENSE_CASES,
  LORA_CASES,
  TERRITORY_CASES,
].flat();

function written(said: Parameters<typeof outcomeJson>[0]): string {
  const { front, end } = outcomeJson(said);
  return `{${front.toString()},${end.toString()}}`;
}

describe('the answer of a decision', () => {
  it.each(ALL)('is the canonical form of what it says: $what', (one) => {
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
