import { type NoteSigner, type NoteVerifier } from '../core/signed-note.js';

/** An Ed25519 key of one log. Its name is the log's origin, which is fixed when the log is created. */
export interface LogKey {
  readonly origin: string;
  readonly vkey: string;
  readonly signer: NoteSigner;
  readonly verifier: NoteVerifier;
}

/** The public half of a key that signs no more. */
export interface RetiredLogKey {
  readonly vkey: string;
  readonly verifier: NoteVerifier;
  /** Entries of the log when the key was put away: it may have signed checkpoints up to this size. */
  readonly lastSize: number;
}

/** All keys of one log. By itself it is the current one: the newest that signs. */
export interface LogKeyRing extends LogKey {
  /** Each of them signs every checkpoint. Oldest first, so that a signature that is added later comes last. */
  readonly active: readonly LogKey[];
  readonly retired: readonly RetiredLogKey[];
}

/** Which keys the keystore has, as vkeys. */
export interface HeldLogKeys {
  readonly active: readonly string[];
  /** Made, and not signing. */
  readonly prepared: readonly string[];
  /** Of these the public half only. */
  readonly retired: readonly string[];
}

export interface LogKeys {
  /** Makes the key of a new log. @throws Error when the log already has one: a log is never initialized twice. */
  create(organizationId: string, origin: string): Promise<LogKey>;
  /** What is true now, also when another process changed it. @throws ColophonError `signer_unavailable` without a key */
  ofLog(organizationId: string): Promise<LogKeyRing>;
  held(organizationId: string): Promise<HeldLogKeys>;
  /**
   * Makes one more key, which does not sign before it is activated. Durable when this resolves.
   * @param known every key that the log ever had, in order: the new one follows on them
   * @returns its vkey
   */
  prepare(organizationId: string, origin: string, known: readonly string[]): Promise<string>;
  /** Lets a prepared key sign. Does nothing when it does already, or when there is no such key. */
  activate(organizationId: string, vkey: string): Promise<void>;
  /**
   * Removes the private half, where there is one, and keeps the public half.
   * @param key.serial its place among all keys of the log, from 1
   */
  retire(
    organizationId: string,
    key: { readonly vkey: string; readonly serial: number; readonly lastSize: number },
  ): Promise<void>;
}
