/** Perceptual model with a code that corrects 4 flipped bits: what C2PA lists as `com.adobe.trustmark.P`. */
export const VARIANT = 'P';
export const CODE = 'BCH_4';
export const PAYLOAD_BITS = 68;

/** What the child process is asked. Paths, never pixels. */
export type TrustmarkTask =
  | {
      readonly task: 'embed';
      readonly modelsFolder: string;
      readonly path: string;
      readonly bits: string;
      readonly strength: number;
      readonly destinationPath: string;
    }
  | { readonly task: 'detect'; readonly modelsFolder: string; readonly path: string };

/** `bits` for a mark that was found; raw RGB pixels lie at `destinationPath` after embedding. */
export type TrustmarkAnswer = { readonly bits: string | null } | { readonly failed: string };
