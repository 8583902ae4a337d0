import { readFile } from 'node:fs/promises';

/** The tiny files from which large ones are made; this program runs from the folder of compiled code. */
export function mediaVector(fileName: string): Promise<Buffer> {
  return readFile(new URL(`../../test/vectors/media/${fileName}`, import.meta.url));
}
