import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Reader } from '@contentauth/c2pa-node';
import { sha256Hex } from '../../shared/bytes.js';
import { systemClock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { brokenIngredients } from '../domain/chain-failures.js';
import { DETECTION_BYTES, detectMediaType, type EmbeddableMediaType } from '../domain/media-types.js';
import { type MediaVerification, type MediaVerifier } from '../domain/media-verifier.port.js';
import { verificationSentences } from '../domain/verification-sentences.js';
import { ByteSource } from './byte-source.js';
import { readerSettings, type TrustAnchors } from './c2pa-settings.js';
import { allStatuses, chainTree, type IdentitiesByManifest } from './chain-tree.js';
import { readIdentities } from './identity-reading.js';
import { activeClaim } from '../domain/jumbf.js';
import { extractManifestStore } from './manifest-store-extraction.js';
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

  async verify(file: { readonly path: string; readonly mediaType: string }): Promise<MediaVerification> {
    // The library reads on its own threads, so hashing costs no extra time.
    const [read, sizeBytes, sha256] = await Promise.all([
      this.read(file.path),
      stat(file.path).then((status) => status.size),
      fileSha256(file.path),
    ]);
    const { mediaType, store, report } = read;
    const claim = store && activeClaim(store);
    const facts = this.judge(report, mediaType, this.identities(store, report));
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

  private async read(path: string): Promise<{
    mediaType: EmbeddableMediaType;
    store: Buffer | undefined;
    report: ManifestStoreReport | undefined;
  }> {
    const { mediaType, store } = await readManifestStore(path);
    return { mediaType, store, report: await this.report(path, mediaType, store !== undefined) };
  }

  private identities(
    store: Buffer | undefined,
    report: ManifestStoreReport | undefined,
  ): IdentitiesByManifest {
    if (store === undefined || report === undefined) return new Map();
    const manifests = new Map(Object.entries(report.manifests));
    const now = systemClock.now();
    return readIdentities(store, this.options.trust, (label) => {
      const time = Date.parse(manifests.get(label)?.signature_info?.time ?? '');
      return Number.isNaN(time) ? now : new Date(time);
    });
  }

  private judge(
    report: ManifestStoreReport | undefined,
    mediaType: string,
    identities: IdentitiesByManifest,
  ): Pick<MediaVerification, 'verdict' | 'trustedBy' | 'chain' | 'statuses'> {
    const chain = report && chainTree(report, mediaType, identities);
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
    return (await this.parse(path, mediaType, false)) !== null;
  }

  private async report(
    path: string,
    mediaType: string,
    hasStore: boolean,
  ): Promise<ManifestStoreReport | undefined> {
    const json = await this.parse(path, mediaType, hasStore);
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
  private async parse(path: string, mediaType: string, hasStore: boolean): Promise<unknown> {
    try {
      const reader = await Reader.fromAsset({ path, mimeType: mediaType }, this.settings);
      return reader === null ? null : reader.json();
    } catch (cause) {
      // The file only names a manifest elsewhere. We do not go there: the address is the stranger's choice.
      if (!hasStore && isRemoteOnly(cause)) return null;
      throw hasStore
        ? new ColophonError('manifest_malformed', 'The manifest of this file cannot be parsed.', { cause })
        : new ColophonError('media_corrupt', 'The file cannot be parsed.', { cause });
    }
  }
}

/** The library's errors carry the name of its error variant, e.g. `C2pa(RemoteManifestUrl("http://..."))`. */
function isRemoteOnly(error: unknown): boolean {
  const name = (error as { name?: unknown } | null)?.name;
  return typeof name === 'string' && name.startsWith('C2pa(RemoteManifest');
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
