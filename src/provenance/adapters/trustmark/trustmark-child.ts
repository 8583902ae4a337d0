import { readFile, writeFile } from 'node:fs/promises';
import { Trustmark } from '@contentauth/c2pa-node';
import { CODE, type TrustmarkAnswer, type TrustmarkTask, VARIANT } from './trustmark-protocol.js';

/**
 * Entry point of a child process for one task. The binding loads its models on the calling thread for seconds, and would
 * fetch a missing one from the network: the parent has made sure that none is missing, and gave this process a proxy
 * that leads nowhere.
 */
async function work(task: TrustmarkTask): Promise<TrustmarkAnswer> {
  const trustmark = await Trustmark.newTrustmark({
    variant: VARIANT,
    version: CODE,
    modelPath: task.modelsFolder,
  });
  const picture = await readFile(task.path);
  if (task.task === 'embed') {
    const pixels = await trustmark.encode(picture, task.strength, task.bits);
    await writeFile(task.destinationPath, pixels, { mode: 0o600 });
    return { bits: task.bits };
  }
  try {
    return { bits: await trustmark.decode(picture) };
  } catch {
    // The library throws where no mark can be read.
    return { bits: null };
  }
}

process.once('message', (task: TrustmarkTask) => {
  work(task)
    .catch((error: unknown): TrustmarkAnswer => ({
      failed: error instanceof Error ? error.message : 'failed',
    }))
    .then((answer) => process.send?.(answer, () => process.exit(0)))
    .catch(() => process.exit(1));
});
