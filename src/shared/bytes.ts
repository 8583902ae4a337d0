import { createHash } from 'node:crypto';

/** SHA-256 of the given chunks, concatenated. 32 bytes. */
export function sha256(...chunks: (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
}

/** Lower-case hexadecimal SHA-256, 64 characters. */
export function sha256Hex(...chunks: (Uint8Array | string)[]): string {
  return sha256(...chunks).toString('hex');
}
