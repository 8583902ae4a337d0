import { Controller, Get, Post } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readConfiguration } from '../config/configuration.js';
import { Audited, Unaudited } from './audited.js';
import { createApplication } from './create-application.js';
import { FormRoute } from './form-route.js';
import { Metrics } from './metrics.js';
import { type Route, routesOf } from './route-table.js';
import { declaredRoutes, withRouteTables } from './unaudited-routes.js';

@Controller('things')
class ThingController {
  @Get()
  @Unaudited('Nothing is in it.')
  list(): object {
    return {};
  }

  @Post(':id/form')
  @Audited('asset.received', 'asset.signed')
  @FormRoute()
  above(): object {
    return {};
  }

  @Post(':id/other-form')
  @FormRoute()
  @Audited('asset.received')
  below(): object {
    return {};
  }

  @Get('silent')
  silent(): object {
    return {};
  }

  @Get('both')
  @Unaudited('Nothing is in it.')
  @Audited('asset.read')
  both(): object {
    return {};
  }
}

class ThingModule {}

let app: NestFastifyApplication;
let routes: readonly Route[];
beforeAll(async () => {
  const module = { module: ThingModule, controllers: [ThingController] };
  app = await createApplication(module, readConfiguration({ COLOPHON_HOME: '/nowhere' }), new Metrics());
  const late = app.getHttpAdapter().getInstance();
  late.get('/late', () => 'added behind the framework');
  await app.init();
  routes = routesOf(app);
});
afterAll(() => app.close());

const isOneOf = (paths: readonly string[]) => (route: Route) => paths.includes(route.path);

describe('the declarations of routes', () => {
  it('are refused together with their routes when there is none or more than one, whoever added the route', () => {
    expect(() => declaredRoutes(routes)).toThrow(
      'Not so: GET /late (0), GET /things/both (2), GET /things/silent (0)',
    );
  });

  it('stand beside what other decorators say of the same route, above them or below', () => {
    const forms = routes.filter(isOneOf(['/things', '/things/:id/form', '/things/:id/other-form']));
    expect(declaredRoutes(forms).slice(0, 3)).toEqual([
      { method: 'GET', path: '/things', declared: { unauditedBecause: 'Nothing is in it.' } },
      { method: 'POST', path: '/things/{id}/form', declared: { writes: ['asset.received', 'asset.signed'] } },
      { method: 'POST', path: '/things/{id}/other-form', declared: { writes: ['asset.received'] } },
    ]);
  });

  it('go into the page between its marks, and nowhere else', () => {
    const [list] = declaredRoutes(routes.filter(isOneOf(['/things'])));
    const page = 'a\n<!-- unaudited -->\nold\n<!-- unaudited -->\nb\n<!-- audited --><!-- audited -->\nc\n';
    const written = withRouteTables(page, list ? [list] : []);
    expect(written).toBe(
      [
        'a\n<!-- unaudited -->\n',
        '| route         | why it writes no entry |',
        '| ------------- | ---------------------- |',
        '| `GET /things` | Nothing is in it.      |',
        '\n<!-- unaudited -->\nb\n<!-- audited -->\n',
        '| route | entries |',
        '| ----- | ------- |',
        '\n<!-- audited -->\nc\n',
      ].join('\n'),
    );
    expect(withRouteTables(written, list ? [list] : [])).toBe(written);
    expect(() => withRouteTables('a page without marks', [])).toThrow('<!-- unaudited -->');
  });
});
