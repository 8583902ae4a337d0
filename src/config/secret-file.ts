import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { systemErrorCode } from '../shared/system-error.js';

/**
 * Reads a secret, or creates it at the first start. The file is written whole under another name and then linked,
 * so that a crash never leaves half a secret and two starts never overwrite each other's.
 *
 * @throws Error when other users may read the file: a secret that was readable is no secret any more.
 */
export function readOrCreateSecretFile(path: string, create: () => string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const existing = readSecretFile(path);
  if (existing !== undefined) return existing;
  const candidate = `${path}.${randomUUID()}`;
  writeFileSync(candidate, create(), { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(candidate, path);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(candidate);
  }
  return readFileSync(path, 'utf8');
}

/** `undefined` when there is no such file. */
export function readSecretFile(path: string): string | undefined {
  let mode: number;
  try {
    mode = statSync(path).mode;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `The secret file ${path} can be read by other users. Replace the secret and run: chmod 600 ${path}`,
    );
  }
  return readFileSync(path, 'utf8');
}
