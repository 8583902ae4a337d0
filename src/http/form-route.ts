import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { ColophonError } from '../shared/errors.js';
import { addRouteConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route takes `multipart/form-data`. Set by {@link FormRoute} only. */
    takesForm?: boolean;
  }
}

interface FormPart {
  readonly name: string;
  readonly description: string;
}

/**
 * A route that takes `multipart/form-data`: the part `file` and, where one is named, a field with JSON in it, or a
 * second file that may be left out.
 */
export function FormRoute(field?: FormPart, secondFile?: FormPart): MethodDecorator {
  const json = {
    ...(field && { [field.name]: { type: 'string', description: field.description } }),
    ...(secondFile && {
      [secondFile.name]: { type: 'string', format: 'binary', description: secondFile.description },
    }),
  };
  return applyDecorators(
    addRouteConfig(() => ({ takesForm: true })),
    ApiConsumes('multipart/form-data'),
    ApiBody({
      schema: {
        type: 'object',
        required: field ? ['file', field.name] : ['file'],
        properties: { file: { type: 'string', format: 'binary' }, ...json },
      },
    }),
  );
}

/**
 * The parser of forms stands beside the one of JSON for all routes alike: a form would reach a route that takes JSON
 * as a request without a body, and be refused for the wrong reason.
 *
 * @throws ColophonError `unsupported_content_type`
 */
export function refuseUnexpectedForm(request: FastifyRequest): void {
  if (request.is404 || request.routeOptions.config.takesForm === true || !request.isMultipart()) return;
  throw new ColophonError('unsupported_content_type', 'This route takes JSON, not a form.');
}
