// Adds isMultipart() and parts() to the request type.
import '@fastify/multipart';
import { type FastifyRequest } from 'fastify';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type z } from 'zod';
import { type AssetStore } from '../assets/domain/asset-store.port.js';
import { ColophonError } from '../shared/errors.js';
import { parseStrictJson } from './strict-json.js';
import { invalidRequest, parseWith } from './validation.js';

export interface UploadedForm<Fields> {
  readonly file: { readonly path: string; readonly fileName: string | undefined };
  /** The second file, where the route takes one and it was sent. */
  readonly secondPath: string | undefined;
  readonly fields: Fields;
}

/** JSON text in a form field; larger text is refused by the parser. */
const MAX_FIELD_BYTES = 64 * 1024;

interface FormOptions {
  readonly maxBytes: number;
  readonly field?: { readonly name: string };
  /** Name of the part for a second file, which may be left out. */
  readonly secondFile?: string;
}

/**
 * Reads `multipart/form-data` with one part `file`, where the route takes one a second file, and, where a schema is
 * given, one JSON field of the given name. Files go straight into the store's staging area; they are removed again when
 * `work` is done or anything fails.
 *
 * @throws ColophonError `unsupported_content_type`, `payload_too_large`, `invalid_request`, `invalid_json`
 */
export async function withUploadedFile<Schema extends z.ZodType, Result>(
  request: FastifyRequest,
  store: AssetStore,
  options: FormOptions & { field?: { name: string; schema: Schema } },
  work: (form: UploadedForm<z.infer<Schema>>) => Promise<Result>,
): Promise<Result> {
  if (!request.isMultipart()) {
    throw new ColophonError('unsupported_content_type', 'Send multipart/form-data with a part named "file".');
  }
  const path = await store.stage();
  const secondPath = `${path}.${options.secondFile ?? 'none'}`;
  try {
    const { fileName, text, hasSecond } = await readParts(request, { path, secondPath }, options).catch(
      refuseUnreadable,
    );
    const fields = options.field
      ? parseWith(options.field.schema, parseJson(options.field.name, text))
      : undefined;
    const form = { file: { path, fileName }, secondPath: hasSecond ? secondPath : undefined };
    return await work({ ...form, fields: fields as z.infer<Schema> });
  } finally {
    await store.discard(path);
    await store.discard(secondPath);
  }
}

interface ReadParts {
  readonly fileName: string | undefined;
  readonly text: string | undefined;
  readonly hasSecond: boolean;
}

async function readParts(
  request: FastifyRequest,
  paths: { readonly path: string; readonly secondPath: string },
  options: FormOptions,
): Promise<ReadParts> {
  let fileName: string | undefined;
  let text: string | undefined;
  const seen = new Set<string>();
  const files = options.secondFile === undefined ? 1 : 2;
  const limits = {
    fileSize: options.maxBytes,
    files,
    fields: 1,
    fieldSize: MAX_FIELD_BYTES,
    parts: files + 2,
  };
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') {
      if (part.fieldname !== 'file' && part.fieldname !== options.secondFile)
        throw invalidRequest([{ path: part.fieldname, message: 'the file belongs into the part "file"' }]);
      if (seen.has(part.fieldname))
        throw new ColophonError('payload_too_large', `The form has two files "${part.fieldname}".`);
      seen.add(part.fieldname);
      const isFirst = part.fieldname === 'file';
      if (isFirst) fileName = part.filename;
      await pipeline(part.file, createWriteStream(isFirst ? paths.path : paths.secondPath, { mode: 0o600 }));
      if (part.file.truncated) {
        throw new ColophonError('payload_too_large', `A file may have at most ${options.maxBytes} bytes.`);
      }
    } else if (part.fieldname === options.field?.name && typeof part.value === 'string') {
      if (part.valueTruncated) {
        throw new ColophonError(
          'payload_too_large',
          `A form field may have at most ${MAX_FIELD_BYTES} bytes.`,
        );
      }
      text = part.value;
    } else {
      throw invalidRequest([{ path: part.fieldname, message: 'is not a part of this form' }]);
    }
  }
  if (!seen.has('file')) throw invalidRequest([{ path: 'file', message: 'is missing' }]);
  return { fileName, text, hasSecond: seen.size > 1 };
}

/** What the form parser throws about a missing boundary or a body that ends early has neither code nor status. */
function refuseUnreadable(error: unknown): never {
  if (error instanceof Error && !('code' in error) && !('statusCode' in error)) {
    throw new ColophonError('invalid_request', 'The form cannot be read to its end.', { cause: error });
  }
  throw error;
}

function parseJson(name: string, text: string | undefined): unknown {
  if (text === undefined) throw invalidRequest([{ path: name, message: 'is missing' }]);
  try {
    return parseStrictJson(text);
  } catch (cause) {
    if (cause instanceof ColophonError) throw cause;
    throw new ColophonError('invalid_json', `The form field "${name}" is not JSON.`, { cause });
  }
}
