import { type NormalizedPicture } from '../domain/picture-fingerprint.js';
import { type MediaProbe, type ProbedMedia } from '../domain/media-probe/media-probe.port.js';

const MAX_KNOWN = 1000;
/** Some 20 kB each, needed from the capture of a file until it is signed. */
const MAX_PICTURES = 64;

/**
 * What files in the store are. They are named by the hash of their bytes, so what was found out once stays true; looking
 * again costs as much as decoding the picture again.
 */
export class StoredMedia {
  private readonly known = new Map<string, ProbedMedia>();
  private readonly pictures = new Map<string, NormalizedPicture>();

  constructor(private readonly media: MediaProbe) {}

  /**
   * @param sha256 of the bytes, by our own reckoning
   * @param pathOf asked only when they were not looked at before
   * @throws ColophonError as {@link MediaProbe.probe}; what is refused is looked at again the next time
   */
  async probe(sha256: string, pathOf: () => string | Promise<string>): Promise<ProbedMedia> {
    const known = this.known.get(sha256);
    if (known) return { ...known, picture: this.pictures.get(sha256) };
    const { picture, ...probed } = await this.media.probe({ path: await pathOf() });
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(sha256, probed);
    if (picture !== undefined) this.keep(sha256, picture);
    return { ...probed, picture };
  }

  /** The oldest one goes. */
  private keep(sha256: string, picture: NormalizedPicture): void {
    const [oldest] = this.pictures.keys();
    if (this.pictures.size >= MAX_PICTURES && oldest !== undefined) this.pictures.delete(oldest);
    this.pictures.set(sha256, picture);
  }
}
