import { Readable } from 'node:stream';
import { type Entry } from 'yauzl';
import { bundleZip, growingZip } from '../adapters/bundle-zip.js';
import { type BundleReader } from './bundle-reader.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';

/**
 * Writes the container again from its own contents and compares. Hashes cover the contents of the files; this covers
 * all other bytes, such as dates, modes and what could hide between two files.
 */
export async function checkContainer(
  reader: BundleReader,
  contents: BundleContents,
  entries: ReadonlyMap<string, Entry>,
  createdAt: string,
  checklist: Checklist,
): Promise<void> {
  const files = [...entries].map(([name, entry]) => ({
    path: name,
    sizeBytes: entry.uncompressedSize,
    open: () => Promise.resolve(contentOf(reader, contents.get(name)?.bytes, entry)),
  }));
  // Last, because nobody listens for its errors before the loop does.
  await compare(reader, bundleZip(files, new Date(createdAt)), checklist);
}

/** The same for a container whose sizes stand after the files. */
export async function checkGrowingContainer(
  reader: BundleReader,
  entries: ReadonlyMap<string, Entry>,
  createdAt: string,
  checklist: Checklist,
): Promise<void> {
  const files = [...entries].map(([path, entry]) => ({
    path,
    open: () => contentOf(reader, undefined, entry),
  }));
  await compare(reader, growingZip(files, new Date(createdAt)), checklist);
}

async function compare(reader: BundleReader, ours: Readable, checklist: Checklist): Promise<void> {
  let position = 0;
  let same = true;
  try {
    for await (const chunk of ours) {
      const expected = chunk as Buffer;
      const actual = await reader.rawBytes(position, expected.length);
      same &&= actual.equals(expected);
      position += expected.length;
      if (!same) break;
    }
  } catch {
    // A file that cannot be read was reported when it was read for the first time.
    same = false;
  }
  if (!same || position !== reader.sizeBytes) {
    checklist.fault(
      undefined,
      'The zip file itself is not as it was written: it was packed again, or bytes outside of the files were changed.',
    );
  }
}

/** As it was read and hashed, where it was kept. */
function contentOf(reader: BundleReader, bytes: Buffer | undefined, entry: Entry): Readable {
  if (bytes === undefined) return Readable.from(reader.chunks(entry), { objectMode: false });
  // Not Readable.from: its machinery costs more than a small file does, and there are thousands.
  const content = new Readable({ read: () => undefined });
  content.push(bytes);
  content.push(null);
  return content;
}
