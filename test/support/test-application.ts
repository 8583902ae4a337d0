import {
  type startTestApplication as StartTestApplication,
  type TestApplication,
} from './native-application.js';

export type { TestApplication };

declare global {
  /** Set by test/support/application-environment.js, which loads the compiled program. */
  var startColophon: typeof StartTestApplication;
  /** The environment of the program, which is not that of the tests. */
  var programEnvironment: () => NodeJS.ProcessEnv;
}

/** The whole product in this process: real PostgreSQL, real signatures, real HTTP on a free port. */
export const startTestApplication: typeof StartTestApplication = (environment, output) =>
  globalThis.startColophon(environment, output);
