import { z } from 'zod';
import {
  CLAIM_KINDS,
  CLAIM_OUTCOMES,
  EXAMINATION_RESULTS,
  EXAMINED_QUESTIONS,
  MATTER_BASES,
  MATTER_FOUND,
  MATTER_KINDS,
} from './diligence-words.js';
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

/** Why a person's values were erased: never in free words, which would be personal data again. */
export const ERASURE_REASONS = ['data_subject_request', 'retention_ended', 'court_order'] as const;
export type ErasureReason = (typeof ERASURE_REASONS)[number];

/** What a legal hold can be on. */
export const HOLD_SCOPES = ['organization', 'data_subject', 'asset', 'run', 'project'] as const;
export type HoldScopeKind = (typeof HOLD_SCOPES)[number];

/** 1,000 ids of 36 characters leave an entry below its 65,535 bytes. */
export const MAX_ERASED_IN_ENTRY = 1000;

/** Of what bytes or sealed words can be removed: `captured` is what a step brought of which no asset was made. */
export const REMOVED_KINDS = ['asset', 'captured', 'attachment', 'report', 'prompts'] as const;
export type RemovedKind = (typeof REMOVED_KINDS)[number];

/** Two lists of 400 hashes of 67 characters leave an entry below its 65,535 bytes. */
export const MAX_HASHES_IN_ENTRY = 400;

/** What of an asset was shown: the signed file, or what its manifest says. */
export const READ_PARTS = ['content', 'manifest'] as const;
export type ReadPart = (typeof READ_PARTS)[number];

/** 200 listings of 121 characters and 400 ids of 36 leave an entry below its 65,535 bytes. */
export const MAX_REOPENED_IN_ENTRY = 200;

/** A page of a list has at most 200 holds, each with the words in which it was placed and lifted. */
export const MAX_READ_IN_ENTRY = 1000;

/** What a person can say of an obligation; `open` takes back what was said before. */
export const OBLIGATION_OUTCOMES = ['done', 'waived', 'not_applicable', 'open'] as const;
export type ObligationOutcome = (typeof OBLIGATION_OUTCOMES)[number];

