import { type KeyMode } from '../../identity/domain/api-key.js';
import { type LineageInput } from '../../licenses/domain/lineage.js';
import { type DigitalSourceType } from '../../provenance/domain/manifest-plan.js';
import { type ManifestPlacement, type MediaKind } from '../../provenance/domain/media-types.js';
import { NEVER_READ, type SignalReading } from './signal-reading.js';

export const ASSET_ORIGINS = ['step', 'upload', 'edit'] as const;
/** `step`: made by a step of a run. `upload`: received with a declaration. `edit`: a person's new version of an asset. */
export type AssetOrigin = (typeof ASSET_ORIGINS)[number];

export interface AssetParent {
  readonly assetId: string;
  readonly relationship: 'parentOf' | 'componentOf' | 'inputTo';
}

/** What became of the time-stamp of the manifest's signature. `time` is the authority's, RFC 3339 UTC. */
export type AssetTimeStamp =
  | { readonly outcome: 'stamped'; readonly authority: string; readonly time: string }
  | {
      readonly outcome: 'missing';
      readonly authority: string;
      readonly reason: 'unavailable' | 'refused' | 'invalid';
    };

/** Immutable: editing makes a new asset whose parent is this one. */
export interface Asset {
  readonly id: string;
  readonly projectId: string;
  readonly origin: AssetOrigin;
  readonly mode: KeyMode;
  readonly title: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly kind: MediaKind;
  /** Pixels, of pictures and films; an SVG may have none. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Of films and sounds, where the file says how long it plays. */
  readonly durationMs: number | undefined;
  /** Of the signed file: what is served, and what the log says. */
  readonly sha256: string;
  /** Of the bytes as captured or received, before signing. */
  readonly originalSha256: string;
  readonly originalMediaType: string;
  readonly claimSha256: string;
  /** Of the manifest store; a sidecar lies in the store under this name. */
  readonly manifestSha256: string;
  readonly manifestLabel: string;
  /** SHA-256 of the certificate that signed; `undefined` for assets of before it was kept. */
  readonly certificateSha256: string | undefined;
  /** `undefined` where no time-stamp was wanted. */
  readonly timeStamp: AssetTimeStamp | undefined;
  readonly manifestPlacement: ManifestPlacement;
  /**
   * `undefined` where the step has none (a plain resize) or nobody declared one. Unknown is never "human". Of an upload:
   * what the file says of itself, and only when it says that a generative model made or changed it.
   */
  readonly digitalSourceType: DigitalSourceType | undefined;
  readonly rights: RightsDeclaration | undefined;
  /** `undefined` for what a step on this machine made, and for files that came in before anything was read in files. */
  readonly signalReading: SignalReading | undefined;
  readonly runId: string | undefined;
  readonly stepRunId: string | undefined;
  readonly entryId: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** What the sender of a file declares about the right to use it: the license engine's view of an input. */
export type RightsDeclaration = Omit<LineageInput, 'assetId' | 'fileSignals' | 'unreadPlaces' | 'goesInto'>;

/** What is known of the reservations in the file of an asset; `undefined` where this program wrote the file itself. */
export function readingOf({ origin, signalReading }: Asset): SignalReading | undefined {
  // Files that vendors returned before they were read here have no reading; their terms speak for them.
  return signalReading ?? (origin === 'step' ? undefined : NEVER_READ);
}
