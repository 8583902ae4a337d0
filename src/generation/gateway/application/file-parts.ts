import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { type FileHandle } from 'node:fs/promises';
import { hashFile } from '../../../assets/adapters/file-asset-store.js';
import { type AssetStore } from '../../../assets/domain/asset-store.port.js';
import { ColophonError } from '../../../shared/errors.js';
import { systemErrorCode } from '../../../shared/system-error.js';

/** As fal's client cuts a file. */
export const PART_BYTES = 10 * 1024 * 1024;

/** A part as the client names it at the end. */
export interface NamedPart {
  readonly partNumber: number;
  /** SHA-256 of the part, as it was answered. */
  readonly etag: string;
}

/**
 * A file that comes in parts. Each lies in the staging area under the id of the announced file, where every process finds
 * it, until the file is whole; what never becomes whole is swept away after an hour. Nothing is in memory but a piece.
 */
export class FileParts {
  /** So that no order and no haste of parts takes more room than the largest file. */
  readonly mostParts: number;

  constructor(
    private readonly store: AssetStore,
    private readonly maxFileBytes: number,
  ) {
    this.mostParts = Math.ceil(maxFileBytes / PART_BYTES);
  }

  /**
   * Sent again, a part takes the place of the one before it.
   * @param stagedPath in the staging area; gone afterwards
   * @returns its etag
   * @throws ColophonError `payload_too_large` for a part beyond the largest file
   */
  async keep(fileId: string, partNumber: number, stagedPath: string): Promise<string> {
    if (partNumber > this.mostParts) throw this.tooLarge();
    const etag = await hashFile(stagedPath);
    await rename(stagedPath, await this.pathOf(fileId, partNumber));
    return etag;
  }

  /**
   * For as long as `work` takes, the file as one; after it the parts are gone.
   * @throws ColophonError `invalid_request` for parts that are not there, in order, and as they were sent;
   *   `payload_too_large`
   */
  async whole<Result>(
    fileId: string,
    parts: readonly NamedPart[],
    work: (stagedPath: string) => Promise<Result>,
  ): Promise<Result> {
    if (parts.length === 0 || parts.some(({ partNumber }, index) => partNumber !== index + 1))
      throw wrongParts('must name every part, counted from 1, in order');
    if (parts.length > this.mostParts) throw this.tooLarge();
    const stagedPath = await this.store.stage();
    try {
      const file = await open(stagedPath, 'wx', 0o600);
      try {
        let sizeBytes = 0;
        for (const part of parts) {
          sizeBytes += await this.append(fileId, part, file);
          if (sizeBytes > this.maxFileBytes) throw this.tooLarge();
        }
      } finally {
        await file.close();
      }
      const result = await work(stagedPath);
      for (const { partNumber } of parts) await this.store.discard(await this.pathOf(fileId, partNumber));
      return result;
    } finally {
      await this.store.discard(stagedPath);
    }
  }

  private async append(fileId: string, { partNumber, etag }: NamedPart, file: FileHandle): Promise<number> {
    const path = await this.pathOf(fileId, partNumber);
    const { size } = await stat(path).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      throw wrongParts(`part ${partNumber} was not sent`);
    });
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await file.appendFile(chunk);
    }
    if (hash.digest('hex') !== etag) throw wrongParts(`part ${partNumber} is not the one with this etag`);
    return size;
  }

  private pathOf(fileId: string, partNumber: number): Promise<string> {
    return this.store.stageAs(`${fileId}.part-${partNumber}`);
  }

  private tooLarge(): ColophonError {
    return new ColophonError(
      'payload_too_large',
      `A file may have at most ${this.maxFileBytes} bytes, in parts of at most ${PART_BYTES}.`,
    );
  }
}

function wrongParts(message: string): ColophonError {
  return new ColophonError('invalid_request', `parts: ${message}`, {
    extensions: { errors: [{ path: 'parts', message }] },
  });
}
