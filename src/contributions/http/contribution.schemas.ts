import { z } from 'zod';
import { nameSchema, textSchema } from '../../http/safe-text.js';
import { ColophonError } from '../../shared/errors.js';
import { type IdKind, parsePublicId } from '../../shared/ids.js';
import { ATTACHMENT_KINDS } from '../application/attach-file.js';
import {
  ASSIGNMENTS,
  CONTRIBUTION_ACTIONS,
  CONTRIBUTION_BASES,
  DECLARED_CAPTURE_KINDS,
  ENGAGEMENTS,
} from '../domain/contribution.js';
import { KEY_REVOCATION_REASONS } from '../domain/signature-key.js';
import { UNKNOWN_ENGAGEMENT } from '../domain/contribution-record.js';

/** As many as a list of a pipeline shows at most. */
const MAX_SHOWN = 500;

export const assetIdSchema = z.string().regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...');
const keyIdSchema = z.string().regex(/^sgk_[0-9a-f]{32}$/, 'a key id such as sgk_018f...');
const jwsSchema = z
  .string()
  .max(2000)
  .regex(/^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$/, 'a compact JWS with detached payload: header..signature');

export const engagementSchema = z
  .strictObject({
    status: z.enum(ENGAGEMENTS),
    assignment: z.enum(ASSIGNMENTS).describe('on what ground the organization may claim the work'),
    employer: nameSchema(200).nullable().default(null),
    document: nameSchema(200).nullable().default(null).describe('where the contract can be found'),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'ISO 3166-1 alpha-2')
      .nullable()
      .default(null),
  })
  .meta({ id: 'Engagement' });

export const contributionSchema = z
  .strictObject({
    actionType: z.enum(CONTRIBUTION_ACTIONS),
    basis: z.enum(CONTRIBUTION_BASES),
    capture: z.enum(DECLARED_CAPTURE_KINDS),
    tool: z.strictObject({ name: nameSchema(80), version: nameSchema(40) }),
    nameInFile: z
      .boolean()
      .default(false)
      .describe('name me in the file itself: it leaves with the file and cannot be called back'),
    statement: textSchema(4000).describe('what you did and why, in your own words'),
    engagement: engagementSchema.default(UNKNOWN_ENGAGEMENT),
    shown: z
      .array(assetIdSchema)
      .max(MAX_SHOWN)
      .refine((ids) => new Set(ids).size === ids.length, 'an asset is named twice')
      .default([])
      .describe('candidates that you were shown, in their order, the one that you worked on among them'),
    signature: z
      .strictObject({
        keyId: keyIdSchema,
        jws: jwsSchema.describe('over the canonical JSON of the record, docs/contributions-and-review.md'),
        signedAt: z.iso.datetime(),
      })
      .optional(),
  })
  .meta({ id: 'Contribution' });

export const selectionSchema = z
  .strictObject({
    shown: z
      .array(assetIdSchema)
      .min(2)
      .max(MAX_SHOWN)
      .refine((ids) => new Set(ids).size === ids.length, 'an asset is named twice')
      .describe('what you chose from, in the order in which it was shown, the chosen one among it'),
    statement: textSchema(4000).describe('why this one, in your own words'),
    engagement: engagementSchema.default(UNKNOWN_ENGAGEMENT),
  })
  .meta({ id: 'Selection' });

export const correctionSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('amended'),
      actionType: z.enum(CONTRIBUTION_ACTIONS).optional(),
      basis: z.enum(CONTRIBUTION_BASES).optional(),
      text: textSchema(4000),
    }),
    z.strictObject({ kind: z.literal('withdrawn'), text: textSchema(4000) }),
    z.strictObject({
      kind: z.literal('signed'),
      text: textSchema(4000),
      signature: z.strictObject({ keyId: keyIdSchema, jws: jwsSchema }),
    }),
  ])
  .meta({ id: 'Correction' });

export const attachmentSchema = z.strictObject({ kind: z.enum(ATTACHMENT_KINDS) }).meta({ id: 'Attachment' });

/** 32 bytes, base64url without padding. */
const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url');
export const signatureKeySchema = z
  .strictObject({
    jwk: z.discriminatedUnion('kty', [
      z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate }),
      z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate }),
    ]),
    proof: jwsSchema.describe('by this key over the canonical JSON of its registration'),
  })
  .meta({ id: 'SignatureKey' });
export const revocationSchema = z
  .strictObject({ reason: z.enum(KEY_REVOCATION_REASONS) })
  .meta({ id: 'RevokeSignatureKey' });

export const storyboardSchema = z
  .strictObject({
    assetIds: z
      .array(assetIdSchema)
      .min(2)
      .max(200)
      .refine((ids) => new Set(ids).size === ids.length, 'an asset is named twice'),
    rationale: textSchema(4000).describe('why in this order, in your own words'),
  })
  .meta({ id: 'Storyboard' });

/** @throws ColophonError `not_found` */
export function idIn(kind: IdKind, text: string): string {
  const id = parsePublicId(kind, text);
  if (id === undefined) throw new ColophonError('not_found', `There is no ${kind} with this id.`);
  return id;
}
