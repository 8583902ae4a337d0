import { type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type SubjectKind } from '../../audit/core/entry-types.js';

/** About what the entries of a removal are: where somebody who knows the thing looks for them. */
export const SUBJECT_OF_REMOVED = {
  asset: 'asset',
  captured: 'step_run',
  attachment: 'contribution',
  report: 'report',
  prompts: 'run',
} as const satisfies Record<RemovedKind, SubjectKind>;
