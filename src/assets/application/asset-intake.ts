import { type AssetStore } from '../domain/asset-store.port.js';
import { type MediaProbe } from '../domain/media-probe/media-probe.port.js';

const MEBIBYTE = 1024 * 1024;
/** More than the manifests of a long chain take. */
const MANIFEST_ROOM_BYTES = 32 * MEBIBYTE;

/**
 * The largest file that is verified: what is taken in and signed here grows by its manifest, and must be verifiable by
 * everybody who holds it.
 */
export function largestVerified(uploadMaxBytes: number): number {
  return uploadMaxBytes + MANIFEST_ROOM_BYTES;
}

/** What a controller needs to take a file in. A class, so that it can be injected. */
export class AssetIntake {
  constructor(
    readonly store: AssetStore,
    readonly probe: MediaProbe,
    readonly maxBytes: number,
  ) {}
}
