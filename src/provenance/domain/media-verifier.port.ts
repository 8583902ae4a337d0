import { type AiDisclosure } from './ai-disclosure.js';
import { type Break } from './breaks.js';
import { type IdentityFinding } from './identity-findings.js';
import { type ManifestPlacement } from './media-types.js';
import { type TrustListUse } from './trust-list.js';
import { type ClaimFinding, type SignerFinding, type TimeStampFinding } from './signature-finding.js';

/** One validation status of the C2PA specification, e.g. `assertion.dataHash.mismatch`. */
export interface ValidationStatus {
  readonly code: string;
  readonly outcome: 'success' | 'informational' | 'failure';
  /** JUMBF URI of the part it speaks about. */
  readonly url: string | undefined;
  readonly explanation: string | undefined;
}

export interface ManifestAction {
  readonly action: string;
  readonly digitalSourceType: string | undefined;
  readonly when: string | undefined;
  readonly softwareAgent: string | undefined;
  readonly description: string | undefined;
  readonly attributedTo: 'created' | 'gathered' | 'unknown';
}

/** Data is whatever the signer wrote: text in it may be hostile and is escaped by whoever shows it. */
export interface ManifestAssertion {
  readonly label: string;
  readonly data: unknown;
  readonly attributedTo: 'created' | 'gathered' | 'unknown';
}

/** Who stands behind a manifest beside its signer, by a `cawg.identity` assertion (CAWG Identity 1.3). */
export interface NamedActor {
  /** Label of the assertion, e.g. `cawg.identity__1`. */
  readonly label: string;
  /** As the certificate says: `undefined` where there is none to read. Hostile text, like every name in a manifest. */
  readonly name: string | undefined;
  readonly organization: string | undefined;
  readonly roles: readonly string[];
  /** `cawg.x509.cose`, `cawg.identity_claims_aggregation`, or whatever else was written. */
  readonly signatureType: string | undefined;
  /**
   * `valid`: the signature holds, and what it refers to is what the claim refers to, the hard binding among it.
   * `broken`: it does not. `not_checked`: a kind of signature that is not checked here.
   */
  readonly state: 'valid' | 'broken' | 'not_checked';
  /** What is wrong, in the words of the specification's status codes; `undefined` for `valid`. */
  readonly problem: string | undefined;
  /** The list by which the certificate is trusted; `undefined` when it is on none: then anybody may have written the name. */
  readonly trustedBy: string | undefined;
  /** The same list with its date. */
  readonly trustList: TrustListUse | undefined;
  /** Labels of the assertions that the actor signed. */
  readonly references: readonly string[];
  readonly certificateSha256: string | undefined;
}

/** A node of the chain: one manifest, or an ingredient that carries none. */
export interface ChainNode {
  readonly manifestLabel: string | undefined;
  readonly title: string | undefined;
  readonly mediaType: string | undefined;
  /** How the node above uses this one; `undefined` for the asset itself. */
  readonly relationship: string | undefined;
  readonly claimGenerator: string | undefined;
  readonly signer:
    | {
        readonly commonName: string | undefined;
        readonly issuer: string | undefined;
        readonly algorithm: string | undefined;
        readonly signedAt: string | undefined;
        /** Name of the list that vouches for this signer; decided by the certificate chain alone. */
        readonly trustedBy?: string | undefined;
      }
    | undefined;
  readonly actions: readonly ManifestAction[];
  readonly assertions: readonly ManifestAssertion[];
  /** Labels of assertions that it was signed with and that a later manifest took out; absent when there are none. */
  readonly redacted?: readonly string[];
  /** Named actors beside the signer. */
  readonly identities: readonly NamedActor[];
  /** Whether the signer says that no action is missing; `undefined` when it does not say. */
  readonly allActionsIncluded: boolean | undefined;
  /** What an ingredient without bytes is, e.g. `c2pa.types.model`. */
  readonly dataTypes: readonly string[];
  /** Of an ingredient: its description, and the identifiers that its manifest gives for it. */
  readonly description: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** Failures that concern this node. A broken ingredient does not make the whole asset invalid, so it is told here. */
  readonly failures: readonly ValidationStatus[];
  readonly ingredients: readonly ChainNode[];
}

export interface MediaVerification {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /**
   * `none`: no manifest. `broken`: the asset or its active manifest was changed, or the signature does not hold.
   * `intact`: signature and hashes hold; the signer is not on a list we know. `intact_and_trusted`: and it is.
   */
  readonly verdict: 'none' | 'broken' | 'intact' | 'intact_and_trusted';
  /**
   * Name of the list that the signer is trusted by, or `no list`; `undefined` when there is no intact manifest. It is
   * decided by the certificate chain alone, never by names in the manifest or certificate.
   */
  readonly trustedBy: string | undefined;
  /** True when any ingredient in the chain failed validation, although the asset itself is intact. */
  readonly brokenIngredient: boolean;
  /** Where the manifest was found; `undefined` when there is none. */
  readonly manifestPlacement: ManifestPlacement | undefined;
  /** SHA-256 of the manifest store as embedded, or of the one beside the file; `undefined` when there is none. */
  readonly manifestSha256: string | undefined;
  /** SHA-256 of the CBOR claim of the active manifest. */
  readonly claimSha256: string | undefined;
  /** Who signed the active manifest; `undefined` when its signature cannot be read. */
  readonly signer: SignerFinding | undefined;
  readonly timeStamp: TimeStampFinding | undefined;
  /** The signatures of the manifests in the file, the active one last; of a hostile number the last ones. */
  readonly claims: readonly ClaimFinding[];
  /** Where it broke, in the file itself and in what it was made from. */
  readonly breaks: readonly Break[];
  readonly disclosure: AiDisclosure | undefined;
  readonly identities: readonly IdentityFinding[];
  /** Where the file says that its manifest lies, when it has none itself. Nobody went there. */
  readonly remoteManifestUrl: string | undefined;
  readonly chain: ChainNode | undefined;
  readonly statuses: readonly ValidationStatus[];
  /** The result in plain sentences, most important first. */
  readonly sentences: readonly string[];
}

export interface MediaVerifier {
  /**
   * Hostile input is welcome: parsing happens in a separate process with time and memory limits.
   * @throws ColophonError `unsupported_media`, `media_corrupt`, `manifest_malformed`, `payload_too_large`;
   *   `sidecar_not_needed` when a manifest is given for a file that carries one.
   */
  verify(file: MediaToVerify): Promise<MediaVerification>;
}

export interface MediaToVerify {
  readonly path: string;
  readonly mediaType: string;
  /** A manifest store in a file of its own, for a file that carries none. */
  readonly manifestPath?: string | undefined;
  /** The file was received from somebody whom we know, or is our own: the size limit for strangers does not count. */
  readonly mayBeLarge?: true;
}
