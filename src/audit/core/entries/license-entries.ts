import { z } from 'zod';
import { id, listingId, sha256Hex, token } from '../entry-fields.js';

/** 200 listings of 121 characters and 400 ids of 36 leave an entry below its 65,535 bytes. */
export const MAX_REOPENED_IN_ENTRY = 200;

/** What a person can say of an obligation; `open` takes back what was said before. */
export const OBLIGATION_OUTCOMES = ['done', 'waived', 'not_applicable', 'open'] as const;

export type ObligationOutcome = (typeof OBLIGATION_OUTCOMES)[number];

/** An asset may rest on several runs in several projects. */
export const MAX_POLICIES_IN_ENTRY = 100;

/** One version of one policy set or list. */
export const policyRef = z.strictObject({
  kind: token,
  scope: token,
  version: z.int().positive(),
  sha256: sha256Hex,
});

/** What may be used and why: decisions, terms, exceptions, duties. */
export const LICENSE_ENTRIES = {
  /**
   * May this run be made? The hashes fix the terms and the facts on which the decision rests. That over the facts is sealed
   * as `input`: they are few and can be guessed, a revenue among them, and a plain hash would tell whoever tries them all.
   */
  'clearance.decided': z.strictObject({
    decision: z.enum(['allow', 'review', 'deny']),
    engineVersion: token,
    termsSha256: sha256Hex,
    /** In entries of before it was sealed. */
    inputSha256: sha256Hex.optional(),
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
  /**
   * A person says that an obligation of an asset was met, waived, does not apply, or is open again after all. `sha256`
   * is the file for which that is said; `obligationSha256` is over the canonical JSON of the obligation. `later` where
   * it is not listed by the `asset.signed` of the file, or reads otherwise since: worked out as of which day, by which
   * calendar or license decision. Then `obligationId` is made of the file and of what the obligation says.
   */
  'obligation.proved': z.strictObject({
    assetId: id,
    obligationId: id,
    key: token,
    outcome: z.enum(OBLIGATION_OUTCOMES),
    sha256: sha256Hex,
    obligationSha256: sha256Hex,
    later: z
      .strictObject({
        since: z.enum(['added', 'changed']),
        asOf: z.iso.date(),
        calendarSha256: sha256Hex,
        clearanceId: id.optional(),
      })
      .optional(),
    evidenceAssetId: id.optional(),
    evidenceSha256: sha256Hex.optional(),
  }),
};
