import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { HomeInUseError, lockHome } from './home-lock.js';
import { createDatabaseIfMissing } from './prepare-database.js';

export interface ReachedDatabase {
  readonly administratorUrl: string;
  close(): Promise<void>;
}

const ADMINISTRATOR = 'colophon_admin';

/**
 * The database of an installation, for a command beside the service: the configured one; the embedded one of a running
 * service, over its socket; or the embedded one, started for this command alone.
 */
export async function reachDatabase(
  configuration: { readonly home: string; readonly databaseUrl: string | undefined },
  databaseName: string,
): Promise<ReachedDatabase> {
  const { home, databaseUrl } = configuration;
  if (databaseUrl !== undefined) return { administratorUrl: databaseUrl, close: () => Promise.resolve() };
  try {
    const lock = lockHome(home);
    try {
      const server = await startEmbeddedPostgres(home);
      await createDatabaseIfMissing(server.urlOf('postgres'), databaseName);
      return {
        administratorUrl: server.urlOf(databaseName),
        close: async () => {
          await server.stop();
          lock.release();
        },
      };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof HomeInUseError)) throw error;
    return { administratorUrl: runningServer(home, databaseName), close: () => Promise.resolve() };
  }
}

/** Fifth line of postmaster.pid: the folder of the socket. */
function runningServer(home: string, databaseName: string): string {
  const folder = readFileSync(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[4] ?? '';
  const password = readFileSync(join(home, 'postgres', 'password'), 'utf8').trim();
  return `postgres://${ADMINISTRATOR}:${password}@/${databaseName}?host=${encodeURIComponent(folder)}`;
}
