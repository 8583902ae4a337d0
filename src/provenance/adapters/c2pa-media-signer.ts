import { type Clock } from '../../shared/clock.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { type ClaimKey } from '../domain/claim-key.port.js';
import { type PlannedAssertion } from '../domain/manifest-plan.js';
import { checkManifestPlan } from '../domain/manifest-rules.js';
import { type MediaSigner, type SignedMedia, type SignMediaRequest } from '../domain/media-signer.port.js';
import { type ManifestPlacement } from '../domain/media-types.js';
import { type MediaVerification, type MediaVerifier } from '../domain/media-verifier.port.js';
import { type SignatureTimeStamp, type SignatureTimeStamping } from '../domain/time-stamping.port.js';
import { C2paReader } from './c2pa-reader.js';
import { type TrustAnchors } from './c2pa-settings.js';
import { ClaimSignature, SignatureRoomError } from './cose-sign1.js';
import { findIngredients, openingOf } from './found-ingredients.js';
import { type LargeFileMemory } from './large-file-memory.js';
import { MAX_BYTES_IN_MEMORY, MediaContent, type OpenFile, openFile } from './media-content.js';
import { type Expected, type ReadBack, readBackDifference } from './read-back.js';
import { SharedMemory } from './shared-memory.js';
import {
  discardUnverified,
  publishSigned,
  sidecarOf,
  syncSigned,
  type UnverifiedFile,
  unverifiedFileFor,
} from './signing/file-publication.js';
import { addMetadata } from './signing/file-metadata.js';
import { type LaidOut, ManifestEmbedding, type Prepared } from './signing/manifest-embedding.js';
import { leaveOutManifest } from './signing/left-out/left-out-manifest.js';
import { namePadding } from './signing/named-padding.js';
import { SigningTurns } from './signing/signing-turns.js';
import {
  hasNoTraceOfManifest,
  type InspectedSource,
  refuseOtherBytes,
  SourceInspection,
} from './signing/source-inspection.js';
import { packetIn } from './xmp/write-metadata.js';

export interface C2paMediaSignerOptions {
  readonly key: ClaimKey;
  /** `undefined`: signatures carry no time-stamp. */
  readonly timeStamping?: SignatureTimeStamping | undefined;
  /** The CA of `key`: what was just signed must read back as trusted by it. */
  readonly trust: TrustAnchors;
  /** Looks at a source that already carries a manifest before this process parses it: hand in the child process. */
  readonly sourceInspector: MediaVerifier;
  /** Version of this program, for `claim_generator_info`. */
  readonly version: string;
  readonly clock: Clock;
  /** Shared by all that read or write large files in this process. */
  readonly memory?: LargeFileMemory;
}

/** One for all signers of this process: what it shares out is the machine. */
const TURNS = new SigningTurns();
/** Pictures do not wait behind films: those wait for memory, and may do so for long. */
const LARGE_TURNS = new SigningTurns();
const MEMORY = new SharedMemory(MAX_BYTES_IN_MEMORY);

/** What is done with a manifest that the source has: it is left out after signing with it has failed so. */
type OwnManifest = 'keep' | ColophonError;
/** They may come of a manifest in the source; other errors have nothing to do with it. */
const OF_MANIFEST = ['manifest_malformed', 'media_corrupt', 'internal'] as const;
const LEFT_OUT: InspectedSource = {
  kept: { verdict: 'broken', manifestLabel: undefined, isLeftOut: true },
  placement: 'embedded',
};

interface SourceLaidOut {
  readonly source: InspectedSource;
  readonly laidOut: LaidOut;
}

/**
 * What the library wrote, for reading and writing: the signature is put in, and the file is synced and read back, through
 * one handle.
 */
interface WrittenFile extends OpenFile {
  /** Those of its source: a manifest makes no film of a picture. */
  readonly turns: SigningTurns;
}

/** {@link MediaSigner} over the C2PA library: inspect, lay out, sign, read back, publish. */
export class C2paMediaSigner implements MediaSigner {
  private readonly reader: C2paReader;
  private readonly signature: ClaimSignature;
  private readonly inspection: SourceInspection;
  private readonly embedding: ManifestEmbedding;

  constructor(private readonly options: C2paMediaSignerOptions) {
    const { trust, memory } = options;
    this.reader = new C2paReader({ trust, ...(memory && { memory }) });
    this.signature = new ClaimSignature(options.key, options.timeStamping);
    this.inspection = new SourceInspection(this.reader, options.sourceInspector);
    this.embedding = new ManifestEmbedding(options, this.signature);
  }

  async sign(request: SignMediaRequest): Promise<SignedMedia> {
    checkManifestPlan(request.plan);
    this.refuseExpiredCertificate();
    const unverified = unverifiedFileFor(request.destinationPath);
    let placement: ManifestPlacement | undefined;
    try {
      const signed = await this.signReadable(request, unverified);
      placement = signed.manifestPlacement;
      await publishSigned(unverified.path, request.destinationPath, placement);
      return signed;
    } finally {
      await discardUnverified(unverified, placement);
    }
  }

