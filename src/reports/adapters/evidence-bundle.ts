import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseNote } from '../../audit/core/signed-note.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import {
  assetPath,
  attachmentPath,
  BUNDLE_FORMAT,
  BUNDLE_PATHS,
  BUNDLE_VERSION,
  type BundleFile,
  type BundleIndex,
  entryPath,
  type IdentityAnchorsFile,
  type OpeningFile,
  openingPath,
  proofPath,
  sidecarPath,
  timeStampPath,
} from '../domain/bundle-format.js';
import { type AssetDossier, type BundleEvidence } from '../domain/dossier.js';
import { bundleInstructions } from './bundle-instructions.js';
import { bundleZip, type BundleZipFile } from './bundle-zip.js';
import { renderDossierJson } from './dossier-json.js';
import { draftCertification } from './draft-certification.js';
import { safeFileNames } from './safe-file-names.js';
import { verifierPage } from './verifier-page.js';

export interface EvidenceBundleRequest {
  readonly dossier: AssetDossier;
  readonly dossierPdf: Buffer;
  /** The same facts as dossier.json, signed. */
  readonly dossierJws: Buffer;
  /** Signs the list of contents, with the key that signed the dossier. */
  readonly signIndex: (index: Buffer) => Promise<Buffer>;
  readonly evidence: BundleEvidence;
  /** Must not exist. */
  readonly destinationPath: string;
}

interface PackedFile extends BundleZipFile {
  readonly sha256: string;
}

/**
 * Writes the evidence bundle, streaming. The same request gives the same bytes. Media files are hashed on their way
 * in, so a store that lost or swapped bytes cannot produce a bundle.
 *
 * @returns SHA-256 and size of the written file, which is on disk (fsync) when this returns
 * @throws ColophonError `storage_unavailable` when a media file is missing or has other bytes than recorded,
 *   `internal` when the evidence does not belong to the dossier or the destination exists
 */
