import { stat, writeFile } from 'node:fs/promises';
import { Builder, CallbackSigner, type DestinationAsset } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../../shared/bytes.js';
import { timestampUtc, type Clock } from '../../../shared/clock.js';
import { ColophonError, isColophonError } from '../../../shared/errors.js';
import { type ClaimKey } from '../../domain/claim-key.port.js';
import { activeClaim } from '../../domain/jumbf.js';
import { isFileIngredient, type PlannedAction, type PlannedAssertion } from '../../domain/manifest-plan.js';
import { actionsAfterOpening, type Opening, withMetadataAction } from '../../domain/manifest-rules.js';
import { type SignMediaRequest } from '../../domain/media-signer.port.js';
import { type ManifestPlacement } from '../../domain/media-types.js';
import { type SignatureTimeStamp } from '../../domain/time-stamping.port.js';
import { builderSettings, type TrustAnchors } from '../c2pa-settings.js';
import { type ClaimSignature, type CoseSignature, SignatureRoomError } from '../cose-sign1.js';
import { type FoundIngredient } from '../found-ingredients.js';
import { IdentityAssertion } from '../identity-assertion.js';
import { LARGE_FILE_MEMORY, type LargeFileMemory } from '../large-file-memory.js';
import { ingredientJson, manifestDefinition } from '../manifest-definition.js';
import { type LibraryAsset, type MediaContent, type OpenFile } from '../media-content.js';
import { type Expected } from '../read-back.js';
import { completeStore } from '../store-completion.js';
import { replaceStore } from '../store-replacement.js';
import { type WrittenMetadata } from '../xmp/write-metadata.js';
import { embeddedMetadataAssertion, metadataAction } from './file-metadata.js';
import { sidecarOf } from './file-publication.js';
import { embedInLargeWave, largeWave, type PlacedStore } from './large-wave.js';

const CLAIM_GENERATOR_NAME = 'Colophon';
const SPECIFICATION_VERSION = '2.4.0';
const THUMBNAIL_IDENTIFIER = 'thumbnail.jpg';

/** Everything that is known when the file is written. */
export interface Prepared {
  readonly request: SignMediaRequest;
  /** The bytes that were captured. */
  readonly captured: MediaContent;
  /** The bytes into which the manifest is embedded: the captured ones, or a copy of them that was prepared. */
  readonly content: MediaContent;
  readonly written: WrittenMetadata | undefined;
  readonly ingredients: readonly FoundIngredient[];
  readonly opening: Opening;
  readonly placement: ManifestPlacement;
  /** What was done to the captured bytes before, but for metadata. */
  readonly preparations: readonly PlannedAssertion[];
}

/** A file on the disk with its manifest, but for the signature, for which it has room. */
export interface LaidOut {
  readonly expected: Omit<Expected, 'manifestLabel' | 'manifestSha256' | 'claimSha256'>;
  readonly identities: readonly IdentityAssertion[];
  /** The manifest store with placeholders. */
  readonly store: Buffer;
  /** Where it begins in the file, where that is known. */
  readonly storeAt: number | undefined;
  readonly placement: ManifestPlacement;
  readonly reservedBytes: number;
}

export interface Embedded {
  readonly expected: Expected;
  readonly timeStamp: SignatureTimeStamp | undefined;
}

export interface ManifestEmbeddingOptions {
  readonly key: Pick<ClaimKey, 'algorithm' | 'certificateChainPem'>;
  readonly trust: TrustAnchors;
  /** Of this program. */
  readonly version: string;
  readonly clock: Clock;
  readonly memory?: LargeFileMemory;
}

/**
 * Writes the file with its manifest by the library, and signs the claim by {@link ClaimSignature}. In two steps, because
 * the first takes processor time and memory, and the second waits for a key and a time-stamp authority elsewhere.
 */
export class ManifestEmbedding {
  private placeholder: { readonly reservedBytes: number; readonly signer: CallbackSigner } | undefined;

  constructor(
    private readonly options: ManifestEmbeddingOptions,
    private readonly signature: ClaimSignature,
  ) {}

  /** The library writes the file with a placeholder for the signature. */
  async layOut(prepared: Prepared, path: string): Promise<LaidOut> {
    const { request, written, ingredients, placement, preparations } = prepared;
    const { plan, thumbnail } = request;
    const ownAssertions = [...preparations, ...(written ? [embeddedMetadataAssertion(written)] : [])];
    const identities = plan.identities.map((identity) => new IdentityAssertion(identity));
    const actions = this.actionsOf(prepared);
    const definition = manifestDefinition({
      plan,
      mediaType: request.source.mediaType,
      claimGenerator: { ...this.generator, specVersion: SPECIFICATION_VERSION },
      actions,
      ingredients,
      openedAt: timestampUtc(this.options.clock),
      ownAssertions,
      identityPlaceholders: identities.map(({ placeholder }) => placeholder),
      thumbnailIdentifier: thumbnail && THUMBNAIL_IDENTIFIER,
    });
    const builder = Builder.withJson(definition, builderSettings(this.options.trust));
    if (thumbnail !== undefined)
      await builder.addResource(THUMBNAIL_IDENTIFIER, {
        buffer: Buffer.from(thumbnail),
        mimeType: 'image/jpeg',
      });
    if (placement === 'sidecar') builder.setNoEmbed(true);
    const reservedBytes = this.signature.sizeBytes;
    const signer = this.placeholderSigner(reservedBytes);
    const memory = this.options.memory ?? LARGE_FILE_MEMORY;
    const { store, storeAt } = await memory.run(await largestBytes(prepared), async () => {
      for (const found of ingredients) await addIngredient(builder, found, ingredientAsset(found, prepared));
      return writeFileWith(builder, signer, prepared, path);
    });
    const identityCertificates = identities.map(({ certificateSha256 }) => certificateSha256);
    const packet = written?.packet;
    const expected = { plan, actions, ingredients, ownAssertions, identityCertificates, packet };
    return { expected, identities, store, storeAt, placement, reservedBytes };
  }

