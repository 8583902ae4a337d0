import { type MediaProbe, type ProbedMedia } from '../domain/media-probe/media-probe.port.js';

const MAX_KNOWN = 1000;

/**
 * What files in the store are. They are named by the hash of their bytes, so what was found out once stays true; looking
 * again costs as much as decoding the picture again.
 */
export class StoredMedia {
  private readonly known = new Map<string, ProbedMedia>();

  constructor(private readonly media: MediaProbe) {}

  /**
   * @param sha256 of the bytes, by our own reckoning
   * @param pathOf asked only when they were not looked at before
   * @throws ColophonError as {@link MediaProbe.probe}; what is refused is looked at again the next time
   */
  async probe(sha256: string, pathOf: () => string | Promise<string>): Promise<ProbedMedia> {
    const known = this.known.get(sha256);
    if (known) return known;
    const probed = await this.media.probe({ path: await pathOf() });
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(sha256, probed);
    return probed;
  }
}
