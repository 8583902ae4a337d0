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
/** In place of a tool's name when the words of its contributor were erased (migration 0049). */
export const ERASED_TOOL = '(tool erased)';

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

/** What a person can say of when a record was made: a later declaration is marked as such for ever. */
export const DECLARED_CAPTURE_KINDS = ['declared_at_time', 'declared_later'] as const;
/** `automatic`: this program saw the act itself. Nobody can declare that. */
export const CAPTURE_KINDS = ['automatic', ...DECLARED_CAPTURE_KINDS] as const;
export type CaptureKind = (typeof CAPTURE_KINDS)[number];

/** How the contributor works for the organization, by their own word. */
export const ENGAGEMENTS = ['employee', 'contractor', 'agency', 'other', 'unknown'] as const;
export type Engagement = (typeof ENGAGEMENTS)[number];
/** On what ground the organization may claim what the contributor made. `unknown` is never taken for one of the others. */
export const ASSIGNMENTS = ['work_made_for_hire', 'assigned', 'licensed', 'none', 'unknown'] as const;
export type Assignment = (typeof ASSIGNMENTS)[number];

export const REVIEW_DECISIONS = ['approve', 'reject', 'request_changes'] as const;
export type ReviewDecision = (typeof REVIEW_DECISIONS)[number];

/** Why a release is taken back; the words beside it are sealed. */
export const RECALL_REASONS = [
  'rights_claim',
  'legal_order',
  'license_ended',
  'wrong_content',
  'security',
  'other',
] as const;
export type RecallReason = (typeof RECALL_REASONS)[number];

/** Part of the picture that differs between the two versions, in pixels of the new one. */
export interface ChangedRegion {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Share of all pixels that differ, 0 to 1. A fact about the files, never a measure of authorship. */
  readonly changedShare: number;
}

/**
 * What the change between two versions of a picture is, as far as a program can tell. `changed`: none of the others.
 * `trifling`: hardly a pixel. `mirrored_or_turned`, `cropped`: that and nothing else. `resampled`: no more than saving or
 * scaling it again makes differ.
 */
export const CHANGE_KINDS = ['changed', 'trifling', 'mirrored_or_turned', 'cropped', 'resampled'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** One pixel of ten thousand; of small pictures, a square of four by four. */
const TRIFLING_SHARE = 0.0001;
const TRIFLING_PIXELS = 16;

/** Whether so little of a picture that nobody would see it. A fact about the files, and no rule of law. */
export function isTrifling(changed: number, all: number): boolean {
  return changed <= Math.max(TRIFLING_PIXELS, all * TRIFLING_SHARE);
}

/** The same of a share, where single pixels cannot be counted. */
export function isTriflingShare(share: number): boolean {
  return share <= TRIFLING_SHARE;
}

/**
 * How much of the places that an act changed differs in a later version from the last one that no person made: the share
 * of the picture, 0 where nothing is left of the act.
 */
export interface ActTrace {
  /** UUID. */
  readonly contributionId: string;
  readonly share: number;
}

/** How two versions of a picture differ, computed from the two files. */
export interface VersionDifference {
  readonly region: ChangedRegion;
  readonly changedPixels: number;
  readonly kind: ChangeKind;
  /** PNG: black, and white where they differ. */
  readonly picture: Buffer;
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
