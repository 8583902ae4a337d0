import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ERROR_CODES } from '../shared/errors.js';
import { PRODUCT_VERSION } from '../shared/product.js';

/** RFC 9457 problem details, as the filter writes them. */
const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'howToFix', 'requestId'],
  properties: {
    type: { type: 'string', example: 'urn:colophon:error:not_found' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERROR_CODES) },
    detail: { type: 'string', description: 'for people' },
    howToFix: { type: 'string', description: 'what to do next' },
    requestId: { type: 'string' },
  },
  additionalProperties: true,
};

/** The contract, from the same schemas that validate requests. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle('Colophon')
    .setDescription(
      'Gateway and record for generated media: clears licenses, signs C2PA manifests, records what people contributed, ' +
        'and keeps a log that strangers can verify. Errors are application/problem+json with a stable "code".',
    )
    .setVersion(PRODUCT_VERSION)
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An API key: clp_live_... or clp_test_...',
    })
    .build();
  const document = SwaggerModule.createDocument(app, options, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  return withProblems(document);
}

/** Every route can refuse, and all of them refuse in the same form. */
function withProblems(document: OpenAPIObject): OpenAPIObject {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA },
  };
  const problem = {
    description: 'Refused, with what to do next',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.put]) {
      if (operation) operation.responses = { ...operation.responses, default: problem };
    }
  }
  return document;
}

/** Routes that the documentation adds to the router by itself, so that they cannot say it themselves. */
export function isApiDocumentation(path: string): boolean {
  return (
    path === '/openapi.json' || path === '/openapi.json/' || path === '/docs' || path.startsWith('/docs/')
  );
}

export function installApiDocumentation(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    swaggerOptions: { deepLinking: true },
  });
}
