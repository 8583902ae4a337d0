import { publicId } from '../../shared/ids.js';
import { type PolicyBasis } from '../domain/policies/policy.js';
import { type Clearance, type RecordedClearance } from '../application/decide-clearance.js';
import { type StoredClearance } from '../application/read-clearance.js';

/** A recorded decision as the API shows it. */
export function clearanceView(clearance: Clearance) {
  return {
    id: publicId('clearance', clearance.id),
    decision: clearance.decision,
    findings: clearance.findings,
    policies: policiesView(clearance.policies),
    obligations: clearance.obligations,
    indemnity: clearance.indemnity,
    engineVersion: clearance.engineVersion,
    termsSha256: clearance.termsSha256,
    inputSha256: clearance.inputSha256,
    createdAt: clearance.createdAt.toISOString(),
  };
}

/** {@link clearanceView} as JSON. The long part was written and encoded while the decision was being recorded. */
export function clearanceJson({ id, createdAt, policies, json: { front, end } }: RecordedClearance): Buffer {
  const named = JSON.stringify({ createdAt: createdAt.toISOString(), id: publicId('clearance', id) });
  const asked = JSON.stringify(policiesView(policies));
  const before = Buffer.from(`${named.slice(0, -1)},`);
  const after = Buffer.from(`,"policies":${asked},`);
  return Buffer.concat([before, front, after, end, Buffer.from('}')]);
}

/** What it was asked for, by whom, and in place of what. */
export function scopeView({ createdBy, renews, projectId, useCaseId, registryVersion }: StoredClearance) {
  return {
    createdBy: publicId('principal', createdBy),
    projectId: projectId === null ? null : publicId('project', projectId),
    useCaseId: useCaseId === null ? null : publicId('useCase', useCaseId),
    renews: renews === null ? null : publicId('clearance', renews),
    registryVersion,
  };
}

/** A decision in a list: what it says and rests on, without the words. */
export function clearanceSummary(clearance: StoredClearance) {
  const { findings, obligations, indemnity, input } = clearance;
  const { id, decision, engineVersion, termsSha256, inputSha256, createdAt } = clearanceView(clearance);
  return {
    id,
    decision,
    ...scopeView(clearance),
    purpose: input.facts.purpose,
    audienceCountries: input.facts.audienceCountries,
    listingIds: input.listings.map(([listingId]) => listingId),
    findings: findings
      .filter(({ severity }) => severity !== 'note')
      .map(({ ruleId, severity, listingId }) => ({ ruleId, severity, listingId })),
    obligationCount: obligations.length,
    indemnity,
    engineVersion,
    termsSha256,
    inputSha256,
    createdAt,
  };
}

/** Which policies were asked beside the licenses, and what the licenses alone said; null when there were none. */
export function policiesView(basis: PolicyBasis | undefined) {
  if (basis === undefined) return null;
  const { engine, schemaSha256, licenseDecision, question, refs, origins = [] } = basis;
  return { engine, schemaSha256, licenseDecision, question, refs, origins };
}
