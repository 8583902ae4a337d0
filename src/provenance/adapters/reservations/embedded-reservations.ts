import { readFile } from 'node:fs/promises';
import { type SignableMediaType } from '../../domain/media-types.js';
import { type FoundReservation, type ReservationReading } from '../../domain/reservations/reservation.js';
import {
  isRemoteManifest,
  reservationsInXmp,
  rightsText,
} from '../../domain/reservations/rights-properties.js';
import { type SourceStatement, statementsInXmp } from '../../domain/source-statement.js';
import { avifMetadata } from './avif-metadata.js';
import { exifTexts } from './exif-texts.js';
import { iimRightsTexts } from './image-resources.js';
import { findMetadata, isFindable, type MetadataPlaces } from './metadata-places.js';
import { scanMetadata } from './packet-scan.js';
import { parseXmpPacket } from './xmp-packet.js';

export interface EmbeddedReservations extends ReservationReading {
  /** The file names a manifest elsewhere. */
  readonly namesRemoteManifest: boolean;
  /** What its XMP says of how it was made. */
  readonly sourceStatements: readonly SourceStatement[];
}

/** What XMP and IPTC-IIM of a file reserve. Hostile input: called in the child process only. */
export async function embeddedReservations(
  path: string,
  mediaType: SignableMediaType,
): Promise<EmbeddedReservations> {
  return readPlaces(await placesIn(path, mediaType));
}

async function placesIn(path: string, mediaType: SignableMediaType): Promise<MetadataPlaces> {
  if (mediaType === 'image/avif') return avifMetadata(await readFile(path));
  return isFindable(mediaType) ? findMetadata(await readFile(path), mediaType) : scanMetadata(path);
}

export function readPlaces(places: MetadataPlaces): EmbeddedReservations {
  const { xmp, iim, exif, xmpUnread, iimUnread, exifUnread } = places;
  const found: FoundReservation[] = [];
  let xmpRead = !xmpUnread;
  let iimRead = !iimUnread;
  let exifRead = !exifUnread;
  const sourceStatements: SourceStatement[] = [];
  let namesRemoteManifest = false;
  for (const packet of xmp) {
    const { properties, isWhole } = parseXmpPacket(packet);
    const { found: reserved, understood } = reservationsInXmp(properties);
    found.push(...reserved);
    sourceStatements.push(...statementsInXmp(properties));
    xmpRead &&= isWhole && understood;
    namesRemoteManifest ||= properties.some(isRemoteManifest);
  }
  for (const records of iim) {
    const { texts, isWhole } = iimRightsTexts(records);
    found.push(...texts.flatMap(rightsText));
    iimRead &&= isWhole;
  }
  for (const structure of exif) {
    const { texts, isWhole } = exifTexts(structure);
    found.push(...texts.flatMap(rightsText).map((said) => ({ ...said, origin: 'exif' as const })));
    exifRead &&= isWhole;
  }
  const unread = [
    ...(xmpRead ? [] : (['xmp'] as const)),
    ...(iimRead ? [] : (['iptc-iim'] as const)),
    ...(exifRead ? [] : (['exif'] as const)),
  ];
  return { found, unread, namesRemoteManifest, sourceStatements };
}
