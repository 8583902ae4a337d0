import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type LogSource } from '../audit/verify/log-report.js';
import { systemErrorCode } from '../shared/system-error.js';
import { Unusable } from './exit-code.js';
import { httpLogSource } from './http-log-source.js';
import { maxLogFileBytes } from './log-file-limits.js';
import { type OpenedLogSource, zipLogSource } from './zip-log-source.js';

/** A log in a folder, in a zip, or on a web server. @throws Unusable */
export async function openLogSource(location: string, apiKey: string | undefined): Promise<OpenedLogSource> {
  if (isWebAddress(location)) return { ...httpLogSource(location, { apiKey }), close: () => undefined };
  const found = await stat(location).catch(() => undefined);
  if (found?.isDirectory()) return { ...folderSource(location), close: () => undefined };
  if (found?.isFile()) return zipLogSource(location);
  throw new Unusable(`${location} is neither a folder, nor a zip file, nor an http(s) address`);
}

export function isWebAddress(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

/** The files of a log as they lie in a folder. */
export function folderSource(folder: string): LogSource {
  return {
    async read(path) {
      try {
        return await readRegularFile(join(folder, path), maxLogFileBytes(path));
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
        throw error;
      }
    },
    async list() {
      try {
        const found = await readdir(join(folder, 'tile'), { recursive: true, withFileTypes: true });
        return found
          .filter((each) => !each.isDirectory())
          .map((each) => relative(folder, join(each.parentPath, each.name)).replaceAll(sep, '/'))
          .sort();
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return [];
        throw error;
      }
    },
  };
}

/**
 * Up to one byte beyond the limit, which is enough for the verifier to call the file malformed. A folder that came from
 * a stranger may hold a named pipe or a link to a device in place of a file: those never end, and count as missing.
 */
async function readRegularFile(path: string, limit: number): Promise<Uint8Array | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) return undefined;
    // The size may be a lie, as in /proc, or change: what is read counts.
    const bytes = Buffer.alloc(Math.min(status.size, limit) + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
