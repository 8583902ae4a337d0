import { openCheckpoint, type CheckpointTrust, type OpenedCheckpoint } from '../../audit/core/checkpoint.js';
import { type Opening } from '../../audit/core/commitment.js';
import { type EntryEnvelope } from '../../audit/core/entry.js';
import { ed25519Verifier, parseVkey } from '../../audit/core/note-key.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import { type NoteVerifier } from '../../audit/core/signed-note.js';
import { type CheckedTimeStamp } from '../../audit/verify/time-status.js';
import { type EntryEvidence, type EntryVerification, verifyEntry } from '../../audit/verify/verify-entry.js';
import { BUNDLE_PATHS, type BundleIndex, openingFileSchema } from '../domain/bundle-format.js';
import { parseCanonicalDocument } from './bounded-json.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';

/** What the log proves: entries that are in it, unchanged, and the values that were opened. */
export interface ProvedLog {
  readonly vkey: string;
  readonly checkpoint: OpenedCheckpoint;
  readonly checkpointBytes: Buffer;
  /** Only entries whose proof holds. */
  readonly entries: ReadonlyMap<number, EntryEnvelope>;
  /** Values that match the commitments of those entries. */
  readonly opened: ReadonlyMap<number, Readonly<Record<string, string>>>;
}

/** The signed tree head, and whom it is trusted by. */
export interface OpenedLog {
  readonly trust: CheckpointTrust;
  readonly vkey: string;
  readonly opened: OpenedCheckpoint;
  readonly bytes: Buffer;
}

/** The signed tree head by the key of the bundle; `undefined`, with findings, when it does not hold. */
export function openLog(
  index: BundleIndex,
  contents: BundleContents,
  checklist: Checklist,
): OpenedLog | undefined {
  const vkeyText = contents.get(BUNDLE_PATHS.vkey)?.bytes?.toString('latin1') ?? '';
  const vkey = vkeyText.replace(/\n$/, '');
  const bytes = contents.get(BUNDLE_PATHS.checkpoint)?.bytes ?? Buffer.alloc(0);
  try {
    const log = remembering(ed25519Verifier(parseVkey(vkey)));
    const trust = { origin: index.log.origin, log };
    const opened = openCheckpoint(bytes, trust);
    if (log.name !== index.log.origin) {
      checklist.fault(BUNDLE_PATHS.vkey, 'The key belongs to a log with another name.');
    }
    const { size, root } = opened.checkpoint;
    if (size !== index.log.treeSize || Buffer.from(root).toString('base64') !== index.log.rootHash) {
      checklist.fault(BUNDLE_PATHS.index, 'The tree head in bundle.json is not the signed one.');
    }
    return { trust, vkey, opened, bytes };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    checklist.fault(BUNDLE_PATHS.checkpoint, `The signed tree head does not hold: ${error.message}.`);
    return undefined;
  }
}

/** Every proof holds the same tree head, so its signature is verified once. */
function remembering(verifier: NoteVerifier): NoteVerifier {
  let last: { text: Buffer; signature: Buffer; result: boolean } | undefined;
  return {
    ...verifier,
    verify(text, signature) {
      if (last === undefined || !last.text.equals(text) || !last.signature.equals(signature)) {
        const result = verifier.verify(text, signature);
        last = { text: Buffer.from(text), signature: Buffer.from(signature), result };
      }
      return last.result;
    },
  };
}

/** Each entry with its proof under the one tree head, and its openings. */
export function checkEntries(
  index: BundleIndex,
  contents: BundleContents,
  log: OpenedLog,
  timeStamps: readonly CheckedTimeStamp[],
  checklist: Checklist,
): ProvedLog {
  const byIndex = groupByIndex(index);
  const entries = new Map<number, EntryEnvelope>();
  const opened = new Map<number, Record<string, string>>();
  for (const [number, paths] of byIndex) {
    const openings = readOpenings(number, paths.opening, contents, checklist);
    const entry = checkEntry(number, paths, { openings, timeStamps }, contents, log, checklist);
    if (entry === undefined) continue;
    entries.set(number, entry);
    opened.set(
      number,
      Object.fromEntries(Object.entries(openings).map(([field, { value }]) => [field, value])),
    );
  }
  return { vkey: log.vkey, checkpoint: log.opened, checkpointBytes: log.bytes, entries, opened };
}

