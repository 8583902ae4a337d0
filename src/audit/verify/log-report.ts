/**
 * Where a log is read from: a folder, a web server, a zip. Paths are those of tlog-tiles (`checkpoint`,
 * `tile/0/000`, `tile/entries/000.p/3`). `undefined` means that there is no such file; a source that cannot tell
 * rejects, and the check ends there.
 */
export interface LogSource {
  read(path: string): Promise<Uint8Array | undefined>;
  /** Paths of all files under `tile/`, where the source can tell. */
  list?(): Promise<readonly string[]>;
}

/**
 * - `checkpoint_missing`, `checkpoint_invalid`: there is no signed tree head to check against.
 * - `bundle_missing`, `bundle_malformed`, `tile_missing`, `tile_malformed`: a file that cannot be read as what it is.
 * - `bundle_mismatch`: entries that are not the ones under the signed root.
 * - `tile_mismatch`: hashes that are not those of the entries under the tile.
 * - `contradiction`: two files disagree, and no third one tells which of them is wrong.
 * - `entry_malformed`: an entry that is not canonical JSON with the envelope of this log.
 * - `root_mismatch`: the log does not lead to the root that its checkpoint signs.
 * - `stray_file`: a file that does not belong to the tree under the checkpoint.
 * - `root_unknown`: too much is missing to derive the root.
 */
export type LogFindingCode =
  | 'checkpoint_missing'
  | 'checkpoint_invalid'
  | 'bundle_missing'
  | 'bundle_malformed'
  | 'bundle_mismatch'
  | 'tile_missing'
  | 'tile_malformed'
  | 'tile_mismatch'
  | 'contradiction'
  | 'entry_malformed'
  | 'root_mismatch'
  | 'stray_file'
  | 'root_unknown';

export interface LogFinding {
  readonly code: LogFindingCode;
  /** The file of the log that is wrong. */
  readonly path: string;
  /** What is wrong with it, in words. */
  readonly detail: string;
}

/**
 * One question about a log, with its answer. `proved`: follows from the bytes and the trusted keys. `failed`: is wrong.
 * `not_proved`: nobody showed it, or the files of a log cannot show it.
 */
export interface LogStatus {
  readonly subject: 'checkpoint' | 'files' | 'witnesses' | 'time' | 'truth';
  readonly outcome: 'proved' | 'failed' | 'not_proved';
  /** One sentence or two for people. */
  readonly text: string;
}

export interface LogReport {
  /** True when the checkpoint is genuine and every file of the log follows from its entries. */
  readonly ok: boolean;
  readonly origin: string;
  /** Tree size of the checkpoint; absent when it is missing or invalid. */
  readonly size?: number;
  /** Signed root, base64. */
  readonly rootHash?: string;
  /** Entries that were read from bundles. */
  readonly entriesRead: number;
  readonly findings: readonly LogFinding[];
  /** What this proves and what it does not, one status for each subject. */
  readonly statuses: readonly LogStatus[];
  /** Whether the witnesses of the given policy are enough; absent when none was given or no checkpoint was opened. */
  readonly policyMet?: boolean;
  /** True when the check gave up after {@link MAX_FINDINGS} findings. */
  readonly stoppedEarly: boolean;
  /** Entries of types, or with fields, that this version does not know, by type. Not a fault. */
  readonly unknownEntryTypes: Readonly<Record<string, number>>;
}

/** A log that is wrong everywhere is not described line by line, and must not fill the memory. */
export const MAX_FINDINGS = 1_000;

/** Types come from the entries; a hostile log could name a new one in each. */
export const MAX_UNKNOWN_TYPES = 100;
