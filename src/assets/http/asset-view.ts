import { DIGITAL_SOURCE_TYPES } from '../../provenance/domain/manifest-plan.js';
import { publicId } from '../../shared/ids.js';
import { type ContentRemoval } from '../application/removed-content.js';
import { type ReleaseStanding } from '../application/release-standings.js';
import { type Asset, type AssetParent, readingOf } from '../domain/asset.js';

/** @param release, removal absent where the asset was just made: it cannot have been released, or removed */
export function assetView(
  asset: Asset & { readonly parents?: readonly AssetParent[] },
  release?: ReleaseStanding,
  removal?: ContentRemoval,
) {
  const id = publicId('asset', asset.id);
  const reading = readingOf(asset);
  return {
    id,
    origin: asset.origin,
    mode: asset.mode,
    title: asset.title,
    projectId: publicId('project', asset.projectId),
    mediaType: asset.mediaType,
    sizeBytes: asset.sizeBytes,
    kind: asset.kind,
    width: asset.width ?? null,
    height: asset.height ?? null,
    durationMs: asset.durationMs ?? null,
    sha256: asset.sha256,
    originalSha256: asset.originalSha256,
    claimSha256: asset.claimSha256,
    manifestSha256: asset.manifestSha256,
    manifestLabel: asset.manifestLabel,
    certificateSha256: asset.certificateSha256 ?? null,
    timeStamp: asset.timeStamp ?? null,
    manifestPlacement: asset.manifestPlacement,
    digitalSourceType:
      asset.digitalSourceType === undefined ? null : DIGITAL_SOURCE_TYPES[asset.digitalSourceType],
    rights: asset.rights ?? null,
    fileSignals: reading?.signals ?? null,
    unreadPlaces: reading?.unreadPlaces ?? null,
    /** What the file says of generative models; empty where it says nothing, and where nobody looked. */
    sourceStatements: reading?.sourceStatements ?? [],
    runId: asset.runId === undefined ? null : publicId('run', asset.runId),
    parents: (asset.parents ?? []).map(({ assetId, relationship }) => ({
      assetId: publicId('asset', assetId),
      relationship,
    })),
    ...sinceThen(release, removal),
    createdAt: asset.createdAt.toISOString(),
    contentUrl: `/v1/assets/${id}/content`,
    manifestUrl: `/v1/assets/${id}/manifest`,
  };
}

/** What became of it after it was made. */
function sinceThen(release: ReleaseStanding | undefined, removal: ContentRemoval | undefined) {
  return {
    release: release ? releaseView(release) : null,
    contentRemoval: removal ? removalView(removal) : null,
  };
}

/** The bytes are gone; what stands above of them is what was recorded when they were there. */
function removalView({ removalId, cause, removedAt }: ContentRemoval) {
  return { removalId: publicId('removal', removalId), cause, removedAt: removedAt.toISOString() };
}

/** A release that was taken back is shown as such for ever: the asset must not be used any more. */
function releaseView({ releasedAt, recalled }: ReleaseStanding) {
  return {
    releasedAt: releasedAt.toISOString(),
    recalledAt: recalled?.at.toISOString() ?? null,
    recallReason: recalled?.reason ?? null,
  };
}
