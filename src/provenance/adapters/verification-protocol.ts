import { type ErrorCode } from '../../shared/errors.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { type TrustAnchors } from './c2pa-settings.js';

/** Messages between {@link VerificationProcess} and its children. One job at a time a child. */
export interface VerificationJob {
  readonly path: string;
  readonly mediaType: string;
  readonly trust: TrustAnchors | null;
  /** The child ends itself when its resident memory grows beyond this. */
  readonly memoryLimitBytes: number;
}

export type VerificationAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'verified'; readonly verification: MediaVerification }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string };
