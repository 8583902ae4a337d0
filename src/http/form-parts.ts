// Adds isMultipart() and parts() to the request type.
import '@fastify/multipart';
import { type FastifyRequest } from 'fastify';
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type AssetStore } from '../assets/domain/asset-store.port.js';
import { ColophonError } from '../shared/errors.js';
import { addRouteConfig } from './route-config.js';
import { invalidRequest } from './validation.js';

export interface FormFile {
  /** Name of the part. */
  readonly name: string;
  readonly stagedPath: string;
  readonly fileName: string | undefined;
  readonly sha256: string;
}

export interface FormParts {
  /** In the order in which they came. */
  readonly files: readonly FormFile[];
  readonly fields: Readonly<Record<string, string>>;
}

export interface FormLimits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxFields: number;
  readonly maxFieldBytes: number;
}

/** A route that takes `multipart/form-data` in somebody else's form, which is not described here. */
export const ForeignFormRoute = (): MethodDecorator => addRouteConfig(() => ({ takesForm: true }));

/**
 * Reads a form with several files. Files go straight into the store's staging area while they are hashed; they are
 * removed again when `work` is done or anything fails.
 *
 * @throws ColophonError `unsupported_content_type`, `payload_too_large`, `invalid_request`
 */
export async function withFormParts<Result>(
  request: FastifyRequest,
  store: AssetStore,
  limits: FormLimits,
  work: (parts: FormParts) => Promise<Result>,
): Promise<Result> {
  if (!request.isMultipart())
    throw new ColophonError('unsupported_content_type', 'Send multipart/form-data.');
  const staged: string[] = [];
  try {
    return await work(await readParts(request, store, limits, staged).catch(refuseUnreadable));
  } finally {
    for (const path of staged) await store.discard(path);
  }
}

async function readParts(
  request: FastifyRequest,
  store: AssetStore,
  limits: FormLimits,
  staged: string[],
): Promise<FormParts> {
  const { maxFiles, maxFileBytes, maxFields, maxFieldBytes } = limits;
  const files: FormFile[] = [];
  const fields = Object.create(null) as Record<string, string>;
  const parts = request.parts({
    limits: {
      fileSize: maxFileBytes,
      files: maxFiles,
      fields: maxFields,
      fieldSize: maxFieldBytes,
      parts: maxFiles + maxFields,
    },
  });
  for await (const part of parts) {
    if (part.type === 'file') {
      const stagedPath = await store.stage();
      staged.push(stagedPath);
      const hash = createHash('sha256');
      await pipeline(part.file, hashing(hash), createWriteStream(stagedPath, { mode: 0o600 }));
      if (part.file.truncated)
        throw new ColophonError('payload_too_large', `A file may have at most ${maxFileBytes} bytes.`);
      files.push({ name: part.fieldname, stagedPath, fileName: part.filename, sha256: hash.digest('hex') });
      continue;
    }
    if (part.valueTruncated)
      throw new ColophonError('payload_too_large', `A form field may have at most ${maxFieldBytes} bytes.`);
    if (typeof part.value !== 'string' || Object.hasOwn(fields, part.fieldname))
      throw invalidRequest([{ path: part.fieldname, message: 'is given twice, or is not text' }]);
    fields[part.fieldname] = part.value;
  }
  return { files, fields };
}

function hashing(hash: Hash) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
}

/** What the form parser throws about a missing boundary or a body that ends early has neither code nor status. */
function refuseUnreadable(error: unknown): never {
  if (error instanceof Error && !('code' in error) && !('statusCode' in error))
    throw new ColophonError('invalid_request', 'The form cannot be read to its end.', { cause: error });
  throw error;
}
