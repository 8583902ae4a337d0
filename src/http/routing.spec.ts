import { Body, Controller, Get, Post, Put, Req, Res } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { readConfiguration } from '../config/configuration.js';
import { createApplication } from './create-application.js';
import { FormRoute } from './form-route.js';
import { Metrics } from './metrics.js';
import { ProblemFilter } from './problem.filter.js';

@Controller('things')
class ThingController {
  @Get()
  list(): object {
    return {};
  }

  @Post()
  make(@Body() body: unknown): unknown {
    return { body };
  }

  @Get('gone/file')
  gone(@Res() reply: FastifyReply): void {
    reply.callNotFound();
  }

  @Put(':id')
  replace(): object {
    return {};
  }

  @Post('form')
  @FormRoute({ name: 'declaration', description: 'JSON' })
  async take(@Req() request: FastifyRequest): Promise<object> {
    const names: string[] = [];
    for await (const part of request.parts()) {
      names.push(part.fieldname);
      if (part.type === 'file') await part.toBuffer();
    }
    return { names };
  }
}

class ThingModule {}

let app: NestFastifyApplication;
beforeAll(async () => {
  const module = {
    module: ThingModule,
    controllers: [ThingController],
    providers: [{ provide: APP_FILTER, useValue: new ProblemFilter(pino({ level: 'silent' })) }],
  };
  app = await createApplication(module, readConfiguration({ COLOPHON_HOME: '/nowhere' }), new Metrics());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

async function ask(method: Method, url: string, contentType?: string, payload?: string) {
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  const response = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  const { statusCode, body } = response;
  const problem = response.headers['content-type']?.toString().startsWith('application/problem+json');
  const { code, detail } = (problem ? JSON.parse(body) : {}) as { code?: string; detail?: string };
  return { statusCode, body, code, detail, allow: response.headers.allow };
}

describe('a method that an address does not know', () => {
  it.each([
    ['DELETE', '/things', 'GET, HEAD, POST'],
    ['PATCH', '/things?limit=1', 'GET, HEAD, POST'],
    ['OPTIONS', '/things', 'GET, HEAD, POST'],
    ['GET', '/things/1', 'PUT'],
    ['POST', '/things/1%2F2', 'PUT'],
    // An id could be called like a route beside it: both count.
    ['DELETE', '/things/form', 'POST, PUT'],
  ] as const)('%s %s is answered with those it knows: %s', async (method, url, allow) => {
    const answer = await ask(method, url);
    expect(answer).toMatchObject({ statusCode: 405, code: 'method_not_allowed' });
    expect(answer.allow?.toString().split(', ').sort()).toEqual(allow.split(', '));
    expect(answer.detail).toContain(String(answer.allow));
  });

  it.each([
    ['GET', '/nothing'],
    ['DELETE', '/nothing'],
    ['POST', '/things/1/2'],
    ['GET', '/things/gone/file'],
    ['DELETE', `/things/${'x'.repeat(400)}`],
  ] as const)('%s %s is not found where there is no address', async (method, url) => {
    expect(await ask(method, url)).toMatchObject({ statusCode: 404, code: 'not_found', allow: undefined });
  });

  it('does not hide that an address cannot be decoded', async () => {
    expect(await ask('DELETE', '/things/%zz')).toMatchObject({ statusCode: 400, code: 'invalid_request' });
  });

  it('answers HEAD without a body', async () => {
    expect(await ask('HEAD', '/things/1')).toMatchObject({ statusCode: 405, allow: 'PUT' });
  });
});

describe('a form', () => {
  const contentType = 'multipart/form-data; boundary=b';
  const form = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nbytes\r\n--b--\r\n';

  it('reaches the routes that take one', async () => {
    expect(await ask('POST', '/things/form', contentType, form)).toMatchObject({
      statusCode: 201,
      body: '{"names":["file"]}',
    });
  });

  it.each([
    ['whole', contentType, form],
    ['written otherwise', 'Multipart/Form-Data; boundary=b', form],
    ['without a boundary', 'multipart/form-data', form],
    ['that never ends', contentType, form.slice(0, 60)],
    ['empty', contentType, ''],
  ])('(%s) is refused where JSON is taken', async (_what, type, payload) => {
    for (const [method, url] of [
      ['POST', '/things'],
      ['PUT', '/things/1'],
    ] as const) {
      expect(await ask(method, url, type, payload)).toMatchObject({
        statusCode: 415,
        code: 'unsupported_content_type',
      });
    }
  });

  it('to nowhere is not found', async () => {
    expect(await ask('POST', '/nothing', contentType, form)).toMatchObject({ statusCode: 404 });
  });
});
