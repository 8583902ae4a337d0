import { type Logger } from 'pino';
import { type Configuration } from '../config/configuration.js';
import { type DatabaseAccess } from '../database/prepare-database.js';
import { type StudioProviderOptions } from '../generation/adapters/studio-provider.js';
import { type VerificationProcessOptions } from '../provenance/adapters/verification-process.js';
import { systemClock } from '../shared/clock.js';

/** The one clock of the program. */
export const clock = systemClock;

export interface ServicesOptions {
  readonly configuration: Configuration;
  readonly database: DatabaseAccess;
  readonly logger: Logger;
  /** Compiled modules for threads and child processes, for tests that run from TypeScript sources. */
  readonly studio?: Pick<StudioProviderOptions, 'threadModuleUrl'>;
  readonly verification?: Pick<VerificationProcessOptions, 'childModuleUrl' | 'childExecArgv'>;
}

/** What a composing function has made. */
export type Composed<Compose extends (...args: never[]) => unknown> = Awaited<ReturnType<Compose>>;
