/**
 * How far a test goes that could go on for hours: a sample in `npm test`, the whole in `npm run test:thorough`, which
 * runs every spec that imports this file, in CI too.
 */
export function effort<T>(sample: T, whole: T): T {
  return process.env.COLOPHON_TEST_EFFORT === 'thorough' ? whole : sample;
}
