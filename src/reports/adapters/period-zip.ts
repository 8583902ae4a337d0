import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ColophonError } from '../../shared/errors.js';
import { PERIOD_PATHS } from '../domain/period-format.js';
import { growingZip } from './bundle-zip.js';

export interface PeriodFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Writes the zip of a period: the small files, then the entries as they come, then the hashes of all. Constant memory,
 * whatever the size of the log. On disk (fsync) when this resolves.
 *
 * @param lines entries with the newline that ends each; what fails in it fails the whole and leaves no file
 */
export async function writePeriodZip(request: {
  readonly files: readonly PeriodFile[];
  readonly lines: AsyncIterable<Buffer>;
  readonly createdAt: Date;
  readonly destinationPath: string;
}): Promise<void> {
  const sums = new Map<string, string>();
  const hashed = async function* (path: string, chunks: AsyncIterable<Buffer> | Iterable<Buffer>) {
    const hash = createHash('sha256');
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
    sums.set(path, hash.digest('hex'));
  };
  const streamOf = (path: string, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Readable =>
    Readable.from(hashed(path, chunks), { objectMode: false });
  const files = [
    ...request.files.map(({ path, bytes }) => ({ path, open: () => streamOf(path, [bytes]) })),
    { path: PERIOD_PATHS.entries, open: () => streamOf(PERIOD_PATHS.entries, request.lines) },
    { path: PERIOD_PATHS.sums, open: () => Readable.from([sumsText(sums)], { objectMode: false }) },
  ];
  const file = await open(request.destinationPath, 'w', 0o600);
  try {
    await pipeline(growingZip(files, request.createdAt), file.createWriteStream({ flush: true }));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(request.destinationPath, { force: true });
    if (error instanceof ColophonError) throw error;
    throw new ColophonError('storage_unavailable', 'The export cannot be written.', { cause: error });
  }
}

function sumsText(sums: ReadonlyMap<string, string>): Buffer {
  const lines = [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, sha256]) => `${sha256}  ${path}\n`);
  return Buffer.from(lines.join(''), 'ascii');
}
