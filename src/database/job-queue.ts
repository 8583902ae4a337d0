import PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { type Tx } from './organization-tx.js';
import { JOB_SCHEMA } from './prepare-database.js';
import { PreparingClient } from './preparing-client.js';

/**
 * pg-boss under the application's restricted role: queues exist already, so it never changes the schema.
 * @param maintenanceSeconds how often jobs of killed workers are looked for
 */
export function createJobQueue(
  options: { host: string; port: number | undefined; user: string; password: string; database: string },
  maintenanceSeconds: number,
  logger: Logger,
): PgBoss {
  const { host, port, user, password, database } = options;
  // Handed on to its pool of connections, although its types do not say so.
  const connections = { Client: PreparingClient };
  const boss = new PgBoss({
    host,
    ...(port === undefined ? {} : { port }),
    user,
    password,
    database,
    application_name: 'colophon jobs',
    schema: JOB_SCHEMA,
    max: 4,
    migrate: false,
    schedule: false,
    maintenanceIntervalSeconds: maintenanceSeconds,
    ...connections,
  });
  boss.on('error', (error) =>
    logger.warn({ err: error }, 'the job queue has a problem; it goes on by itself'),
  );
  return boss;
}

/** Sends a job in the caller's own transaction: it exists exactly if the change it belongs to does. */
export async function enqueueWithin(
  boss: PgBoss,
  tx: Tx,
  queue: string,
  job: object,
  options: {
    delaySeconds: number;
    expireInSeconds: number;
    retryLimit: number;
    /** Between two attempts; default 1. */
    retryDelaySeconds?: number;
    /** So long a job that nobody takes is kept after its time; default 14. */
    retentionDays?: number;
  },
): Promise<void> {
  await boss.send(queue, job, {
    db: {
      executeSql: async (text: string, values: unknown[]) => {
        const rows: unknown = await tx.manager.query(text, values);
        return { rows } as never;
      },
    },
    startAfter: options.delaySeconds,
    expireInSeconds: options.expireInSeconds,
    retryLimit: options.retryLimit,
    retryDelay: options.retryDelaySeconds ?? 1,
    ...(options.retentionDays !== undefined && { retentionDays: options.retentionDays }),
  });
}
