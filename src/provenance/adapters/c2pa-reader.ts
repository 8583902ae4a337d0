import { Reader } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { systemClock, type Clock } from '../../shared/clock.js';
import { aiDisclosure } from '../domain/ai-disclosure.js';
import { findBreaks } from '../domain/breaks.js';
import { brokenIngredients } from '../domain/chain-failures.js';
import { type SignableMediaType } from '../domain/media-types.js';
import { identityFindings, withoutBrokenNames } from '../domain/identity-findings.js';
import {
  type MediaToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../domain/media-verifier.port.js';
import { type TrustList } from '../domain/trust-list.js';
import { verificationSentences } from '../domain/verification-sentences.js';
import { carriedStore, readSidecar } from './carried-store.js';
import { readerSettings, type TrustAnchors } from './c2pa-settings.js';
import { allStatuses, chainTree } from './chain-tree.js';
import { unsignedMedia, unsignedStretch } from './hard-binding.js';
import { IdentityReading } from './identity-reading.js';
import { activeClaim } from '../domain/jumbf.js';
import { judgedChain, judgedStatuses } from './judged-trust.js';
import { findingsFor, type ReadSignatures, SignatureReading } from './signature-findings.js';
import { ownIdentityLists } from './own-identity-lists.js';
import { LARGE_FILE_MEMORY, type LargeFileMemory, type MemoryRequest } from './large-file-memory.js';
import { type LibraryAsset, MediaContent } from './media-content.js';
import { manifestStoreReport, type ManifestStoreReport } from './manifest-store-schema.js';
import { type Stretch } from './manifest-store-slice.js';

/** The report of a hostile manifest can be far larger than the manifest. 32 Mi characters. */
const MAX_REPORT_CHARACTERS = 32 * 1024 * 1024;

export interface C2paReaderOptions {
  /** Under which authorities this installation signs. */
  readonly trust: TrustAnchors | undefined;
  /** Whom else to trust: for signatures, for time-stamps. */
  readonly lists?: readonly TrustList[];
  readonly clock?: Clock;
  /** Shared by all that read or write large files in this process. */
  readonly memory?: LargeFileMemory;
}

/**
 * Verifies inside this process. For files that this program wrote itself, and for the command line; files of
 * strangers go through {@link VerificationProcess}, which runs this class in a child process.
 */
export class C2paReader implements MediaVerifier {
  private prepared: Prepared;
  private readonly memory: LargeFileMemory;

  constructor(private readonly options: C2paReaderOptions) {
    this.memory = options.memory ?? LARGE_FILE_MEMORY;
    this.prepared = this.prepare();
  }

  /** The authorities of this installation change while it runs; reading the lists anew for each file would be slow. */
  private get current(): Prepared {
    if (this.prepared.key !== keyOf(this.options.trust)) this.prepared = this.prepare();
    return this.prepared;
  }

  private prepare(): Prepared {
    const { trust, lists = [], clock = systemClock } = this.options;
    const signers = [...(trust ? [ownList(trust)] : []), ...lists];
    const identities = [...ownIdentityLists(trust?.identityAnchorsPem), ...lists];
    let judges: Judges | undefined;
    return {
      key: keyOf(trust),
      settings: readerSettings(trust, lists),
      judges: () =>
        (judges ??= {
          signatures: new SignatureReading(signers, clock),
          namedActors: new IdentityReading(identities, clock),
        }),
    };
  }

  async verify({ path, manifestPath }: MediaToVerify): Promise<MediaVerification> {
    const content = await MediaContent.open(path);
    try {
      return await this.verifyContent(content, manifestPath);
    } finally {
      await content.close();
    }
  }

  /** The same of a file that is open already, for those who look at its bytes as well. */
  async verifyContent(
    content: MediaContent,
    manifestPath: string | undefined,
    request?: MemoryRequest,
  ): Promise<MediaVerification> {
    const verify = (): Promise<MediaVerification> => this.verifyInMemory(content, manifestPath);
    return this.memory.run(content.sizeBytes, verify, request);
  }

  private async verifyInMemory(
    content: MediaContent,
    manifestPath: string | undefined,
  ): Promise<MediaVerification> {
    // The library reads on its own threads, so hashing costs no extra time.
    const [read, sha256] = await Promise.all([this.read(content, manifestPath), content.sha256()]);
    const { mediaType, store, remoteManifestUrl, isSidecar } = read;
    const claim = store && activeClaim(store);
    const facts = { ...(await this.judge(read, content)), remoteManifestUrl };
    return {
      sha256,
      sizeBytes: content.sizeBytes,
      mediaType,
      ...facts,
      brokenIngredient: facts.chain !== undefined && brokenIngredients(facts.chain).length > 0,
      manifestPlacement: facts.chain && (isSidecar ? 'sidecar' : 'embedded'),
      manifestSha256: store && sha256Hex(store),
      claimSha256: claim && sha256Hex(claim.claim),
      sentences: verificationSentences(facts),
    };
  }

  private async read(content: MediaContent, manifestPath: string | undefined): Promise<ReadFile> {
    const { mediaType, store: embedded, places, canCarry } = await carriedStore(content.bytes);
    const carried = canCarry
      ? await this.readStore(content, mediaType, embedded)
      : { report: undefined, remoteManifestUrl: undefined, signatures: undefined };
    if (manifestPath === undefined)
      return { mediaType, store: embedded, places, ...carried, isSidecar: false };
    if (embedded !== undefined || carried.report !== undefined) {
      throw new ColophonError('sidecar_not_needed', 'The file carries a manifest of its own.');
    }
    const store = await readSidecar(manifestPath);
    const read = await this.readStore(content, mediaType, store);
    return { mediaType, store, places: [], ...read, isSidecar: true };
  }

  /**
   * We read the signatures ourselves while the library is at work on its own threads. The library is given the very bytes
   * that we read, also where it could find them itself: a file may hold one store where one of us looks and another
   * where the other looks, and then one would say that the file is intact and the other that a known signer signed it.
   */
  private async readStore(
    content: MediaContent,
    mediaType: string,
    store: Buffer | undefined,
  ): Promise<ReadStore> {
    const reported = this.report(content, mediaType, store);
    const read = store && this.current.judges().signatures.read(store);
    // What the library says about the file comes first.
    read?.catch(() => undefined);
    const found = await reported;
    return { ...found, signatures: found.report && (await read) };
  }

  private async judge(
    { report, store, places, mediaType, signatures }: ReadFile,
    { bytes }: MediaContent,
  ): Promise<Judgement> {
    if (report === undefined) return NOTHING_FOUND;
    const findings = findingsFor(signatures ?? NO_SIGNATURES, activeIn(report));
    const { namedActors } = this.current.judges();
    const actors = await namedActors.read(store ?? Buffer.alloc(0), findings.claims);
    const tree = chainTree(report, mediaType, actors);
    if (tree === undefined) return NOTHING_FOUND;
    const unsigned = store && (unsignedStretch(store, places) ?? (await unsignedMedia(store, bytes)));
    const ownFailures = unsigned === undefined ? [] : [unsigned];
    const chain = judgedChain({ ...tree, failures: [...tree.failures, ...ownFailures] }, findings);
    const deltas = report.validation_results?.ingredientDeltas ?? [];
    const statuses = judgedStatuses(
      [report.validation_results?.activeManifest, ...deltas.map((delta) => delta.validationDeltas)]
        .flatMap(allStatuses)
        .concat(ownFailures),
      findings,
    );
    const holds = report.validation_state === 'Valid' || report.validation_state === 'Trusted';
    const isBroken = !holds || unsigned !== undefined;
    const facts = {
      ...findings,
      chain: withoutBrokenNames(chain, isBroken),
      statuses,
      breaks: findBreaks(chain),
      disclosure: aiDisclosure(chain),
      identities: identityFindings(chain, isBroken),
    };
    if (isBroken) {
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
  async findsManifest(asset: LibraryAsset, sizeBytes: number): Promise<boolean> {
    const parse = (): ReturnType<typeof this.parse> => this.parse(asset, undefined);
    return (await this.memory.run(sizeBytes, parse)).json !== null;
  }

  private async report(
    content: MediaContent,
    mediaType: string,
    store: Buffer | undefined,
  ): Promise<Pick<ReadFile, 'report' | 'remoteManifestUrl'>> {
    const { json, remoteManifestUrl } = await this.parse(content.asset(mediaType), store);
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

  /** What the library reports about the file and the given store, else the store that it finds; `null` without any. */
  private async parse(
    asset: LibraryAsset,
    store: Buffer | undefined,
  ): Promise<{ json: unknown; remoteManifestUrl: string | undefined }> {
    try {
      const { settings } = this.current;
      const reader =
        store === undefined
          ? await Reader.fromAsset(asset, settings)
          : await Reader.fromManifestDataAndAsset(store, asset, settings);
      return { json: reader === null ? null : reader.json(), remoteManifestUrl: undefined };
    } catch (cause) {
      // The file only names a manifest elsewhere. We do not go there: the address is the stranger's choice.
      const elsewhere = store === undefined ? remoteManifestOf(cause) : undefined;
      if (elsewhere !== undefined) return { json: null, remoteManifestUrl: elsewhere };
      throw store === undefined
        ? new ColophonError('media_corrupt', 'The file cannot be parsed.', { cause })
        : new ColophonError('manifest_malformed', 'The manifest of this file cannot be parsed.', { cause });
    }
  }
}

interface Prepared {
  readonly key: string;
  readonly settings: string;
  /** Made for the first file that has a manifest: reading hundreds of certificates costs more than most files. */
  judges(): Judges;
}

interface Judges {
  readonly signatures: SignatureReading;
  readonly namedActors: IdentityReading;
}

interface ReadStore {
  readonly report: ManifestStoreReport | undefined;
  readonly remoteManifestUrl: string | undefined;
  readonly signatures: ReadSignatures | undefined;
}

interface ReadFile extends ReadStore {
  readonly mediaType: SignableMediaType;
  readonly store: Buffer | undefined;
  /** Where in the file the store lies. */
  readonly places: readonly Stretch[];
  /** The manifest came in a file of its own. */
  readonly isSidecar: boolean;
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

const NO_SIGNATURES: ReadSignatures = { labels: [], readings: [] };

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

/** What the library says about the manifest that counts. */
function activeIn({ active_manifest: label, manifests }: ManifestStoreReport): {
  label: string | undefined;
  serialNumber: string | undefined;
} {
  const manifest = label !== undefined && Object.hasOwn(manifests, label) ? manifests[label] : undefined;
  return { label, serialNumber: manifest?.signature_info?.cert_serial_number };
}

/** Our own authority as a list among others. It has no date: it is in force as long as it is there. */
function ownList({ name, anchorsPem, certificates }: TrustAnchors): TrustList {
  const undated = { issuedAt: undefined, nextUpdateAt: undefined, loadedAt: '' };
  const list = { name, purpose: 'signers', source: 'keys', ...undated, anchorsPem } as const;
  return { ...list, sha256: sha256Hex(anchorsPem), ...(certificates && { onlyCertificates: certificates }) };
}

function keyOf(trust: TrustAnchors | undefined): string {
  return trust === undefined
    ? ''
    : JSON.stringify([trust.anchorsPem, trust.certificates, trust.identityAnchorsPem]);
}

const MAX_ADDRESS_LENGTH = 2000;

/**
 * The address in the name of the library's error, e.g. `C2pa(RemoteManifestUrl("http://..."))`; empty when the error
 * is that kind, but does not say. `undefined` for other errors.
 */
function remoteManifestOf(error: unknown): string | undefined {
  const name = (error as { name?: unknown } | null)?.name;
  if (typeof name !== 'string' || !name.startsWith('C2pa(RemoteManifest')) return undefined;
  const start = name.indexOf('("') + 2;
  const hasAddress = start >= 2 && name.endsWith('"))');
  return hasAddress ? name.slice(start, -3).slice(0, MAX_ADDRESS_LENGTH) : '';
}
