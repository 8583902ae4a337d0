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

export interface PlannedIngredient {
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

export interface PlannedAssertion {
  readonly label: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly kind: 'created' | 'gathered';
}

export interface ManifestPlan {
  readonly title: string;
  readonly actions: readonly PlannedAction[];
  readonly ingredients: readonly PlannedIngredient[];
  readonly assertions: readonly PlannedAssertion[];
  /** Off for intermediate steps: thumbnails multiply the size of a long chain by 70. */
  readonly thumbnail: boolean;
}

/** Why these bytes may be signed at all. There is no third kind: the signer is no oracle (promise P9). */
export type SigningOrigin =
  | { readonly kind: 'captured_from_provider'; readonly originalSha256: string; readonly stepRunId: string }
  | { readonly kind: 'received_with_declaration'; readonly originalSha256: string; readonly assetId: string };
