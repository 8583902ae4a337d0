import { randomUUID } from 'node:crypto';
import { link, lstat, open, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Builder, CallbackSigner } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../shared/bytes.js';
import { timestampUtc, type Clock } from '../../shared/clock.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { activeClaim } from '../domain/jumbf.js';
import { type ClaimKey } from '../domain/claim-key.port.js';
import {
  actionsAfterOpening,
  checkManifestPlan,
  METADATA_ACTION,
  type Opening,
  withMetadataAction,
} from '../domain/manifest-rules.js';
import { isFileIngredient, type PlannedAction, type PlannedAssertion } from '../domain/manifest-plan.js';
import {
  type MediaSigner,
  SIDECAR_SUFFIX,
  type SignedMedia,
  type SignMediaRequest,
} from '../domain/media-signer.port.js';
import { manifestPlacementOf, type ManifestPlacement } from '../domain/media-types.js';
import { type MediaVerification, type MediaVerifier } from '../domain/media-verifier.port.js';
import { C2paReader, fileSha256, readManifestStore } from './c2pa-reader.js';
import { builderSettings, type TrustAnchors } from './c2pa-settings.js';
import { type SignatureTimeStamp, type SignatureTimeStamping } from '../domain/time-stamping.port.js';
import { ClaimSignature, type CoseSignature, SignatureRoomError } from './cose-sign1.js';
import { ingredientJson, manifestDefinition } from './manifest-definition.js';
import { findIngredients, openingOf, type FoundIngredient, type KeptManifest } from './found-ingredients.js';
import { IdentityAssertion } from './identity-assertion.js';
import { type ReadBack, readBackDifference, type Expected } from './read-back.js';
import { completeStore } from './store-completion.js';
import { replaceStore } from './store-replacement.js';
import { copyWithMetadata, readPacket, type WrittenMetadata } from './xmp/write-metadata.js';

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
}

const CLAIM_GENERATOR_NAME = 'Colophon';
const SPECIFICATION_VERSION = '2.4.0';

/** {@link MediaSigner} over the C2PA library, path to path. Signatures are made by {@link ClaimSignature}. */
export class C2paMediaSigner implements MediaSigner {
  private readonly reader: C2paReader;
  private readonly signature: ClaimSignature;

  constructor(private readonly options: C2paMediaSignerOptions) {
    this.reader = new C2paReader({ trust: options.trust });
    this.signature = new ClaimSignature(options.key, options.timeStamping);
  }

  async sign(request: SignMediaRequest): Promise<SignedMedia> {
    checkManifestPlan(request.plan);
    this.refuseExpiredCertificate();
    await refuseExisting(request.destinationPath);
    await refuseOtherBytes(request);
    const { kept, placement } = await this.inspectSource(request);
    const ingredients = await findIngredients(request, kept);
    // If we die from here on, a file with this suffix is left beside the destination; nothing refers to it, and the
    // owner of the folder sweeps it at a later start.
    const temporaryPath = `${request.destinationPath}.${randomUUID()}.unverified`;
    const preparedPath = `${temporaryPath}.unsigned`;
    try {
      const written = await this.writeMetadata(request, preparedPath, placement);
      const source = written === undefined ? request.source : { ...request.source, path: preparedPath };
      const opening = openingOf(ingredients, kept);
      const prepared = { request, source, written, ingredients, opening, placement };
      const { expected, timeStamp } = await this.embedWithRoom(prepared, temporaryPath);
      const actual = await this.readBack(temporaryPath, expected, placement);
      refuseOtherTime(actual, timeStamp);
      if (placement === 'sidecar') {
        refuseChangedBytes(actual, request);
        await publish(sidecarOf(temporaryPath), sidecarOf(request.destinationPath));
      }
      await publish(temporaryPath, request.destinationPath);
      return { ...this.result(actual, expected, kept, timeStamp), manifestPlacement: placement };
    } finally {
      await rm(temporaryPath, { force: true });
      await rm(sidecarOf(temporaryPath), { force: true });
      await rm(preparedPath, { force: true });
    }
  }

