import { type ErrorCode } from '../../shared/errors.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { type FileReading } from '../domain/reservations/reservation.js';
import { type TrustList } from '../domain/trust-list.js';
import { type TrustAnchors } from './c2pa-settings.js';

/** Messages between {@link VerificationProcess} and its children. One job at a time a child. */
export interface VerificationJob {
  readonly task: keyof TaskResults;
  readonly path: string;
  readonly mediaType: string;
  /** A manifest store beside the file. */
  readonly manifestPath?: string | undefined;
  readonly trust: TrustAnchors | null;
  /** Names what `lists` hold. */
  readonly listsKey: string;
  /** Absent when this child has had those of this key before: they are far larger than the rest of a job. */
  readonly lists?: readonly TrustList[] | undefined;
  /** The child ends itself when its resident memory grows beyond this. */
  readonly memoryLimitBytes: number;
}

/** The same for the same lists, whose anchors are named by their hash. */
export function listsKeyOf(lists: readonly TrustList[]): string {
  return JSON.stringify(lists.map((list) => ({ ...list, anchorsPem: undefined })));
}

/** What a child can be asked for. */
export interface TaskResults {
  readonly verify: MediaVerification;
  readonly reservations: FileReading;
  /** The crJSON document. */
  readonly crjson: string;
  /** What the file is, decoded to its end; checked again by whoever asked. */
  readonly probe: unknown;
  /** Gray values of the picture and a small copy of it, base64. */
  readonly pixels: NormalizedPixels;
}

export interface NormalizedPixels {
  readonly trimmed: string;
  readonly whole: string;
  /** JPEG. */
  readonly thumbnail: string;
}

/** `cpuMs`: processor time that the child has used since it began; the kernel ends it at a limit. */
export type VerificationAnswer = { readonly cpuMs?: number } & Reply;

type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'verified'; readonly verification: MediaVerification }
  | { readonly kind: 'read'; readonly reservations: FileReading }
  | { readonly kind: 'represented'; readonly crJson: string }
  | { readonly kind: 'probed'; readonly media: unknown }
  | { readonly kind: 'normalized'; readonly pixels: NormalizedPixels }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string };
