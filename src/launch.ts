import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Logger, pino } from 'pino';
import { AppModule } from './app.module.js';
import { type Configuration } from './config/configuration.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded-postgres.js';
import { lockHome } from './database/home-lock.js';
import { createDatabaseIfMissing, prepareDatabase } from './database/prepare-database.js';
import { QUEUES } from './database/queues.js';
import { createApplication } from './http/create-application.js';
import { Metrics } from './http/metrics.js';
import {
  createDevelopmentOrganization,
  type Instance,
} from './identity/application/create-development-organization.js';
import { createServices, type Services } from './services.js';
import { isColophonError } from './shared/errors.js';
import { parsePublicId } from './shared/ids.js';
import { systemErrorCode } from './shared/system-error.js';

const DATABASE_NAME = 'colophon';
const MAX_LOGGED_MESSAGE = 2_000;
const MAX_LOGGED_STACK = 4_000;

export interface RunningColophon {
  readonly url: string;
  readonly instance: Instance;
  readonly services: Services;
  /** Stops taking requests, finishes what is at hand, stops PostgreSQL. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when the embedded PostgreSQL ends by itself: the process cannot go on without its log. */
  readonly databaseDied: Promise<number | null>;
}

export function createLogger(level: string): Logger {
  return pino({
    level,
    serializers: { err: loggedError },
    redact: ['req.headers.authorization', 'headers.authorization'],
    base: null,
  });
}

/**
 * What the log shows of an error. Not its other properties: a database error carries the parameters of its statement,
 * and those hold prompts and names (promise P7).
 */
function loggedError(error: unknown): object {
  if (!(error instanceof Error)) return { message: typeof error };
  const code = systemErrorCode(error);
  return {
    type: error.name,
    message: error.message.slice(0, MAX_LOGGED_MESSAGE),
    ...(code === undefined ? {} : { code }),
    stack: error.stack?.slice(0, MAX_LOGGED_STACK),
    ...(error.cause === undefined ? {} : { cause: loggedError(error.cause) }),
  };
}

/**
 * From a configuration to a served address. Whatever was started is stopped again when a later step fails, in
 * the reverse order.
 *
 * @throws Error with one sentence for the operator
 */
export async function launch(configuration: Configuration): Promise<RunningColophon> {
  const cleanups: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const cleanup of cleanups.splice(0).reverse()) {
      // One that fails (the database may be gone) must not leave PostgreSQL running or the home locked.
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    const lock = lockHome(configuration.home);
    cleanups.push(() => lock.release());
    await requireFreePort(configuration);
    const postgres =
      configuration.databaseUrl === undefined ? await startEmbeddedPostgres(configuration.home) : undefined;
    if (postgres) cleanups.push(() => postgres.stop());
    const administratorUrl = await databaseAddress(configuration, postgres);
    const database = await prepareDatabase(
      administratorUrl,
      join(configuration.home, 'keys', 'database.json'),
      QUEUES,
    );
    const logger = createLogger(configuration.logLevel);
    const services = await createServices({ configuration, database, logger });
    cleanups.push(() => services.stop());
    const metrics = new Metrics();
    metrics.watchLogs(() => services.anchoringStatus.overview());
    metrics.watchKeyMisuse(services.keyMisuseCount);
    metrics.watchKeys(() => services.keyGenerations.list());
    metrics.watchFingerprints(() => services.fingerprintFigures());
    metrics.watchMoney(() => services.money.figures);
    const app = await createApplication(AppModule.with(services, logger, metrics), configuration, metrics);
    cleanups.push(() => app.close());
    await services.start();
    const url = await listen(app, configuration);
    const instance = await ensureInstance(configuration, services, url);
    return { url, instance, services, stop, databaseDied: postgres?.died ?? new Promise(() => undefined) };
  } catch (error) {
    // The first error is the one to tell.
    await stop().catch(() => undefined);
    throw error;
  }
}

async function databaseAddress(
  configuration: Configuration,
  postgres: EmbeddedPostgres | undefined,
): Promise<string> {
  if (configuration.databaseUrl !== undefined) return configuration.databaseUrl;
  if (!postgres) throw new Error('no database');
  await createDatabaseIfMissing(postgres.urlOf('postgres'), DATABASE_NAME);
  return postgres.urlOf(DATABASE_NAME);
}

/** Before PostgreSQL is started: a taken port is the most common mistake, and its message should come at once. */
async function requireFreePort({ host, port }: Configuration): Promise<void> {
  if (port === 0) return;
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)));
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

async function listen(app: NestFastifyApplication, { host, port }: Configuration): Promise<string> {
  try {
    await app.listen(port, host);
  } catch (error) {
    throw portError(error as NodeJS.ErrnoException, port);
  }
  const address = app.getHttpServer().address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  const shownHost = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${shownHost}:${actualPort}`;
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new Error(
      `Port ${port} is taken by another program. Stop it, or choose another port: PORT=8081 npm start`,
    );
  }
  if (error.code === 'EACCES')
    return new Error(`Port ${port} may not be used by this account. Choose one above 1023.`);
  return error;
}

/** The first start makes an organization with keys; later starts find it in instance.json. */
async function ensureInstance(
  configuration: Configuration,
  services: Services,
  url: string,
): Promise<Instance> {
  const file = join(configuration.home, 'instance.json');
  if (existsSync(file)) {
    const known = { ...(JSON.parse(readFileSync(file, 'utf8')) as Instance), url };
    await requireKnownOrganization(services, known, file);
    const instance = await withCurrentLogKey(services, known);
    writeAtomically(file, instance);
    return instance;
  }
  const host = new URL(configuration.publicUrl ?? url).host;
  const created = await createDevelopmentOrganization(services, host);
  const instance: Instance = { url, ...created };
  mkdirSync(configuration.home, { recursive: true });
  writeAtomically(file, instance);
  return instance;
}

/**
 * A home whose logs are published and a database that does not know them do not belong together: the database was lost,
 * or another one was configured. Beginning again beside the old log would look like a log that was cut off.
 */
async function requireKnownOrganization(services: Services, instance: Instance, file: string): Promise<void> {
  const organizationId = parsePublicId('organization', instance.organizationId) ?? '';
  const rows = await services.organizationTx.run(organizationId, (tx) =>
    tx.query('SELECT 1 FROM audit_log WHERE organization_id = $1', [organizationId]),
  );
  if (rows.length > 0) return;
  throw new Error(
    `${file} names ${instance.organizationId}, which this database does not hold. ` +
      'Restore the database that belongs to this home, or start with another COLOPHON_HOME. See docs/operations.md.',
  );
}

/** The log may have got a new key since. Where it has lost its key the old one stays: the start must not fail of it. */
async function withCurrentLogKey(services: Services, instance: Instance): Promise<Instance> {
  try {
    const { vkey } = await services.logKeys.ofLog(
      parsePublicId('organization', instance.organizationId) ?? '',
    );
    return { ...instance, log: { ...instance.log, vkey } };
  } catch (error) {
    if (isColophonError(error) && error.code === 'signer_unavailable') return instance;
    throw error;
  }
}

function writeAtomically(file: string, value: object): void {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  try {
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
