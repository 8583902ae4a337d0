import { type AssetStore } from '../domain/asset-store.port.js';
import { type MediaProbe } from '../domain/media-probe/media-probe.port.js';

/** What a controller needs to take a file in. A class, so that it can be injected. */
export class AssetIntake {
  constructor(
    readonly store: AssetStore,
    readonly probe: MediaProbe,
    readonly maxBytes: number,
  ) {}
}
