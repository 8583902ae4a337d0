import { type LogStanding } from './log-standing.js';
import { type MediaVerification } from './media-verifier.port.js';

/** The one answer about a file: what it says, whether that holds, and what our log knows of it. */
export interface FileVerification {
  readonly verification: MediaVerification;
  readonly headline: string;
  readonly log: LogStanding;
  /** What became of a manifest that lies elsewhere; `undefined` when the file names none. */
  readonly remoteManifest: { readonly url: string; readonly fetched: boolean } | undefined;
}
