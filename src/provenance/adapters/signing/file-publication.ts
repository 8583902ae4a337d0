import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import { ColophonError } from '../../../shared/errors.js';
import { systemErrorCode } from '../../../shared/system-error.js';
import { SIDECAR_SUFFIX } from '../../domain/media-signer.port.js';
import { type ManifestPlacement } from '../../domain/media-types.js';

export function sidecarOf(path: string): string {
  return `${path}${SIDECAR_SUFFIX}`;
}

/** The names under which a file is made before it has been read back. */
export interface UnverifiedFile {
  readonly path: string;
  /** The source with metadata written into it. */
  readonly unsignedPath: string;
  /** The source without a manifest that nobody can read. */
  readonly withoutManifestPath: string;
  /** The source with padding under another name. */
  readonly namedPaddingPath: string;
}

/**
 * If we die from here on, a file with this suffix is left beside the destination; nothing refers to it, and the owner of
 * the folder sweeps it at a later start.
 */
export function unverifiedFileFor(destinationPath: string): UnverifiedFile {
  const path = `${destinationPath}.${randomUUID()}.unverified`;
  return {
    path,
    unsignedPath: `${path}.unsigned`,
    withoutManifestPath: `${path}.without-manifest`,
    namedPaddingPath: `${path}.named-padding`,
  };
}

/** @param placement of a file that has its name; `undefined`: there may be anything */
export async function discardUnverified(
  { path, unsignedPath, withoutManifestPath, namedPaddingPath }: UnverifiedFile,
  placement?: ManifestPlacement,
): Promise<void> {
  const names = [path, unsignedPath, withoutManifestPath, namedPaddingPath];
  if (placement !== 'embedded') names.push(sidecarOf(path));
  await Promise.all(names.map(discard));
}

/** `rm` asks what a path is before it removes it. */
async function discard(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  });
}

/** The file must be on the disk, not only in a cache, before anything is recorded about it. */
export async function syncSigned(
  handle: FileHandle,
  path: string,
  placement: ManifestPlacement,
): Promise<void> {
  await handle.sync();
  if (placement === 'sidecar') await syncFile(sidecarOf(path));
}

/** The sidecar first: a file without it would look unsigned. */
export async function publishSigned(
  temporaryPath: string,
  destinationPath: string,
  placement: ManifestPlacement,
): Promise<void> {
  if (placement === 'sidecar') await publish(sidecarOf(temporaryPath), sidecarOf(destinationPath));
  await publish(temporaryPath, destinationPath);
}

/**
 * Gives the verified file its name. `link` fails where `rename` would overwrite. If we die in between, the file has
 * both names, and both are good. The folder is not synced: the name is one of the staging area, to which nothing refers,
 * and the store syncs its own folder when it gives the bytes the name that lasts.
 */
async function publish(temporaryPath: string, destinationPath: string): Promise<void> {
  try {
    await link(temporaryPath, destinationPath);
  } catch (cause) {
    if (systemErrorCode(cause) !== 'EEXIST') throw cause;
    throw new ColophonError('internal', 'The destination of a signed file exists already.', { cause });
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
