import { type Download } from '../../outbound/download-to-file.js';
import { OutboundError } from '../../outbound/outbound-error.js';
import { ColophonError } from '../../shared/errors.js';

/** Fetches an outside file to a path; the guarded way of src/outbound. */
export type DownloadFile = (request: {
  readonly url: string;
  readonly destinationPath: string;
  readonly maxResponseBytes: number;
  readonly deadlineMs: number;
}) => Promise<Pick<Download, 'sizeBytes'>>;

const DEADLINE_MS = 30_000;
const NOT_FETCHED = 'The reference could not be fetched, or has not exactly assetLength bytes.';

/** Fetches what somebody refers to, where the operator allows that at all. */
export class FetchReference {
  constructor(
    /** `undefined` when this service fetches nothing. */
    private readonly download: DownloadFile | undefined,
    private readonly maxBytes: number,
  ) {}

  get isEnabled(): boolean {
    return this.download !== undefined;
  }

  /**
   * @param reference.lengthBytes what the asker says; a file of another size is refused
   * @throws ColophonError `not_found` when it is not enabled, `payload_too_large`, `invalid_request` for an address that
   *   is not public https, `upstream_error` for everything that goes wrong outside and for another size: which of it is
   *   not told, so that nobody can look around through us
   */
  async fetch(
    reference: { readonly url: string; readonly lengthBytes: number },
    destinationPath: string,
  ): Promise<void> {
    if (this.download === undefined)
      throw new ColophonError('not_found', 'This service fetches no references. Send the file instead.');
    if (reference.lengthBytes > this.maxBytes)
      throw new ColophonError('payload_too_large', `A file may have at most ${this.maxBytes} bytes.`);
    const { sizeBytes } = await this.downloadTo(this.download, reference, destinationPath);
    if (sizeBytes !== reference.lengthBytes) throw new ColophonError('upstream_error', NOT_FETCHED);
  }

  private async downloadTo(
    download: DownloadFile,
    { url, lengthBytes }: { readonly url: string; readonly lengthBytes: number },
    destinationPath: string,
  ): Promise<Pick<Download, 'sizeBytes'>> {
    try {
      return await download({ url, destinationPath, maxResponseBytes: lengthBytes, deadlineMs: DEADLINE_MS });
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      if (error.code === 'url_blocked')
        throw new ColophonError('invalid_request', 'referenceUrl: use a public https address.', {
          cause: error,
        });
      throw new ColophonError('upstream_error', NOT_FETCHED, { cause: error });
    }
  }
}