/** In what form entries were exported; `archive` is the whole log as static tiles. */
export const EXPORT_FORMATS = ['ndjson', 'csv', 'archive'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** An asset may rest on several runs in several projects. */
export const MAX_POLICIES_IN_ENTRY = 100;
/** One version of one policy set or list. */
const policyRef = z.strictObject({
  kind: token,
  scope: token,
  version: z.int().positive(),
  sha256: sha256Hex,
});

/**
 * What was read in a received file: what it reserves, without the words of conditions, and the places that could not be
 * read. Absent in entries of before files were read.
 */
const fileReading = {
  fileSignals: z
    .array(
      z.strictObject({
        origin: token,
        act: token,
        use: token,
        /** Only for `constrained`: whether the file says under which condition. */
        conditionStated: z.boolean().optional(),
        manifestBroken: z.literal(true).optional(),
      }),
    )
    .max(40)
    .optional(),
  unreadPlaces: z.array(token).max(8).optional(),
};

/** 500 ids of 36 characters leave an entry below its 65,535 bytes. */
const MAX_SHOWN_IN_ENTRY = 500;

/** A step as it was accepted; the fallbacks are cleared with it, and used in this order. */
const acceptedStep = z.strictObject({
  stepRunId: id,
  key: token,
  provider: token,
  listingId,
  fallbacks: z.array(listingId).min(1).max(4).optional(),
});

/** Why a key is given up, in the words of RFC 5280 section 5.3.1; never in free words. */
export const KEY_COMPROMISE_REASONS = ['key_compromise', 'ca_compromise', 'suspected_compromise'] as const;
export type KeyCompromiseReason = (typeof KEY_COMPROMISE_REASONS)[number];

/** Base64 of the DER of a certificate; chains of up to six of them leave an entry below its 65,535 bytes. */
const certificate = z
  .string()
  .regex(/^[A-Za-z0-9+/]{1,9000}={0,2}$/, 'expected base64 of at most 9,000 characters');
const keyActivated = {
  certificateSha256: sha256Hex,
  spkiSha256: sha256Hex,
  algorithm: token,
  notBefore: token,
  notAfter: token,
  /** Leaf first, root last. */
  chain: z.array(certificate).min(1).max(6),
};
const keyRetired = { certificateSha256: sha256Hex };
const keyCompromised = {
  certificateSha256: sha256Hex,
  reason: z.enum(KEY_COMPROMISE_REASONS),
  assets: z.int().nonnegative(),
};

const budgetOf = { level: token, targetId: id.optional(), period: token };
const budgetCounters = { reservedMicroUsd: microUsd, spentMicroUsd: microUsd };

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
  'budget.set': z.strictObject({
    limitMicroUsd: microUsd,
    softLimitMicroUsd: microUsd.optional(),
    /** The limit is below what is reserved and spent, and the actor said that this is meant. */
    belowCommitted: z.literal(true).optional(),
  }),
  /** A budget below the organization's, or by month, was made or changed. The counters are those of that moment. */
  'budget.defined': z.strictObject({
    ...budgetOf,
    hardLimitMicroUsd: microUsd.optional(),
    softLimitMicroUsd: microUsd.optional(),
    belowCommitted: z.literal(true).optional(),
    ...budgetCounters,
  }),
  'budget.removed': z.strictObject({ ...budgetOf, ...budgetCounters }),
  /** A reservation went beyond a soft limit: written when it is crossed, not again while it is exceeded. */
  'budget.soft_limit_crossed': z.strictObject({
    ...budgetOf,
    month: token.optional(),
    softLimitMicroUsd: microUsd,
    committedMicroUsd: microUsd,
  }),
  /**
   * The organization's own price of an endpoint, from a day on. `sha256` is over the canonical JSON of the price; without
   * one the organization's price is withdrawn, and the price book counts again.
   */
  'price.recorded': z.strictObject({
    provider: token,
    endpoint: identifier,
    validFrom: token,
    sha256: sha256Hex.optional(),
  }),
  /** An organization's own key for a vendor. Nothing of the key: not even its last characters. */
  'provider_credential.set': z.strictObject({ provider: token }),
  'provider_credential.removed': z.strictObject({ provider: token }),
  'project.created': z.strictObject({ name }),
  /** Whether strangers find the manifests of what the project released. Without any such entry: yes. */
  'project.manifest_publication_set': z.strictObject({ publish: z.boolean() }),
  'use_case.created': z.strictObject({ projectId: id, name }),
  /**
   * Under which facts and rights calls of vendors' SDKs run in a use case from now on. `settingsSha256` is over the
   * canonical JSON of all settings; `inputRightsBasis` is absent where pictures that SDKs send are refused.
   */
  'use_case.gateway_set': z.strictObject({
    projectId: id,
    useCase: name,
    open: z.boolean(),
    purpose: token,
    inputRightsBasis: token.optional(),
    settingsSha256: sha256Hex,
  }),
  /**
   * What the manifests of a project say from now on. The texts (usage terms, producer code) stand in the settings only;
   * `settingsSha256` is over the canonical JSON of all of them.
   */
  'project.manifest_settings_set': z.strictObject({
    projectId: id,
    dataMining: token,
    aiTraining: token,
    aiGenerativeTraining: token,
    aiInference: token,
    nameContributors: token,
    namePromptWriters: z.boolean(),
    settingsSha256: sha256Hex,
  }),
  /** A key with which the organization, or a person, is named in manifests from now on (CAWG Identity). */
  'identity_credential.installed': z.strictObject({
    holderKind: z.enum(['organization', 'principal']),
    holderId: id,
    source: z.enum(['development_authority', 'imported']),
    certificateSha256: sha256Hex,
  }),
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
    /** The first decision, when this one was made again in its place. */
    renews: id.optional(),
    /** Policies of the organization that were asked, too; absent when there were none. */
    policies: z
      .strictObject({
        refs: z.array(policyRef).max(MAX_POLICIES_IN_ENTRY),
        /** Over what the policies were asked about, beside lineage and facts. */
        basisSha256: sha256Hex,
        /** How often a text held a blocked term: never which, that would tell of the prompt. */
        blockedTermMatches: z.int().nonnegative(),
      })
      .optional(),
  }),

  /** A new version of a policy set or of a list of blocked terms; `sha256` is over its bytes, `items` counts them. */
  'policy.changed': z.strictObject({
    kind: z.enum(['cedar', 'blocked-terms']),
    scope: z.enum(['organization', 'project', 'use-case']),
    scopeId: id,
    version: z.int().positive(),
    sha256: sha256Hex,
    items: z.int().nonnegative(),
    previousSha256: sha256Hex.optional(),
  }),

  /**
   * Several ways of making a work, asked about several audiences and purposes at once. The hashes fix the question with
   * its terms and all answers; a cell is answered as it would be alone.
   */
  'clearance.matrix_decided': z.strictObject({
    engineVersion: token,
    inputSha256: sha256Hex,
    resultSha256: sha256Hex,
    cells: z.int().positive(),
    allow: z.int().nonnegative(),
    review: z.int().nonnegative(),
    deny: z.int().nonnegative(),
  }),

  /**
   * A person other than the requester accepts findings, for a time: the open ones of one clearance, or those of one rule
   * about one listing in a project. It ends with the license texts on which it rests.
   */
  'waiver.approved': z.strictObject({
    /** The decision whose findings were accepted; absent for a finding. */
    clearanceId: id.optional(),
    findings: z
      .array(z.strictObject({ ruleId: token, listingId }))
      .max(100)
      .optional(),
    listingId: listingId.optional(),
    ruleId: token.optional(),
    projectId: id.optional(),
    useCaseId: id.optional(),
    reason: token,
    expiresAt: token,
    /** Whether the stated campaign ends before it does; absent for a finding, which is of no campaign. */
    coversCampaign: z.enum(['yes', 'no', 'unknown']).optional(),
    /** `sha256` is absent where no text was ever hashed. */
    licenseTexts: z
      .array(z.strictObject({ listingId, licenseKey: token, sha256: sha256Hex.optional() }))
      .max(256)
      .optional(),
  }),

  /** A listing of the organization itself. `sha256` is over its canonical JSON. */
  'listing.recorded': z.strictObject({
    listingId,
    sha256: sha256Hex,
    source: token,
    licenseKey: token,
    licenseTextSha256: sha256Hex.optional(),
    importId: id.optional(),
  }),
  /** A person corrected one fact of one listing with evidence; `sha256` is over correction and evidence. */
  'curation.recorded': z.strictObject({
    listingId,
    fact: token,
    correction: token,
    sha256: sha256Hex,
    dateRead: token,
    textSha256: sha256Hex.optional(),
    /** How many decisions and waivers are open again, and the first of them. */
    clearances: z.int().nonnegative(),
    clearanceIds: z.array(id).max(MAX_REOPENED_IN_ENTRY),
    waivers: z.int().nonnegative(),
    waiverIds: z.array(id).max(MAX_REOPENED_IN_ENTRY),
  }),
  /** A person read a text of a license. `change` compares it with the text that was in force until then. */
  'license_text.recorded': z.strictObject({
    licenseKey: token,
    sha256: sha256Hex,
    change: z.enum(['first', 'unchanged', 'changed']),
    readOn: token,
    inForceSince: token.optional(),
    termsReadFromThis: z.boolean(),
  }),
  /** The text was another one: what rested on the old one is open again. The numbers count all, the lists name the first. */
  'license_text.changed': z.strictObject({
    licenseKey: token,
    sha256: sha256Hex,
    previousSha256: sha256Hex.optional(),
    listings: z.int().nonnegative(),
    listingIds: z.array(listingId).max(MAX_REOPENED_IN_ENTRY),
    clearances: z.int().nonnegative(),
    clearanceIds: z.array(id).max(MAX_REOPENED_IN_ENTRY),
    waivers: z.int().nonnegative(),
    waiverIds: z.array(id).max(MAX_REOPENED_IN_ENTRY),
  }),

  /** A model was chosen by a stated rule. `sha256` is over the canonical JSON of the choice with all its reasons. */
  'route.chosen': z.strictObject({
    routeId: id,
    operation: token,
    rule: token,
    /** Absent where none met the rule. */
    listingId: listingId.optional(),
    fallbacks: z.array(listingId).max(20),
    sha256: sha256Hex,
  }),
  /** A person judged an asset: of the model that made it, in the use case for which it was made. */
  'vote.recorded': z.strictObject({
    vote: token,
    useCaseId: id,
    listingId,
    overAssetId: id.optional(),
    overListingId: listingId.optional(),
  }),
  /** What a piece cost and how long it took in the old way, by the word of the actor; what is absent is not known. */
  'baseline.declared': z.strictObject({
    baselineId: id,
    costMicroUsd: microUsd.optional(),
    seconds: z.int().nonnegative().optional(),
    investmentMicroUsd: microUsd.optional(),
  }),
  /** What became of variants. `sha256` is over the received file, or over the rows as JSON. */
  'outcomes.recorded': z.strictObject({
    importId: id,
    source: token,
    sha256: sha256Hex,
    added: z.int().nonnegative(),
    corrected: z.int().nonnegative(),
    unchanged: z.int().nonnegative(),
    refused: z.int().nonnegative(),
  }),
  'run.accepted': z.strictObject({
    pipeline: name,
    pipelineVersion: z.int().positive(),
    mode,
    projectId: id,
    useCase: name,
    clearanceId: id,
    steps: z.array(acceptedStep).min(1).max(128),
    /** Where these are not all: how many there are. The others are in `run.steps_accepted`. */
    stepsTotal: z.int().positive().optional(),
    /** The failed run that this one goes on with. */
    resumes: id.optional(),
    reservedMicroUsd: microUsd,
    /** The recorded choice of a model that the run follows. */
    routeId: id.optional(),
    /** Steps whose price nobody knows: a ceiling is reserved for each. */
    ceilingSteps: z.array(token).max(128).optional(),
  }),
  /** Further steps of a run, written together with `run.accepted`, which is the first part. */
  'run.steps_accepted': z.strictObject({
    part: z.int().min(2),
    parts: z.int().min(2),
    steps: z.array(acceptedStep).min(1).max(128),
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
  /**
   * A request failed for certain and at no cost, and the step is tried again: the same model later, or the next one that
   * its definition names. `attempt` counts the requests to this model.
   */
  'step.attempt_failed': z.strictObject({
    runId: id,
    stepKey: token,
    provider: token,
    listingId,
    code: token,
    attempt: z.int().positive(),
    notAccepted: z.enum(['not_sent', 'rate_limited', 'unavailable']).optional(),
    next: z.enum(['retry', 'fallback']),
    nextProvider: token.optional(),
    nextListingId: listingId.optional(),
  }),
  /** Not done: its condition does not hold, or what it works on is not there. `passedAssetId`: it hands this on. */
  'step.skipped': z.strictObject({
    runId: id,
    stepKey: token,
    reason: z.enum(['condition', 'input_missing']),
    passedAssetId: id.optional(),
  }),
  /** A person answered a step that waited for one. `assetId`: what it hands on; absent where the answer was no. */
  'step.answered': z.strictObject({
    runId: id,
    stepKey: token,
    outcome: z.enum(['edited', 'approved', 'rejected', 'chosen']),
    shown: z.array(id).min(1).max(MAX_SHOWN_IN_ENTRY),
    assetId: id.optional(),
  }),
  'step.reconciled': z.strictObject({
    runId: id,
    stepKey: token,
    outcome: token,
    /** What the vendor charged by the word of the actor; only with the outcome `charged`. */
    costMicroUsd: microUsd.optional(),
  }),
  'step.failed': z.strictObject({ runId: id, stepKey: token, provider: token, code: token }),
  'step.settled': z.strictObject({
    runId: id,
    stepKey: token,
    costMicroUsd: microUsd,
    basis: token,
    /** Only where the cost is higher than that. */
    reservedMicroUsd: microUsd.optional(),
  }),
  /** Somebody wants nothing more to be sent to a provider. `state` is the state of the run at that moment. */
  'run.cancel_requested': z.strictObject({ state: token }),
  'run.finished': z.strictObject({ state: token }),

  /** An upload, with the basis on which its sender says it may be used. */
  'asset.received': z.strictObject({
    sha256: sha256Hex,
    sizeBytes,
    mediaType,
    rightsBasis: token,
    /** The rights were declared beforehand, for all pictures that SDKs send in a use case: by these settings. */
    gatewaySettingsSha256: sha256Hex.optional(),
    /** It was fetched for the caller from an address, which is sealed as `sourceAddress`. */
    fetched: z.literal(true).optional(),
    ...fileReading,
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
    /** The certificate that signed: SHA-256 of its DER. Absent in entries of older versions. */
    certificateSha256: sha256Hex.optional(),
    /**
     * What became of the time-stamp of the signature; absent where none was wanted. `missing`: it was signed without one
     * because the authority gave none. `time` is the authority's.
     */
    timeStamp: z
      .discriminatedUnion('outcome', [
        z.strictObject({ outcome: z.literal('stamped'), authority: identifier, time: token }),
        z.strictObject({
          outcome: z.literal('missing'),
          authority: identifier,
          reason: z.enum(['unavailable', 'refused', 'invalid']),
        }),
      ])
      .optional(),
    /** Where the manifest is; absent in entries of older versions, which embedded all of them. */
    manifestPlacement: z.enum(['embedded', 'sidecar']).optional(),
    /** `image`, `video`, `audio`, `model3d`, `text`; absent in entries of older versions, which knew pictures alone. */
    kind: token.optional(),
    parents: z
      .array(z.strictObject({ assetId: id, relationship: z.enum(['parentOf', 'componentOf', 'inputTo']) }))
      .max(128),
    /** Absent where the step has none (a plain resize) or nobody declared one: unknown is never "human". */
    digitalSourceType: identifier.optional(),
    /**
     * What must be shown or done for the file: how many obligations, the SHA-256 over the list of their ids and hashes,
     * and the calendar of legal duties by which they were worked out. Absent in entries of older versions.
     */
    obligations: z
      .strictObject({ count: z.int().nonnegative(), sha256: sha256Hex, calendarSha256: sha256Hex })
      .optional(),
  }),
  'contribution.recorded': z.strictObject({
    assetId: id,
    parentAssetId: id,
    actionType: token,
    basis: token,
    capture: token,
    /** Of a selection: what was shown, the chosen one among it. */
    shown: z.array(id).min(1).max(MAX_SHOWN_IN_ENTRY).optional(),
    ...fileReading,
    /** Whose work; absent in entries of older versions, where it is the holder of the acting key. */
    contributorId: id.optional(),
    engagement: token.optional(),
    assignment: token.optional(),
    beforeSha256: sha256Hex.optional(),
    afterSha256: sha256Hex.optional(),
    /** Computed from the two files; absent where they are no pictures that can be compared. */
    change: z
      .strictObject({
        left: z.int().nonnegative(),
        top: z.int().nonnegative(),
        width: z.int().positive(),
        height: z.int().positive(),
        changedPixels: z.int().positive(),
        differenceSha256: sha256Hex,
      })
      .optional(),
    /** The sealed record carries the contributor's sealed signature by this registered key. */
    signatureKeyId: id.optional(),
  }),
  /**
   * The contributor says otherwise, signs the record later, or an act is not to be counted any more. The record stays as
   * it was made; of several corrections the last of a kind counts.
   */
  'contribution.corrected': z.strictObject({
    contributionId: id,
    correctionId: id,
    ordinal: z.int().positive(),
    kind: z.enum(['amended', 'withdrawn', 'signed']),
    actionType: token.optional(),
    basis: token.optional(),
    signatureKeyId: id.optional(),
  }),
  /** A file that shows how the work was done. Not sealed: it lies in the store under its hash. */
  'contribution.attached': z.strictObject({
    contributionId: id,
    attachmentId: id,
    kind: token,
    sha256: sha256Hex,
    sizeBytes,
  }),
  /** Such a file, or the picture of what changed, was given to the actor. Committed before the first byte left. */
  'contribution.file_read': z.strictObject({ contributionId: id, sha256: sha256Hex }),
  /** From now on this person's records may be signed with this key (RFC 7517); they showed that they have it. */
  'signature_key.registered': z.strictObject({
    keyId: id,
    principalId: id,
    algorithm: z.enum(['ES256', 'EdDSA']),
    thumbprint: sha256Hex,
    jwk: z.strictObject({ kty: token, crv: token, x: identifier, y: identifier.optional() }),
  }),
  /** From now on nothing is taken that it signs. */
  'signature_key.revoked': z.strictObject({
    keyId: id,
    principalId: id,
    reason: z.enum(['superseded', 'lost', 'compromised', 'left']),
  }),
  /** Assets in the order that a person gave them; each change is a new version. */
  'storyboard.ordered': z.strictObject({
    storyboardId: id,
    version: z.int().positive(),
    projectId: id,
    assetIds: z.array(id).min(2).max(200),
  }),
  /** What a use case asks for before a release, from now on. */
  'use_case.review_set': z.strictObject({
    projectId: id,
    useCase: name,
    approvals: z.int().min(1).max(2),
    humanContribution: z.boolean(),
    checklist: z.boolean(),
  }),
  'review.requested': z.strictObject({
    assetId: id,
    sha256: sha256Hex,
    risk: token,
    useCaseId: id.optional(),
  }),
  'review.commented': z.strictObject({ assetId: id, commentId: id }),
  'review.decided': z.strictObject({
    assetId: id,
    decision: token,
    sha256: sha256Hex,
    /**
     * What the reviewer was shown to look at: SHA-256 of the canonical JSON of the list of its points, how many there
     * were, and how many the reviewer confirmed. Absent in entries of older versions.
     */
    checklist: z
      .strictObject({
        sha256: sha256Hex,
        items: z.int().nonnegative(),
        confirmed: z.int().nonnegative(),
      })
      .optional(),
  }),
  'asset.released': z.strictObject({
    assetId: id,
    sha256: sha256Hex,
    /** Policies of the organization that were asked before it; absent when there were none. Of many, the first ones. */
    policies: z.array(policyRef).max(MAX_POLICIES_IN_ENTRY).optional(),
    /** The calendar of duties on the day of the release, where it is another than on the day of signing; what is new. */
    calendar: z.strictObject({ sha256: sha256Hex, newDuties: z.array(token).max(200) }).optional(),
    /** Where these are not all: how many there were, and SHA-256 of the canonical JSON of the list of all, by hash. */
    allPolicies: z.strictObject({ count: z.int().positive(), sha256: sha256Hex }).optional(),
  }),
  /** A release is taken back, for good. What was fetched before cannot be called back. */
  'asset.recalled': z.strictObject({ assetId: id, sha256: sha256Hex, reason: token }),
  /**
   * A person says that an obligation of an asset was met, waived, does not apply, or is open again after all. `sha256`
   * is the file for which that is said; `obligationSha256` is over the canonical JSON of the obligation.
   */
  'obligation.proved': z.strictObject({
    assetId: id,
    obligationId: id,
    key: token,
    outcome: z.enum(OBLIGATION_OUTCOMES),
    sha256: sha256Hex,
    obligationSha256: sha256Hex,
    evidenceAssetId: id.optional(),
    evidenceSha256: sha256Hex.optional(),
  }),
  /**
   * A person looked at the file, or had it looked at by a program, and says what was found. Words are sealed. A later
   * one on the same question adds to it; the last one counts.
   */
  'asset.examined': z.strictObject({
    examinationId: id,
    assetId: id,
    sha256: sha256Hex,
    question: z.enum(EXAMINED_QUESTIONS),
    result: z.enum(EXAMINATION_RESULTS),
    examinedOn: z.iso.date(),
    /** The program that looked; absent where a person did. */
    tool: z.strictObject({ name, version: name }).optional(),
    /** For `third_party_matter`: each kind once. */
    matter: z
      .array(
        z.strictObject({
          kind: z.enum(MATTER_KINDS),
          found: z.enum(MATTER_FOUND),
          basis: z.enum(MATTER_BASES).optional(),
        }),
      )
      .length(MATTER_KINDS.length)
      .optional(),
    /** For `similar_works`: in which collection, and how many were found. */
    index: name.optional(),
    matches: z.int().nonnegative().optional(),
    evidenceAssetId: id.optional(),
    evidenceSha256: sha256Hex.optional(),
  }),
  /** Somebody outside claims something about the asset. Who, and what they say, is sealed. */
  'claim.received': z.strictObject({
    claimId: id,
    assetId: id,
    sha256: sha256Hex,
    kind: z.enum(CLAIM_KINDS),
    receivedOn: z.iso.date(),
    respondBy: z.iso.date().optional(),
    evidenceSha256: sha256Hex.optional(),
  }),
  'claim.answered': z.strictObject({
    claimId: id,
    assetId: id,
    sha256: sha256Hex,
    answerId: id,
    outcome: z.enum(CLAIM_OUTCOMES),
    evidenceSha256: sha256Hex.optional(),
  }),
  /** The file, or what its manifest says, was shown to the actor. Committed before the first byte left. */
  'asset.read': z.strictObject({
    assetId: id,
    sha256: sha256Hex,
    what: z.enum(READ_PARTS),
    mode,
    /** The first and the last byte that were sent; absent when it was all. */
    range: z.strictObject({ first: z.int().nonnegative(), last: z.int().nonnegative() }).optional(),
    /** By an address that was given to the actor and works without a key; who used it is not known. */
    via: z.literal('capability_url').optional(),
  }),
  /** Kinds and parameters of a report: a listing, a use case, times (RFC 3339), the schedule that asked for it. */
  'report.requested': z.strictObject({
    kind: token,
    format: token,
    subjectId: id,
    listingId: listingId.optional(),
    useCase: name.optional(),
    from: z.iso.datetime().optional(),
    until: z.iso.datetime().optional(),
    /** Files of contributions that go into a bundle. */
    attachments: z.array(id).max(100).optional(),
    scheduleId: id.optional(),
    /** The due time for which the schedule asked. */
    scheduledFor: z.iso.datetime().optional(),
  }),
  'report.created': z.strictObject({
    kind: token,
    format: token,
    subjectId: id,
    sha256: sha256Hex,
    /** Of the certificate that signed it, where its form carries a signature. */
    certificateSha256: sha256Hex.optional(),
    timeStamp: z.enum(['stamped', 'missing', 'not_configured']).optional(),
  }),
  /** A finished report was shown to the actor. Committed before the first byte left. */
  'report.read': z.strictObject({ kind: token, format: token, subjectId: id, sha256: sha256Hex }),
  /**
   * Outside counsel may read the reports on one asset, or one report, until a time. The secret is in no log; the id
   * names the link.
   */
  'share_link.created': z.strictObject({ subjectId: id, expiresAt: z.iso.datetime() }),
  'share_link.revoked': z.strictObject({ subjectId: id }),
  /** Whoever holds the link was shown the list (no report) or a report. Committed before the first byte left. */
  'share_link.used': z.strictObject({ reportId: id.optional(), sha256: sha256Hex.optional() }),

  /** From now on reports are made by themselves; without `kind` on a campaign. */
  'report_schedule.created': z.strictObject({
    projectId: id.optional(),
    useCase: name.optional(),
    kind: token.optional(),
    assetId: id.optional(),
    listingId: listingId.optional(),
    format: token,
    cadence: z.enum(['daily', 'weekly', 'monthly']),
  }),
  'report_schedule.paused': z.strictObject({}),
  /** What was due meanwhile is not made. */
  'report_schedule.resumed': z.strictObject({ nextDueAt: z.iso.datetime() }),
  /** Too many due times had passed unnoticed: for these, no report was made. */
  'report_schedule.skipped': z.strictObject({
    count: z.int().positive(),
    first: z.iso.datetime(),
    last: z.iso.datetime(),
  }),
  /** The report of this due time could not be asked for. */
  'report_schedule.failed': z.strictObject({ scheduledFor: z.iso.datetime(), code: token }),
  'report_schedule.ended': z.strictObject({ reason: z.enum(['ended', 'creator_disabled']) }),

  /** Sealed values of these entries were shown to the actor in clear. Committed before the first byte left. */
  'opening.read': z.strictObject({ entryIds: z.array(id).min(1).max(MAX_READ_IN_ENTRY) }),

  /**
   * All sealed values of one person, their key and their name are gone. Entries and commitments stay. Of a person
   * with many values there are several parts, written together.
   */
  'opening.erased': z.strictObject({
    subjectId: id,
    reason: z.enum(ERASURE_REASONS),
    /** Values erased in all parts together. */
    openings: z.int().nonnegative(),
    /** The entries whose values are gone, of this part. */
    entryIds: z.array(id).max(MAX_ERASED_IN_ENTRY),
    part: z.int().positive(),
    parts: z.int().positive(),
  }),
  /**
   * From when on what is removed by itself, of a kind and in a scope: the organization or one project. `inherit`: what
   * the organization says counts for the project again. A rule by which things are removed begins to count later.
   */
  'retention.rule_set': z.strictObject({
    kind: token,
    scopeId: id,
    version: z.int().positive(),
    action: z.enum(['remove', 'keep', 'inherit']),
    days: z.int().nonnegative().optional(),
    since: z.enum(['created', 'last_release', 'campaign_end']).optional(),
    campaignEndsOn: token.optional(),
    evidence: z.enum(['keep', 'remove']).optional(),
    effectiveFrom: z.iso.datetime(),
  }),
  /**
   * From now on this program gives the bytes, or the sealed words, out to nobody. `sha256` names the files, which are
   * deleted next. `thingId` where the subject is not the thing itself: an attachment of a contribution.
   */
  'content.removed': z.strictObject({
    removalId: id,
    kind: z.enum(REMOVED_KINDS),
    thingId: id.optional(),
    cause: z.enum(['retention', 'erasure']),
    rule: z.strictObject({ kind: token, scopeId: id, version: z.int().positive() }).optional(),
    reason: z.enum(ERASURE_REASONS).optional(),
    sha256: z.array(sha256Hex).max(MAX_HASHES_IN_ENTRY),
  }),
  /** A legal hold came before the bytes were deleted: they are given out again. */
  'content.restored': z.strictObject({ removalId: id, kind: z.enum(REMOVED_KINDS), thingId: id.optional() }),
  /** What one step of removal by a kind of rule took; each thing has its own `content.removed`. */
  'retention.applied': z.strictObject({
    kind: token,
    things: z.int().positive(),
    files: z.int().nonnegative(),
  }),
  /** The files of a removal are deleted from the store. `kept`: something that stays has the same bytes. */
  'content.files_deleted': z.strictObject({
    deleted: z.array(sha256Hex).max(MAX_HASHES_IN_ENTRY),
    kept: z.array(sha256Hex).max(MAX_HASHES_IN_ENTRY),
  }),
  /** Entries in bulk, or the whole log as static files, were given to the actor. Committed before the first byte left. */
  'log.exported': z.strictObject({
    format: z.enum(EXPORT_FORMATS),
    /** Entries of the log at that moment: nothing beyond it was exported. */
    size: z.int().nonnegative(),
    /** The conditions that an exported entry met; empty for all. */
    filter: z.strictObject({
      type: token.optional(),
      subjectId: id.optional(),
      actorId: id.optional(),
      projectId: id.optional(),
      from: token.optional(),
      until: token.optional(),
    }),
  }),
  /** Every stored entry was compared with the published tiles and the signed root. */
  'log.checked': z.strictObject({
    outcome: z.enum(['clean', 'damaged']),
    /** Entries under the checkpoint that was compared with. */
    size: z.int().nonnegative(),
    rows: z.int().nonnegative(),
    findings: z.int().nonnegative(),
  }),

  /** From now on checkpoints are signed by this key, too. The first key of a log is in `organization.created`. */
  'log.key_added': z.strictObject({ vkey: identifier }),
  /** From now on nothing is signed by this key. */
  'log.key_retired': z.strictObject({ vkey: identifier }),

  /**
   * A witness had said that there are two histories of this log, and nothing was signed. The actor set its words aside
   * as wrong; the witness is asked again.
   */
  'log.conflict_cleared': z.strictObject({
    witness: identifier,
    conflict: z.string().regex(/^[\x20-\x7e]{1,1000}$/),
  }),

  /** From now on manifests are signed with this key. */
  'claim_key.activated': z.strictObject(keyActivated),
  /** Superseded, in order: what it signed stays good. */
  'claim_key.retired': z.strictObject(keyRetired),
  /** Somebody else may have signed with it. `assets` counts what was signed with it in this log. */
  'claim_key.compromised': z.strictObject(keyCompromised),
  /** The same for the key that signs reports. */
  'report_key.activated': z.strictObject(keyActivated),
  'report_key.retired': z.strictObject(keyRetired),
  'report_key.compromised': z.strictObject(keyCompromised),

  /** From now until it is lifted nothing that it covers is erased. */
  'legal_hold.placed': z.strictObject({ scopeKind: z.enum(HOLD_SCOPES), scopeId: id.optional() }),
  'legal_hold.lifted': z.strictObject({ scopeKind: z.enum(HOLD_SCOPES), scopeId: id.optional() }),
  /** Where the organization is told of what happens, as it is from now on. Of the address only its host: it may hold a token. */
  'webhook_endpoint.set': z.strictObject({
    host: identifier,
    state: z.enum(['active', 'paused', 'disabled']),
    events: z.array(z.string().max(60)).min(1).max(50),
  }),
  'webhook_endpoint.secret_rotated': z.strictObject({ host: identifier }),
  'webhook_endpoint.removed': z.strictObject({ host: identifier }),
  /** By this program: the receiver said that it is gone, or took nothing for days. */
  'webhook_endpoint.disabled': z.strictObject({ host: identifier, because: z.enum(['gone', 'failing']) }),
} as const satisfies Record<string, z.ZodType>;

export type EntryType = keyof typeof ENTRY_DATA_SCHEMAS;

export type EntryData<T extends EntryType> = z.input<(typeof ENTRY_DATA_SCHEMAS)[T]>;

/** Who acted: an API key, a user, this program itself, or whoever holds a share link. */
export const ACTOR_KINDS = ['api_key', 'user', 'system', 'share_link'] as const;
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
  'clearance_matrix',
  'waiver',
  'run',
  'step_run',
  'asset',
  'contribution',
  'review',
  'report',
  'share_link',
  'report_schedule',
  'legal_hold',
  'listing',
  'license_text',
  'curation',
  'obligation_proof',
  'policy',
  'signing_key',
  'budget',
  'price',
  'signature_key',
  'storyboard',
  'webhook_endpoint',
  'removal',
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export function isEntryType(type: string): type is EntryType {
  return Object.hasOwn(ENTRY_DATA_SCHEMAS, type);
}