  /** The captured bytes were compared with their hash before; what is added here stands in the plan. */
  private async writeMetadata(
    { source, plan }: SignMediaRequest,
    targetPath: string,
    placement: ManifestPlacement,
  ): Promise<WrittenMetadata | undefined> {
    // A file with its manifest beside it stays as it came, to the byte.
    if (placement === 'sidecar') return undefined;
    return plan.embeddedMetadata && copyWithMetadata(source, plan.embeddedMetadata, targetPath);
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

  /** Type by bytes, and what the manifest of the source is worth if it has one. */
  private async inspectSource({
    source,
  }: SignMediaRequest): Promise<{ kept: KeptManifest | undefined; placement: ManifestPlacement }> {
    const { mediaType, store, canCarry } = await readManifestStore(source.path);
    if (mediaType !== source.mediaType) {
      throw new ColophonError(
        'unsupported_media',
        `The bytes are ${mediaType}, but were declared as ${source.mediaType}.`,
      );
    }
    const placement = manifestPlacementOf(mediaType);
    if (placement === 'sidecar') return { kept: undefined, placement };
    if (!canCarry)
      throw new ColophonError('unsupported_media', 'No manifest can be embedded into this file.');
    // The library may find a manifest where our own extraction sees none; it must not be dropped silently.
    if (store === undefined && !(await this.reader.findsManifest(source.path, mediaType))) {
      return { kept: undefined, placement };
    }
    const { verdict, chain } = await this.options.sourceInspector.verify({ ...source, mayBeLarge: true });
    const kept = verdict === 'none' ? undefined : { verdict, manifestLabel: chain?.manifestLabel };
    return { kept, placement };
  }

  /** The size of a token is known once there is one; where it was reserved too small the file is laid out again. */
  private async embedWithRoom(prepared: Prepared, temporaryPath: string): Promise<Embedded> {
    try {
      return await this.embed(prepared, temporaryPath);
    } catch (error) {
      if (!(error instanceof SignatureRoomError)) throw error;
      await rm(temporaryPath, { force: true });
      await rm(sidecarOf(temporaryPath), { force: true });
      return this.embed(prepared, temporaryPath);
    }
  }

  private async embed(
    { request, source, written, ingredients, opening, placement }: Prepared,
    temporaryPath: string,
  ): Promise<Embedded> {
    const { plan, origin } = request;
    const planned = actionsAfterOpening(plan, opening, origin.kind);
    const actions = withMetadataAction(planned, opening, written && this.metadataAction());
    const ownAssertions = written === undefined ? [] : [embeddedMetadataAssertion(written)];
    const identities = plan.identities.map((identity) => new IdentityAssertion(identity));
    const definition = manifestDefinition({
      plan,
      mediaType: source.mediaType,
      claimGenerator: {
        name: CLAIM_GENERATOR_NAME,
        version: this.options.version,
        specVersion: SPECIFICATION_VERSION,
      },
      actions,
      ingredients,
      openedAt: timestampUtc(this.options.clock),
      ownAssertions,
      identityPlaceholders: identities.map(({ placeholder }) => placeholder),
    });
    const builder = Builder.withJson(definition, builderSettings(this.options.trust, plan.thumbnail));
    for (const found of ingredients) await addIngredient(builder, found);
    if (placement === 'sidecar') builder.setNoEmbed(true);
    const { store, claim, timeStamp } = await this.signWith(builder, source, identities, {
      temporaryPath,
      placement,
    });
    const expected = {
      plan,
      actions,
      ingredients,
      ownAssertions,
      identityCertificates: identities.map(({ certificateSha256 }) => certificateSha256),
      packet: written?.packet,
      manifestLabel: activeClaim(store)?.manifestLabel ?? '',
      manifestSha256: sha256Hex(store),
      claimSha256: sha256Hex(claim),
    };
    return { expected, timeStamp };
  }

  private metadataAction(): PlannedAction {
    return {
      action: METADATA_ACTION,
      digitalSourceType: undefined,
      when: timestampUtc(this.options.clock),
      softwareAgent: { name: CLAIM_GENERATOR_NAME, version: this.options.version },
      description: 'Metadata written into the file; the picture itself is unchanged',
    };
  }

  /**
   * The library writes the file with a placeholder for the signature; the real one is made once, over the claim as it is
   * when everything else stands in the file.
   *
   * @returns the manifest store as it is embedded, and the claim bytes that were signed
   */
  private async signWith(
    builder: Builder,
    source: SignMediaRequest['source'],
    identities: readonly IdentityAssertion[],
    { temporaryPath, placement }: { readonly temporaryPath: string; readonly placement: ManifestPlacement },
  ): Promise<{ store: Buffer; claim: Buffer; timeStamp: SignatureTimeStamp | undefined }> {
    const placeholder = Buffer.alloc(this.signature.sizeBytes);
    const signer = CallbackSigner.newSigner(
      {
        alg: this.options.key.algorithm,
        certs: [Buffer.from(this.options.key.certificateChainPem)],
        reserveSize: placeholder.length,
        directCoseHandling: true,
      },
      () => Promise.resolve(placeholder),
    );
    const written = await writeUnsigned(builder, signer, source, temporaryPath);
    let timeStamp: SignatureTimeStamp | undefined;
    const completed = await completeStore(written, identities, async (claim) => {
      const signature = await this.signClaim(claim, placeholder.length);
      timeStamp = signature.timeStamp;
      return signature.cose;
    });
    if (placement === 'sidecar') {
      await writeFile(sidecarOf(temporaryPath), completed.store, { flag: 'wx', mode: 0o600 });
    } else await replaceStore(temporaryPath, written, completed.store);
    return { ...completed, timeStamp };
  }

  private async signClaim(claim: Uint8Array, reservedBytes: number): Promise<CoseSignature> {
    try {
      return await this.signature.sign(claim, reservedBytes);
    } catch (error) {
      if (isColophonError(error) || error instanceof SignatureRoomError) throw error;
      throw new ColophonError('signer_unavailable', 'The claim key could not sign.', { cause: error });
    }
  }

  /** The file must be on the disk, not only in a cache, before anything is recorded about it. */
  private async readBack(path: string, expected: Expected, placement: ManifestPlacement): Promise<ReadBack> {
    const manifestPath = placement === 'sidecar' ? sidecarOf(path) : undefined;
    await syncFile(path);
    if (manifestPath !== undefined) await syncFile(manifestPath);
    const verified = await this.reader.verify({ path, mediaType: '', manifestPath });
    const actual = { ...verified, packet: await readPacket(path, verified.mediaType) };
    const difference = readBackDifference(actual, expected);
    if (difference === undefined) return actual;
    throw new ColophonError('internal', `The signed file did not read back as planned: ${difference}.`);
  }

  private result(
    actual: ReadBack,
    expected: Expected,
    keptManifest: KeptManifest | undefined,
    timeStamp: SignatureTimeStamp | undefined,
  ): Omit<SignedMedia, 'manifestPlacement'> {
    return {
      sha256: actual.sha256,
      sizeBytes: actual.sizeBytes,
      claimSha256: expected.claimSha256,
      manifestSha256: expected.manifestSha256,
      manifestLabel: expected.manifestLabel,
      certificateSha256: this.signature.certificateSha256,
      timeStamp,
      keptManifest,
    };
  }
}

interface Embedded {
  readonly expected: Expected;
  readonly timeStamp: SignatureTimeStamp | undefined;
}

/** A token that other readers would not find, or would read as another time, is worth nothing to anybody. */
function refuseOtherTime({ chain }: MediaVerification, timeStamp: SignatureTimeStamp | undefined): void {
  const wanted = timeStamp?.outcome === 'stamped' ? timeStamp.time.getTime() : undefined;
  const read = chain?.signer?.signedAt === undefined ? undefined : Date.parse(chain.signer.signedAt);
  // RFC 3161 times may have fractions; readers show seconds.
  const same = wanted === read || Math.abs((wanted ?? NaN) - (read ?? NaN)) < 1000;
  if (!same) throw new ColophonError('internal', 'The time-stamp of the signed file did not read back.');
}

function sidecarOf(path: string): string {
  return `${path}${SIDECAR_SUFFIX}`;
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For some types (MP3, FLAC) the library rewrites a file although it embeds nothing; those are never sidecar types. */
function refuseChangedBytes({ sha256 }: MediaVerification, { origin }: SignMediaRequest): void {
  if (sha256 === origin.originalSha256) return;
  throw new ColophonError('internal', 'Signing beside the file changed the file.');
}

/** Everything that is known when the file is written. */
interface Prepared {
  readonly request: SignMediaRequest;
  /** The bytes into which the manifest is embedded: the captured ones, or a copy of them with metadata. */
  readonly source: SignMediaRequest['source'];
  readonly written: WrittenMetadata | undefined;
  readonly ingredients: readonly FoundIngredient[];
  readonly opening: Opening;
  readonly placement: ManifestPlacement;
}

/** What was written into the file itself, so that the change can be told from one that somebody else made. */
function embeddedMetadataAssertion({ properties, replaced }: WrittenMetadata): PlannedAssertion {
  const listed = (texts: WrittenMetadata['properties']) =>
    texts.map(({ namespace, name, value }) => ({ namespace, name, value }));
  return {
    label: 'org.colophon.embedded-metadata',
    kind: 'created',
    data: { format: 'xmp', properties: listed(properties), replaced: listed(replaced) },
  };
}

async function addIngredient(builder: Builder, found: FoundIngredient): Promise<void> {
  const { ingredient } = found;
  const asset = isFileIngredient(ingredient)
    ? { path: ingredient.path, mimeType: ingredient.mediaType }
    : undefined;
  try {
    await builder.addIngredient(ingredientJson(found), asset);
  } catch (cause) {
    throw new ColophonError(
      'manifest_malformed',
      'An ingredient, or the source, has a manifest that cannot be kept.',
      { cause },
    );
  }
}

async function writeUnsigned(
  builder: Builder,
  signer: CallbackSigner,
  source: SignMediaRequest['source'],
  temporaryPath: string,
): Promise<Buffer> {
  try {
    return await builder.signAsync(
      signer,
      { path: source.path, mimeType: source.mediaType },
      { path: temporaryPath, mimeType: source.mediaType },
    );
  } catch (cause) {
    throw new ColophonError('media_corrupt', 'No manifest could be embedded into this file.', { cause });
  }
}

async function refuseExisting(path: string): Promise<void> {
  const existing = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (existing) throw new ColophonError('internal', 'The destination of a signed file exists already.');
}

/** Promise P9: bytes that nobody captured or declared are not signed, whoever asks. */
async function refuseOtherBytes({ source, origin }: SignMediaRequest): Promise<void> {
  if ((await fileSha256(source.path)) === origin.originalSha256) return;
  throw new ColophonError(
    'source_not_allowed',
    'The bytes to be signed are not the bytes that were received.',
  );
}

/**
 * Gives the verified file its name. `link` fails where `rename` would overwrite. If we die in between, the file has
 * both names, and both are good.
 */
async function publish(temporaryPath: string, destinationPath: string): Promise<void> {
  try {
    await link(temporaryPath, destinationPath);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new ColophonError('internal', 'The destination of a signed file exists already.', { cause });
  }
  const folder = await open(dirname(destinationPath), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
