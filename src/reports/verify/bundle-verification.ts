import { type WitnessPolicy } from '../../audit/core/witness-policy.js';
import { type TrustList } from '../../provenance/domain/trust-list.js';
import { type MediaVerification } from '../../provenance/domain/media-verifier.port.js';

/**
 * `valid`: every check passed, and who made it is proved. `unproved`: nothing in it is wrong, but it may have been made
 * by anybody. `invalid`: at least one finding. `unusable`: this is not a bundle that can be read, so nothing is said
 * about the evidence in it.
 */
export type BundleVerdict = 'valid' | 'unproved' | 'invalid' | 'unusable';

/** One thing that was asked, and whether the answer is yes. Plain words for people. */
export interface BundleStatement {
  readonly ok: boolean;
  readonly text: string;
}

/** What cosignatures show under one policy. */
export interface WitnessOutcome {
  /** Who brought the policy. */
  readonly source: 'bundle' | 'reader';
  /** `not_proved`: the policy is not met, or asks for nobody. `failed`: a cosignature does not hold. */
  readonly outcome: 'proved' | 'not_proved' | 'failed';
  readonly policyMet: boolean;
  readonly text: string;
  /** All witnesses of the policy; empty when a cosignature does not hold. Times are those of the witnesses, RFC 3339. */
  readonly witnesses: readonly {
    readonly name: string;
    /** `<key name>+<key id>` */
    readonly key: string;
    readonly cosignedAt: string | undefined;
  }[];
}

/** What one time-stamp shows under one set of roots. */
export interface TimeStampOutcome {
  readonly path: string;
  /** Who brought the roots. */
  readonly roots: 'bundle' | 'reader' | 'none';
  readonly outcome: 'proved' | 'not_proved' | 'failed';
  /** Name in the certificate, when the token holds. */
  readonly authority: string | undefined;
  /** genTime, RFC 3339, when the token holds. */
  readonly at: string | undefined;
  readonly text: string;
}

/** Something that is wrong, and the file in which it shows. Text from the bundle in it is bounded and printable. */
export interface BundleFinding {
  readonly path: string | undefined;
  readonly text: string;
}

export interface BundleVerification {
  readonly verdict: BundleVerdict;
  readonly statements: readonly BundleStatement[];
  readonly findings: readonly BundleFinding[];
  /** What follows from nothing in this bundle, and what nobody should read into a valid one. */
  readonly notProved: readonly string[];
  readonly witnessing: readonly WitnessOutcome[];
  readonly timeStamps: readonly TimeStampOutcome[];
  /** What the bundle says it is about; `undefined` when it cannot be read. */
  readonly subject:
    | {
        readonly reportId: string;
        readonly createdAt: string;
        readonly assetId: string;
        readonly assetSha256: string;
        readonly logOrigin: string;
        readonly treeSize: number;
        /** Of the bundle; the dossier is signed from 3 on, the whole bundle from 5 on. */
        readonly format: number;
        readonly released: boolean;
      }
    | undefined;
}

/**
 * Verifies one media file whose manifest must chain to the given anchors (PEM). May throw ColophonError for files that
 * cannot be parsed; that becomes a finding. Files of strangers belong into a separate process.
 */
export type VerifyMedia = (
  file: { readonly path: string; readonly mediaType: string },
  trustAnchorsPem: string,
  /** Who may vouch for names in it. */
  identityLists: readonly TrustList[],
) => Promise<MediaVerification>;

export interface VerifyBundleOptions {
  readonly verifyMedia: VerifyMedia;
  /** The log's key as the verifier knows it from elsewhere. Without it, the key is the bundle's own word. */
  readonly expectedVkey?: string | undefined;
  /** Which witnesses the verifier asks for, and the log's key, where the policy names it. Beside that of the bundle. */
  readonly policy?: WitnessPolicy | undefined;
  /** PEM of the roots of time-stamp authorities that the verifier trusts. Beside those of the bundle. */
  readonly timeStampRootsPem?: string | undefined;
  /** PEM of the authorities for reports that the verifier knows. */
  readonly reportAnchorsPem?: string | undefined;
  /** Judge a bundle of an older format as far as it goes, although not all of it is signed. */
  readonly acceptOlderFormat?: boolean | undefined;
  /** Where media files are unpacked for a moment; by default the system's temporary folder. */
  readonly scratchFolder?: string | undefined;
}
