import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { type PolicyBasis } from '../domain/policies/policy.js';
import { type PolicyEngine, type PolicyReader } from '../domain/policies/policy-engine.port.js';
import { POLICY_SCHEMA_SHA256 } from '../domain/policies/policy-schema.js';
import { factsWith, lineageOf, listings, QUESTION } from '../testing/policy-workshop.js';
import { AskPolicies } from './ask-policies.js';
import { PoliciesInForce } from './policies-in-force.js';

const NOW = 'Cedar 9.9.9';
const asker = new AskPolicies(
  new PoliciesInForce({ name: NOW } as PolicyEngine, {} as PolicyReader, () => undefined),
);
const basis = (changes: Partial<PolicyBasis> = {}): PolicyBasis => ({
  v: 1,
  engine: NOW,
  schemaSha256: POLICY_SCHEMA_SHA256,
  licenseDecision: 'allow',
  question: QUESTION,
  refs: [],
  matches: [],
  ...changes,
});

describe('a recorded answer of policies', () => {
  const again = (recorded: PolicyBasis) =>
    asker.again(
      {} as Tx,
      { lineage: lineageOf('studio-crop@studio'), facts: factsWith(), listings },
      { decision: 'allow', findings: [] },
      recorded,
    );

  it('is not made again by another release of the policy language, nor with another schema', async () => {
    expect(asker.canRepeat(basis())).toBe(true);
    for (const other of [{ engine: 'Cedar 4.13.0' }, { schemaSha256: 'a'.repeat(64) }]) {
      expect(asker.canRepeat(basis(other))).toBe(false);
      await expect(again(basis(other))).rejects.toMatchObject({ code: 'conflict' });
    }
  });
});
