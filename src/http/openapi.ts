import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { PRODUCT_VERSION } from '../shared/product.js';

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
  return SwaggerModule.createDocument(app, options, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
}

export function installApiDocumentation(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApiDocument(app), { jsonDocumentUrl: 'openapi.json' });
}
