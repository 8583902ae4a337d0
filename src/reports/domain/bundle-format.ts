import { z } from 'zod';

/**
 * The evidence bundle, format 5: a zip of stored files that anybody can check with public tools. What a file means
 * follows from its path and from `bundle.json`, which holds the SHA-256 of each file and is signed by the report key in
 * `bundle.jws`. Format 1 had neither a witness policy nor time-stamps, format 2 neither signatures of the report nor a
 * verifier for browsers, format 3 no attachments of human work, format 4 no signature over the bundle; all of them are
 * still read, but none of them is valid by itself: the number of a format is not signed in them.
 */
export const BUNDLE_FORMAT = 'colophon-evidence-bundle';
export const BUNDLE_VERSION = 5;
/** From here on the dossier is signed. */
export const SIGNED_DOSSIER_VERSION = 3;

export const BUNDLE_PATHS = {
  sums: 'SHA256SUMS',
  index: 'bundle.json',
  signedIndex: 'bundle.jws',
  instructions: 'VERIFY.md',
  verifierPage: 'verify.html',
  certification: 'CERTIFICATION.md',
  dossierJson: 'dossier.json',
  dossierJws: 'dossier.jws',
  dossierPdf: 'dossier.pdf',
  checkpoint: 'log/checkpoint',
  vkey: 'log/vkey',
  policy: 'log/policy',
  trustAnchors: 'trust/claim-ca.pem',
  reportAnchors: 'trust/report-ca.pem',
  identityAnchors: 'trust/identity-anchors.json',
  stampedText: 'time-stamps/checkpoint.body',
  timeStampRoots: 'time-stamps/roots.pem',
} as const;

/**
 * Files of every bundle of a format. Time-stamps are there only where an authority gave one, authorities for names only
 * where the installation trusts one.
 */
export function requiredPaths(version: BundleIndex['v']): string[] {
  const optional: string[] = [
    BUNDLE_PATHS.stampedText,
    BUNDLE_PATHS.timeStampRoots,
    BUNDLE_PATHS.identityAnchors,
  ];
  if (version < BUNDLE_VERSION) optional.push(BUNDLE_PATHS.signedIndex);
  if (version === 1) optional.push(BUNDLE_PATHS.policy);
  if (version < SIGNED_DOSSIER_VERSION) {
    const { verifierPage, certification, dossierJws, reportAnchors } = BUNDLE_PATHS;
    optional.push(verifierPage, certification, dossierJws, reportAnchors);
  }
  return Object.values(BUNDLE_PATHS).filter((path) => !optional.includes(path));
}

/** A TimeStampToken (RFC 3161) in DER. The number counts from 1; the name is for people and may be cut. */
export function timeStampPath(number: number, authority: string): string {
  const name = authority.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, MAX_AUTHORITY_CHARACTERS);
  return `time-stamps/${number}-${name}.tst`;
}

const MAX_AUTHORITY_CHARACTERS = 80;

export const entryPath = (index: number): string => `entries/${index}.json`;
export const proofPath = (index: number): string => `proofs/${index}.tlog-proof`;
export const openingPath = (index: number): string => `openings/${index}.json`;
export const assetPath = (fileName: string): string => `assets/${fileName}`;
/** Bytes as they came in; what they are, nobody looked. */
export const attachmentPath = (attachmentId: string): string => `attachments/${attachmentId}.bin`;
/** Beside the file, under its name with another extension: where public tools look for a manifest (C2PA sidecar). */
export const sidecarPath = (fileName: string): string => `assets/${fileName.replace(/\.[^.]*$/, '')}.c2pa`;

/** A path that every file system can hold and no extraction can turn into another place. */
export const SAFE_PATH = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,126}\/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,126}$/;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const shortText = z.string().min(1).max(512);
const entryIndex = z.int().nonnegative();

/** Before format 5 only media files and attachments had it. */
const anyFile = { path: shortText, sha256: sha256Hex.optional() };
const hashedFile = { path: shortText, sha256: sha256Hex };

const fileSchema = z.discriminatedUnion('role', [
  z.strictObject({ ...anyFile, role: z.enum(['instructions', 'verifier_page', 'certification']) }),
  z.strictObject({ ...anyFile, role: z.enum(['dossier_pdf', 'dossier_json', 'dossier_jws']) }),
  z.strictObject({
    ...anyFile,
    role: z.enum(['log_checkpoint', 'log_vkey', 'trust_anchors', 'report_anchors', 'identity_anchors']),
  }),
  z.strictObject({
    ...anyFile,
    role: z.enum(['log_policy', 'stamped_text', 'time_stamp', 'time_stamp_roots']),
  }),
  z.strictObject({ ...hashedFile, role: z.literal('asset'), assetId: shortText, mediaType: shortText }),
  /** The manifest of an asset that carries none in its file. */
  z.strictObject({ ...hashedFile, role: z.literal('manifest'), assetId: shortText }),
  /** A file that a person attached to a record of their work. */
  z.strictObject({ ...hashedFile, role: z.literal('attachment'), attachmentId: shortText }),
  z.strictObject({ ...anyFile, role: z.enum(['entry', 'proof', 'opening']), index: entryIndex }),
]);
export type BundleFile = z.infer<typeof fileSchema>;

/** `bundle.json`: what the bundle is about, and every file but itself, its signature and `SHA256SUMS`. */
export const bundleIndexSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  v: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(BUNDLE_VERSION)]),
  reportId: shortText,
  /** RFC 3339 UTC; also the time of the files in the zip, so that equal contents give equal bytes. */
  createdAt: z.iso.datetime(),
  asset: z.strictObject({ id: shortText, sha256: sha256Hex }),
  log: z.strictObject({
    origin: shortText,
    treeSize: z.int().positive(),
    rootHash: shortText,
  }),
  files: z.array(fileSchema).min(1).max(10_000),
});
export type BundleIndex = z.infer<typeof bundleIndexSchema>;

/** `trust/identity-anchors.json`: which authorities the installation believed about names when the bundle was made. */
export const identityAnchorsSchema = z.strictObject({
  v: z.literal(1),
  /** RFC 3339 UTC: when these lists were in force. */
  asOf: z.iso.datetime(),
  lists: z
    .array(
      z.strictObject({
        name: shortText,
        source: z.string().max(2000),
        /** By the list itself; null where it has no date. */
        issuedAt: z.string().max(40).nullable(),
        nextUpdateAt: z.string().max(40).nullable(),
        sha256: sha256Hex,
        anchorsPem: z.string().max(1024 * 1024),
      }),
    )
    .min(1)
    .max(50),
});
export type IdentityAnchorsFile = z.infer<typeof identityAnchorsSchema>;

/** `openings/<index>.json`: values behind commitments of one entry. Salts are 32 bytes in base64url. */
export const openingFileSchema = z.strictObject({
  v: z.literal(1),
  index: entryIndex,
  openings: z.record(
    z.string().min(1).max(128),
    z.strictObject({ salt: z.string().regex(/^[A-Za-z0-9_-]{43}$/), value: z.string() }),
  ),
});
export type OpeningFile = z.infer<typeof openingFileSchema>;
