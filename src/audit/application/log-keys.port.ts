import { type NoteSigner, type NoteVerifier } from '../core/signed-note.js';

/** The Ed25519 key of one log. The key's name is the log's origin, and both are fixed when the log is created. */
export interface LogKey {
  readonly origin: string;
  readonly vkey: string;
  readonly signer: NoteSigner;
  readonly verifier: NoteVerifier;
}

export interface LogKeys {
  /** Makes the key of a new log. @throws Error when the log already has one: a log is never initialized twice. */
  create(organizationId: string, origin: string): Promise<LogKey>;
  /** @throws ColophonError `signer_unavailable` */
  ofLog(organizationId: string): Promise<LogKey>;
}
