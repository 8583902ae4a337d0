import { z } from 'zod';
import {
  id,
  identifier,
  listingId,
  mediaType,
  microUsd,
  mode,
  name,
  sha256Hex,
  sizeBytes,
  token,
} from './entry-fields.js';

/**
 * What the log can say: the closed union of entry types, each with the schema of its `data`. This list is the
 * documentation of the log (docs/spec/audit-log.md repeats it for outsiders). A type never changes its meaning;
 * a new fact gets a new type or a new optional field.
 */
export const ENTRY_DATA_SCHEMAS = {
  'organization.created': z.strictObject({ origin: identifier, vkey: identifier }),
  'principal.created': z.strictObject({ roles: z.array(token).max(16) }),
  'api_key.created': z.strictObject({ keyId: id, mode, principalId: id }),
  'api_key.revoked': z.strictObject({ keyId: id }),
  /** What the organization may spend in all. */
  'budget.set': z.strictObject({ limitMicroUsd: microUsd }),
  'project.created': z.strictObject({ name }),
  'use_case.created': z.strictObject({ projectId: id, name }),
  'pipeline.created': z.strictObject({
    name,
    version: z.int().positive(),
    definitionSha256: sha256Hex,
  }),

  /** May this run be made? The hashes fix the terms and the facts on which the decision rests. */
  'clearance.decided': z.strictObject({
    decision: z.enum(['allow', 'review', 'deny']),
    engineVersion: token,
    termsSha256: sha256Hex,
    inputSha256: sha256Hex,
    findings: z.array(z.strictObject({ ruleId: token, severity: token, listingId })).max(256),
  }),

  /** A person other than the requester accepts the open findings of one clearance, for a time. */
  'waiver.approved': z.strictObject({ clearanceId: id, reason: token, expiresAt: token }),

  'run.accepted': z.strictObject({
    pipeline: name,
    pipelineVersion: z.int().positive(),
    mode,
    projectId: id,
    useCase: name,
    clearanceId: id,
    steps: z
      .array(z.strictObject({ stepRunId: id, key: token, provider: token, listingId }))
      .min(1)
      .max(128),
    reservedMicroUsd: microUsd,
  }),
  /** Intent: committed before the provider is called. */
  'step.submitted': z.strictObject({
    runId: id,
    stepKey: token,
    provider: token,
    listingId,
    requestSha256: sha256Hex,
    upstreamId: identifier.optional(),
  }),
  /** A crash or a lost answer: the provider may or may not have worked. Never submitted again by itself. */
  'step.outcome_unknown': z.strictObject({ runId: id, stepKey: token, provider: token }),
  'step.reconciled': z.strictObject({ runId: id, stepKey: token, outcome: token }),
  'step.failed': z.strictObject({ runId: id, stepKey: token, provider: token, code: token }),
  'step.settled': z.strictObject({ runId: id, stepKey: token, costMicroUsd: microUsd, basis: token }),
  'run.finished': z.strictObject({ state: token }),

  /** An upload, with the basis on which its sender says it may be used. */
  'asset.received': z.strictObject({
    sha256: sha256Hex,
    sizeBytes,
    mediaType,
    rightsBasis: token,
  }),
  /** `originalSha256` is what came in, `sha256` and `sizeBytes` are the signed file that is served. */
  'asset.signed': z.strictObject({
    runId: id.optional(),
    stepRunId: id.optional(),
    originalSha256: sha256Hex,
    sha256: sha256Hex,
    sizeBytes,
    mediaType,
    claimSha256: sha256Hex,
    manifestSha256: sha256Hex,
    manifestLabel: identifier,
    parents: z
      .array(z.strictObject({ assetId: id, relationship: z.enum(['parentOf', 'componentOf', 'inputTo']) }))
      .max(128),
    /** Absent where the step has none (a plain resize) or nobody declared one: unknown is never "human". */
    digitalSourceType: identifier.optional(),
  }),
  'contribution.recorded': z.strictObject({
    assetId: id,
    parentAssetId: id,
    actionType: token,
    basis: token,
    capture: token,
  }),
  'review.decided': z.strictObject({ assetId: id, decision: token, sha256: sha256Hex }),
  'asset.released': z.strictObject({ assetId: id, sha256: sha256Hex }),
  'report.created': z.strictObject({ kind: token, format: token, subjectId: id, sha256: sha256Hex }),
} as const satisfies Record<string, z.ZodType>;

export type EntryType = keyof typeof ENTRY_DATA_SCHEMAS;

export type EntryData<T extends EntryType> = z.input<(typeof ENTRY_DATA_SCHEMAS)[T]>;

/** Who acted: an API key, a user, or this program itself. */
export const ACTOR_KINDS = ['api_key', 'user', 'system'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** What an entry is about. */
export const SUBJECT_KINDS = [
  'organization',
  'principal',
  'api_key',
  'project',
  'use_case',
  'pipeline',
  'clearance',
  'waiver',
  'run',
  'step_run',
  'asset',
  'contribution',
  'review',
  'report',
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export function isEntryType(type: string): type is EntryType {
  return Object.hasOwn(ENTRY_DATA_SCHEMAS, type);
}
