import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';

/** How the manifests of a file are taken out of it. */
export interface ManifestRemoval {
  /** In the order of their offsets; they do not overlap. */
  readonly edits: readonly Edit[];
  /** How many manifests they take out, as far as the container tells. */
  readonly manifests: number;
}

/** The rule of a container; `undefined` where its structure is not whole. */
export type RemovalRule = (file: ByteSource) => Promise<ManifestRemoval | undefined>;

export function cut(offset: number, sizeBytes: number): Edit {
  return { offset, remove: sizeBytes, insert: Buffer.alloc(0) };
}

/** A rule that cuts parts out and changes nothing else. */
export function cutOut(cuts: readonly Edit[]): ManifestRemoval {
  return { edits: cuts, manifests: cuts.length };
}
