import { writeFile } from 'node:fs/promises';
import { type AssetStore } from '../../../assets/domain/asset-store.port.js';
import { decodeBase64, sha256Hex } from '../../../shared/bytes.js';
import { ColophonError } from '../../../shared/errors.js';
import { type AnnouncedFiles } from '../application/announced-files.js';
import { type CapabilityLinks } from '../application/capability-links.js';
import { type JobOwner } from '../application/gateway-jobs.js';
import { tokenIn } from '../domain/asset-address.js';
import { type SentFile } from '../domain/gateway-call.js';
import { invalid, unsupported } from '../domain/job-input.js';

/** Where the files of a job come from. */
export interface SentFiles {
  /** Were inside of the call, in the staging area. */
  readonly files: Readonly<Record<string, SentFile>>;
  /** Are assets already (UUIDs). */
  readonly assets: Readonly<Record<string, string>>;
  /** Lie elsewhere, and are fetched when the call is accepted. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Of one inside of a call, which is read into memory as a whole. */
const MAX_INLINE_BYTES = 20 * 1024 * 1024;
const DATA_URI = /^data:[^,]{0,200};base64,/i;

/** Reads the id of an announced file out of an address of this vendor's own form; `undefined` for any other address. */
export type ReadFileId = (owner: JobOwner, address: string) => string | undefined;

/** Files that a job names: inside of the call as data URIs, by addresses that were given out here, or by others. */
export class FilesOfJobs {
  constructor(
    private readonly store: AssetStore,
    private readonly links: CapabilityLinks,
    private readonly announced: AnnouncedFiles,
  ) {}

  /**
   * For as long as `work` takes.
   * @throws ColophonError `not_found` for files that are not the caller's, `invalid_request`, `payload_too_large`
   */
  async with<Result>(
    owner: JobOwner,
    named: Readonly<Record<string, string>>,
    readId: ReadFileId,
    work: (sent: SentFiles) => Promise<Result>,
  ): Promise<Result> {
    const files: Record<string, SentFile> = {};
    const assets: Record<string, string> = {};
    const addresses: Record<string, string> = {};
    try {
      for (const [name, file] of Object.entries(named)) {
        if (/^data:/i.test(file)) {
          await this.stage(files, name, file);
          continue;
        }
        const assetId = await this.assetAt(owner, name, file, readId);
        if (assetId === undefined) addresses[name] = file;
        else assets[name] = assetId;
      }
      return await work({ files, assets, addresses });
    } finally {
      for (const { stagedPath } of Object.values(files)) await this.store.discard(stagedPath);
    }
  }

  private async stage(files: Record<string, SentFile>, name: string, uri: string): Promise<void> {
    const head = DATA_URI.exec(uri)?.[0];
    const bytes = head === undefined ? undefined : decodeBase64(uri.slice(head.length));
    if (bytes === undefined) throw invalid(name, 'is not a data URI in padded base64');
    if (bytes.byteLength > MAX_INLINE_BYTES)
      throw new ColophonError(
        'payload_too_large',
        `A file inside of a call may have at most ${MAX_INLINE_BYTES} bytes. Send it ahead: the SDK uploads it.`,
      );
    const stagedPath = await this.store.stage();
    files[name] = { stagedPath, sha256: sha256Hex(bytes), fileName: undefined };
    await writeFile(stagedPath, bytes, { mode: 0o600 });
  }

  /** `undefined` for a file that lies elsewhere. */
  private async assetAt(
    owner: JobOwner,
    name: string,
    address: string,
    readId: ReadFileId,
  ): Promise<string | undefined> {
    const token = tokenIn(address);
    const subject = token === undefined ? undefined : this.links.subjectOf(token);
    // Looked up in the caller's own organization when the run is accepted: another one's asset does not exist there.
    if (subject?.kind === 'asset') return subject.id;
    const id = subject?.id ?? readId(owner, address);
    // In the form of ours, and not given out here: fetching it would be asking ourselves.
    if (id === undefined && token !== undefined)
      throw unsupported(name, 'names an address of this service that was not given out here');
    if (id === undefined) return undefined;
    const { asset } = await this.announced.get(owner, id);
    if (asset === undefined) throw invalid(name, 'names a file that was announced and never sent');
    return asset.id;
  }
}
