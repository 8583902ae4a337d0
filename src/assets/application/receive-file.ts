import { hashFile } from '../adapters/file-asset-store.js';
import { type AssetStore } from '../domain/asset-store.port.js';
import { refuseWrongExtension } from '../domain/file-extension.js';
import { type MediaProbe, type ProbedMedia } from '../domain/media-probe/media-probe.port.js';

/** A file that somebody sent, in the store's staging area, and what its bytes are. */
export interface ReceivedFile extends ProbedMedia {
  readonly stagedPath: string;
  readonly sha256: string;
  /** As sent; for display only, see display-name.ts. */
  readonly fileName: string | undefined;
}

/** Looks at a staged file. The caller keeps the staged path and discards it, whatever happens. */
export async function receiveFile(
  probe: MediaProbe,
  staged: { readonly path: string; readonly fileName: string | undefined },
): Promise<ReceivedFile> {
  const media = await probe.probe({ path: staged.path });
  refuseWrongExtension(staged.fileName, media.mediaType);
  return {
    ...media,
    stagedPath: staged.path,
    sha256: await hashFile(staged.path),
    fileName: staged.fileName,
  };
}

/** Copies nothing: the staged file becomes the original in the store. */
export async function keepOriginal(
  store: AssetStore,
  organizationId: string,
  file: ReceivedFile,
): Promise<void> {
  await store.put(organizationId, file.sha256, file.stagedPath);
}

/** SHA-256 of a staged file. */
export function hashStaged(path: string): Promise<string> {
  return hashFile(path);
}
