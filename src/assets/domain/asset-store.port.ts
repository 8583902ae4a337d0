import { type Readable } from 'node:stream';

/** Bytes of a file from `first` to `last`, both included (RFC 9110 section 14.1.2). */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** A file of the store, opened for reading. */
export interface VerifiedContent {
  readonly sizeBytes: number;
  /**
   * The bytes of a range, or all. Each piece is compared with what was hashed before it is handed out: a file that was
   * changed, whenever that was, ends the stream with an error and not one wrong byte.
   */
  stream(range?: ByteRange): Readable;
}

/**
 * Content-addressed bytes of an organization. A file never changes: its name is its SHA-256.
 * Nothing in here decides who may read; that is for the use cases.
 */
export interface AssetStore {
  /** A path on the store's own file system for a file in the making. Removed by {@link discard} or {@link put}. */
  stage(): Promise<string>;
  /**
   * The same, to be found again by its name in any process: a part of a file that comes piece by piece. It is removed an
   * hour after it was written, if nobody did so before.
   * @param name `<uuid>.<word>`
   */
  stageAs(name: string): Promise<string>;
  discard(stagedPath: string): Promise<void>;
  /**
   * Makes a staged file durable under its hash. Idempotent: the same content may be put again after a crash.
   * @throws ColophonError `storage_unavailable`
   */
  put(organizationId: string, sha256: string, stagedPath: string): Promise<void>;
  /**
   * Path for reading. The content is checked against the name before the path is given out, so that bytes which
   * were damaged or exchanged on disk never reach a provider, a signer or a client.
   * @throws ColophonError `storage_unavailable` when the file is missing or is not what its name says
   */
  localPath(organizationId: string, sha256: string): Promise<string>;
  /**
   * For sending: whole or in parts. The content is checked against the name before this returns.
   * @throws ColophonError `storage_unavailable` when the file is missing or is not what its name says
   */
  openVerified(organizationId: string, sha256: string): Promise<VerifiedContent>;
  /**
   * Deletes a file for good: only reports that showed values of an erased person. No error when it is not there.
   * @throws ColophonError `storage_unavailable`
   */
  remove(organizationId: string, sha256: string): Promise<void>;
  /**
   * Deletes a file for good that nothing refers to any more, unless it was put, or put again, within the last hour:
   * then somebody may be about to refer to it. Safe against a {@link put} of the same bytes at the same moment.
   * @returns false when it was left; true when it is gone, also when it was gone before
   * @throws ColophonError `storage_unavailable`
   */
  removeUnlessFresh(organizationId: string, sha256: string): Promise<boolean>;
}
