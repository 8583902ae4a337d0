import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { AppModule } from './app.module.js';
import { readConfiguration } from './config/configuration.js';
import { createApplication } from './http/create-application.js';
import { Metrics } from './http/metrics.js';
import { createOpenApiDocument } from './http/openapi.js';
import { routesOf } from './http/route-table.js';
import { declaredRoutes, withRouteTables } from './http/unaudited-routes.js';
import { launch } from './launch.js';
import { withCalendar } from './licenses/registry/marking-duties-document.js';
import { markingDuties } from './licenses/registry/marking-duties.js';
import { servicesForDocumentation } from './services-for-documentation.js';

/** The application without anything behind it. Needs no database. */
function applicationForDocumentation(): Promise<NestFastifyApplication> {
  const metrics = new Metrics();
  const module = AppModule.with(servicesForDocumentation(), pino({ level: 'silent' }), metrics);
  return createApplication(module, readConfiguration({}), metrics);
}

/** `--openapi FILE`: writes the contract and ends. */
async function writeOpenApi(file: string): Promise<void> {
  const app = await applicationForDocumentation();
  writeFileSync(file, `${JSON.stringify(createOpenApiDocument(app), null, 2)}\n`);
}

/** `--route-tables FILE`: brings the tables of the published list up to date and ends. */
async function writeRouteTables(file: string): Promise<void> {
  const app = await applicationForDocumentation();
  await app.init();
  writeFileSync(file, withRouteTables(readFileSync(file, 'utf8'), declaredRoutes(routesOf(app))));
}

/** `--marking-duties FILE`: brings the calendar in the document up to date and ends. */
function writeMarkingDuties(file: string): Promise<void> {
  writeFileSync(file, withCalendar(readFileSync(file, 'utf8'), markingDuties()));
  return Promise.resolve();
}

/**
 * How much the heap may grow before V8 looks for garbage in its old part; by itself it lets a small heap become several
 * times as large. An export of a million entries then needs 100 MiB less, beside a database on the same machine, and
 * what it costs is within what repeated measurements differ by.
 */
const HEAP_GROWING_PERCENT = 50;

async function serve(): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const configuration = readConfiguration(process.env);
  const starting = launch(configuration);
  let stopping = false;
  const shutDown = (code: number, reason: string): void => {
    if (stopping) return;
    stopping = true;
    console.log(reason);
    // The C2PA binding keeps the event loop alive until its callbacks are collected: end explicitly.
    starting
      .then((running) => running.stop())
      .then(
        () => process.exit(code),
        (error: unknown) => {
          console.error('Stopping failed:', error);
          process.exit(1);
        },
      );
  };
  // Before the start is done, too: a signal in its midst would leave PostgreSQL behind without us.
  process.on('SIGINT', () => shutDown(0, '\nStopping ...'));
  process.on('SIGTERM', () => shutDown(0, 'Stopping ...'));
  process.on('SIGHUP', () => shutDown(0, 'Stopping ...'));
  const { url, instance, services, databaseDied } = await starting;
  void databaseDied.then(() =>
    shutDown(1, 'The embedded PostgreSQL has ended. Stopping; start again to recover.'),
  );
  if (stopping) return;
  const claimKey = await services.keyGenerations.active('claim');
  console.log(`
Colophon is running.

  Start page   ${url}/
  API          ${url}/docs
  Test key     ${instance.keys.test}
  Live key     ${instance.keys.live}
  Project      ${instance.projectId}

Keys, pictures and the log lie in ${configuration.home}.
${claimKey?.development === false ? 'Signatures are made with the certificate that you brought' : 'Signatures are made by a development certificate authority: not trusted by anyone else'}. Stop with Ctrl-C.
`);
}

const WRITERS: Readonly<Record<string, (file: string) => Promise<void>>> = {
  '--openapi': writeOpenApi,
  '--route-tables': writeRouteTables,
  '--marking-duties': writeMarkingDuties,
};
const [flag = '', file = ''] = process.argv.slice(2);
const write = WRITERS[flag];
(write ? write(file) : serve()).then(
  () => {
    if (write) process.exit(0);
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