  /** What a vendor made is paid for: a manifest in it that cannot be read or kept does not throw the file away. */
  private async signReadable(request: SignMediaRequest, unverified: UnverifiedFile): Promise<SignedMedia> {
    try {
      return await this.signWithRoom(request, unverified, 'keep');
    } catch (error) {
      const isPaid = request.origin.kind === 'captured_from_provider';
      if (!isPaid || !isColophonError(error) || !OF_MANIFEST.some((code) => code === error.code)) throw error;
      await discardUnverified(unverified);
      return this.signWithRoom(request, unverified, error);
    }
  }

  /** Where a token is larger than what was reserved for it, the file is laid out again. */
  private async signWithRoom(
    request: SignMediaRequest,
    unverified: UnverifiedFile,
    found: OwnManifest,
  ): Promise<SignedMedia> {
    try {
      return await this.signOnce(request, unverified, found);
    } catch (error) {
      if (!(error instanceof SignatureRoomError)) throw error;
      await discardUnverified(unverified);
      return this.signOnce(request, unverified, found);
    }
  }

  private async signOnce(
    request: SignMediaRequest,
    unverified: UnverifiedFile,
    found: OwnManifest,
  ): Promise<SignedMedia> {
    const source = await openFile(request.source.path, 'r');
    const turns = source.sizeBytes > MAX_BYTES_IN_MEMORY ? LARGE_TURNS : TURNS;
    const laidOut = await turns
      .run(() => this.layOut(source, request, unverified, found))
      .finally(() => source.handle.close());
    const file = await openFile(unverified.path, 'r+');
    try {
      return await this.complete(request, laidOut, { ...file, turns });
    } finally {
      await file.handle.close();
    }
  }

  private async complete(
    request: SignMediaRequest,
    { source, laidOut }: SourceLaidOut,
    file: WrittenFile,
  ): Promise<SignedMedia> {
    const { expected, timeStamp } = await this.embedding.complete(laidOut, file);
    const actual = await this.readBack(file, expected, source.placement);
    refuseOtherTime(actual, timeStamp);
    if (source.placement === 'sidecar') refuseChangedBytes(actual, request);
    return {
      sha256: actual.sha256,
      sizeBytes: actual.sizeBytes,
      claimSha256: expected.claimSha256,
      manifestSha256: expected.manifestSha256,
      manifestLabel: expected.manifestLabel,
      manifestPlacement: source.placement,
      certificateSha256: this.signature.certificateSha256,
      timeStamp,
      keptManifest: source.kept,
    };
  }

  private async layOut(
    source: OpenFile,
    request: SignMediaRequest,
    unverified: UnverifiedFile,
    found: OwnManifest,
  ): Promise<SourceLaidOut> {
    const captured = await MediaContent.over(source, MEMORY);
    // The library works on its own threads meanwhile. Nothing is signed before both are done, and other bytes than those
    // that were received are refused as such, whatever else is wrong with them.
    const compared = refuseOtherBytes(captured, request);
    compared.catch(() => undefined);
    try {
      const laidOut =
        found === 'keep'
          ? await this.layOutAsReceived(captured, request, unverified)
          : await this.layOutWithout(captured, request, unverified, found);
      await compared;
      return laidOut;
    } catch (error) {
      await compared;
      throw error;
    } finally {
      await captured.close();
    }
  }

  /**
   * Readers of C2PA look for a manifest in front of the first scan of a JPEG only. One behind it would stand in the signed
   * file beside ours, and nobody would have looked at it: it is left out, of what a vendor sent.
   */
  private async layOutAsReceived(
    captured: MediaContent,
    request: SignMediaRequest,
    unverified: UnverifiedFile,
  ): Promise<SourceLaidOut> {
    const source = await this.inspection.inspect(captured, request);
    const { mediaType } = request.source;
    const mayHide =
      source.kept === undefined &&
      mediaType === 'image/jpeg' &&
      request.origin.kind === 'captured_from_provider' &&
      !hasNoTraceOfManifest(captured, mediaType);
    const hidden = mayHide
      ? await leaveOutManifest(captured, request, unverified.withoutManifestPath)
      : undefined;
    if (hidden === undefined) return this.layOutContent(captured, request, unverified, source);
    try {
      return await this.layOutContent(hidden.content, request, unverified, LEFT_OUT, hidden.assertion);
    } finally {
      await hidden.content.close();
    }
  }

  private async layOutWithout(
    captured: MediaContent,
    request: SignMediaRequest,
    unverified: UnverifiedFile,
    error: ColophonError,
  ): Promise<SourceLaidOut> {
    const leftOut = await leaveOutManifest(captured, request, unverified.withoutManifestPath);
    if (leftOut === undefined) throw error;
    const { content, manifests, assertion } = leftOut;
    try {
      const isAtFault =
        error.code === 'manifest_malformed' ||
        manifests > 1 ||
        (await this.inspection.isReadOtherwise(captured, captured.asset(request.source.mediaType)));
      if (!isAtFault || !(await this.inspection.isWithoutManifest(content, request))) throw error;
      return await this.layOutContent(content, request, unverified, LEFT_OUT, assertion);
    } finally {
      await content.close();
    }
  }

