import { ColophonError } from '../../shared/errors.js';
import { type FileVerification } from '../domain/file-verification.js';
import { type ClaimFinding } from '../domain/signature-finding.js';
import { type LogKnowledge, type LogStanding, logStanding } from '../domain/log-standing.js';
import { type ManifestPlacement } from '../domain/media-types.js';
import {
  type MediaToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../domain/media-verifier.port.js';
import { recordsOf, TEST_PART_WORDS, TEST_WORDS, type TestWork, testWorkIn } from '../domain/test-work.js';

/** Asks the logs of this deployment. */
export interface OwnLog {
  /** @param named origins of logs that the manifest names as its record; whatever a stranger wrote there */
  lookUp(question: {
    readonly sha256: string;
    /** A file with its manifest beside it is known by that manifest, too: others may hold the same bytes. */
    readonly manifestPlacement: ManifestPlacement | undefined;
    readonly manifestSha256: string | undefined;
    readonly claims: readonly ClaimFinding[];
    readonly namedLogs: readonly string[];
  }): Promise<LogKnowledge>;
}

/** A verifier that can also represent a manifest store as crJSON. */
export interface FileReader extends MediaVerifier {
  crJson(file: MediaToVerify): Promise<string>;
  /** The manifest store as the file carries it, or as it lies beside it, unread; `undefined` when it has none. */
  manifestStore(path: string, manifestPath?: string): Promise<Buffer | undefined>;
}

/** Fetches a manifest that lies elsewhere. `undefined`: not allowed, or not to be had. */
export type FetchRemoteManifest = (
  url: string,
) => Promise<{ readonly path: string; discard(): Promise<void> } | undefined>;

/** Tells operators that a signature by our key exists that we did not make. */
export type ReportKeyMisuse = (finding: {
  readonly fileSha256: string;
  readonly claim: ClaimFinding;
}) => void;

const MAX_NAMED_LOGS = 4;

/** `manifestPath`: the manifest of a file that carries none. `mayBeLarge`: it is our own. */
export type VerifyOptions = Pick<MediaToVerify, 'manifestPath' | 'mayBeLarge'>;

/** What a file says about itself, whether that holds, and whether we know it. */
export class VerifyFile {
  constructor(
    private readonly reader: FileReader,
    private readonly ownLog: OwnLog,
    private readonly reportKeyMisuse: ReportKeyMisuse,
    private readonly fetchRemoteManifest: FetchRemoteManifest,
  ) {}

  async verify(path: string, options: VerifyOptions = {}): Promise<FileVerification> {
    const { verification, remoteManifest } = await this.read(path, options);
    const known = await this.ownLog.lookUp({ ...verification, namedLogs: namedLogs(verification) });
    const { sha256 } = verification;
    const log = logStanding(verification, known);
    if (log.misusedKey) this.reportKeyMisuse({ fileSha256: sha256, claim: log.misusedKey });
    // Our own log knows it of a file whose manifest is beside it, or was tampered with.
    const testWork = log.place?.isTest === true ? 'file' : testWorkIn(verification.chain);
    const headline = headlineOf(verification, log) + testWords(testWork);
    return { verification, headline, testWork, log, remoteManifest };
  }

  /** The manifest store of a file as crJSON. @throws ColophonError `no_manifest` */
  async crJson(path: string): Promise<string> {
    return this.reader.crJson({ path, mediaType: '' });
  }

  /** The manifest store as the file carries it. @throws ColophonError `no_manifest` */
  async manifestStore(path: string, manifestPath?: string): Promise<Buffer> {
    const store = await this.reader.manifestStore(path, manifestPath);
    if (store === undefined) throw new ColophonError('no_manifest', 'The file carries no manifest.');
    return store;
  }

  private async read(
    path: string,
    { manifestPath, mayBeLarge }: VerifyOptions,
  ): Promise<Pick<FileVerification, 'verification' | 'remoteManifest'>> {
    // What the file is, whoever reads it finds out.
    const file = { path, mediaType: '', ...(mayBeLarge && { mayBeLarge }) };
    const verification = await this.reader.verify({ ...file, manifestPath });
    const url = verification.remoteManifestUrl;
    if (url === undefined) return { verification, remoteManifest: undefined };
    const manifest = await this.fetchRemoteManifest(url);
    if (manifest === undefined) return { verification, remoteManifest: { url, fetched: false } };
    try {
      const found = await this.reader.verify({ ...file, manifestPath: manifest.path });
      return { verification: found, remoteManifest: { url, fetched: true } };
    } finally {
      await manifest.discard();
    }
  }
}

/** A manifest says in an assertion of ours which log recorded it. Whoever forges one copies it. */
function namedLogs({ chain }: MediaVerification): string[] {
  return (chain === undefined ? [] : recordsOf(chain))
    .flatMap(({ log }) => (typeof log === 'string' ? [log] : []))
    .slice(0, MAX_NAMED_LOGS);
}

function headlineOf(
  { verdict, brokenIngredient }: MediaVerification,
  { status, misusedKey, place }: LogStanding,
): string {
  const suffix = brokenIngredient && verdict !== 'broken' ? ' A part that it was made from is broken.' : '';
  if (misusedKey) return `Signed with our key, but not in our log: treat it as a forgery.${suffix}`;
  if (status === 'forged') return `It claims to be ours, but it is not: treat it as a forgery.${suffix}`;
  // A recall says nothing against the signature, and is the first thing that whoever wants to use the file must know.
  if (place?.recall && verdict !== 'broken')
    return `Recalled by its publisher: it must not be used any more.${suffix}`;
  // A hash of ISO media leaves out boxes that may hold what is played; what we signed byte for byte, the log knows.
  if (status === 'changed' && verdict !== 'broken')
    return `We signed the manifest in this file, but not these bytes: they were changed where its hash does not look.${suffix}`;
  switch (verdict) {
    case 'none':
      return 'This file carries no manifest.';
    case 'broken':
      return status === 'changed'
        ? 'We signed this once, but the file was changed after that.'
        : 'This file was changed after it was signed, or its signature does not hold.';
    case 'intact':
      return `The manifest is intact, but its signer is on no list that we know.${suffix}`;
    case 'intact_and_trusted':
      return `Intact, and signed by a known signer.${suffix}`;
  }
}

/** Whoever reads no further than the headline must not take a test for a work. */
function testWords(testWork: TestWork | undefined): string {
  if (testWork === undefined) return '';
  return ` ${testWork === 'file' ? TEST_WORDS : TEST_PART_WORDS}`;
}
