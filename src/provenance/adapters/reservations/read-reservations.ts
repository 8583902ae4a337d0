import { type MediaVerification } from '../../domain/media-verifier.port.js';
import { signableMediaType } from '../../domain/media-types.js';
import { type FileReading, RESERVATION_PLACES, strictest } from '../../domain/reservations/reservation.js';
import { reservationsInChain } from '../../domain/reservations/training-mining-assertion.js';
import { distinctStatements, statementsInChain, versionLabels } from '../../domain/source-statement.js';
import { embeddedReservations } from './embedded-reservations.js';

/** What a file reserves and says of its making, in its manifests and in its metadata. Hostile input: called in the child process only. */
export async function readReservations(
  path: string,
  { chain, mediaType }: MediaVerification,
): Promise<FileReading> {
  const type = signableMediaType(mediaType);
  // The verifier answers for no other type.
  if (type === undefined)
    return { found: [], unread: RESERVATION_PLACES, sourceStatements: [], versionLabels: [] };
  const inChain = reservationsInChain(chain);
  const embedded = await embeddedReservations(path, type);
  const unread = new Set([...inChain.unread, ...embedded.unread]);
  // The address is the stranger's choice, so nobody goes there: what that manifest says is not known.
  if (chain === undefined && embedded.namesRemoteManifest) unread.add('c2pa');
  return {
    found: strictest([...inChain.found, ...embedded.found]),
    unread: RESERVATION_PLACES.filter((place) => unread.has(place)),
    sourceStatements: distinctStatements([...statementsInChain(chain), ...embedded.sourceStatements]),
    versionLabels: versionLabels(chain),
  };
}
