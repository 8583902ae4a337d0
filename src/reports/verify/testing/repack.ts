import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';
import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../../shared/canonical-json.js';
import { bundleZip } from '../../adapters/bundle-zip.js';
import { BUNDLE_PATHS, BUNDLE_VERSION } from '../../domain/bundle-format.js';

type JsonObject = Record<string, JsonValue>;

/** Files of a bundle by path. */
export type BundleFiles = Map<string, Buffer>;

/** For tests: what a forger does who knows the format. Changes files of a bundle and makes all hashes right again. */
export async function repack(
  bundlePath: string,
  destinationPath: string,
  change: (files: BundleFiles) => void | Promise<void>,
): Promise<void> {
  const files = await readBundle(bundlePath);
  await change(files);
  listHashes(files);
  files.delete(BUNDLE_PATHS.sums);
  const paths = [...files.keys()].sort();
  const sums = paths.map((path) => `${sha256Hex(files.get(path) ?? '')}  ${path}\n`).join('');
  files.set(BUNDLE_PATHS.sums, Buffer.from(sums));
  const { createdAt } = JSON.parse(files.get(BUNDLE_PATHS.index)?.toString('utf8') ?? '') as {
    createdAt: string;
  };
  const packed = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const zip = bundleZip(
    packed.map(([path, bytes]) => ({
      path,
      sizeBytes: bytes.length,
      open: () => Promise.resolve(Readable.from([bytes], { objectMode: false })),
    })),
    new Date(createdAt),
  );
  await writeFile(destinationPath, await buffer(zip));
}

/** From format 5 on the list of contents has them, too. */
function listHashes(files: BundleFiles): void {
  const index = JSON.parse(files.get(BUNDLE_PATHS.index)?.toString('utf8') ?? '') as {
    v: number;
    files: (JsonObject & { path: string })[];
  };
  if (index.v < BUNDLE_VERSION) return;
  const listed = index.files.map((file) => ({ ...file, sha256: sha256Hex(files.get(file.path) ?? '') }));
  files.set(BUNDLE_PATHS.index, canonicalJson({ ...index, files: listed }));
}

export async function readBundle(path: string): Promise<BundleFiles> {
  const zip = await openPromise(path, { lazyEntries: true });
  const files: BundleFiles = new Map();
  for await (const entry of zip.eachEntry()) {
    files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
  }
  return files;
}

/** Another tree head: in its file, in each proof, and in the dossier. */
export function putCheckpoint(files: BundleFiles, note: Buffer): void {
  const old = files.get(BUNDLE_PATHS.checkpoint) ?? Buffer.alloc(0);
  files.set(BUNDLE_PATHS.checkpoint, note);
  for (const [path, proof] of files) {
    if (!path.startsWith('proofs/')) continue;
    files.set(path, Buffer.concat([proof.subarray(0, proof.length - old.length), note]));
  }
  putInDossier(files, (log) => ({ ...log, checkpointNote: note.toString('utf8') }));
}

/** Another policy: in its file and in the dossier. */
export function putPolicy(files: BundleFiles, change: (policy: string) => string): void {
  const policy = change(files.get(BUNDLE_PATHS.policy)?.toString('utf8') ?? '');
  files.set(BUNDLE_PATHS.policy, Buffer.from(policy));
  putInDossier(files, (log) => ({ ...log, witnessing: { ...(log.witnessing as JsonObject), policy } }));
}

function putInDossier(files: BundleFiles, change: (log: JsonObject) => JsonObject): void {
  const dossier = JSON.parse(files.get(BUNDLE_PATHS.dossierJson)?.toString('utf8') ?? '') as {
    log: JsonObject;
  };
  files.set(BUNDLE_PATHS.dossierJson, canonicalJson({ ...dossier, log: change(dossier.log) }));
}