interface EntryPaths {
  entry?: string;
  proof?: string;
  opening?: string;
}

function groupByIndex(index: BundleIndex): Map<number, EntryPaths> {
  const byIndex = new Map<number, EntryPaths>();
  for (const file of index.files) {
    if (file.role !== 'entry' && file.role !== 'proof' && file.role !== 'opening') continue;
    const paths = byIndex.get(file.index) ?? {};
    paths[file.role] = file.path;
    byIndex.set(file.index, paths);
  }
  return byIndex;
}

function checkEntry(
  number: number,
  paths: EntryPaths,
  shown: Required<Pick<EntryEvidence, 'openings' | 'timeStamps'>>,
  contents: BundleContents,
  log: OpenedLog,
  checklist: Checklist,
): EntryEnvelope | undefined {
  const { entry: path = '', proof: proofPath = '' } = paths;
  const entry = contents.get(path)?.bytes;
  const proof = contents.get(proofPath)?.bytes;
  if (entry === undefined || proof === undefined) {
    const missing = entry === undefined ? 'entry' : 'proof';
    checklist.fault(
      path || proofPath || paths.opening,
      `Entry ${number} is incomplete: the ${missing} is missing.`,
    );
    return undefined;
  }
  const result = verifyEntry({ entry, proof, ...shown }, log.trust);
  reportStatuses(path, number, result, checklist);
  if (result.index !== undefined && result.index !== number) {
    checklist.fault(path, `The proof is that of entry ${result.index}, not of entry ${number}.`);
    return undefined;
  }
  const hasProof = result.ok && holdsSameHead(proof, log.bytes, proofPath, checklist);
  return hasProof ? result.entry : undefined;
}

function reportStatuses(path: string, number: number, result: EntryVerification, checklist: Checklist): void {
  for (const { subject, outcome, text } of result.statuses) {
    if (outcome === 'failed') checklist.fault(path, text);
    else if (outcome === 'not_proved' && subject === 'entry') {
      checklist.notProved.push(`Entry ${number}: ${text}`);
    }
  }
}

/** All proofs lead to one tree head: otherwise each entry could come from another version of the log. */
function holdsSameHead(proof: Buffer, checkpoint: Buffer, path: string, checklist: Checklist): boolean {
  // The proof was read before, so its form is right: the tree head is what follows the first blank line.
  const head = proof.indexOf('\n\n');
  const hasExtra = proof.subarray(0, head).includes('\nextra ');
  if (hasExtra) checklist.fault(path, 'The proof carries data that nothing authenticates.');
  const same = checkpoint.equals(proof.subarray(head + 2));
  if (!same) checklist.fault(path, 'The proof leads to another tree head than log/checkpoint.');
  return same;
}

function readOpenings(
  number: number,
  path: string | undefined,
  contents: BundleContents,
  checklist: Checklist,
): Record<string, Opening> {
  if (path === undefined) return {};
  const parsed = openingFileSchema.safeParse(
    parseCanonicalDocument(contents.get(path)?.bytes ?? Buffer.alloc(0)),
  );
  if (!parsed.success || parsed.data.index !== number) {
    checklist.fault(path, 'The disclosed values cannot be read.');
    return {};
  }
  const openings = Object.entries(parsed.data.openings).map(([field, { salt, value }]) => {
    const bytes = Buffer.from(salt, 'base64url');
    if (bytes.toString('base64url') !== salt) checklist.fault(path, 'A salt is not in canonical base64url.');
    return [field, { salt: bytes, value }] as const;
  });
  return Object.fromEntries(openings);
}
