import { createReadStream } from 'node:fs';

/**
 * A file that the user names, which may be a pipe (`<(cat a.pem b.pem)`) or a device that never ends: no more than this
 * is read.
 * @returns `undefined` when it is larger
 * @throws Error when it cannot be read
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
