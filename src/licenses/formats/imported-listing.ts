import { type ThreeValued } from '../domain/three-valued.js';
import { type LicenseClaim } from './license-claim.js';

export const IMPORT_FORMATS = [
  'hugging-face-model',
  'hugging-face-dataset',
  'spdx-3',
  'cyclonedx',
  'croissant',
] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export const BASE_RELATIONS = ['adapter', 'finetune', 'merge', 'quantized', 'unknown'] as const;
export type BaseRelation = (typeof BASE_RELATIONS)[number];

export interface ImportedBase {
  /** As the document names it, e.g. `black-forest-labs/FLUX.1-dev`. */
  readonly name: string;
  /** `unknown` when the document does not say; it is not inferred from files. */
  readonly relation: BaseRelation;
}

/** Data that a model learnt from or was tested on. */
export interface ImportedDataset {
  readonly name: string;
  readonly use: 'trained-on' | 'tested-on' | 'unknown';
}

/** Something that the model brings along or needs, e.g. a text encoder. */
export interface ImportedComponent {
  readonly name: string;
  readonly use: 'always' | 'optional';
  readonly kind: 'model' | 'program';
  /** Id inside the document; null for what stands outside of it. */
  readonly documentId: string | null;
}

/** What a document says of how data was gathered. Free text is kept as it stands; silence is null. */
export interface ImportedDataFacts {
  readonly collection: string | null;
  /** What the document says of personal or sensitive data in it. No format has a field for consent of its own. */
  readonly personalInformation: string | null;
  readonly intendedUse: string | null;
  readonly availability: string | null;
  readonly confidentiality: string | null;
  readonly personalData: ThreeValued;
  readonly live: ThreeValued;
  readonly sources: readonly string[];
}

/** What this program wrote into a document that it exported; a claim like any other when it comes back. */
export interface ExportedClaims {
  readonly listingId: string | null;
  readonly channel: string | null;
  readonly rightsBasis: string | null;
  readonly disclosure: string | null;
}

/**
 * One model or dataset as a document describes it. Everything in it is a claim of the document: it becomes a listing
 * with unverified facts, never a permission.
 */
export interface ImportedListing {
  readonly kind: 'model' | 'dataset';
  readonly name: string;
  /** Id inside the document (bom-ref, spdxId); null for cards. */
  readonly documentId: string | null;
  readonly version: string | null;
  readonly supplier: string | null;
  /** SHA-256 of weights or data files, sorted; other algorithms are not kept. */
  readonly sha256: readonly string[];
  readonly declaredLicense: LicenseClaim;
  /** What somebody concluded after reading; null when the document has no such field. */
  readonly concludedLicense: LicenseClaim | null;
  readonly bases: readonly ImportedBase[];
  readonly datasets: readonly ImportedDataset[];
  readonly components: readonly ImportedComponent[];
  /** Access only after agreeing to something. `unknown` when nothing is said: a gate is not always in the card. */
  readonly gated: ThreeValued;
  /** Countries of which the card says that they may not download, e.g. `EU`. */
  readonly gatedAgainst: readonly string[];
  /** E.g. `text-to-image`. */
  readonly tasks: readonly string[];
  readonly library: string | null;
  readonly tags: readonly string[];
  readonly data: ImportedDataFacts;
  readonly exported: ExportedClaims;
}

export const NO_DATA_FACTS: ImportedDataFacts = {
  collection: null,
  personalInformation: null,
  intendedUse: null,
  availability: null,
  confidentiality: null,
  personalData: 'unknown',
  live: 'unknown',
  sources: [],
};
export const NO_EXPORTED_CLAIMS: ExportedClaims = {
  listingId: null,
  channel: null,
  rightsBasis: null,
  disclosure: null,
};
