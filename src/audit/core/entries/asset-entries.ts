import { z } from 'zod';
import {
  CLAIM_KINDS,
  CLAIM_OUTCOMES,
  EXAMINATION_RESULTS,
  EXAMINED_QUESTIONS,
  MATTER_BASES,
  MATTER_FOUND,
  MATTER_KINDS,
} from '../diligence-words.js';
import { id, identifier, mediaType, mode, name, sha256Hex, sizeBytes, token } from '../entry-fields.js';
import { MAX_POLICIES_IN_ENTRY, policyRef } from './license-entries.js';

/** What of an asset was shown: the signed file, or what its manifest says. */
export const READ_PARTS = ['content', 'manifest'] as const;

export type ReadPart = (typeof READ_PARTS)[number];

/**
 * What was read in a received file: what it reserves, without the words of conditions, and the places that could not be
 * read. Absent in entries of before files were read.
 */
export const fileReading = {
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
  /** The file says that a generative model made or changed it; `isOfParent`: its parent says so already. Absent where it does not. */
  sourceStatements: z
    .array(z.strictObject({ place: token, term: token, isOfParent: z.boolean() }))
    .max(20)
    .optional(),
};

/** Files: received, signed, shown, released, examined, claimed. */
export const ASSET_ENTRIES = {
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
};
