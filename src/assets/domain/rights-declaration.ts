import { lineageInputSchema } from '../../licenses/domain/lineage.js';

/** What the sender of a file declares. What the file itself reserves is read from it, whatever is declared. */
export const rightsDeclarationSchema = lineageInputSchema
  .omit({ assetId: true, fileSignals: true, unreadPlaces: true, goesInto: true })
  // The program knows what it made: of anything else nobody gets past the question who is shown by saying so.
  .refine(({ rightsBasis }) => rightsBasis !== 'produced-here', {
    path: ['rightsBasis'],
    message: 'produced-here is found out by looking; state the right on which the file is used',
  });
