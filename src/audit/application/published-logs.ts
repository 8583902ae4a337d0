import { ColophonError } from '../../shared/errors.js';
import { type TileStores } from './tile-store.port.js';

/** Proves that the bearer of a key belongs to an organization. @throws ColophonError */
export type IdentifyReader = (authorization: string | undefined) => Promise<{ organizationId: string }>;

/** The published files of every log. */
export class PublishedLogs {
  constructor(
    private readonly stores: TileStores,
    private readonly identifyReader: IdentifyReader,
  ) {}

  read(organizationId: string, path: string): Promise<Uint8Array | undefined> {
    return this.stores.ofLog(organizationId).read(path);
  }

  /** A foreign organization's log does not exist for the caller. */
  async requireReader(organizationId: string, authorization: string | undefined): Promise<void> {
    const reader = await this.identifyReader(authorization);
    if (reader.organizationId !== organizationId)
      throw new ColophonError('not_found', 'The log has no such file.');
  }
}
