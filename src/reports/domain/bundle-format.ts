import { z } from 'zod';

/**
 * The evidence bundle, format 1: a zip of stored files that anybody can check with public tools. What a file means
 * follows from its path and from `bundle.json`; that its bytes are whole follows from `SHA256SUMS`.
 */
export const BUNDLE_FORMAT = 'colophon-evidence-bundle';
export const BUNDLE_VERSION = 1;

export const BUNDLE_PATHS = {
  sums: 'SHA256SUMS',
  index: 'bundle.json',
  instructions: 'VERIFY.md',
  dossierJson: 'dossier.json',
  dossierPdf: 'dossier.pdf',
  checkpoint: 'log/checkpoint',
  vkey: 'log/vkey',
  trustAnchors: 'trust/claim-ca.pem',
} as const;

export const entryPath = (index: number): string => `entries/${index}.json`;
export const proofPath = (index: number): string => `proofs/${index}.tlog-proof`;
export const openingPath = (index: number): string => `openings/${index}.json`;
export const assetPath = (fileName: string): string => `assets/${fileName}`;

/** A path that every file system can hold and no extraction can turn into another place. */
export const SAFE_PATH = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,126}\/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,126}$/;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const shortText = z.string().min(1).max(512);
const entryIndex = z.int().nonnegative();

const fileSchema = z.discriminatedUnion('role', [
  z.strictObject({ path: shortText, role: z.enum(['instructions', 'dossier_pdf', 'dossier_json']) }),
  z.strictObject({ path: shortText, role: z.enum(['log_checkpoint', 'log_vkey', 'trust_anchors']) }),
  z.strictObject({
    path: shortText,
    role: z.literal('asset'),
    assetId: shortText,
    sha256: sha256Hex,
    mediaType: shortText,
  }),
  z.strictObject({ path: shortText, role: z.enum(['entry', 'proof', 'opening']), index: entryIndex }),
]);
export type BundleFile = z.infer<typeof fileSchema>;

/** `bundle.json`: what the bundle is about, and the role of every file but itself and `SHA256SUMS`. */
export const bundleIndexSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  v: z.literal(BUNDLE_VERSION),
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
