import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../shared/bytes.js';
import { type ExportedLog } from './export-log.js';
import { type StoryResult } from './story.js';

const FILES = [
  'asset.png',
  'dossier.pdf',
  'dossier.json',
  'evidence.zip',
  'claim-ca.pem',
  'identity-ca.pem',
  'log/checkpoint',
  'log/vkey',
];

/** `summary.json`: what was made, by id, and what lies where. */
export async function writeSummary(folder: string, result: StoryResult, log: ExportedLog): Promise<void> {
  const { reports, ...ids } = result;
  const files: Record<string, { path: string; sha256: string; sizeBytes: number }> = {};
  for (const path of FILES) {
    const bytes = await readFile(join(folder, path));
    files[path] = { path, sha256: sha256Hex(bytes), sizeBytes: bytes.length };
  }
  const summary = { ...ids, reportIds: reports.map(({ id }) => id), log, files };
  await writeFile(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
}
