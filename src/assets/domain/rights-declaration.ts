import { lineageInputSchema } from '../../licenses/domain/lineage.js';

/** What the sender of a file declares. What the file itself reserves is read from it, whatever is declared. */
export const rightsDeclarationSchema = lineageInputSchema.omit({
  assetId: true,
  fileSignals: true,
  unreadPlaces: true,
  goesInto: true,
});
