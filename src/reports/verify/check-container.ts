import { open } from 'node:fs/promises';
import { type Entry } from 'yauzl';
import { bundleZip } from '../adapters/bundle-zip.js';
import { type BundleReader, readAt } from './bundle-reader.js';
import { type Checklist } from './checklist.js';

/**
 * Writes the container again from its own contents and compares. Hashes cover the contents of the files; this covers
 * all other bytes, such as dates, modes and what could hide between two files.
 */
export async function checkContainer(
  path: string,
  reader: BundleReader,
  entries: ReadonlyMap<string, Entry>,
  createdAt: string,
  checklist: Checklist,
): Promise<void> {
  const files = [...entries].map(([name, entry]) => ({
    path: name,
    sizeBytes: entry.uncompressedSize,
    open: () => reader.stream(entry),
  }));
  const theirs = await open(path);
  // Last, because nobody listens for its errors before the loop does.
  const ours = bundleZip(files, new Date(createdAt));
  let position = 0;
  let same = true;
  try {
    for await (const chunk of ours) {
      const expected = chunk as Buffer;
      const actual = await readAt(theirs, position, expected.length);
      same &&= actual.equals(expected);
      position += expected.length;
      if (!same) break;
    }
  } catch {
    // A file that cannot be read was reported when it was read for the first time.
    same = false;
  } finally {
    await theirs.close();
  }
  if (!same || position !== reader.sizeBytes) {
    checklist.fault(
      undefined,
      'The zip file itself is not as it was written: it was packed again, or bytes outside of the files were changed.',
    );
  }
}
