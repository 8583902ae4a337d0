import { randomUUID } from 'node:crypto';
import { link, lstat, open, rm } from 'node:fs/promises';
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
import { type MediaSigner, type SignedMedia, type SignMediaRequest } from '../domain/media-signer.port.js';
import { type MediaVerifier } from '../domain/media-verifier.port.js';
import { C2paReader, fileSha256, readManifestStore } from './c2pa-reader.js';
import { builderSettings, type TrustAnchors } from './c2pa-settings.js';
import { ClaimSignature } from './cose-sign1.js';
import { ingredientJson, manifestDefinition } from './manifest-definition.js';
import { findIngredients, openingOf, type FoundIngredient, type KeptManifest } from './found-ingredients.js';
import { IdentityAssertion } from './identity-assertion.js';
import { type ReadBack, readBackDifference, type Expected } from './read-back.js';
import { completeStore } from './store-completion.js';
import { replaceStore } from './store-replacement.js';
import { copyWithMetadata, readPacket, type WrittenMetadata } from './xmp/write-metadata.js';

export interface C2paMediaSignerOptions {
  readonly key: ClaimKey;
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
    this.signature = new ClaimSignature(options.key);
  }

  async sign(request: SignMediaRequest): Promise<SignedMedia> {
    checkManifestPlan(request.plan);
    this.refuseExpiredCertificate();
    await refuseExisting(request.destinationPath);
    await refuseOtherBytes(request);
    const kept = await this.inspectSource(request);
    const ingredients = await findIngredients(request, kept);
    // If we die from here on, a file with this suffix is left beside the destination; nothing refers to it, and the
    // owner of the folder sweeps it at a later start.
    const temporaryPath = `${request.destinationPath}.${randomUUID()}.unverified`;
    const preparedPath = `${temporaryPath}.unsigned`;
    try {
      const written = await this.writeMetadata(request, preparedPath);
      const source = written === undefined ? request.source : { ...request.source, path: preparedPath };
      const opening = openingOf(ingredients, kept);
      const expected = await this.embed({ request, source, written, ingredients, opening }, temporaryPath);
      const actual = await this.readBack(temporaryPath, expected);
      await publish(temporaryPath, request.destinationPath);
      return this.result(actual, expected, kept);
    } finally {
      await rm(temporaryPath, { force: true });
      await rm(preparedPath, { force: true });
    }
  }

  /** The captured bytes were compared with their hash before; what is added here stands in the plan. */
  private async writeMetadata(
    { source, plan }: SignMediaRequest,
    targetPath: string,
  ): Promise<WrittenMetadata | undefined> {
    return plan.embeddedMetadata && copyWithMetadata(source, plan.embeddedMetadata, targetPath);
  }

  private refuseExpiredCertificate(): void {
    const { certificateNotAfter } = this.options.key;
    if (certificateNotAfter.getTime() > this.options.clock.now().getTime()) return;
    throw new ColophonError(
      'signer_unavailable',
      `The claim-signing certificate expired on ${certificateNotAfter.toISOString()}. Install a new one.`,
    );
  }

  /** Type by bytes, and what the manifest of the source is worth if it has one. */
  private async inspectSource({ source }: SignMediaRequest): Promise<KeptManifest | undefined> {
    const { mediaType, store } = await readManifestStore(source.path);
    if (mediaType !== source.mediaType) {
      throw new ColophonError(
        'unsupported_media',
        `The bytes are ${mediaType}, but were declared as ${source.mediaType}.`,
      );
    }
    // The library may find a manifest where our own extraction sees none; it must not be dropped silently.
    if (store === undefined && !(await this.reader.findsManifest(source.path, mediaType))) return undefined;
    const { verdict, chain } = await this.options.sourceInspector.verify(source);
    return verdict === 'none' ? undefined : { verdict, manifestLabel: chain?.manifestLabel };
  }

  private async embed(
    { request, source, written, ingredients, opening }: Prepared,
    temporaryPath: string,
  ): Promise<Expected> {
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
    const { store, claim } = await this.signWith(builder, source, identities, temporaryPath);
    return {
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
    temporaryPath: string,
  ): Promise<{ store: Buffer; claim: Buffer }> {
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
    const completed = await completeStore(written, identities, (claim) => this.signClaim(claim));
    await replaceStore(temporaryPath, written, completed.store);
    return completed;
  }

  private async signClaim(claim: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.signature.sign(claim);
    } catch (error) {
      if (isColophonError(error)) throw error;
      throw new ColophonError('signer_unavailable', 'The claim key could not sign.', { cause: error });
    }
  }

  /** The file must be on the disk, not only in a cache, before anything is recorded about it. */
  private async readBack(path: string, expected: Expected): Promise<ReadBack> {
    const handle = await open(path, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    const verified = await this.reader.verify({ path, mediaType: '' });
    const actual = { ...verified, packet: await readPacket(path, verified.mediaType) };
    const difference = readBackDifference(actual, expected);
    if (difference === undefined) return actual;
    throw new ColophonError('internal', `The signed file did not read back as planned: ${difference}.`);
  }

  private result(actual: ReadBack, expected: Expected, keptManifest: KeptManifest | undefined): SignedMedia {
    return {
      sha256: actual.sha256,
      sizeBytes: actual.sizeBytes,
      claimSha256: expected.claimSha256,
      manifestSha256: expected.manifestSha256,
      manifestLabel: expected.manifestLabel,
      certificateSha256: this.signature.certificateSha256,
      keptManifest,
    };
  }
}

/** Everything that is known when the file is written. */
interface Prepared {
  readonly request: SignMediaRequest;
  /** The bytes into which the manifest is embedded: the captured ones, or a copy of them with metadata. */
  readonly source: SignMediaRequest['source'];
  readonly written: WrittenMetadata | undefined;
  readonly ingredients: readonly FoundIngredient[];
  readonly opening: Opening;
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
