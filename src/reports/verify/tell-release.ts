import { type Checklist } from './checklist.js';
import { type CheckedDossier } from './dossier-schema.js';

/** Says whether the asset may be used, by a dossier that agrees with the log. */
export function tellRelease({ recall, release }: CheckedDossier, checklist: Checklist): void {
  if (recall !== undefined)
    checklist.notProved.push(
      'The release of the asset was taken back before this bundle was made: it must not be used any more.',
    );
  else if (release === undefined)
    checklist.notProved.push('The asset had not been released for publication when this bundle was made.');
  else
    checklist.statements.push({
      ok: true,
      text: 'The log recorded that the asset was released for publication.',
    });
}
