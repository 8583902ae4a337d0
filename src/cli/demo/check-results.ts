import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifierFromVkey } from '../../audit/core/cosignature.js';
import { decodeBundle } from '../../audit/core/entry-bundle.js';
import { parseEntry } from '../../audit/core/entry.js';
import { bundlesForGrowth, tilePath } from '../../audit/core/tiles.js';
import { verifyLog } from '../../audit/verify/verify-log.js';
import { sha256Hex } from '../../shared/bytes.js';
import { folderSource } from '../log-fsck.js';
import { readTrustList } from '../trust-list.js';
import { verifyFile } from '../verify-file.js';
import { type DemoClient, DemoFailure } from './demo-client.js';
import { type ExportedLog } from './export-log.js';
import { type Progress, type StepDisplay } from './progress.js';

export interface DemoFiles {
  readonly folder: string;
  readonly log: ExportedLog;
  readonly lineageAssetIds: readonly string[];
}

/**
 * Verifies what was written with the code of `colophon verify` and `colophon log fsck`, against a trust list and a log
 * key that do not come from the verified files.
 * @throws DemoFailure at the first result that does not hold
 */
export async function checkResults(files: DemoFiles, client: DemoClient, progress: Progress): Promise<void> {
  await progress.step('Verify asset.png', (display) => checkFile(files, 'asset.png', display));
  await progress.step('Verify dossier.pdf', (display) => checkFile(files, 'dossier.pdf', display));
  await progress.step('Verify evidence.zip', (display) => checkFile(files, 'evidence.zip', display));
  await progress.step('Check the log (fsck)', (display) => checkLog(files, display));
  await progress.step('Compare served bytes with the log', (display) =>
    checkServedBytes(files, client, display),
  );
}

async function checkFile({ folder, log }: DemoFiles, name: string, display: StepDisplay): Promise<void> {
  const authority = await readTrustList(join(folder, 'claim-ca.pem'));
  const result = await verifyFile(join(folder, name), {
    trustList: authority,
    expectedAuthority: authority,
    expectedVkey: log.vkey,
  });
  display.detail(result.headline);
  const trusted = result.kind !== 'media' || result.verification?.verdict === 'intact_and_trusted';
  if (result.verdict === 'valid' && trusted) return;
  const findings = result.kind === 'media' ? [] : result.verification.findings.map(({ text }) => text);
  throw new DemoFailure([`${name} does not verify: ${result.headline}`, ...findings].join('\n'));
}

async function checkLog({ folder, log }: DemoFiles, display: StepDisplay): Promise<void> {
  const trust = { origin: log.origin, log: verifierFromVkey(log.vkey) };
  const report = await verifyLog(folderSource(join(folder, 'log')), trust);
  if (!report.ok || report.size !== log.treeSize || report.rootHash !== log.rootHash) {
    const details = report.findings.map(({ path, detail }) => `${path}: ${detail}`);
    throw new DemoFailure(['the log does not verify', ...details].join('\n'));
  }
  display.detail(`clean: ${report.entriesRead} entries lead to the signed root`);
}

/** Downloads every asset of the lineage and compares its hash with the entry in the exported log. */
async function checkServedBytes(files: DemoFiles, client: DemoClient, display: StepDisplay): Promise<void> {
  const logged = await signedHashes(files);
  for (const assetId of files.lineageAssetIds) {
    const served = sha256Hex(await client.download(`/v1/assets/${assetId}/content`));
    if (served !== logged.get(assetId)) {
      throw new DemoFailure(`the bytes served for ${assetId} are not those that the log names`);
    }
  }
  display.detail(`equal for all ${files.lineageAssetIds.length} assets of the lineage`);
}

/** SHA-256 of the signed file by asset id, from the entry bundles on disk. */
async function signedHashes({ folder, log }: DemoFiles): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const tile of bundlesForGrowth(0, log.treeSize)) {
    const bundle = await readFile(join(folder, 'log', tilePath(tile)));
    for (const bytes of decodeBundle(bundle, tile.width)) {
      const { type, subject, data } = parseEntry(bytes).entry;
      if (type === 'asset.signed' && typeof data.sha256 === 'string') hashes.set(subject.id, data.sha256);
    }
  }
  return hashes;
}
