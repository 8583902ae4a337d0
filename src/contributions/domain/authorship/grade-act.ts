import { type ChangeKind } from '../contribution.js';
import { type ActFact } from './authorship-facts.js';

/**
 * What the record makes of one act. `claimed`: it may be claimed, as far as a record can say. `uncertain`: it may or may
 * not be. `not_claimed`: it does not count toward authorship. None of them is a legal conclusion.
 */
export const ACT_GRADES = ['not_claimed', 'uncertain', 'claimed'] as const;
export type ActGrade = (typeof ACT_GRADES)[number];

export interface GradedAct {
  readonly act: ActFact;
  readonly grade: ActGrade;
  /** Why, in one sentence. */
  readonly reason: string;
}

/**
 * By the grounds of the U.S. Copyright Office (Copyright and Artificial Intelligence, Part 2, January 2025): expressive
 * inputs, modification or arrangement of output, selection and arrangement in a larger work. Anything that no ground
 * covers is uncertain at best.
 */
export function gradeAct(act: ActFact): GradedAct {
  const graded = (grade: ActGrade, reason: string): GradedAct => ({ act, grade, reason });
  if (act.isWithdrawn) return graded('not_claimed', 'Withdrawn: the record stays, and it is not counted.');
  if (act.basis === 'assistive_only')
    return graded('not_claimed', 'Declared as assistance only: it takes nothing away and adds no claim.');
  if (act.actionType === 'PROMPT')
    return graded('not_claimed', 'A prompt alone does not make a person the author of what a model returns.');
  if (act.trace === 'none')
    return graded(
      'not_claimed',
      'Nothing is left of it: there the file is as it was before any person worked on it.',
    );
  if (act.fileSays === 'made_by_model')
    return graded('not_claimed', 'The file that was sent says itself that a generative model made it.');
  const doubt = doubtAbout(act);
  return doubt === undefined ? graded('claimed', groundOf(act)) : graded('uncertain', doubt);
}

/**
 * Whether the files bear out that something was done: a change that can be seen and is left, and a file that does not name
 * a model as its maker. What was never compared is not doubted.
 */
export function isBorneOut({ change = 'changed', trace = 'present', fileSays }: ActFact): boolean {
  return change === 'changed' && trace === 'present' && fileSays === undefined;
}

const DOUBT_ABOUT_CHANGE: Readonly<Record<ChangeKind, string | undefined>> = {
  changed: undefined,
  trifling:
    'At most one pixel of ten thousand differs, or sixteen: whether that is more than trifling, the record does not say.',
  mirrored_or_turned: 'The file is the one before it, mirrored or turned, and nothing else differs.',
  cropped:
    'The file is a part of the one before it, and nothing else differs. A crop may or may not be creative.',
  resampled: 'The two files differ no more than saving or scaling a picture again makes them differ.',
};

function doubtAbout(act: ActFact): string | undefined {
  if (act.fileSays === 'changed_by_model')
    return 'The file that was sent says itself that a generative model had a part in it; which part, the record does not say.';
  if (act.change !== undefined && act.change !== 'changed') return DOUBT_ABOUT_CHANGE[act.change];
  if (act.trace === 'trifling')
    return 'Of it at most one pixel of ten thousand is left: whether that is more than trifling, the record does not say.';
  if (act.capture === 'declared_later')
    return 'Declared or amended after it was done: others will ask for something from that time.';
  if (act.relation === 'used')
    return 'Work on something that was used in the asset: whether it can be perceived in the asset is not recorded.';
  if (act.basis === 'expressive_input')
    return 'An input of a person counts as far as it can be perceived in the output, which is not recorded.';
  switch (act.actionType) {
    case 'SELECTION':
      return 'One of several candidates was chosen. By itself that is no arrangement of a larger work.';
    case 'MASK_INPAINT':
      return 'A person chose the region; what fills it may come from a model.';
    case 'CROP':
      return 'A crop may or may not be creative.';
    default:
      return undefined;
  }
}

function groundOf({ basis }: ActFact): string {
  if (basis === 'modification') return 'A person modified the file; the record holds it before and after.';
  if (basis === 'human_material')
    return 'A person added material of their own; the record holds the file before and after.';
  return 'A person selected, coordinated or arranged elements of the file; the record holds it before and after.';
}
