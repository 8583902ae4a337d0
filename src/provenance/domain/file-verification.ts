import { type LogStanding } from './log-standing.js';
import { type MediaVerification } from './media-verifier.port.js';
import { type TestWork } from './test-work.js';

/** The one answer about a file: what it says, whether that holds, and what our log knows of it. */
export interface FileVerification {
  readonly verification: MediaVerification;
  readonly headline: string;
  /** Made with a test key, or from what was: by our log, else by the manifest. */
  readonly testWork: TestWork | undefined;
  readonly log: LogStanding;
  /** What became of a manifest that lies elsewhere; `undefined` when the file names none. */
  readonly remoteManifest: { readonly url: string; readonly fetched: boolean } | undefined;
}
