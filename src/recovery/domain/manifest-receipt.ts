import { z } from 'zod';

/**
 * A receipt of the C2PA Soft Binding Resolution API 2.4, JSON-LD: this repository held this manifest. Its anchor is our
 * log: `proof.value` is base64 of a C2SP tlog-proof, and `parameters.entry` base64 of the log entry that the proof is
 * about, which names the manifest and its hash. Anyone can check it with the log's key and without this server.
 */
export const RECEIPT_TYPE = 'org.c2pa.manifest-receipt';
export const PROOF_ALGORITHM = 'c2sp.org/tlog-proof@v1';
export const RECEIPT_CONTEXT = {
  c2pa: 'https://c2pa.org/ns/',
  receipt: 'https://c2pa.org/ns/manifest-receipt#',
} as const;

/** A proof has a checkpoint, up to 63 hashes and cosignatures; an entry has at most 65,535 bytes. */
const MAX_PROOF_CHARACTERS = 256 * 1024;
const MAX_ENTRY_CHARACTERS = 96 * 1024;

const base64 = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'base64');

/** What is looked at in a receipt that somebody sends. Whatever else is in it is left alone. */
export const receiptSchema = z.looseObject({
  '@type': z.literal(RECEIPT_TYPE),
  repository: z.looseObject({ uri: z.string().max(2_000), manifestId: z.string().max(300) }),
  anchor: z.looseObject({
    uri: z.string().max(2_000),
    proof: z.looseObject({ alg: z.string().max(100), value: base64(MAX_PROOF_CHARACTERS) }),
    parameters: z.looseObject({ entry: base64(MAX_ENTRY_CHARACTERS) }),
  }),
});
export type SuppliedReceipt = z.infer<typeof receiptSchema>;

export interface ManifestReceipt {
  readonly '@context': typeof RECEIPT_CONTEXT;
  readonly '@type': typeof RECEIPT_TYPE;
  readonly repository: { readonly uri: string; readonly manifestId: string };
  readonly anchor: {
    readonly uri: string;
    readonly proof: { readonly alg: typeof PROOF_ALGORITHM; readonly value: string };
    readonly parameters: {
      readonly origin: string;
      readonly index: number;
      readonly entry: string;
      readonly manifestSha256: string;
      readonly assetSha256: string;
    };
  };
  readonly verified: boolean;
}