  /**
   * Signs once, over the claim as it is when everything else stands in the file.
   * @param file for reading and writing
   * @throws SignatureRoomError when the token does not fit into what was reserved: its size is known once there is one,
   *   and the file is to be laid out again
   */
  async complete(
    { expected, identities, store, storeAt, placement, reservedBytes }: LaidOut,
    file: OpenFile,
  ): Promise<Embedded> {
    let timeStamp: SignatureTimeStamp | undefined;
    const completed = await completeStore(store, identities, async (claim) => {
      const signature = await this.signClaim(claim, reservedBytes);
      timeStamp = signature.timeStamp;
      return signature.cose;
    });
    if (placement === 'sidecar') {
      await writeFile(sidecarOf(file.path), completed.store, { flag: 'wx', mode: 0o600 });
    } else await replaceStore(file, store, completed.store, storeAt);
    const hashes = {
      manifestLabel: activeClaim(completed.store)?.manifestLabel ?? '',
      manifestSha256: sha256Hex(completed.store),
      claimSha256: sha256Hex(completed.claim),
    };
    return { expected: { ...expected, ...hashes }, timeStamp };
  }

  private get generator(): { readonly name: string; readonly version: string } {
    return { name: CLAIM_GENERATOR_NAME, version: this.options.version };
  }

  private actionsOf({ request, written, opening }: Prepared): readonly PlannedAction[] {
    const planned = actionsAfterOpening(request.plan, opening, request.origin.kind);
    const added = written && metadataAction(timestampUtc(this.options.clock), this.generator);
    return withMetadataAction(planned, opening, added);
  }

  /** For the same number of bytes the same one: making it reads the certificates. */
  private placeholderSigner(reservedBytes: number): CallbackSigner {
    if (this.placeholder?.reservedBytes !== reservedBytes)
      this.placeholder = { reservedBytes, signer: this.newPlaceholderSigner(reservedBytes) };
    return this.placeholder.signer;
  }

  private newPlaceholderSigner(reservedBytes: number): CallbackSigner {
    const { algorithm, certificateChainPem } = this.options.key;
    return CallbackSigner.newSigner(
      {
        alg: algorithm,
        certs: [Buffer.from(certificateChainPem)],
        reserveSize: reservedBytes,
        directCoseHandling: true,
      },
      () => Promise.resolve(Buffer.alloc(reservedBytes)),
    );
  }

  private async signClaim(claim: Uint8Array, reservedBytes: number): Promise<CoseSignature> {
    try {
      return await this.signature.sign(claim, reservedBytes);
    } catch (error) {
      if (isColophonError(error) || error instanceof SignatureRoomError) throw error;
      throw new ColophonError('signer_unavailable', 'The claim key could not sign.', { cause: error });
    }
  }
}

/** The library reads the ingredients, too, one after the other. */
async function largestBytes({ content, ingredients }: Prepared): Promise<number> {
  const files = ingredients.map(({ ingredient }) => ingredient).filter(isFileIngredient);
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size));
  return Math.max(content.sizeBytes, ...sizes);
}

/** Where the source itself is an ingredient, its bytes are those that were compared with their hash. */
function ingredientAsset(
  { ingredient }: FoundIngredient,
  { request, captured }: Prepared,
): LibraryAsset | undefined {
  if (!isFileIngredient(ingredient)) return undefined;
  const { path, mediaType } = ingredient;
  return path === request.source.path ? captured.asset(mediaType) : { path, mimeType: mediaType };
}

async function addIngredient(
  builder: Builder,
  found: FoundIngredient,
  asset: LibraryAsset | undefined,
): Promise<void> {
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

/** By the library, but for large WAV files, whose bytes it does not see. */
async function writeFileWith(
  builder: Builder,
  signer: CallbackSigner,
  { request, content, placement }: Prepared,
  path: string,
): Promise<Omit<PlacedStore, 'storeAt'> & { readonly storeAt?: number }> {
  const mimeType = request.source.mediaType;
  const wave = placement === 'embedded' ? await largeWave(content, mimeType) : undefined;
  if (wave !== undefined)
    return embedInLargeWave(wave, path, (buffer) =>
      writeUnsigned(builder, signer, { buffer, mimeType }, { buffer: null, mimeType }),
    );
  // From memory, where the bytes are there, but always to the disk: what the library gives back in memory it copies
  // twice in the turn of the event loop.
  return { store: await writeUnsigned(builder, signer, content.asset(mimeType), { path, mimeType }) };
}

/** @returns the manifest store */
async function writeUnsigned(
  builder: Builder,
  signer: CallbackSigner,
  source: LibraryAsset,
  destination: DestinationAsset,
): Promise<Buffer> {
  try {
    return await builder.signAsync(signer, source, destination);
  } catch (cause) {
    // Ours is in the making: it is the claim of a manifest that the source or an ingredient has.
    if (cause instanceof Error && /\bclaim\b/i.test(cause.message))
      throw new ColophonError('manifest_malformed', 'The manifest of this file cannot be kept.', { cause });
    throw new ColophonError('media_corrupt', 'No manifest could be embedded into this file.', { cause });
  }
}
