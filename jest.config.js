// Jest runs native ES modules (--experimental-vm-modules); below Node 24.9 it cannot require()
// an ES module from CommonJS, so the two such dependencies of Fastify's plugins (cookie, content-disposition) are transformed.
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': '<rootDir>/test/support/transform-typescript.js',
    '/node_modules/(@peculiar/utils|asn1js|pkijs|pvtsutils|pvutils|cborg|pdfkit|fontkit|restructure)/.+\\.m?js$':
      '<rootDir>/test/support/transform-module.js',
    '/node_modules/(light-my-request/node_modules/)?(cookie|content-disposition)/.+\\.js$': [
      '@swc/jest',
      { swcrc: false, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [
    '/node_modules/(?!light-my-request/|cookie/|content-disposition/|@peculiar/utils/|asn1js/|pkijs/|pvtsutils/|pvutils/|cborg/|pdfkit/|fontkit/|restructure/)',
  ],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

/** Projects that need a real PostgreSQL share one server, started once for the whole run. */
const withPostgres = {
  ...common,
  testEnvironment: '<rootDir>/test/support/application-environment.js',
  globalSetup: '<rootDir>/test/support/start-postgres.js',
  globalTeardown: '<rootDir>/test/support/stop-postgres.js',
};

export default {
  testTimeout: 120_000,
  // Tests wait for disks and child processes: on two cores, three workers do more than two.
  maxWorkers: 3,
  // What one test file leaves behind makes the collection of garbage of the next one slower: beyond this, a new worker.
  workerIdleMemoryLimit: '600MB',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/src/**/*.spec.ts',
        '<rootDir>/test/*.spec.ts',
        '<rootDir>/test/conformance/*.spec.ts',
      ],
    },
    { ...withPostgres, displayName: 'medium', testMatch: ['<rootDir>/test/medium/**/*.spec.ts'] },
    // Whole features with many starts, runs, clocks and outages, and what would make npm test longer than ten minutes.
    { ...withPostgres, displayName: 'long', testMatch: ['<rootDir>/test/long/**/*.spec.ts'] },
    { ...common, displayName: 'crash', testMatch: ['<rootDir>/test/crash/**/*.spec.ts'] },
    { ...withPostgres, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
  ],
};
