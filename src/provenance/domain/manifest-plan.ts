import { type ClaimKey } from './claim-key.port.js';

/**
 * What one manifest shall say: decided by the caller, checked here, written by the signing adapter.
 * Terms are those of the C2PA specification 2.4. What we know ourselves goes into created assertions;
 * what a vendor or an uploader claims goes into gathered assertions (promise P9).
 */
export const DIGITAL_SOURCE_TYPES = {
  trainedAlgorithmicMedia: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
  compositeWithTrainedAlgorithmicMedia:
    'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia',
  algorithmicMedia: 'http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia',
  algorithmicallyEnhanced: 'http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced',
  humanEdits: 'http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits',
  digitalCapture: 'http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture',
  digitalCreation: 'http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation',
  composite: 'http://cv.iptc.org/newscodes/digitalsourcetype/composite',
  compositeSynthetic: 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic',
} as const;

export type DigitalSourceType = keyof typeof DIGITAL_SOURCE_TYPES;

export interface PlannedAction {
  /** A predefined action such as `c2pa.created`, `c2pa.edited`, `c2pa.cropped`. `c2pa.opened` is added by the signer. */
  readonly action: string;
  readonly digitalSourceType: DigitalSourceType | undefined;
  /** RFC 3339 UTC. */
  readonly when: string;
  readonly softwareAgent: { readonly name: string; readonly version: string };
  /** One plain sentence for people, e.g. "Background removed". Never a prompt. */
  readonly description: string;
}

export interface FileIngredient {
  /** The bytes of the ingredient; its own manifest, valid or broken, is kept in the chain. */
  readonly path: string;
  readonly mediaType: string;
  readonly title: string;
  readonly relationship: 'parentOf' | 'componentOf' | 'inputTo';
  /**
   * Only for an ingredient without a manifest of its own, and only when somebody declared it. It is written as the
   * ingredient's description, because the pinned binding cannot write the field that specification 2.4 has for it.
   */
  readonly digitalSourceType: DigitalSourceType | undefined;
}

/** Types of data of C2PA 2.4 that an ingredient without bytes can be. */
export type IngredientDataType =
  'c2pa.types.model' | 'c2pa.types.generator.prompt' | 'c2pa.types.generator.seed';

/** Something that went into the work and of which no bytes are ours to give: a model, a LoRA, a prompt. */
export interface DescribedIngredient {
  readonly title: string;
  readonly relationship: 'inputTo';
  readonly dataType: IngredientDataType;
  /** One plain sentence. Never a prompt. */
  readonly description: string;
  /** Identifiers under our own namespace, written as the metadata of the ingredient: `org.colophon.<name>`. */
  readonly identifiers: Readonly<Record<string, string>>;
}

export type PlannedIngredient = FileIngredient | DescribedIngredient;

export function isFileIngredient(ingredient: PlannedIngredient): ingredient is FileIngredient {
  return 'path' in ingredient;
}

export interface PlannedAssertion {
  /** Without an instance number: several of one label are numbered `__1`, `__2` in their order (C2PA 2.4 section 6.4). */
  readonly label: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly kind: 'created' | 'gathered';
  /** `json` for labels whose definition asks for JSON-LD; CBOR otherwise. */
  readonly encoding?: 'cbor' | 'json';
}

/** Roles of a named actor, CAWG Identity 1.3. */
export const NAMED_ACTOR_ROLES = [
  'cawg.creator',
  'cawg.contributor',
  'cawg.editor',
  'cawg.producer',
  'cawg.publisher',
  'cawg.sponsor',
  'cawg.translator',
] as const;
export type NamedActorRole = (typeof NAMED_ACTOR_ROLES)[number];

/** One `cawg.identity` assertion: who stands behind which assertions, beside the claim generator. */
export interface PlannedIdentity {
  readonly key: ClaimKey;
  /** Whether the certificate leads to an anchor of this installation; an imported one need not. */
  readonly isTrustedHere: boolean;
  readonly roles: readonly NamedActorRole[];
  /** Labels of assertions of this manifest. The hard binding and the actions are always referenced. */
  readonly references: readonly string[];
}

/** What is written into the file itself before it is signed, for programs that read no manifests. */
export interface EmbeddedMetadata {
  /** XMP properties of simple text values, by namespace address and name, in the order in which they are written. */
  readonly properties: readonly XmpText[];
}

export interface XmpText {
  readonly namespace: string;
  /** Used when the packet has no prefix for the namespace yet. */
  readonly prefix: string;
  readonly name: string;
  readonly value: string;
}

export interface ManifestPlan {
  readonly title: string;
  readonly actions: readonly PlannedAction[];
  /**
   * Whether these are all actions there were. False where somebody declares what was done and nobody here watched
   * (promise P10).
   */
  readonly allActionsIncluded: boolean;
  readonly ingredients: readonly PlannedIngredient[];
  readonly assertions: readonly PlannedAssertion[];
  readonly identities: readonly PlannedIdentity[];
  readonly embeddedMetadata: EmbeddedMetadata | undefined;
  /** Off for intermediate steps: thumbnails multiply the size of a long chain by 70. */
  readonly thumbnail: boolean;
}

/** Why these bytes may be signed at all. There is no third kind: the signer is no oracle (promise P9). */
export type SigningOrigin =
  | { readonly kind: 'captured_from_provider'; readonly originalSha256: string; readonly stepRunId: string }
  | { readonly kind: 'received_with_declaration'; readonly originalSha256: string; readonly assetId: string };
