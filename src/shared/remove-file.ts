import { unlink } from 'node:fs/promises';
import { systemErrorCode } from './system-error.js';

/** Removes a file where there is one. One question to the disk; `rm` asks twice what the path is before it removes it. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
