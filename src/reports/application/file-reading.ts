import { type Asset, readingOf } from '../../assets/domain/asset.js';
import { type FileSignal } from '../../licenses/domain/file-signals.js';
import { type DossierFileReading } from '../domain/dossier.js';

/** What the file of an asset reserves, for people. Permissions are no reservations. */
export function fileReadingOf(asset: Asset): DossierFileReading | undefined {
  const reading = readingOf(asset);
  if (reading === undefined) return undefined;
  const reserved = reading.signals.filter(({ use }) => use !== 'allowed').map(phrase);
  return { reserved, unreadPlaces: reading.unreadPlaces };
}

function phrase({ act, use, constraint, origin, manifestBroken }: FileSignal): string {
  const where = manifestBroken === true ? `${origin}, in a manifest that does not validate` : origin;
  return `${act}: ${use}${constraint === null ? '' : ` "${constraint}"`} (${where})`;
}
