import { type OrganizationTx } from '../../database/organization-tx.js';
import { type FingerprintRepository, type ReleasedMatch } from '../adapters/fingerprint.repository.js';
import { type PublicManifest, type PublicationRepository } from '../adapters/publication.repository.js';
import { isDistinctive, similarityScore } from '../domain/similarity.js';

/** Whoever asks with a key of an organization. */
export interface Viewer {
  readonly organizationId: string;
}

export interface SimilarPicture {
  readonly assetId: string;
  readonly manifestLabel: string;
  /** Bits of 256 that differ. */
  readonly distance: number;
  /** 0 to 100; see similarityScore(). */
  readonly similarityScore: number;
  /** Whether the asset is the asker's own; all others are public. */
  readonly isOwn: boolean;
}

export const MAX_RESULTS = 50;
/** Released candidates that are looked at: some of them may not be public any more. */
const MAX_RELEASED = 100;
/** Organizations that are entered for one question: each costs a transaction. */
const MAX_ORGANIZATIONS = 10;

/**
 * Pictures that look like a given one: public ones of everybody, and all of the asker's own organization. The search
 * over organizations knows only what was released once; whether a manifest may be shown is asked in its organization.
 */
export class FindSimilarPictures {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly fingerprints: FingerprintRepository,
    private readonly publications: PublicationRepository,
  ) {}

  /**
   * Most similar first; of each picture the code that comes nearest to one of these.
   * @param codes one, or two of a picture with an even border
   */
  async find(
    codes: readonly Uint8Array[],
    viewer: Viewer | undefined,
    maxResults: number,
  ): Promise<SimilarPicture[]> {
    const limit = Math.min(maxResults, MAX_RESULTS);
    const nearest = new Map<string, SimilarPicture>();
    for (const code of codes.filter(isDistinctive)) {
      const own = viewer === undefined ? [] : await this.findOwn(code, viewer, limit);
      for (const picture of [...own, ...(await this.findPublic(code, viewer))]) {
        const known = nearest.get(picture.assetId);
        if (known === undefined || picture.distance < known.distance) nearest.set(picture.assetId, picture);
      }
    }
    return [...nearest.values()].sort(bySimilarity).slice(0, limit);
  }

  private async findOwn(code: Uint8Array, viewer: Viewer, limit: number): Promise<SimilarPicture[]> {
    return this.organizationTx.run(viewer.organizationId, async (tx) => {
      const matches = await this.fingerprints.findOwn(tx, code, limit);
      const labels = await this.publications.labelsOf(tx, idsOf(matches));
      return matches.flatMap((match) => similar(match, labels, true));
    });
  }

  /** Without the asker's own, which were found already. */
  private async findPublic(code: Uint8Array, viewer: Viewer | undefined): Promise<SimilarPicture[]> {
    const byOrganization = new Map<string, ReleasedMatch[]>();
    for (const match of await this.fingerprints.findReleased(code, MAX_RELEASED)) {
      if (match.organizationId === viewer?.organizationId) continue;
      const known = byOrganization.get(match.organizationId) ?? [];
      byOrganization.set(match.organizationId, [...known, match]);
    }
    const found: SimilarPicture[] = [];
    for (const [organizationId, ofOne] of [...byOrganization].slice(0, MAX_ORGANIZATIONS)) {
      const shown = await this.organizationTx.run(organizationId, (tx) =>
        this.publications.publicAmong(tx, idsOf(ofOne)),
      );
      found.push(...ofOne.flatMap((match) => similar(match, shown, false)));
    }
    return found;
  }
}

function idsOf(matches: readonly { readonly assetId: string }[]): string[] {
  return matches.map(({ assetId }) => assetId);
}

/** Nothing where the manifest may not be shown. */
function similar(
  { assetId, distance }: { readonly assetId: string; readonly distance: number },
  shown: readonly PublicManifest[],
  isOwn: boolean,
): SimilarPicture[] {
  const manifest = shown.find((each) => each.assetId === assetId);
  if (manifest === undefined) return [];
  const { manifestLabel } = manifest;
  return [{ assetId, manifestLabel, distance, similarityScore: similarityScore(distance), isOwn }];
}

function bySimilarity(a: SimilarPicture, b: SimilarPicture): number {
  return a.distance - b.distance || (a.manifestLabel < b.manifestLabel ? -1 : 1);
}
