import { type ArgumentMetadata, type PipeTransform, StandardSchemaValidationPipe } from '@nestjs/common';
import { type z } from 'zod';
import { ColophonError } from '../shared/errors.js';
import { type IdKind, parsePublicId } from '../shared/ids.js';

interface FieldError {
  readonly path: string;
  readonly message: string;
}

const MAX_REPORTED_ERRORS = 20;

/** Validates `@Body({ schema })`, `@Query({ schema })`. The message names fields, never their values. */
export const validationPipe = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) =>
    invalidRequest(issues.map((issue) => ({ path: pathOf(issue.path), message: issue.message }))),
});

/** For values that do not pass through the framework, such as a JSON field of a multipart form. */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidRequest(
    result.error.issues.map((issue) => ({ path: pathOf(issue.path), message: issue.message })),
  );
}

export function invalidRequest(errors: readonly FieldError[]): ColophonError {
  const [first] = errors;
  const detail = first
    ? `${first.path === '' ? 'The request' : first.path}: ${first.message}`
    : 'The request is not valid.';
  return new ColophonError('invalid_request', detail, {
    extensions: { errors: errors.slice(0, MAX_REPORTED_ERRORS) },
  });
}

function pathOf(path: readonly unknown[] | undefined): string {
  return (path ?? [])
    .map((part) => String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part))
    .join('.')
    .slice(0, 200);
}

/** `@Param('id', idOf('run'))`: a malformed id cannot exist, so it is the same 404 as an unknown one. */
export function idOf(kind: IdKind): PipeTransform<string, string> {
  return {
    transform(value: string, _metadata: ArgumentMetadata): string {
      const id = parsePublicId(kind, value);
      if (id === undefined) throw new ColophonError('not_found', `There is no ${kind} with this id.`);
      return id;
    },
  };
}
