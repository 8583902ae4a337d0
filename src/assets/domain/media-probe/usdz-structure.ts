import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData, truncated } from './byte-source.js';
import { view } from './iso-boxes.js';
import { type MediaShape } from './media-probe.port.js';

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const MAX_FILES = 1_000;
const ALIGNMENT_BYTES = 64;
const ENCRYPTED_OR_LENGTH_BEHIND = 0x0009;
/** USDZ specification, "File types": layers, pictures and sounds. */
const ALLOWED_NAME = /^[\w][\w .()+-]*(?:\/[\w][\w .()+-]*)*\.(?:usd[ac]?|png|jpe?g|exr|avif|m4a|mp3|wav)$/i;

/**
 * USDZ: a zip of stored files, the first of them a USD layer, each beginning at a multiple of 64 bytes. It is walked
 * from its beginning, header by header, and must be nothing but these files, their directory and its end: so there is
 * no gap in which something else could stand, and nothing to unpack. What a layer refers to is not read.
 */
export async function checkUsdz(cursor: ByteCursor): Promise<MediaShape> {
  let files = 0;
  let mark = await markAt(cursor);
  for (; mark === LOCAL_HEADER; mark = await markAt(cursor)) {
    files += 1;
    if (files > MAX_FILES) throw new ColophonError('media_too_large', 'The USDZ has too many files.');
    await skipFile(cursor);
  }
  const directoryAt = cursor.position - 4;
  let listed = 0;
  for (; mark === DIRECTORY_HEADER; mark = await markAt(cursor)) {
    listed += 1;
    const header = view((await cursor.take(42)).slice());
    cursor.skip(header.getUint16(24, true) + header.getUint16(26, true) + header.getUint16(28, true));
  }
  if (mark !== DIRECTORY_END) throw damaged('The directory of the USDZ is damaged.');
  const end = view((await cursor.take(18)).slice());
  const agrees =
    end.getUint16(6, true) === files && listed === files && end.getUint32(12, true) === directoryAt;
  if (!agrees) throw damaged('The directory of the USDZ does not list what is in it.');
  if (end.getUint16(16, true) !== 0 || cursor.remaining > 0) throw trailingData();
  return { kind: 'model3d' };
}

async function markAt(cursor: ByteCursor): Promise<number> {
  return view(await cursor.take(4)).getUint32(0, true);
}

/** APPNOTE.TXT section 4.3.7, behind the mark: flags at 2, method at 4, sizes at 14 and 18, lengths at 22 and 24. */
async function skipFile(cursor: ByteCursor): Promise<void> {
  const header = view((await cursor.take(26)).slice());
  const size = header.getUint32(14, true);
  const isStored = header.getUint16(4, true) === 0 && size === header.getUint32(18, true);
  if (!isStored || (header.getUint16(2, true) & ENCRYPTED_OR_LENGTH_BEHIND) !== 0) {
    throw damaged('A file of the USDZ is compressed or encrypted, which the format forbids.');
  }
  const name = new TextDecoder('latin1').decode(await cursor.take(header.getUint16(22, true)));
  if (!ALLOWED_NAME.test(name)) {
    throw new ColophonError(
      'media_not_allowed',
      'The USDZ holds a file of a kind or name that it may not hold.',
    );
  }
  cursor.skip(header.getUint16(24, true));
  if (cursor.position % ALIGNMENT_BYTES !== 0)
    throw damaged('A file of the USDZ is not where the format wants it.');
  if (size > cursor.remaining) throw truncated();
  cursor.skip(size);
}