export async function writeEvidenceBundle(
  request: EvidenceBundleRequest,
): Promise<{ sha256: string; sizeBytes: number }> {
  const files = await packFiles(request);
  const file = await open(request.destinationPath, 'wx').catch((cause: unknown) => {
    throw new ColophonError('internal', 'The bundle cannot be written.', { cause });
  });
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      callback(null, chunk);
    },
  });
  try {
    const container = bundleZip(files, new Date(request.dossier.createdAt));
    await pipeline(container, meter, file.createWriteStream({ flush: true }));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(request.destinationPath, { force: true });
    if (error instanceof ColophonError) throw error;
    throw new ColophonError('storage_unavailable', 'The bundle cannot be written.', { cause: error });
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** All files in the order of the container: by path, code unit by code unit. */
async function packFiles({
  dossier,
  dossierPdf,
  dossierJws,
  signIndex,
  evidence,
}: EvidenceBundleRequest): Promise<PackedFile[]> {
  const { asset, log } = dossier;
  const names = safeFileNames(evidence.assets.map(({ fileName }) => fileName));
  const assets = evidence.assets.map((file, i) => ({ ...file, name: names[i] ?? file.assetId }));
  const main = assets.find(({ assetId, sha256 }) => assetId === asset.id && sha256 === asset.sha256);
  if (main === undefined) {
    throw new ColophonError('internal', 'The evidence does not hold the asset of the dossier.');
  }
  const packed: { file: PackedFile; role: BundleFile }[] = [];
  const add = (role: BundleFile, bytes: Uint8Array | string): void => {
    packed.push({ file: fromBytes(role.path, Buffer.from(bytes)), role });
  };
  const timeStamps = timeStampFiles(evidence);
  const instructions = bundleInstructions(dossier, {
    assetFileName: main.name,
    hasSidecar: main.sidecar !== undefined,
    hasOpenings: evidence.openings.length > 0,
    timeStampPaths: timeStamps.map(({ path }) => path),
    hasTimeStampRoots: evidence.timeStampRootsPem !== undefined,
    attachmentIds: evidence.attachments.map(({ attachmentId }) => attachmentId),
    hasIdentityAnchors: evidence.identityLists.length > 0,
  });
  add({ path: BUNDLE_PATHS.instructions, role: 'instructions' }, instructions);
  add({ path: BUNDLE_PATHS.dossierPdf, role: 'dossier_pdf' }, dossierPdf);
  add({ path: BUNDLE_PATHS.dossierJson, role: 'dossier_json' }, renderDossierJson(dossier));
  add({ path: BUNDLE_PATHS.dossierJws, role: 'dossier_jws' }, dossierJws);
  add({ path: BUNDLE_PATHS.certification, role: 'certification' }, draftCertification(dossier));
  add({ path: BUNDLE_PATHS.verifierPage, role: 'verifier_page' }, verifierPage());
  add({ path: BUNDLE_PATHS.checkpoint, role: 'log_checkpoint' }, log.checkpointNote);
  add({ path: BUNDLE_PATHS.vkey, role: 'log_vkey' }, `${log.vkey}\n`);
  add({ path: BUNDLE_PATHS.policy, role: 'log_policy' }, log.witnessing.policy);
  add({ path: BUNDLE_PATHS.trustAnchors, role: 'trust_anchors' }, evidence.trustAnchorsPem);
  add({ path: BUNDLE_PATHS.reportAnchors, role: 'report_anchors' }, evidence.reportAnchorsPem);
  if (evidence.identityLists.length > 0)
    add(
      { path: BUNDLE_PATHS.identityAnchors, role: 'identity_anchors' },
      canonicalJson(identityAnchors(evidence, dossier)),
    );
  for (const { path, token } of timeStamps) add({ path, role: 'time_stamp' }, token);
  if (timeStamps.length > 0) {
    const { text } = parseNote(Buffer.from(log.checkpointNote, 'utf8'));
    add({ path: BUNDLE_PATHS.stampedText, role: 'stamped_text' }, text);
  }
  if (timeStamps.length > 0 && evidence.timeStampRootsPem !== undefined) {
    add({ path: BUNDLE_PATHS.timeStampRoots, role: 'time_stamp_roots' }, evidence.timeStampRootsPem);
  }
  for (const { index, bytes, proof } of evidence.entries) {
    add({ path: entryPath(index), role: 'entry', index }, bytes);
    add({ path: proofPath(index), role: 'proof', index }, proof);
  }
  for (const opening of openingFiles(evidence)) {
    const role = { path: openingPath(opening.index), role: 'opening', index: opening.index } as const;
    add(role, canonicalJson(opening));
  }
  for (const file of assets) {
    packed.push(await packAsset(file, dossier));
    if (file.sidecar) packed.push(await packSidecar(file.assetId, file.name, file.sidecar, dossier));
  }
  for (const { attachmentId, sha256, path: storedPath } of evidence.attachments) {
    const path = attachmentPath(attachmentId);
    packed.push({
      file: await storedFile(path, sha256, storedPath),
      role: { path, role: 'attachment', attachmentId, sha256 },
    });
  }
  packed.sort((a, b) => byPath(a.file, b.file));
  const index = bundleIndex(
    dossier,
    packed.map(({ file, role }) => ({ ...role, sha256: file.sha256 })),
  );
  const files = [
    ...packed.map(({ file }) => file),
    fromBytes(BUNDLE_PATHS.index, index),
    fromBytes(BUNDLE_PATHS.signedIndex, await signIndex(index)),
  ].sort(byPath);
  const sums = files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('');
  return [...files, fromBytes(BUNDLE_PATHS.sums, Buffer.from(sums))].sort(byPath);
}

function bundleIndex(dossier: AssetDossier, files: BundleFile[]): Buffer {
  const index: BundleIndex = {
    format: BUNDLE_FORMAT,
    v: BUNDLE_VERSION,
    reportId: dossier.reportId,
    createdAt: dossier.createdAt,
    asset: { id: dossier.asset.id, sha256: dossier.asset.sha256 },
    log: {
      origin: dossier.log.origin,
      treeSize: dossier.log.treeSize,
      rootHash: dossier.log.rootHash,
    },
    files,
  };
  // Through JSON text once: the canonical form has no undefined.
  return canonicalJson(JSON.parse(JSON.stringify(index)) as JsonValue);
}

function identityAnchors(
  { identityLists }: BundleEvidence,
  { createdAt }: AssetDossier,
): IdentityAnchorsFile {
  return {
    v: 1,
    asOf: createdAt,
    lists: identityLists.map(({ name, source, issuedAt, nextUpdateAt, sha256, anchorsPem }) => ({
      name,
      source,
      issuedAt: issuedAt ?? null,
      nextUpdateAt: nextUpdateAt ?? null,
      sha256,
      anchorsPem,
    })),
  };
}

function timeStampFiles({ timeStamps }: BundleEvidence): { path: string; token: Buffer }[] {
  return timeStamps.map(({ authority, token }, i) => ({ path: timeStampPath(i + 1, authority), token }));
}

function openingFiles(evidence: BundleEvidence): OpeningFile[] {
  const byIndex = new Map<number, OpeningFile>();
  for (const { index, field, salt, value } of evidence.openings) {
    const file = byIndex.get(index) ?? { v: 1, index, openings: {} };
    file.openings[field] = { salt, value };
    byIndex.set(index, file);
  }
  return [...byIndex.values()];
}

async function packAsset(
  asset: BundleEvidence['assets'][number] & { readonly name: string },
  dossier: AssetDossier,
): Promise<{ file: PackedFile; role: BundleFile }> {
  const recorded = dossier.chain.find(({ id }) => id === asset.assetId) ?? dossier.asset;
  if (recorded.id !== asset.assetId || recorded.sha256 !== asset.sha256) {
    throw new ColophonError('internal', 'The evidence holds a file that the dossier does not know.');
  }
  const { assetId, sha256 } = asset;
  const path = assetPath(asset.name);
  return {
    file: await storedFile(path, sha256, asset.path),
    role: { path, role: 'asset', assetId, sha256, mediaType: recorded.mediaType },
  };
}

async function packSidecar(
  assetId: string,
  fileName: string,
  { sha256, path: storedPath }: { readonly sha256: string; readonly path: string },
  dossier: AssetDossier,
): Promise<{ file: PackedFile; role: BundleFile }> {
  const recorded = dossier.chain.find(({ id }) => id === assetId) ?? dossier.asset;
  if (recorded.id !== assetId || recorded.manifestSha256 !== sha256) {
    throw new ColophonError('internal', 'The evidence holds a manifest that the dossier does not know.');
  }
  const path = sidecarPath(fileName);
  return {
    file: await storedFile(path, sha256, storedPath),
    role: { path, role: 'manifest', assetId, sha256 },
  };
}

/** A file of the store, checked again on its way into the bundle. */
async function storedFile(path: string, sha256: string, storedPath: string): Promise<PackedFile> {
  const { size } = await stat(storedPath).catch((cause: unknown) => {
    throw new ColophonError('storage_unavailable', 'A media file of this report is missing.', { cause });
  });
  const opened = (): Readable => {
    const stream = createReadStream(storedPath, { highWaterMark: 1024 * 1024 });
    const checked = new ExpectedBytes(sha256);
    stream.once('error', (error) => checked.destroy(error));
    return stream.pipe(checked);
  };
  return { path, sha256, sizeBytes: size, open: () => Promise.resolve(opened()) };
}

function fromBytes(path: string, bytes: Buffer): PackedFile {
  const open = (): Promise<Readable> => Promise.resolve(Readable.from([bytes], { objectMode: false }));
  return { path, sha256: sha256Hex(bytes), sizeBytes: bytes.length, open };
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/** Passes bytes on and fails at their end when they are not those that were recorded (promise P1). */
class ExpectedBytes extends Transform {
  private readonly hash = createHash('sha256');

  constructor(private readonly sha256: string) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.hash.update(chunk);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    const same = this.hash.digest('hex') === this.sha256;
    const text = 'A media file of this report no longer has the bytes that were recorded.';
    callback(same ? null : new ColophonError('storage_unavailable', text));
  }
}
