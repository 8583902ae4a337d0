import { type PlannedAssertion } from './manifest-plan.js';

/** An entry of the log whose index may not be known yet: it is found by its leaf hash. */
export interface EntryReference {
  /** Public id, `ent_...`. */
  readonly entry: string;
  /** Base64url of the leaf hash (RFC 6962 section 2.1). */
  readonly leafHash: string;
}

/** The license decision under which a step ran. */
export interface ClearanceReference {
  /** Public id, `clr_...`. */
  readonly id: string;
  readonly decision: string;
  readonly rulesVersion: string;
  /**
   * The salted commitment of the entry to the hash of what was decided upon: anybody can read a manifest, and could find
   * the facts from a plain hash by trying. `undefined` for a decision of before there was one.
   */
  readonly inputCommitment: string | undefined;
  /** SHA-256 over the license terms that were applied. */
  readonly termsSha256: string;
  readonly logged: EntryReference | undefined;
}

/** `org.colophon.record`: where in our records the work stands. Own facts, therefore created. See docs/spec/manifest.md. */
export interface RecordStatement {
  readonly log: string;
  readonly mode: string;
  /** Public ids. Which of them there are depends on how the work came about. */
  readonly asset?: string;
  readonly run?: string;
  readonly step?: string;
  readonly parent?: string;
  readonly listing?: string;
  readonly clearance?: ClearanceReference;
  readonly submitted?: EntryReference | undefined;
  /** Another model was asked first, and failed with this code. */
  readonly fallback?: { readonly insteadOf: string; readonly reason: string } | undefined;
}

export function recordAssertion({
  clearance,
  submitted,
  fallback,
  ...ids
}: RecordStatement): PlannedAssertion {
  const { logged, inputCommitment, ...decided } = clearance ?? {};
  return {
    label: 'org.colophon.record',
    kind: 'created',
    data: {
      v: 1,
      ...ids,
      ...(clearance && {
        clearance: {
          ...decided,
          ...(inputCommitment !== undefined && { inputCommitment }),
          ...(logged && { logged: { ...logged } }),
        },
      }),
      ...(submitted && { submitted: { ...submitted } }),
      ...(fallback && { fallback: { ...fallback } }),
    },
  };
}
