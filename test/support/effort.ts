/**
 * How far a test goes that could go on for hours: `npm test` takes a sample,
 * `npm run test:thorough`, which CI runs too, takes the whole. Only specs that import this file are run by the latter.
 * @param sample for `npm test`
 * @param whole for `npm run test:thorough`
 */
export function effort<T>(sample: T, whole: T): T {
  return process.env.COLOPHON_TEST_EFFORT === 'thorough' ? whole : sample;
}
