import { writeFile } from 'node:fs/promises';
import { type AssetStore } from '../../../assets/domain/asset-store.port.js';
import { decodeBase64, sha256Hex } from '../../../shared/bytes.js';
import { ColophonError } from '../../../shared/errors.js';
import { type AnnouncedFiles } from '../application/announced-files.js';
import { type CapabilityLinks } from '../application/capability-links.js';
import { type JobOwner } from '../application/gateway-jobs.js';
import { tokenIn } from '../domain/asset-address.js';
import { type SentPicture } from '../domain/gateway-call.js';
import { invalid, unsupported } from '../domain/job-input.js';

/** Where the files of a job come from. */
export interface SentFiles {
  /** Were inside of the call, in the staging area. */
  readonly pictures: Readonly<Record<string, SentPicture>>;
  /** Are assets already (UUIDs). */
  readonly assets: Readonly<Record<string, string>>;
}

const MAX_FILE_BYTES = 20 * 1024 * 1024;
const DATA_URI = /^data:[^,]{0,200};base64,/i;

/** Reads the id of an announced file out of an address of this vendor's own form; `undefined` for any other address. */
export type ReadFileId = (owner: JobOwner, address: string) => string | undefined;

/**
 * Files that a job names: inside of the call as data URIs, or by addresses that were given out here. Nothing is fetched:
 * what lies behind another address was neither declared nor looked at.
 */
export class FilesOfJobs {
  constructor(
    private readonly store: AssetStore,
    private readonly links: CapabilityLinks,
    private readonly announced: AnnouncedFiles,
  ) {}

  /**
   * For as long as `work` takes.
   * @throws ColophonError `gateway_unsupported` for foreign addresses, `not_found` for files that are not the caller's,
   *   `invalid_request`, `payload_too_large`
   */
  async with<Result>(
    owner: JobOwner,
    files: Readonly<Record<string, string>>,
    readId: ReadFileId,
    work: (sent: SentFiles) => Promise<Result>,
  ): Promise<Result> {
    const pictures: Record<string, SentPicture> = {};
    const assets: Record<string, string> = {};
    try {
      for (const [name, file] of Object.entries(files)) {
        if (/^data:/i.test(file)) await this.stage(pictures, name, file);
        else assets[name] = await this.assetAt(owner, name, file, readId);
      }
      return await work({ pictures, assets });
    } finally {
      for (const { stagedPath } of Object.values(pictures)) await this.store.discard(stagedPath);
    }
  }

  private async stage(pictures: Record<string, SentPicture>, name: string, uri: string): Promise<void> {
    const head = DATA_URI.exec(uri)?.[0];
    const bytes = head === undefined ? undefined : decodeBase64(uri.slice(head.length));
    if (bytes === undefined) throw invalid(name, 'is not a data URI in padded base64');
    if (bytes.byteLength > MAX_FILE_BYTES)
      throw new ColophonError('payload_too_large', `A file may have at most ${MAX_FILE_BYTES} bytes.`);
    const stagedPath = await this.store.stage();
    pictures[name] = { stagedPath, sha256: sha256Hex(bytes), fileName: undefined };
    await writeFile(stagedPath, bytes, { mode: 0o600 });
  }

  private async assetAt(owner: JobOwner, name: string, address: string, readId: ReadFileId): Promise<string> {
    const token = tokenIn(address);
    const subject = token === undefined ? undefined : this.links.subjectOf(token);
    // Looked up in the caller's own organization when the run is accepted: another one's asset does not exist there.
    if (subject?.kind === 'asset') return subject.id;
    const id = subject?.id ?? readId(owner, address);
    if (id === undefined)
      throw unsupported(
        name,
        'names a file that lies elsewhere, which nobody has declared or looked at. Send the file itself (the SDK uploads it), or an address that was given out here',
      );
    const { asset } = await this.announced.get(owner, id);
    if (asset === undefined) throw invalid(name, 'names a file that was announced and never sent');
    return asset.id;
  }
}
