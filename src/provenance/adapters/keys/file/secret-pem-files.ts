import { randomUUID } from 'node:crypto';
import { chmod, lstat, open, readFile, rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { signerUnavailable } from '../signer-unavailable.js';

/** Durable and whole, or not there at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * @throws ColophonError `signer_unavailable` when it is missing, or others can read it; callers see the message, so it
 *   holds the name of the file and not its folder
 */
export async function readSecret(path: string): Promise<string> {
  await refuseIfOpenToOthers(path, 'file');
  return readFile(path, 'utf8');
}

export async function refuseIfOpenToOthers(path: string, what: 'file' | 'folder'): Promise<void> {
  let mode: number;
  try {
    // lstat: a symbolic link would let somebody else decide where the key lies.
    const status = await lstat(path);
    if (what === 'file' && !status.isFile()) throw new Error('not a regular file');
    mode = status.mode & 0o777;
  } catch (cause) {
    throw signerUnavailable(`The key ${what} ${basename(path)} cannot be used.`, cause);
  }
  if ((mode & 0o077) !== 0) {
    const wanted = what === 'file' ? '0600' : '0700';
    throw signerUnavailable(
      `The key ${what} ${basename(path)} can be read by others (mode 0${mode.toString(8)}). Replace the keys if others had access, then set mode ${wanted}.`,
    );
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
