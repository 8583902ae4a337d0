import { type PassThrough, type Readable } from 'node:stream';
import { ZipFile } from 'yazl';

export interface BundleZipFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Called once, when the file's turn has come. */
  open(): Promise<Readable>;
}

/** A regular file, readable by everybody. */
const FILE_MODE = 0o100644;

/**
 * The container of a bundle as a byte stream. Every byte follows from names, order, contents and time, so a verifier
 * can write it again and compare: whatever differs was not written here.
 */
export function bundleZip(files: readonly BundleZipFile[], createdAt: Date): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as PassThrough;
  const options = { compress: false, mtime: dosDate(createdAt), mode: FILE_MODE, forceDosTimestamp: true };
  zip.on('error', (error: Error) => output.destroy(error));
  for (const file of files) {
    zip.addReadStreamLazy(file.path, { ...options, size: file.sizeBytes }, (callback) => {
      file.open().then(
        (stream) => {
          // The library pipes without looking at errors: without this the output would wait for ever.
          stream.once('error', (error) => output.destroy(error));
          callback(null, stream);
        },
        (error: unknown) => output.destroy(error as Error),
      );
    });
  }
  zip.end();
  return output;
}

/** The same for files whose size is known only when they have been written: it stands after them, in a descriptor. */
export function growingZip(
  files: readonly { readonly path: string; readonly open: () => Readable }[],
  createdAt: Date,
): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as PassThrough;
  const options = { compress: false, mtime: dosDate(createdAt), mode: FILE_MODE, forceDosTimestamp: true };
  zip.on('error', (error: Error) => output.destroy(error));
  for (const { path, open } of files) {
    zip.addReadStreamLazy(path, options, (callback) => {
      const stream = open();
      stream.once('error', (error) => output.destroy(error));
      callback(null, stream);
    });
  }
  zip.end();
  return output;
}

/**
 * The day in UTC, at noon of the local zone: zip times are local, and equal contents shall give equal bytes in every
 * zone. Noon exists on every day in every zone; other hours are skipped where clocks change.
 */
function dosDate(time: Date): Date {
  return new Date(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate(), 12);
}
