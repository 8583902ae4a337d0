import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Reader } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { systemClock, type Clock } from '../../shared/clock.js';
import { aiDisclosure } from '../domain/ai-disclosure.js';
import { findBreaks } from '../domain/breaks.js';
import { brokenIngredients } from '../domain/chain-failures.js';
import { DETECTION_BYTES, detectMediaType, type EmbeddableMediaType } from '../domain/media-types.js';
import { identityFindings } from '../domain/identity-findings.js';
import {
  type MediaToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../domain/media-verifier.port.js';
import { type TrustList } from '../domain/trust-list.js';
import { verificationSentences } from '../domain/verification-sentences.js';
import { ByteSource } from './byte-source.js';
import { readerSettings, type TrustAnchors } from './c2pa-settings.js';
import { allStatuses, chainTree } from './chain-tree.js';
import { IdentityReading } from './identity-reading.js';
import { activeClaim } from '../domain/jumbf.js';
import { extractManifestStore } from './manifest-store-extraction.js';
import { judgedChain, judgedStatuses } from './judged-trust.js';
import { SignatureReading } from './signature-findings.js';
import { manifestStoreReport, type ManifestStoreReport } from './manifest-store-schema.js';

/** The report of a hostile manifest can be far larger than the manifest. 32 Mi characters. */
const MAX_REPORT_CHARACTERS = 32 * 1024 * 1024;

export interface C2paReaderOptions {
  /** Under which authorities this installation signs. */
  readonly trust: TrustAnchors | undefined;
  /** Whom else to trust: for signatures, for time-stamps. */
  readonly lists?: readonly TrustList[];
  readonly clock?: Clock;
}

/**
 * Verifies inside this process. For files that this program wrote itself, and for the command line; files of
 * strangers go through {@link VerificationProcess}, which runs this class in a child process.
 */
export class C2paReader implements MediaVerifier {
  private readonly settings: string;
  private readonly signatures: SignatureReading;
  private readonly namedActors: IdentityReading;

  constructor(options: C2paReaderOptions) {
    const { trust, lists = [], clock = systemClock } = options;
    this.settings = readerSettings(trust, lists);
    this.namedActors = new IdentityReading(trust, clock);
    this.signatures = new SignatureReading([...(trust ? [ownList(trust)] : []), ...lists], clock);
  }

  async verify(file: MediaToVerify): Promise<MediaVerification> {
    // The library reads on its own threads, so hashing costs no extra time.
    const [read, sizeBytes, sha256] = await Promise.all([
      this.read(file),
      stat(file.path).then((status) => status.size),
      fileSha256(file.path),
    ]);
    const { mediaType, store, report, remoteManifestUrl } = read;
    const claim = store && activeClaim(store);
    const facts = { ...(await this.judge(report, store, mediaType)), remoteManifestUrl };
    return {
      sha256,
      sizeBytes,
      mediaType,
      ...facts,
      brokenIngredient: facts.chain !== undefined && brokenIngredients(facts.chain).length > 0,
      manifestSha256: store && sha256Hex(store),
      claimSha256: claim && sha256Hex(claim.claim),
      sentences: verificationSentences(facts),
    };
  }

  private async read({ path, manifestPath }: MediaToVerify): Promise<ReadFile> {
    const { mediaType, store: embedded } = await readManifestStore(path);
    const store = manifestPath === undefined ? embedded : await readSidecar(manifestPath);
    const aside = manifestPath === undefined ? undefined : store;
    return { mediaType, store, ...(await this.report(path, mediaType, store !== undefined, aside)) };
  }

  private async judge(
    report: ManifestStoreReport | undefined,
    store: Buffer | undefined,
    mediaType: string,
  ): Promise<Judgement> {
    if (report === undefined) return NOTHING_FOUND;
    const findings = await this.signatures.read(store ?? Buffer.alloc(0));
    const named = this.namedActors.read(store ?? Buffer.alloc(0), findings.claims);
    const tree = chainTree(report, mediaType, named);
    if (tree === undefined) return NOTHING_FOUND;
    const chain = judgedChain(tree, findings);
    const deltas = report.validation_results?.ingredientDeltas ?? [];
    const statuses = judgedStatuses(
      [report.validation_results?.activeManifest, ...deltas.map((delta) => delta.validationDeltas)].flatMap(
        allStatuses,
      ),
      findings,
    );
    const facts = {
      ...findings,
      chain,
      statuses,
      breaks: findBreaks(chain),
      disclosure: aiDisclosure(chain),
      identities: identityFindings(chain),
    };
    if (report.validation_state !== 'Valid' && report.validation_state !== 'Trusted') {
      return { verdict: 'broken', trustedBy: undefined, ...facts };
    }
    // Only a certificate chain up to an anchor of one of our lists, under a signature that we checked ourselves too.
    const list = findings.signer?.list;
    return list === undefined
      ? { verdict: 'intact', trustedBy: 'no list', ...facts }
      : { verdict: 'intact_and_trusted', trustedBy: list.name, ...facts };
  }

  /**
   * Whether the library finds a manifest in a file, valid or not.
   * @throws ColophonError `media_corrupt`, `manifest_malformed`
   */
  async findsManifest(path: string, mediaType: string): Promise<boolean> {
    return (await this.parse(path, mediaType, false, undefined)).json !== null;
  }

  private async report(
    path: string,
    mediaType: string,
    hasStore: boolean,
    aside: Buffer | undefined,
  ): Promise<Pick<ReadFile, 'report' | 'remoteManifestUrl'>> {
    const { json, remoteManifestUrl } = await this.parse(path, mediaType, hasStore, aside);
    if (json === null) return { report: undefined, remoteManifestUrl };
    if (JSON.stringify(json).length > MAX_REPORT_CHARACTERS) {
      throw new ColophonError('manifest_malformed', 'The manifest of this file is too large to report on.');
    }
    const parsed = manifestStoreReport.safeParse(json);
    if (!parsed.success) {
      throw new ColophonError('manifest_malformed', 'The manifest of this file has an unexpected form.');
    }
    return { report: parsed.data, remoteManifestUrl };
  }

  /** What the library reports about the file; `null` when it has no manifest. */
  private async parse(
    path: string,
    mediaType: string,
    hasStore: boolean,
    aside: Buffer | undefined,
  ): Promise<{ json: unknown; remoteManifestUrl: string | undefined }> {
    try {
      const asset = { path, mimeType: mediaType };
      const reader =
        aside === undefined
          ? await Reader.fromAsset(asset, this.settings)
          : await Reader.fromManifestDataAndAsset(aside, asset, this.settings);
      return { json: reader === null ? null : reader.json(), remoteManifestUrl: undefined };
    } catch (cause) {
      // The file only names a manifest elsewhere. We do not go there: the address is the stranger's choice.
      const elsewhere = hasStore ? undefined : remoteManifestOf(cause);
      if (elsewhere !== undefined) return { json: null, remoteManifestUrl: elsewhere };
      throw hasStore
        ? new ColophonError('manifest_malformed', 'The manifest of this file cannot be parsed.', { cause })
        : new ColophonError('media_corrupt', 'The file cannot be parsed.', { cause });
    }
  }
}

interface ReadFile {
  readonly mediaType: EmbeddableMediaType;
  readonly store: Buffer | undefined;
  readonly report: ManifestStoreReport | undefined;
  readonly remoteManifestUrl: string | undefined;
}

type Judgement = Pick<
  MediaVerification,
  | 'verdict'
  | 'trustedBy'
  | 'chain'
  | 'statuses'
  | 'signer'
  | 'timeStamp'
  | 'claims'
  | 'breaks'
  | 'disclosure'
  | 'identities'
>;

const NOTHING_FOUND: Judgement = {
  verdict: 'none',
  trustedBy: undefined,
  chain: undefined,
  statuses: [],
  signer: undefined,
  timeStamp: undefined,
  claims: [],
  breaks: [],
  disclosure: undefined,
  identities: [],
};

/** Our own authority as a list among others. It has no date: it is in force as long as it is there. */
function ownList({ name, anchorsPem }: TrustAnchors): TrustList {
  const undated = { issuedAt: undefined, nextUpdateAt: undefined, loadedAt: '' };
  return { name, purpose: 'signers', source: 'keys', ...undated, sha256: sha256Hex(anchorsPem), anchorsPem };
}

/** A store of a long chain with thumbnails is some 20 MB. */
const MAX_SIDECAR_BYTES = 64 * 1024 * 1024;

async function readSidecar(path: string): Promise<Buffer> {
  if ((await stat(path)).size > MAX_SIDECAR_BYTES) {
    throw new ColophonError('manifest_malformed', 'The manifest beside the file is too large.');
  }
  return readFile(path);
}

const MAX_ADDRESS_LENGTH = 2000;

/**
 * The address in the name of the library's error, e.g. `C2pa(RemoteManifestUrl("http://..."))`; empty when the error
 * is that kind, but does not say. `undefined` for other errors.
 */
function remoteManifestOf(error: unknown): string | undefined {
  const name = (error as { name?: unknown } | null)?.name;
  if (typeof name !== 'string' || !name.startsWith('C2pa(RemoteManifest')) return undefined;
  return (/\("(.*)"\)\)$/s.exec(name)?.[1] ?? '').slice(0, MAX_ADDRESS_LENGTH);
}

/**
 * Type and manifest store of a file, by its bytes.
 * @throws ColophonError `unsupported_media` when the bytes are of no type that carries manifests here.
 */
export async function readManifestStore(
  path: string,
): Promise<{ mediaType: EmbeddableMediaType; store: Buffer | undefined }> {
  const file = await ByteSource.open(path);
  try {
    const mediaType = detectMediaType(await file.read(0, DETECTION_BYTES));
    if (mediaType === undefined) {
      throw new ColophonError(
        'unsupported_media',
        'The bytes are not of a media type that is supported here.',
      );
    }
    return { mediaType, store: await extractManifestStore(file, mediaType) };
  } finally {
    await file.close();
  }
}

/** Lower-case hexadecimal SHA-256 of a file, streamed. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
