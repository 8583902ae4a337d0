import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newId } from '../shared/ids.js';
import { guardedFetch, type OutboundRequest } from './guarded-fetch.js';
import { OutboundError } from './outbound-error.js';

export interface DownloadRequest extends OutboundRequest {
  /** Absolute path. The folder is created; an existing file is replaced only by a complete new one. */
  readonly destinationPath: string;
}

export interface Download {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** What the server claims, without parameters and in lower case. A claim: the bytes decide. */
  readonly declaredMediaType: string | undefined;
}

/**
 * Streams an outside file to the disk while hashing it; memory use does not depend on its size.
 *
 * The bytes go to a temporary file beside the destination, are flushed to the disk and then renamed. A crash
 * before the rename leaves only a `.partial` file, which nothing reads; every other failure removes it.
 * @throws OutboundError as {@link guardedFetch}; upstream_error for a status other than 200; upstream_invalid for
 *   an empty file
 */
export async function downloadToFile(request: DownloadRequest): Promise<Download> {
  const response = await guardedFetch(request);
  if (response.status !== 200) {
    response.discard();
    const options = { mayHaveBeenSent: true };
    throw new OutboundError(
      'upstream_error',
      `the file server answered with status ${response.status}`,
      options,
    );
  }
  await mkdir(dirname(request.destinationPath), { recursive: true });
  const partialPath = `${request.destinationPath}.${newId()}.partial`;
  try {
    const written = await writeAll(partialPath, response.body);
    await rename(partialPath, request.destinationPath);
    await syncFolder(dirname(request.destinationPath));
    return { ...written, declaredMediaType: mediaTypeOf(response.headers) };
  } catch (error) {
    response.discard();
    await rm(partialPath, { force: true });
    throw error;
  }
}

async function writeAll(
  path: string,
  body: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      await writeFully(file, chunk);
      sizeBytes += chunk.byteLength;
    }
    if (sizeBytes === 0) {
      throw new OutboundError('upstream_invalid', 'the file is empty', { mayHaveBeenSent: true });
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** One write may take fewer bytes than given, e.g. on a nearly full disk. */
async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) {
    const { bytesWritten } = await file.write(chunk, offset);
    offset += bytesWritten;
  }
}

/** Makes the rename itself survive a power loss. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function mediaTypeOf(headers: Headers): string | undefined {
  const essence = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  return essence !== undefined && /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/.test(essence)
    ? essence
    : undefined;
}
