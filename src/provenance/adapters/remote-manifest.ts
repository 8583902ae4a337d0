import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardedFetch, type OutboundPolicy } from '../../outbound/guarded-fetch.js';
import { type FetchRemoteManifest } from '../application/verify-file.js';

const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;
const DEADLINE_MS = 15_000;

/**
 * Fetches a manifest that a file says lies elsewhere, from hosts that the operator named and from nowhere else: the
 * address is the choice of whoever made the file. This process fetches, by the guarded fetch and with limits; the
 * process that parses gets bytes.
 *
 * @param hosts `host` or `host:port`, lower case; none by default
 */
export function remoteManifests(hosts: readonly string[], policy: OutboundPolicy = {}): FetchRemoteManifest {
  const allowed = new Set(hosts);
  return async (address) => {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
    if (!allowed.has(url.host)) return undefined;
    const folder = await mkdtemp(join(tmpdir(), 'colophon-manifest-'));
    const discard = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      const path = join(folder, 'manifest.c2pa');
      await download(url.href, path, policy);
      return { path, discard };
    } catch {
      // The file is then one without a manifest, and the answer says that it was not to be had.
      await discard();
      return undefined;
    }
  };
}

async function download(url: string, path: string, policy: OutboundPolicy): Promise<void> {
  const response = await guardedFetch({
    ...policy,
    url,
    maxResponseBytes: MAX_MANIFEST_BYTES,
    deadlineMs: DEADLINE_MS,
  });
  if (response.status !== 200) {
    response.discard();
    throw new Error('not found');
  }
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of response.body) await file.write(chunk);
  } finally {
    await file.close();
  }
}
