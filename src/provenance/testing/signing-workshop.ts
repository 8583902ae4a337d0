import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import { normalizePicture } from '../../assets/adapters/normalize-picture.js';
import { systemClock, type Clock } from '../../shared/clock.js';
import { C2paMediaSigner } from '../adapters/c2pa-media-signer.js';
import { C2paReader, fileSha256 } from '../adapters/c2pa-reader.js';
import { openFileKeystore, type FileKeystore } from '../adapters/file-keystore.js';
import { openIdentityAuthority, type IdentityAuthority } from '../adapters/identity-authority.js';
import { openIdentityKey } from '../adapters/identity-key.js';
import { type NamedSubject } from '../domain/identity-issuer.port.js';
import { type SignableMediaType } from '../domain/media-types.js';
import {
  type FileIngredient,
  type ManifestPlan,
  type PlannedAction,
  type PlannedIdentity,
  type SigningOrigin,
} from '../domain/manifest-plan.js';
import { SIDECAR_SUFFIX, type SignedMedia } from '../domain/media-signer.port.js';
import { type Naming } from '../domain/named-actor.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';

export interface MediaFile {
  readonly path: string;
  readonly mediaType: SignableMediaType;
  /** The manifest, where it is a file of its own. */
  readonly manifestPath?: string | undefined;
}

const EXTENSIONS = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/tiff': 'tiff',
  'image/gif': 'gif',
} as const;
/** Types of which {@link SigningWorkshop.picture} makes a new one each time. */
export type PictureType = keyof typeof EXTENSIONS;
export const PICTURE_TYPES = Object.keys(EXTENSIONS) as PictureType[];

/**
 * A callback signer of the native library keeps its process alive until it is garbage collected, half a minute after
 * the last signature. A server ends itself explicitly; a test collects, so that the test run ends when it is done.
 */
export async function releaseSigners(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  for (let round = 0; round < 2; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
}

/** For tests: a temporary folder with a development authority, a signer, a reader and a maker of pictures. */
export class SigningWorkshop {
  private constructor(
    readonly folder: string,
    readonly keystore: FileKeystore,
    readonly signer: C2paMediaSigner,
    readonly reader: C2paReader,
    private readonly identities: IdentityAuthority,
  ) {}

  static async create(options: { clock?: Clock; keyClock?: Clock } = {}): Promise<SigningWorkshop> {
    const clock = options.clock ?? systemClock;
    const folder = await mkdtemp(join(tmpdir(), 'colophon-signing-'));
    const keystore = await openFileKeystore({
      folder: join(folder, 'keys'),
      clock: options.keyClock ?? clock,
    });
    const identities = await openIdentityAuthority({ folder: join(folder, 'keys'), clock });
    const trust = {
      name: 'this installation',
      anchorsPem: keystore.caCertificatePem,
      identityAnchorsPem: identities.certificatePem,
    };
    const reader = new C2paReader({ trust });
    const signer = new C2paMediaSigner({
      key: keystore.claimKey,
      trust,
      sourceInspector: reader,
      version: '0.1.0',
      clock,
    });
    return new SigningWorkshop(folder, keystore, signer, reader, identities);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await releaseSigners();
  }

  newPath(): string {
    return join(this.folder, randomUUID());
  }

  get claimCertificateSha256(): string {
    const { fingerprint256 } = new X509Certificate(this.keystore.claimKey.certificateChainPem);
    return fingerprint256.replaceAll(':', '').toLowerCase();
  }

  async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  async write(bytes: Uint8Array): Promise<string> {
    const path = this.newPath();
    await writeFile(path, bytes);
    return path;
  }

  /** A picture of noise, so that its bytes are unlike any other's. */
  async picture(mediaType: PictureType = 'image/png', size = 64): Promise<MediaFile> {
    const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
    const image = sharp({ create: { width: size, height: size, channels: 3, background: '#888', noise } });
    return { path: await this.write(await image.toFormat(EXTENSIONS[mediaType]).toBuffer()), mediaType };
  }

  async sign(
    source: MediaFile,
    plan: ManifestPlan = generatedPlan(),
    kind: SigningOrigin['kind'] = 'captured_from_provider',
  ): Promise<MediaFile & { readonly signed: SignedMedia }> {
    const destinationPath = this.newPath();
    const originalSha256 = await fileSha256(source.path);
    const origin: SigningOrigin =
      kind === 'captured_from_provider'
        ? { kind, originalSha256, stepRunId: 'stp_test' }
        : { kind, originalSha256, assetId: 'ast_test' };
    const thumbnail = plan.thumbnail ? (await normalizePicture(source.path)).thumbnail : undefined;
    const signed = await this.signer.sign({ source, destinationPath, origin, plan, thumbnail });
    const manifestPath =
      signed.manifestPlacement === 'sidecar' ? `${destinationPath}${SIDECAR_SUFFIX}` : undefined;
    return { path: destinationPath, mediaType: source.mediaType, manifestPath, signed };
  }

  /** Trust for other readers: the anchor of claims and that of named actors. */
  get anchors(): { readonly claims: string; readonly identities: string } {
    return { claims: this.keystore.caCertificatePem, identities: this.identities.certificatePem };
  }

  /** The key of a named actor. */
  async naming(subject: NamedSubject = { organization: 'Acme', person: undefined }): Promise<Naming> {
    const credential = await this.identities.issue(subject);
    const { key, isTrustedHere } = openIdentityKey(credential, systemClock.now(), this.anchors.identities);
    return { key, isTrustedHere };
  }

  async identity(
    roles: PlannedIdentity['roles'],
    references: readonly string[] = [],
    subject?: NamedSubject,
  ): Promise<PlannedIdentity> {
    return { ...(await this.naming(subject)), roles, references };
  }

  async verify(file: MediaFile): Promise<MediaVerification> {
    return this.reader.verify(file);
  }
}

export function action(
  name: string,
  digitalSourceType: PlannedAction['digitalSourceType'],
  description = 'Done',
): PlannedAction {
  return {
    action: name,
    digitalSourceType,
    when: '2026-11-22T10:00:00.000Z',
    softwareAgent: { name: 'studio', version: '1.0.0' },
    description,
  };
}

export function generatedPlan(plan: Partial<ManifestPlan> = {}): ManifestPlan {
  return {
    title: 'Product shot',
    actions: [action('c2pa.created', 'trainedAlgorithmicMedia')],
    ingredients: [],
    allActionsIncluded: true,
    assertions: [],
    identities: [],
    embeddedMetadata: undefined,
    thumbnail: false,
    ...plan,
  };
}

export function parentOf(file: MediaFile, title = 'Parent'): FileIngredient {
  return {
    path: file.path,
    mediaType: file.mediaType,
    title,
    relationship: 'parentOf',
    digitalSourceType: undefined,
  };
}
