import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Reader } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { brokenIngredients } from '../domain/chain-failures.js';
import { detectMediaType, isJpegXlCodestream } from '../domain/detect-media-type.js';
import { embeddableMediaType, type SignableMediaType } from '../domain/media-types.js';
import {
  type FileToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../domain/media-verifier.port.js';
import { verificationSentences } from '../domain/verification-sentences.js';
import { ByteSource } from './byte-source.js';
import { readerSettings, type TrustAnchors } from './c2pa-settings.js';
import { allStatuses, chainTree } from './chain-tree.js';
import { activeClaim } from '../domain/jumbf.js';
import { extractManifestStore } from './manifest-store-extraction.js';
import { MAX_STORE_BYTES } from './manifest-store-slice.js';
import { manifestStoreReport, type ManifestStoreReport } from './manifest-store-schema.js';

/** The report of a hostile manifest can be far larger than the manifest. 32 Mi characters. */
const MAX_REPORT_CHARACTERS = 32 * 1024 * 1024;

/**
 * Verifies inside this process. For files that this program wrote itself, and for the command line; files of
 * strangers go through {@link VerificationProcess}, which runs this class in a child process.
 */
export class C2paReader implements MediaVerifier {
  private readonly settings: string;

  constructor(private readonly options: { readonly trust: TrustAnchors | undefined }) {
    this.settings = readerSettings(options.trust);
  }

  async verify(file: FileToVerify): Promise<MediaVerification> {
    // The library reads on its own threads, so hashing costs no extra time.
    const [read, sizeBytes, sha256] = await Promise.all([
      this.read(file),
      stat(file.path).then((status) => status.size),
      fileSha256(file.path),
    ]);
    const { mediaType, store, report, isSidecar } = read;
    const claim = store && activeClaim(store);
    const facts = this.judge(report, mediaType);
    return {
      sha256,
      sizeBytes,
      mediaType,
      ...facts,
      brokenIngredient: facts.chain !== undefined && brokenIngredients(facts.chain).length > 0,
      manifestPlacement: facts.chain && (isSidecar ? 'sidecar' : 'embedded'),
      manifestSha256: store && sha256Hex(store),
      claimSha256: claim && sha256Hex(claim.claim),
      sentences: verificationSentences(facts),
    };
  }

  private async read({ path, sidecarPath }: FileToVerify): Promise<{
    mediaType: SignableMediaType;
    store: Buffer | undefined;
    report: ManifestStoreReport | undefined;
    isSidecar: boolean;
  }> {
    const { mediaType, store: embedded, canCarry } = await readManifestStore(path);
    const carried = canCarry ? await this.report({ path, mediaType }, embedded, false) : undefined;
    if (sidecarPath === undefined) return { mediaType, store: embedded, report: carried, isSidecar: false };
    if (embedded !== undefined || carried !== undefined) {
      throw new ColophonError('sidecar_not_needed', 'The file carries a manifest of its own.');
    }
    const store = await readSidecar(sidecarPath);
    return { mediaType, store, report: await this.report({ path, mediaType }, store, true), isSidecar: true };
  }

  private judge(
    report: ManifestStoreReport | undefined,
    mediaType: string,
  ): Pick<MediaVerification, 'verdict' | 'trustedBy' | 'chain' | 'statuses'> {
    const chain = report && chainTree(report, mediaType);
    if (report === undefined || chain === undefined) {
      return { verdict: 'none', trustedBy: undefined, chain: undefined, statuses: [] };
    }
    const codes = report.validation_results?.activeManifest;
    const deltas = report.validation_results?.ingredientDeltas ?? [];
    const statuses = [codes, ...deltas.map((delta) => delta.validationDeltas)].flatMap(allStatuses);
    if (report.validation_state !== 'Valid' && report.validation_state !== 'Trusted') {
      return { verdict: 'broken', trustedBy: undefined, chain, statuses };
    }
    // Both must agree, and only a certificate chain up to an anchor of ours gives this status.
    const trusted =
      this.options.trust !== undefined &&
      report.validation_state === 'Trusted' &&
      (codes?.success ?? []).some((status) => status.code === 'signingCredential.trusted');
    return trusted
      ? { verdict: 'intact_and_trusted', trustedBy: this.options.trust?.name, chain, statuses }
      : { verdict: 'intact', trustedBy: 'no list', chain, statuses };
  }

  /**
   * Whether the library finds a manifest in a file, valid or not.
   * @throws ColophonError `media_corrupt`, `manifest_malformed`
   */
  async findsManifest(path: string, mediaType: string): Promise<boolean> {
    return (await this.parse({ path, mediaType }, undefined, false)) !== null;
  }

  private async report(
    file: { readonly path: string; readonly mediaType: string },
    store: Buffer | undefined,
    isSidecar: boolean,
  ): Promise<ManifestStoreReport | undefined> {
    const json = await this.parse(file, store, isSidecar);
    if (json === null) return undefined;
    if (JSON.stringify(json).length > MAX_REPORT_CHARACTERS) {
      throw new ColophonError('manifest_malformed', 'The manifest of this file is too large to report on.');
    }
    const parsed = manifestStoreReport.safeParse(json);
    if (!parsed.success) {
      throw new ColophonError('manifest_malformed', 'The manifest of this file has an unexpected form.');
    }
    return parsed.data;
  }

  /** What the library reports about the file; `null` when it has no manifest. */
  private async parse(
    { path, mediaType }: { readonly path: string; readonly mediaType: string },
    store: Buffer | undefined,
    isSidecar: boolean,
  ): Promise<unknown> {
    const asset = { path, mimeType: mediaType };
    try {
      const reader =
        isSidecar && store !== undefined
          ? await Reader.fromManifestDataAndAsset(store, asset, this.settings)
          : await Reader.fromAsset(asset, this.settings);
      return reader === null ? null : reader.json();
    } catch (cause) {
      // The file only names a manifest elsewhere. We do not go there: the address is the stranger's choice.
      if (store === undefined && isRemoteOnly(cause)) return null;
      throw store === undefined
        ? new ColophonError('media_corrupt', 'The file cannot be parsed.', { cause })
        : new ColophonError('manifest_malformed', 'The manifest of this file cannot be parsed.', { cause });
    }
  }
}

/** The library's errors carry the name of its error variant, e.g. `C2pa(RemoteManifestUrl("http://..."))`. */
function isRemoteOnly(error: unknown): boolean {
  const name = (error as { name?: unknown } | null)?.name;
  return typeof name === 'string' && name.startsWith('C2pa(RemoteManifest');
}

/** What a file is, and the manifest store that it carries. */
export interface CarriedStore {
  readonly mediaType: SignableMediaType;
  readonly store: Buffer | undefined;
  /** False where nothing can be embedded: the library does not even look into such files. */
  readonly canCarry: boolean;
}

/**
 * Type and manifest store of a file, by its bytes.
 * @throws ColophonError `unsupported_media` when the bytes are of no type that is signed here.
 */
export async function readManifestStore(path: string): Promise<CarriedStore> {
  const file = await ByteSource.open(path);
  try {
    const mediaType = await detectMediaType(file);
    if (mediaType === undefined) {
      throw new ColophonError(
        'unsupported_media',
        'The bytes are not of a media type that is supported here.',
      );
    }
    const embeddable = embeddableMediaType(mediaType);
    const isBare = isJpegXlCodestream((await file.read(0, 2)).toString('latin1'));
    if (embeddable === undefined || isBare) return { mediaType, store: undefined, canCarry: false };
    return { mediaType, store: await extractManifestStore(file, embeddable), canCarry: true };
  } finally {
    await file.close();
  }
}

/** A manifest store in a file of its own. @throws ColophonError `payload_too_large` */
async function readSidecar(path: string): Promise<Buffer> {
  if ((await stat(path)).size > MAX_STORE_BYTES) {
    throw new ColophonError('payload_too_large', 'The manifest is larger than any that is read here.');
  }
  return readFile(path);
}

/** Lower-case hexadecimal SHA-256 of a file, streamed. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
