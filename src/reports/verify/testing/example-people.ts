import { type EntryInput } from '../../../audit/core/entry.js';
import { newId, publicId } from '../../../shared/ids.js';
import { type DossierAsset } from '../../domain/dossier.js';
import { type MediaFile } from '../../../provenance/testing/signing-workshop.js';

/** When everything in the example happens. */
export const AT = '2026-11-22T10:00:00.000Z';

export const JANE = { principalId: publicId('principal', newId()), displayName: 'Jane Doe' };
export const RAVI = { principalId: publicId('principal', newId()), displayName: 'Ravi Iyer' };

/** A picture of the example, signed, with its entry. */
export interface SignedStep {
  readonly file: MediaFile;
  readonly asset: DossierAsset;
  readonly index: number;
}

/** Writes an entry, and says where it stands. */
export type Append = <T extends EntryInput['type']>(
  type: T,
  subject: EntryInput['subject'],
  data: Extract<EntryInput, { type: T }>['data'],
  values?: Readonly<Record<string, string>>,
) => number;