  /** Of a file that fits into memory, the bytes that are compared with their hash are the bytes that are signed. */
  private async layOutContent(
    captured: MediaContent,
    request: SignMediaRequest,
    unverified: UnverifiedFile,
    source: InspectedSource,
    leftOut?: PlannedAssertion,
  ): Promise<SourceLaidOut> {
    const { kept, placement } = source;
    const ingredients = await findIngredients(request, kept);
    const named = await namePadding(captured, request, unverified.namedPaddingPath);
    const preparations = [leftOut, named?.assertion].filter((done) => done !== undefined);
    const opening = openingOf(ingredients, kept);
    const found = { request, captured, ingredients, opening, placement, preparations };
    try {
      return { source, laidOut: await this.embed(found, named?.content ?? captured, unverified) };
    } finally {
      await named?.content.close();
    }
  }

  private async embed(
    found: Omit<Prepared, 'content' | 'written'>,
    content: MediaContent,
    { path, unsignedPath }: UnverifiedFile,
  ): Promise<LaidOut> {
    const added = await addMetadata(found.request, content, unsignedPath, found.placement);
    try {
      const prepared = { ...found, content: added?.content ?? content, written: added?.written };
      return await this.embedding.layOut(prepared, path);
    } finally {
      await added?.content.close();
    }
  }

  private refuseExpiredCertificate(): void {
    const { certificateNotBefore, certificateNotAfter } = this.options.key;
    const now = this.options.clock.now().getTime();
    if (certificateNotBefore.getTime() > now) {
      throw new ColophonError(
        'signer_unavailable',
        `The claim-signing certificate is valid only from ${certificateNotBefore.toISOString()}.`,
      );
    }
    if (certificateNotAfter.getTime() > now) return;
    throw new ColophonError(
      'signer_unavailable',
      `The claim-signing certificate expired on ${certificateNotAfter.toISOString()}. Install a new one.`,
    );
  }

  /** It is not published before both are done: read back, and on the disk. */
  private async readBack(
    file: WrittenFile,
    expected: Expected,
    placement: ManifestPlacement,
  ): Promise<ReadBack> {
    const [actual] = await Promise.all([
      file.turns.run(() => this.readWritten(file, expected, placement), true),
      syncSigned(file.handle, file.path, placement),
    ]);
    const difference = readBackDifference(actual, expected);
    if (difference === undefined) return actual;
    if (isBrokenByOthers(actual, expected)) throw unkeepable();
    throw new ColophonError('internal', `The signed file did not read back as planned: ${difference}.`);
  }

  private async readWritten(
    file: WrittenFile,
    { packet }: Expected,
    placement: ManifestPlacement,
  ): Promise<ReadBack> {
    const manifestPath = placement === 'sidecar' ? sidecarOf(file.path) : undefined;
    const content = await MediaContent.over(file, MEMORY);
    try {
      const verified = await this.reader.verifyContent(content, manifestPath, { isBegun: true });
      return { ...verified, packet: packet && (await packetIn(content.bytes, verified.mediaType)) };
    } finally {
      await content.close();
    }
  }
}

/**
 * The library cannot copy every manifest that it can read, e.g. one with a slash in the label of an assertion: it then
 * breaks in the copy. That is no fault of ours, and not the signed file's own manifest.
 */
function isBrokenByOthers({ verdict, statuses }: MediaVerification, { manifestLabel }: Expected): boolean {
  const failures = statuses.filter(({ outcome }) => outcome === 'failure');
  return (
    verdict === 'broken' &&
    failures.length > 0 &&
    failures.every(({ url }) => url?.startsWith('self#jumbf=/c2pa/') && !url.includes(`/${manifestLabel}/`))
  );
}

function unkeepable(): ColophonError {
  return new ColophonError(
    'manifest_malformed',
    'An ingredient, or the source, has a manifest that cannot be kept as it is.',
  );
}

/** A token that other readers would not find, or would read as another time, is worth nothing to anybody. */
function refuseOtherTime({ chain }: MediaVerification, timeStamp: SignatureTimeStamp | undefined): void {
  const wanted = timeStamp?.outcome === 'stamped' ? timeStamp.time.getTime() : undefined;
  const read = chain?.signer?.signedAt === undefined ? undefined : Date.parse(chain.signer.signedAt);
  // RFC 3161 times may have fractions; readers show seconds.
  const same = wanted === read || Math.abs((wanted ?? NaN) - (read ?? NaN)) < 1000;
  if (!same) throw new ColophonError('internal', 'The time-stamp of the signed file did not read back.');
}

/** For some types (MP3, FLAC) the library rewrites a file although it embeds nothing; those are never sidecar types. */
function refuseChangedBytes({ sha256 }: MediaVerification, { origin }: SignMediaRequest): void {
  if (sha256 === origin.originalSha256) return;
  throw new ColophonError('internal', 'Signing beside the file changed the file.');
}
