import { TlogError } from '../../../src/audit/core/tlog-error.js';

/** The code with which `work` refuses, or `none` when it does not; any other error is passed on. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    if (error instanceof TlogError) return error.code;
    throw error;
  }
}

export async function codeOfAsync(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (error) {
    if (error instanceof TlogError) return error.code;
    throw error;
  }
}
