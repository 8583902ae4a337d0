import { type DigitalSourceType } from '../../provenance/domain/manifest-plan.js';

/** What a person did. Each kind is one creative act on an asset. */
export const CONTRIBUTION_ACTIONS = [
  'RETOUCH',
  'COLOR',
  'CROP',
  'COMPOSITE',
  'MANUAL_PAINT',
  'TYPOGRAPHY',
  'LAYOUT',
  'MASK_INPAINT',
  'TEXT_AUTHORED',
] as const;
export type ContributionAction = (typeof CONTRIBUTION_ACTIONS)[number];
/** One of several was chosen: an act without a new version, recorded by the step in which it happened. */
export const SELECTION = 'SELECTION';

/**
 * The ground on which the act may count toward authorship (U.S. Copyright Office, Copyright and Artificial
 * Intelligence, Part 2, January 2025). Declared by the person; what follows from it is for counsel.
 */
export const CONTRIBUTION_BASES = [
  'expressive_input',
  'modification',
  'selection_coordination_arrangement',
  'human_material',
  'assistive_only',
] as const;
export type ContributionBasis = (typeof CONTRIBUTION_BASES)[number];

/** When the record was made: a later declaration is marked as such for ever, and never merged with others. */
export const CAPTURE_KINDS = ['declared_at_time', 'declared_later'] as const;
export type CaptureKind = (typeof CAPTURE_KINDS)[number];

/** Part of the picture that differs between the two versions, in pixels of the new one. */
export interface ChangedRegion {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Share of all pixels that differ, 0 to 1. A fact about the files, never a measure of authorship. */
  readonly changedShare: number;
}

/** C2PA 2.4 predefined actions; every one of them carries the source type of work by a person. */
export const MANIFEST_ACTION: Readonly<Record<ContributionAction, string>> = {
  RETOUCH: 'c2pa.edited',
  COLOR: 'c2pa.adjustedColor',
  CROP: 'c2pa.cropped',
  COMPOSITE: 'c2pa.edited',
  MANUAL_PAINT: 'c2pa.drawing',
  TYPOGRAPHY: 'c2pa.addedText',
  LAYOUT: 'c2pa.edited',
  MASK_INPAINT: 'c2pa.edited',
  TEXT_AUTHORED: 'c2pa.addedText',
};

export const HUMAN_EDITS: DigitalSourceType = 'humanEdits';
