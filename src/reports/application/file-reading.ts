import { type Asset, readingOf } from '../../assets/domain/asset.js';
import { type SourceStatement } from '../../assets/domain/signal-reading.js';
import { type FileSignal } from '../../licenses/domain/file-signals.js';
import { type DossierFileReading } from '../domain/dossier.js';

/** What the file of an asset reserves and says of itself, for people. Permissions are no reservations. */
export function fileReadingOf(asset: Asset): DossierFileReading | undefined {
  const reading = readingOf(asset);
  if (reading === undefined) return undefined;
  const reserved = reading.signals.filter(({ use }) => use !== 'allowed').map(phrase);
  const says = (reading.sourceStatements ?? [])
    .filter(({ isOfParent }) => isOfParent !== true)
    .map(statement);
  return {
    reserved,
    unreadPlaces: reading.unreadPlaces,
    ...(says.length === 0 ? {} : { saysModel: [...new Set(says)] }),
  };
}

function phrase({ act, use, constraint, origin, manifestBroken }: FileSignal): string {
  const where = manifestBroken === true ? `${origin}, in a manifest that does not validate` : origin;
  return `${act}: ${use}${constraint === null ? '' : ` "${constraint}"`} (${where})`;
}

function statement({ place, term, system }: SourceStatement): string {
  return `${term} (${system === null ? place : `${place}, ${system}`})`;
}
