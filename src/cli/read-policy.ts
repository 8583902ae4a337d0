import { readFile, stat } from 'node:fs/promises';
import { TlogError } from '../audit/core/tlog-error.js';
import { parseWitnessPolicy, type WitnessPolicy } from '../audit/core/witness-policy.js';
import { Unusable } from './exit-code.js';
import { printable } from './printable.js';

/** The parser refuses what is larger; this keeps a wrong file name from filling the memory. */
const MAX_FILE_BYTES = 1024 * 1024;

/** The tlog-policy file that the user names. @throws Unusable when it is none */
export async function readPolicy(path: string): Promise<WitnessPolicy> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isFile() || status.size > MAX_FILE_BYTES)
    throw new Unusable(`the policy ${printable(path)} cannot be read`);
  const bytes = await readFile(path).catch(() => {
    throw new Unusable(`the policy ${printable(path)} cannot be read`);
  });
  try {
    return parseWitnessPolicy(bytes);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new Unusable(`the policy ${printable(path)} cannot be used: ${error.message}`);
  }
}
