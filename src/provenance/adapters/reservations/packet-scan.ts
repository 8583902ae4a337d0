import { createReadStream } from 'node:fs';
import { ByteSource } from '../byte-source.js';
import { id3Frames, id3TagState } from '../id3-frames.js';
import { addXmp, MAX_PACKET_BYTES, type MetadataPlaces, noPlaces, XMP_ITEM } from './metadata-places.js';

const PACKET_START = Buffer.from('<x:xmpmeta');
const PACKET_END = Buffer.from('</x:xmpmeta>');
/** The vocabulary that every packet must declare for its `rdf:RDF` (ISO 16684-1 section 7.4). */
const DECLARATION = Buffer.from('22-rdf-syntax-ns#');
const DECLARATION_UTF16 = Buffer.from('22-rdf-syntax-ns#', 'utf16le');
/** A Photoshop image resource that holds IPTC-IIM: signature and number 1028. */
const IIM_RESOURCE = Buffer.from('8BIM\x04\x04', 'latin1');
/** JPEG XL can hold a packet compressed with Brotli, in a box `brob` that says what is inside. */
const COMPRESSED_XMP = Buffer.from('brobxml ', 'latin1');
const CHUNK_BYTES = 4 * 1024 * 1024;
const EXIF = Buffer.from('Exif', 'latin1');
/** Nothing that is searched for in one piece is longer. */
const OVERLAP_BYTES = 64;

/**
 * Finds packets by their bytes, without knowing the container (XMP part 1 annex "packet scanning"): for containers of
 * films, sounds and models, which keep packets as they are, uncompressed and in one piece. Streams, so that the size of
 * the file does not matter. A packet that is declared but was not found whole is unread, never "nothing"; so are
 * IPTC-IIM resources, EXIF, and packets known to be compressed.
 */
export async function scanMetadata(path: string): Promise<MetadataPlaces> {
  const places = noPlaces();
  const scan = new PacketScan(places);
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) scan.add(chunk as Buffer);
  scan.end();
  if (await hidesFrames(path)) places.xmpUnread = true;
  return places;
}

/** A tag of MP3 or FLAC can hold a packet compressed, or in a form that is not walked here. */
async function hidesFrames(path: string): Promise<boolean> {
  const file = await ByteSource.open(path);
  try {
    const state = await id3TagState(file);
    if (state !== 'plain') return state === 'other';
    for await (const { isHidden } of id3Frames(file)) if (isHidden) return true;
    return false;
  } finally {
    await file.close();
  }
}

class PacketScan {
  /** What was not searched to its end yet: the tail of the last chunk, or a packet whose end was not seen. */
  private rest: Buffer = Buffer.alloc(0);
  private isInPacket = false;
  /** Where `rest` begins in the file. */
  private restAt = 0;
  private readonly itemsAt = new Set<number>();

  constructor(private readonly places: MetadataPlaces) {}

  add(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) if (!(this.isInPacket ? this.takePacket() : this.findPacket())) return;
  }

  end(): void {
    if (this.isInPacket) this.places.xmpUnread = true;
    this.searchOutside(this.rest);
    // Fewer packets than items: one of them is compressed, or lies where nothing was found.
    if (this.itemsAt.size > this.places.xmp.length) this.places.xmpUnread = true;
  }

  /** @returns whether there is more to do with what is there */
  private findPacket(): boolean {
    const at = this.rest.indexOf(PACKET_START);
    const until = at >= 0 ? at : Math.max(0, this.rest.length - OVERLAP_BYTES);
    // A mark that crosses the border is found in the next piece, which begins before it.
    this.searchOutside(at >= 0 ? this.rest.subarray(0, at) : this.rest);
    this.drop(until);
    this.isInPacket = at >= 0;
    return this.isInPacket;
  }

  private takePacket(): boolean {
    const at = this.rest.indexOf(PACKET_END);
    if (at < 0 && this.rest.length <= MAX_PACKET_BYTES) return false;
    if (at < 0 || at > MAX_PACKET_BYTES) {
      this.places.xmpUnread = true;
      // Whatever begins before has the same end too far away: each would be searched through again.
      const tooFar = (at < 0 ? this.rest.length : at) - MAX_PACKET_BYTES;
      const passed = Math.max(PACKET_START.length, tooFar);
      this.searchOutside(this.rest.subarray(PACKET_START.length, passed));
      this.drop(passed);
    } else {
      addXmp(this.places, Buffer.from(this.rest.subarray(0, at + PACKET_END.length)));
      this.drop(at + PACKET_END.length);
    }
    this.isInPacket = false;
    return true;
  }

  private drop(bytes: number): void {
    this.rest = this.rest.subarray(bytes);
    this.restAt += bytes;
  }

  /** @param bytes the beginning of `rest` */
  private searchOutside(bytes: Buffer): void {
    for (let at = bytes.indexOf(XMP_ITEM); at >= 0; at = bytes.indexOf(XMP_ITEM, at + 1))
      this.itemsAt.add(this.restAt + at);
    if ([DECLARATION, DECLARATION_UTF16, COMPRESSED_XMP].some((mark) => bytes.includes(mark))) {
      this.places.xmpUnread = true;
    }
    if (bytes.includes(IIM_RESOURCE)) this.places.iimUnread = true;
    // An item or box of pictures in ISO base media files and JPEG XL; its structure is not walked here.
    if (bytes.includes(EXIF)) this.places.exifUnread = true;
  }
}
