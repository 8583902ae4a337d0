import { setTimeout as delay } from 'node:timers/promises';
import { httpLogSource } from '../http-log-source.js';
import { LogFolder } from '../log-folder.js';
import { trustOf } from '../log-key.js';
import { mirrorLog } from '../mirror-log.js';
import { type DemoClient, DemoFailure } from './demo-client.js';

export interface ExportedLog {
  readonly origin: string;
  readonly vkey: string;
  readonly treeSize: number;
  /** Standard base64, as in the checkpoint. */
  readonly rootHash: string;
}

const POLL_MS = 50;
const DEADLINE_MS = 20_000;

/**
 * Copies the log as static files, as `colophon log mirror` does: one consistent state, verified while it is taken.
 *
 * @param lastReportId the report that was made last: once its entry is under a checkpoint, so is everything before
 */
export async function exportLog(
  client: DemoClient,
  organizationId: string,
  log: { readonly origin: string; readonly vkey: string },
  lastReportId: string,
  path: string,
): Promise<ExportedLog> {
  const lastIndex = await waitUntilPublished(client, lastReportId);
  const source = httpLogSource(`${client.url}/logs/${organizationId}`, { apiKey: client.key });
  const folder = await LogFolder.open(path);
  try {
    await folder.write('vkey', Buffer.from(`${log.vkey}\n`, 'utf8'));
    const { size, rootHash } = await mirrorLog(source, folder, trustOf(log.vkey, log.origin));
    if (size <= lastIndex) throw new DemoFailure('the checkpoint does not cover the last entry');
    return { ...log, treeSize: size, rootHash };
  } finally {
    await folder.close();
  }
}

/** The index of the report's entry. */
async function waitUntilPublished(client: DemoClient, reportId: string): Promise<number> {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const { items } = await client.get<{ items: { index: number }[] }>(
      `/v1/audit/entries?subject=${reportId}`,
    );
    const [entry] = items;
    // An entry has its index before the checkpoint over it is signed; its proof exists only afterwards.
    if (entry && (await isProved(client, entry.index))) return entry.index;
    await delay(POLL_MS);
  }
  throw new DemoFailure('the log was not published in time');
}

async function isProved(client: DemoClient, index: number): Promise<boolean> {
  return client.download(`/v1/audit/entries/${index}/proof`).then(
    () => true,
    () => false,
  );
}
