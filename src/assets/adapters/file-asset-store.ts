import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ColophonError } from '../../shared/errors.js';
import { systemErrorCode } from '../../shared/system-error.js';
import { type AssetStore } from '../domain/asset-store.port.js';

const SHA256_HEX = /^[0-9a-f]{64}$/;
const UUID = /^[0-9a-f-]{36}$/;

/** `<root>/<organization>/<first two digits>/<sha256>`, mode 0600. */
export class FileAssetStore implements AssetStore {
  constructor(private readonly root: string) {}

  async stage(): Promise<string> {
    const folder = join(this.root, 'staging');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return join(folder, randomUUID());
  }

  async discard(stagedPath: string): Promise<void> {
    await rm(stagedPath, { force: true });
  }

  async put(organizationId: string, sha256: string, stagedPath: string): Promise<void> {
    const target = this.pathOf(organizationId, sha256);
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await syncPath(stagedPath);
      await linkUnlessPresent(stagedPath, target);
      await syncPath(dirname(target));
      await rm(stagedPath, { force: true });
    } catch (cause) {
      throw new ColophonError('storage_unavailable', 'The asset store cannot be written.', { cause });
    }
  }

  async localPath(organizationId: string, sha256: string): Promise<string> {
    const path = this.pathOf(organizationId, sha256);
    let actual: string;
    try {
      actual = await hashFile(path);
    } catch (cause) {
      throw new ColophonError('storage_unavailable', 'A file is missing from the asset store.', { cause });
    }
    if (actual !== sha256) {
      throw new ColophonError('storage_unavailable', 'A file in the asset store is not what its hash says.');
    }
    return path;
  }

  private pathOf(organizationId: string, sha256: string): string {
    if (!UUID.test(organizationId) || !SHA256_HEX.test(sha256)) throw new Error('not a content address');
    return join(this.root, organizationId, sha256.slice(0, 2), sha256);
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A link never overwrites: whoever is first wins, and both have the same bytes. */
async function linkUnlessPresent(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

/** Lower-case hex SHA-256 of a file, read in chunks. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

export async function fileSizeBytes(path: string): Promise<number> {
  return (await stat(path)).size;
}
