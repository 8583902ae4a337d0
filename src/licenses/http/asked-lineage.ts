import { parsePublicId } from '../../shared/ids.js';
import { lineageSchema } from '../domain/lineage.js';

/** Whoever writes it means an asset of this program, however it is spelled. */
const MEANS_OURS = /^\s*ast_/i;

/**
 * A lineage that somebody asks about. An id of an asset that is not spelled as it was given out would be an input of which
 * nobody here knows anything; a file of the same name that reserves something would not be looked at.
 */
export const askedLineageSchema = lineageSchema.superRefine(({ inputs }, context) => {
  for (const [at, { assetId }] of inputs.entries()) {
    if (assetId === undefined || !MEANS_OURS.test(assetId)) continue;
    if (parsePublicId('asset', assetId) !== undefined) continue;
    context.addIssue({
      code: 'custom',
      path: ['inputs', at, 'assetId'],
      message: 'is not spelled as an asset id is given out: ast_ and 32 digits, a to f in lower case',
    });
  }
});
