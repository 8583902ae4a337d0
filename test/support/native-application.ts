import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DestinationStream, pino } from 'pino';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../src/app.module.js';
import { type Configuration, readConfiguration } from '../../src/config/configuration.js';
import { createApplication } from '../../src/http/create-application.js';
import { Metrics } from '../../src/http/metrics.js';
import {
  createDevelopmentOrganization,
  type Instance,
} from '../../src/identity/application/create-development-organization.js';
import { releaseSigners } from '../../src/provenance/testing/signing-workshop.js';
import { createServices, type Services } from '../../src/services.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export interface TestApplication {
  readonly url: string;
  readonly home: string;
  readonly instance: Instance;
  readonly services: Services;
  readonly database: TestDatabase;
  readonly configuration: Configuration;
  /** A request with the live key unless another `key` is given; `key: null` sends none. */
  request(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  close(): Promise<void>;
}

// This file runs compiled, below dist/test/support: threads and child processes are its neighbors.
const COMPILED = new URL('../../src/', import.meta.url);

/** The whole product in this process: real PostgreSQL, real signatures, real HTTP on a free port. */
export async function startTestApplication(
  environment: Record<string, string> = {},
  /** Gets the output of the service, line by line; by default it says nothing. */
  output?: DestinationStream,
): Promise<TestApplication> {
  const database = await createTestDatabase();
  const home = mkdtempSync(join(tmpdir(), 'colophon-app-'));
  const configuration = readConfiguration({
    COLOPHON_HOME: home,
    PORT: '0',
    LOG_LEVEL: output === undefined ? 'silent' : 'debug',
    COLOPHON_STEP_LEASE_SECONDS: '5',
    COLOPHON_REQUESTS_PER_MINUTE: '100000',
    COLOPHON_VERIFICATIONS_PER_MINUTE: '100000',
    ...environment,
  });
  const logger = pino({ level: configuration.logLevel }, output ?? pino.destination(1));
  const verification = { childModuleUrl: new URL('provenance/adapters/verification-child.js', COMPILED) };
  const studio = { threadModuleUrl: new URL('generation/adapters/studio/studio-thread.js', COMPILED) };
  const services = await createServices({ configuration, database, logger, studio, verification });
  const metrics = new Metrics();
  metrics.watchLogs(() => services.anchoringStatus.overview());
  metrics.watchKeyMisuse(services.keyMisuseCount);
  metrics.watchFingerprints(() => services.fingerprintFigures());
  metrics.watchMoney(() => services.money.figures);
  const app: NestFastifyApplication = await createApplication(
    AppModule.with(services, logger, metrics),
    configuration,
    metrics,
  );
  await services.start();
  await app.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`;
  const instance: Instance = { url, ...(await createDevelopmentOrganization(services, new URL(url).host)) };
  return {
    url,
    home,
    instance,
    services,
    database,
    configuration,
    request: (path, { key = instance.keys.live, headers, ...init } = {}) => {
      const all = new Headers(headers);
      if (key !== null && !all.has('authorization')) all.set('authorization', `Bearer ${key}`);
      return fetch(`${url}${path}`, { ...init, headers: all });
    },
    async close() {
      await app.close();
      await services.stop();
      await database.drop();
      await releaseSigners();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
