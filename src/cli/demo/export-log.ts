import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openCheckpoint } from '../../audit/core/checkpoint.js';
import { verifierFromVkey } from '../../audit/core/cosignature.js';
import { bundlesForGrowth, tilePath, tilesForGrowth } from '../../audit/core/tiles.js';
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
 * Downloads the log as the static files of C2SP tlog-tiles: the checkpoint first, then exactly the tiles and entry
 * bundles of its tree, so that what is left is one consistent state even while the log grows.
 *
 * @param lastReportId the report that was made last: once its entry is under a checkpoint, so is everything before
 */
export async function exportLog(
  client: DemoClient,
  organizationId: string,
  log: { readonly origin: string; readonly vkey: string },
  lastReportId: string,
  folder: string,
): Promise<ExportedLog> {
  const base = `/logs/${organizationId}`;
  const lastIndex = await waitUntilPublished(client, lastReportId);
  const trust = { origin: log.origin, log: verifierFromVkey(log.vkey) };
  const note = await client.download(`${base}/checkpoint`);
  const { size, root } = openCheckpoint(note, trust).checkpoint;
  if (size <= lastIndex) throw new DemoFailure('the checkpoint does not cover the last entry');
  const paths = [...tilesForGrowth(0, size), ...bundlesForGrowth(0, size)].map(tilePath);
  for (const path of paths) await write(join(folder, path), await client.download(`${base}/${path}`));
  await write(join(folder, 'checkpoint'), note);
  await write(join(folder, 'vkey'), `${log.vkey}\n`);
  return { ...log, treeSize: size, rootHash: Buffer.from(root).toString('base64') };
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

async function write(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
