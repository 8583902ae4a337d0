/**
 * The `code` of an error from the operating system or a driver, e.g. `ENOENT`. Looks at the shape, not at the class:
 * an error from another realm (a worker, a test runner's context) is no instance of this realm's Error.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
