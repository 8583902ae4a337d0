import { type ErrorCode } from '../../shared/errors.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { type ReservationReading } from '../domain/reservations/reservation.js';
import { type TrustAnchors } from './c2pa-settings.js';

/** Messages between {@link VerificationProcess} and its children. One job at a time a child. */
export interface VerificationJob {
  readonly task: keyof TaskResults;
  readonly path: string;
  readonly mediaType: string;
  readonly sidecarPath: string | null;
  readonly trust: TrustAnchors | null;
  /** The child ends itself when its resident memory grows beyond this. */
  readonly memoryLimitBytes: number;
}

/** What a child can be asked for. */
export interface TaskResults {
  readonly verify: MediaVerification;
  readonly reservations: ReservationReading;
}

export type VerificationAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'verified'; readonly verification: MediaVerification }
  | { readonly kind: 'read'; readonly reservations: ReservationReading }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string };
