/** The closed words of what people find out about an asset, and of claims against it. They stand in entries for ever. */

/** What a person can be asked to find out about a file. */
export const EXAMINED_QUESTIONS = ['third_party_matter', 'similar_works', 'exclusivity', 'claims'] as const;
export type ExaminedQuestion = (typeof EXAMINED_QUESTIONS)[number];

/** What of others can be in a file. `other` is named in the words of who looked. */
export const MATTER_KINDS = [
  'persons',
  'trademarks',
  'products',
  'characters',
  'artworks',
  'buildings',
  'fonts',
  'music',
  'other',
] as const;
export type MatterKind = (typeof MATTER_KINDS)[number];

/** `not_examined` is what everything is of which nobody says otherwise. */
export const MATTER_FOUND = ['none_seen', 'shown', 'not_examined'] as const;
export type MatterFound = (typeof MATTER_FOUND)[number];

/** On what ground it may be shown; by the word of who examined it. */
export const MATTER_BASES = ['owned', 'licensed', 'consent', 'permitted_by_law', 'none', 'unknown'] as const;
export type MatterBasis = (typeof MATTER_BASES)[number];

/** In a word; what it means depends on the question. Each question has one that says that nobody knows. */
export const EXAMINATION_RESULTS = [
  'none_found',
  'found',
  'inconclusive',
  'exclusive',
  'not_exclusive',
  'none_known',
  'unknown',
] as const;
export type ExaminationResult = (typeof EXAMINATION_RESULTS)[number];

export const CLAIM_KINDS = [
  'copyright',
  'trademark',
  'design',
  'likeness',
  'privacy',
  'contract',
  'advertising',
  'takedown',
  'other',
] as const;
export type ClaimKind = (typeof CLAIM_KINDS)[number];

/** What became of a claim. `open` opens it again after all. */
export const CLAIM_OUTCOMES = ['acknowledged', 'rejected', 'settled', 'withdrawn', 'upheld', 'open'] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];
