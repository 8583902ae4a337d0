import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from '../../config/configuration.js';
import { launch, type RunningColophon } from '../../launch.js';

export interface FreshInstance {
  /** Resolves when it serves. */
  readonly running: Promise<RunningColophon>;
  /** Certificate of the authority under which it signs, PEM. Public. */
  authorityPem(): Promise<string>;
  /** Certificate of the authority for the names in its manifests, PEM. Public; it proves no name. */
  nameAuthorityPem(): Promise<string>;
  /** Stops it, also in the middle of its start, and removes everything that it wrote. Safe to call twice. */
  close(): Promise<void>;
}

/** An instance of its own, in a temporary home on a free port, that owes nothing to the user's environment. */
export async function startFreshInstance(): Promise<FreshInstance> {
  const home = await mkdtemp(join(tmpdir(), 'colophon-demo-'));
  const configuration = readConfiguration({ COLOPHON_HOME: home, PORT: '0', LOG_LEVEL: 'error' });
  const running = launch(configuration);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const started = await running.catch(() => undefined);
    try {
      await started?.stop();
    } finally {
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    }
  };
  return {
    running,
    authorityPem: () => readFile(join(home, 'keys', 'claim-ca.pem'), 'utf8'),
    nameAuthorityPem: () => readFile(join(home, 'keys', 'identity-ca.pem'), 'utf8'),
    close: () => (closing ??= close()),
  };
}
