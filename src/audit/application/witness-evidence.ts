import { type Checkpoint, parseCheckpoint } from '../core/checkpoint.js';
import { parseNote } from '../core/signed-note.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { TlogError } from '../core/tlog-error.js';
import { type LogKeyRing } from './log-keys.port.js';
import { openOwnCheckpoint } from './own-checkpoint.js';
import { type WitnessRecords } from './witness-records.js';
import { type ShownCheckpoint } from './witness.port.js';

/**
 * What a witness shows, when it is signed with a key of the log: then it is true whoever shows it. Anything else is
 * no evidence, and `undefined`.
 */
export function evidenceOf(shown: ShownCheckpoint, key: LogKeyRing): Checkpoint | undefined {
  if (shown.kind !== 'shown') return undefined;
  try {
    return openOwnCheckpoint(shown.note, key).checkpoint;
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}

/**
 * Why a checkpoint that was signed with the log's key cannot come from this database, or `undefined` when it does.
 * Each checkpoint is recorded before anybody sees it, so one that is not recorded was signed by another history.
 * Call it after the evidence arrived: then a checkpoint that another process signed meanwhile is recorded too.
 */
export async function contradiction(
  records: WitnessRecords,
  organizationId: string,
  evidence: Checkpoint,
): Promise<string | undefined> {
  const recorded = await records.ofSize(organizationId, evidence.size);
  const shown = `it shows a checkpoint of ${evidence.size} entries that is signed with the key of this log`;
  if (recorded === undefined) return `${shown}, and this database never recorded it`;
  const { root } = parseCheckpoint(parseNote(recorded.note).text);
  return bytesEqual(root, evidence.root)
    ? undefined
    : `${shown}, and this database recorded another root for it`;
}
