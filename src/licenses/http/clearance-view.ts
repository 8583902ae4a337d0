import { publicId } from '../../shared/ids.js';
import { type PolicyBasis } from '../domain/policies/policy.js';
import { type Clearance } from '../application/decide-clearance.js';

/** A recorded decision as the API shows it. */
export function clearanceView(clearance: Clearance) {
  return {
    id: publicId('clearance', clearance.id),
    decision: clearance.decision,
    findings: clearance.findings,
    policies: policiesView(clearance.policies),
    obligations: clearance.obligations,
    engineVersion: clearance.engineVersion,
    termsSha256: clearance.termsSha256,
    inputSha256: clearance.inputSha256,
    createdAt: clearance.createdAt.toISOString(),
  };
}

/** Which policies were asked beside the licenses, and what the licenses alone said; null when there were none. */
export function policiesView(basis: PolicyBasis | undefined) {
  if (basis === undefined) return null;
  const { engine, schemaSha256, licenseDecision, question, refs } = basis;
  return { engine, schemaSha256, licenseDecision, question, refs };
}
