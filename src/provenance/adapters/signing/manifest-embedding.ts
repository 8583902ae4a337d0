import { writeFile } from 'node:fs/promises';
import { Builder, CallbackSigner } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../../shared/bytes.js';
import { timestampUtc, type Clock } from '../../../shared/clock.js';
import { ColophonError, isColophonError } from '../../../shared/errors.js';
import { type ClaimKey } from '../../domain/claim-key.port.js';
import { activeClaim } from '../../domain/jumbf.js';
import { isFileIngredient } from '../../domain/manifest-plan.js';
import { actionsAfterOpening, type Opening, withMetadataAction } from '../../domain/manifest-rules.js';
import { type SignMediaRequest } from '../../domain/media-signer.port.js';
import { type ManifestPlacement } from '../../domain/media-types.js';
import { type SignatureTimeStamp } from '../../domain/time-stamping.port.js';
import { builderSettings, type TrustAnchors } from '../c2pa-settings.js';
import { type ClaimSignature, type CoseSignature, SignatureRoomError } from '../cose-sign1.js';
import { type FoundIngredient } from '../found-ingredients.js';
import { IdentityAssertion } from '../identity-assertion.js';
import { ingredientJson, manifestDefinition } from '../manifest-definition.js';
import { type Expected } from '../read-back.js';
import { completeStore } from '../store-completion.js';
import { replaceStore } from '../store-replacement.js';
import { type WrittenMetadata } from '../xmp/write-metadata.js';
import { embeddedMetadataAssertion, metadataAction } from './file-metadata.js';
import { discardSigned, sidecarOf } from './file-publication.js';

const CLAIM_GENERATOR_NAME = 'Colophon';
const SPECIFICATION_VERSION = '2.4.0';
const THUMBNAIL_IDENTIFIER = 'thumbnail.jpg';

/** Everything that is known when the file is written. */
export interface Prepared {
  readonly request: SignMediaRequest;
  /** The bytes into which the manifest is embedded: the captured ones, or a copy of them with metadata. */
  readonly source: SignMediaRequest['source'];
  readonly written: WrittenMetadata | undefined;
  readonly ingredients: readonly FoundIngredient[];
  readonly opening: Opening;
  readonly placement: ManifestPlacement;
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
}

/** Writes the file with its manifest by the library, and signs the claim by {@link ClaimSignature}. */
export class ManifestEmbedding {
  constructor(
    private readonly options: ManifestEmbeddingOptions,
    private readonly signature: ClaimSignature,
  ) {}

  /** The size of a token is known once there is one; where it was reserved too small the file is laid out again. */
  async embed(prepared: Prepared, temporaryPath: string): Promise<Embedded> {
    try {
      return await this.embedOnce(prepared, temporaryPath);
    } catch (error) {
      if (!(error instanceof SignatureRoomError)) throw error;
      await discardSigned(temporaryPath);
      return this.embedOnce(prepared, temporaryPath);
    }
  }

  private async embedOnce(
    { request, source, written, ingredients, opening, placement }: Prepared,
    temporaryPath: string,
  ): Promise<Embedded> {
    const { plan, origin, thumbnail } = request;
    const { trust, version, clock } = this.options;
    const generator = { name: CLAIM_GENERATOR_NAME, version };
    const planned = actionsAfterOpening(plan, opening, origin.kind);
    const added = written && metadataAction(timestampUtc(clock), generator);
    const actions = withMetadataAction(planned, opening, added);
    const ownAssertions = written === undefined ? [] : [embeddedMetadataAssertion(written)];
    const identities = plan.identities.map((identity) => new IdentityAssertion(identity));
    const definition = manifestDefinition({
      plan,
      mediaType: source.mediaType,
      claimGenerator: { ...generator, specVersion: SPECIFICATION_VERSION },
      actions,
      ingredients,
      openedAt: timestampUtc(clock),
      ownAssertions,
      identityPlaceholders: identities.map(({ placeholder }) => placeholder),
      thumbnailIdentifier: thumbnail && THUMBNAIL_IDENTIFIER,
    });
    const builder = Builder.withJson(definition, builderSettings(trust));
    if (thumbnail !== undefined)
      await builder.addResource(THUMBNAIL_IDENTIFIER, {
        buffer: Buffer.from(thumbnail),
        mimeType: 'image/jpeg',
      });
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
