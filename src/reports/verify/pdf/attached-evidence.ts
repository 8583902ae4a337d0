import { z } from 'zod';
import { parseBase64 } from '../../../audit/core/strict-encoding.js';
import { formatTlogProof } from '../../../audit/core/tlog-proof.js';
import { TlogError } from '../../../audit/core/tlog-error.js';
import { parseNote } from '../../../audit/core/signed-note.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson } from '../../../shared/canonical-json.js';
import {
  BUNDLE_FORMAT,
  BUNDLE_PATHS,
  BUNDLE_VERSION,
  type BundleFile,
  type BundleIndex,
  entryPath,
  openingPath,
  proofPath,
} from '../../domain/bundle-format.js';
import { parseCanonicalDocument } from '../bounded-json.js';
import { type BundleContent } from '../bundle-reader.js';
import { type Checklist } from '../checklist.js';
import { type CheckedDossier } from '../dossier-schema.js';
import { type ReadAttachment } from './pdf-attachments.js';

/** Names of what a dossier carries beside its facts. */
export const ATTACHED = { checkpoint: 'checkpoint', vkey: 'vkey', entries: 'entries.ndjson' } as const;
export const TIME_STAMP_NAME = /^time-stamp-[1-9]\d?\.tst$/;

const MAX_ENTRIES = 10_000;
/** Each proof holds the tree head, so that hostile lines could ask for more than there is. */
const MAX_PROOF_BYTES = 256 * 1024 * 1024;

const lineSchema = z.strictObject({
  entry: z.json(),
  hashes: z.array(z.string().max(64)).max(64),
  index: z.int().nonnegative(),
  openings: z.record(z.string().min(1).max(128), z.json()),
});

/** The evidence of a dossier in the places that it has in a bundle, so that one set of checks reads both. */
export interface AttachedEvidence {
  readonly index: BundleIndex;
  readonly contents: ReadonlyMap<string, BundleContent>;
}

export function readEvidence(
  dossier: CheckedDossier,
  dossierJson: Buffer,
  attachments: ReadonlyMap<string, ReadAttachment>,
  checklist: Checklist,
): AttachedEvidence {
  const files: BundleFile[] = [];
  const contents = new Map<string, BundleContent>();
  const hold = (path: string, bytes: Buffer): void => {
    const rest = { sizeBytes: bytes.length, sha256: sha256Hex(bytes), scratchPath: undefined };
    contents.set(path, { path, bytes, ...rest });
  };
  const checkpoint = attachments.get(ATTACHED.checkpoint)?.bytes ?? Buffer.alloc(0);
  hold(BUNDLE_PATHS.checkpoint, checkpoint);
  hold(BUNDLE_PATHS.vkey, attachments.get(ATTACHED.vkey)?.bytes ?? Buffer.alloc(0));
  hold(BUNDLE_PATHS.dossierJson, dossierJson);
  const { witnessing, origin, treeSize, rootHash } = dossier.log;
  if (witnessing !== undefined) hold(BUNDLE_PATHS.policy, Buffer.from(witnessing.policy, 'utf8'));
  for (const [name, { bytes }] of attachments)
    if (TIME_STAMP_NAME.test(name)) {
      hold(name, bytes);
      files.push({ path: name, role: 'time_stamp' });
    }
  const stamped = stampedText(checkpoint);
  if (stamped !== undefined) hold(BUNDLE_PATHS.stampedText, stamped);
  const lines = attachments.get(ATTACHED.entries)?.bytes ?? Buffer.alloc(0);
  for (const { index, entry, proof, opening } of readEntries(lines, checkpoint, checklist)) {
    hold(entryPath(index), entry);
    hold(proofPath(index), proof);
    files.push({ path: entryPath(index), role: 'entry', index });
    files.push({ path: proofPath(index), role: 'proof', index });
    if (opening === undefined) continue;
    hold(openingPath(index), opening);
    files.push({ path: openingPath(index), role: 'opening', index });
  }
  const index: BundleIndex = {
    ...{ format: BUNDLE_FORMAT, v: BUNDLE_VERSION, files },
    ...{ reportId: dossier.reportId, createdAt: dossier.createdAt },
    asset: { id: dossier.asset.id, sha256: dossier.asset.sha256 },
    log: { origin, treeSize, rootHash },
  };
  return { index, contents };
}

/** What time-stamps are about; `undefined` where the checkpoint is none, which is found out elsewhere. */
function stampedText(checkpoint: Buffer): Buffer | undefined {
  try {
    return Buffer.from(parseNote(checkpoint).text, 'utf8');
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return undefined;
  }
}

interface ReadEntry {
  readonly index: number;
  readonly entry: Buffer;
  readonly proof: Buffer;
  readonly opening: Buffer | undefined;
}

function readEntries(lines: Buffer, checkpoint: Buffer, checklist: Checklist): ReadEntry[] {
  const fault = (text: string): ReadEntry[] => {
    checklist.fault(ATTACHED.entries, text);
    return [];
  };
  const entries = new Map<number, ReadEntry>();
  let start = 0;
  while (start < lines.length) {
    if (entries.size === MAX_ENTRIES || entries.size * checkpoint.length > MAX_PROOF_BYTES)
      return fault('There are more entries than are read.');
    const end = lines.indexOf(0x0a, start);
    if (end < 0) return fault('The list of entries is cut off.');
    const read = readLine(lines.subarray(start, end), checkpoint);
    if (read === undefined || entries.has(read.index))
      return fault('A line is not an entry with its proof, or one entry stands there twice.');
    entries.set(read.index, read);
    start = end + 1;
  }
  return [...entries.values()];
}

function readLine(line: Buffer, checkpoint: Buffer): ReadEntry | undefined {
  const parsed = lineSchema.safeParse(parseCanonicalDocument(line));
  if (!parsed.success) return undefined;
  const { entry, hashes, index, openings } = parsed.data;
  try {
    const proof = { index, hashes: hashes.map((hash) => parseBase64(hash, 'a hash')), checkpoint };
    const isOpened = Object.keys(openings).length > 0;
    return {
      index,
      // The line is canonical, so this gives the bytes that stand in it.
      entry: canonicalJson(entry),
      proof: formatTlogProof(proof),
      opening: isOpened ? canonicalJson({ v: 1, index, openings }) : undefined,
    };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return undefined;
  }
}
