import { type AssetObligation } from '../../licenses/domain/asset-obligation.js';
import { type ObligationsToday } from '../../licenses/domain/obligations-today.js';
import { type Finding, type Obligation } from '../../licenses/domain/finding.js';
import { type RunFacts } from '../../licenses/domain/run-facts.js';
import { type DossierClaim, type DossierExamination } from './dossier-diligence.js';
import {
  type DossierAuthorship,
  type DossierRecall,
  type DossierRecord,
  type DossierStoryboard,
} from './dossier-human-work.js';
import { type ReviewStanding } from '../../contributions/domain/review/review-standing.js';
import { type TrustList } from '../../provenance/domain/trust-list.js';

/**
 * Everything that a report on one asset says, collected once. The PDF, the JSON and the bundle are views of it.
 * Times are RFC 3339 UTC, ids are public ids, hashes are lower-case hex SHA-256, money is micro-USD as text.
 */
export interface AssetDossier {
  readonly v: 1;
  readonly reportId: string;
  readonly createdAt: string;
  readonly createdBy: DossierPerson;
  /** Who signed the report; absent in the form without a signature. */
  readonly signedBy?: DossierSigner | undefined;
  readonly product: { readonly name: string; readonly version: string };
  readonly organization: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string; readonly name: string };
  readonly useCase: string | undefined;
  readonly asset: DossierAsset;
  /** The asset's ancestors and itself, oldest first: the chain of title. */
  readonly chain: readonly DossierAsset[];
  readonly runs: readonly DossierRun[];
  /** One per model listing that took part, in order of first use. */
  readonly models: readonly DossierModel[];
  /** `undefined` for an asset that is older than this record: then nobody worked out what is owed. */
  readonly obligations: DossierObligations | undefined;
  readonly contributions: readonly DossierContribution[];
  /** Orders in which assets of the chain stand, by storyboard and version; absent in reports of before they were shown. */
  readonly storyboards?: readonly DossierStoryboard[] | undefined;
  /** The one that decides: a rejection, else a wish for changes that stands, else the newest. */
  readonly review: DossierReview | undefined;
  /** Where the asset stands by the rules by which it is released; absent in reports of before it was worked out. */
  readonly standing?: ReviewStanding | undefined;
  /** Different people whose approval its use cases ask for on the day of the report. */
  readonly approvalsNeeded?: 1 | 2 | undefined;
  /** All decisions on the asset, oldest first; absent in reports of before there could be several. */
  readonly reviews?: readonly DossierReview[] | undefined;
  readonly recall?: DossierRecall | undefined;
  /** What people found out about files of the chain; absent in reports of before there were any. */
  readonly examinations?: readonly DossierExamination[] | undefined;
  readonly claims?: readonly DossierClaim[] | undefined;
  /** Absent in reports of before it was worked out. */
  readonly authorship?: DossierAuthorship | undefined;
  readonly release:
    | { readonly releasedAt: string; readonly releasedBy: DossierPerson; readonly entryIndex: number }
    | undefined;
  readonly verification: DossierVerification;
  readonly log: DossierLog;
  /** What is missing, unknown or open, most important first. Shown before everything else. */
  readonly gaps: readonly DossierGap[];
}

export interface DossierSigner {
  readonly commonName: string;
  readonly issuer: string;
  readonly certificateSha256: string;
  /** Certified by the development authority of this program: it proves no name. */
  readonly isDevelopment: boolean;
  /** The entry by which the log says that this is a report key of the installation; absent when it says so nowhere. */
  readonly keyEntryIndex?: number | undefined;
}

/** Said where a sealed text would be: it was erased. Its commitment stays in the log and can no longer be opened. */
export interface DossierErasure {
  /** `undefined` when no erasure is recorded that would explain why the text is gone. */
  readonly erasedAt: string | undefined;
  /** `data_subject_request`, `retention_ended`, `court_order`. */
  readonly reason: string | undefined;
}

/** Said where bytes would be: they were removed. What was recorded of them, and its proofs, stay. */
export interface DossierRemoval {
  readonly cause: 'retention' | 'erasure';
  readonly removedAt: string;
  readonly entryIndex: number;
}

export interface DossierPerson {
  readonly principalId: string;
  /** `undefined` after an erasure. */
  readonly displayName: string | undefined;
}

export interface DossierAsset {
  readonly id: string;
  readonly title: string;
  readonly origin: 'step' | 'upload' | 'edit';
  readonly mode: 'live' | 'test';
  readonly mediaType: string;
  readonly kind: 'image' | 'video' | 'audio' | 'model3d' | 'text';
  /** `undefined` for what has no pixels. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** `undefined` for what does not play, and where the file does not say. */
  readonly durationMs: number | undefined;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly originalSha256: string;
  readonly claimSha256: string;
  readonly manifestSha256: string;
  readonly manifestLabel: string;
  /** Of the certificate that signed; absent for assets of before it was kept. */
  readonly certificateSha256?: string | undefined;
  /** Of the manifest's signature; absent where none was wanted. */
  readonly timeStamp?:
    | { readonly outcome: 'stamped'; readonly authority: string; readonly time: string }
    | { readonly outcome: 'missing'; readonly authority: string; readonly reason: string }
    | undefined;
  readonly manifestPlacement: 'embedded' | 'sidecar';
  /** The file is gone. */
  readonly contentRemoved?: DossierRemoval | undefined;
  /** Short name such as `trainedAlgorithmicMedia`; `undefined` where there is none or nobody declared it. */
  readonly digitalSourceType: string | undefined;
  readonly parents: readonly { readonly assetId: string; readonly relationship: string }[];
  readonly createdAt: string;
  readonly createdBy: DossierPerson;
  readonly entryIndex: number;
  /** For step outputs: what made it. */
  readonly step:
    | {
        readonly runId: string;
        readonly stepKey: string;
        readonly operation: string;
        readonly provider: string;
        readonly listingId: string;
        readonly costMicroUsd: string;
        readonly costBasis: string;
        /** What the provider claims about its own work. Not verified by us. */
        readonly claims: Readonly<Record<string, string | number | boolean>>;
      }
    | undefined;
  /** For uploads and edits: the declared rights. */
  readonly rights: Readonly<Record<string, unknown>> | undefined;
  /** For uploads and edits: what the file itself reserves, as read when it came in. */
  readonly fileReading?: DossierFileReading | undefined;
}

export interface DossierFileReading {
  /** One phrase each, e.g. `ai-inference: notAllowed (cawg.training-mining)`. */
  readonly reserved: readonly string[];
  /** Places of the file that could not be read: what they reserve is not known. */
  readonly unreadPlaces: readonly string[];
  /** By which the file says that a generative model made or changed it, e.g. `trainedAlgorithmicMedia (iptc)`; absent when by none. */
  readonly saysModel?: readonly string[];
}

export interface DossierRun {
  readonly id: string;
  readonly pipeline: string;
  readonly pipelineVersion: number;
  readonly mode: 'live' | 'test';
  readonly state: string;
  readonly createdAt: string;
  /** The prompt, opened for this report; `undefined` when there is none, or after an erasure. */
  readonly prompt: string | undefined;
  readonly promptErased?: DossierErasure | undefined;
  /** With whom requests of its steps were begun, whatever came of them; each once. Absent in reports of before. */
  readonly sentTo?: readonly { readonly provider: string; readonly listingId: string }[] | undefined;
  readonly clearance: {
    readonly id: string;
    readonly decision: 'allow' | 'review' | 'deny';
    readonly engineVersion: string;
    readonly termsSha256: string;
    readonly inputSha256: string;
    readonly facts: RunFacts;
    readonly findings: readonly Finding[];
    readonly obligations: readonly Obligation[];
    readonly entryIndex: number;
  };
  readonly waivers: readonly {
    readonly id: string;
    /** The one finding that is accepted; absent where it is all that the decision left open. */
    readonly finding?: { readonly ruleId: string; readonly listingId: string } | undefined;
    readonly reason: string;
    readonly comment: string | undefined;
    readonly commentErased?: DossierErasure | undefined;
    readonly approvedBy: DossierPerson;
    readonly approvedAt: string;
    readonly expiresAt: string;
  }[];
}

/** Facts on a model as the decision knew them under which it ran, not as the registry has them today. */
export interface DossierModel {
  readonly listingId: string;
  /** Of the listing in canonical JSON: exactly these facts. */
  readonly listingSha256: string;
  /** Clearances under which it ran, oldest first. */
  readonly decidedBy: readonly string[];
  /** What the registry says otherwise when the report is made, in sentences; empty when nothing. */
  readonly changedSince: readonly string[];
  readonly name: string;
  readonly vendor: string;
  readonly channel: string;
  readonly license: {
    readonly name: string;
    readonly reference: string;
    readonly url: string | undefined;
    readonly textSha256: string | undefined;
    readonly dateRead: string;
  };
  readonly trainingData: { readonly disclosure: string; readonly summary: string };
  readonly indemnity: string;
  readonly access: 'open-weights' | 'api' | 'code';
  /** For a LoRA or fine-tune: from what and from which images it was made. */
  readonly adaptation?:
    | {
        readonly base: string;
        readonly relation: string;
        readonly datasetManifestSha256: string | undefined;
        /** By the manifest; absent where there is none. */
        readonly images: number | undefined;
        readonly releases: number;
        /** Images whose right does not cover training, or nobody knows. */
        readonly untrainable: number;
      }
    | undefined;
  readonly stepKeys: readonly string[];
}

/** What must be shown or done for the asset, in the order of the record, and what of it is proved. */
export interface DossierObligations {
  /** The same value is in the `asset.signed` entry. */
  readonly sha256: string;
  readonly calendarSha256: string;
  readonly calendarReadOn: string;
  /** Day of the calendar of this installation, when it is another than the one that was used. */
  readonly otherCalendarReadOn: string | undefined;
  /** What is owed on the day of the report and is not listed, or not as it was listed. */
  readonly today?: ObligationsToday | undefined;
  readonly items: readonly DossierObligation[];
  /** What is owed on the day of the report beside the list or otherwise, and what people said of such readings before. */
  readonly later?: readonly DossierLaterObligation[] | undefined;
}

export interface DossierLaterObligation extends DossierObligation {
  /**
   * `added`: not listed. `changed`: listed, and reads otherwise on the day of the report. `earlier`: somebody said
   * something of it when it read so, and it does not any more. The id is made of the file and of what it says.
   */
  readonly since: 'added' | 'changed' | 'earlier';
}

export interface DossierObligation {
  readonly id: string;
  /** Over the canonical JSON of `obligation`. */
  readonly sha256: string;
  readonly obligation: AssetObligation;
  readonly state: 'open' | 'done' | 'waived' | 'not_applicable';
  /**
   * The decision of a run behind the file covers this model, and no file of the chain was made with it. It is listed and
   * counted all the same: whether it binds here is for a person. Absent otherwise, and where that is not known.
   */
  readonly isOfOtherModel?: true | undefined;
  /** What people said of it, oldest first; the last one counts. */
  readonly proofs: readonly DossierProof[];
}

export interface DossierProof {
  readonly id: string;
  readonly outcome: DossierObligation['state'];
  readonly provedBy: DossierPerson;
  readonly provedAt: string;
  /** In the person's own words; `undefined` after an erasure. */
  readonly text: string | undefined;
  readonly textErased?: DossierErasure | undefined;
  readonly url: string | undefined;
  readonly evidenceAssetId: string | undefined;
  readonly evidenceSha256: string | undefined;
  readonly entryIndex: number;
}

export interface DossierContribution extends DossierRecord {
  readonly id: string;
  readonly assetId: string;
  readonly parentAssetId: string;
  readonly contributor: DossierPerson;
  readonly actionType: string;
  readonly basis: string;
  readonly capture: string;
  /** As the person named it; empty after an erasure. */
  readonly tool: string;
  readonly toolErased?: DossierErasure | undefined;
  /** What the person said they did and why; `undefined` after an erasure. */
  readonly statement: string | undefined;
  readonly statementErased?: DossierErasure | undefined;
  readonly changedRegion:
    | {
        readonly left: number;
        readonly top: number;
        readonly width: number;
        readonly height: number;
        readonly changedShare: number;
      }
    | undefined;
  readonly beforeSha256: string;
  readonly afterSha256: string;
  readonly createdAt: string;
  readonly entryIndex: number;
}

export interface DossierReview {
  readonly decision: 'approve' | 'reject' | 'request_changes';
  /** What the reviewer was to look at: hash of the list, its points, and how many were confirmed. */
  readonly checklist?:
    { readonly sha256: string; readonly items: number; readonly confirmed: number } | undefined;
  readonly reviewer: DossierPerson;
  readonly comment: string | undefined;
  readonly commentErased?: DossierErasure | undefined;
  readonly decidedAt: string;
  readonly entryIndex: number;
}

export interface DossierVerification {
  /** `removed`: the file is gone, so nothing could be read back. */
  readonly verdict: 'none' | 'broken' | 'intact' | 'intact_and_trusted' | 'removed';
  readonly trustedBy: string | undefined;
  readonly signer: {
    readonly commonName: string | undefined;
    readonly issuer: string | undefined;
    /** A certificate to try the product out, which nobody outside trusts; absent in reports of before it was told. */
    readonly isDevelopment?: boolean | undefined;
  };
  readonly sentences: readonly string[];
  /** A file from which it was made failed validation, although this one holds; absent in reports of before. */
  readonly brokenIngredient?: boolean | undefined;
  readonly manifestCount: number;
}

export interface DossierLog {
  readonly origin: string;
  readonly vkey: string;
  readonly treeSize: number;
  /** Standard base64, as in the checkpoint. */
  readonly rootHash: string;
  readonly checkpointNote: string;
  /** Entries that this report rests on, ascending; `subject` is the id of the entry's subject. */
  readonly entries: readonly {
    readonly index: number;
    readonly type: string;
    readonly recordedAt: string;
    readonly subject: string;
  }[];
  readonly witnessing: DossierWitnessing;
  /** Over the checkpoint above, verified when the report was made; by time. */
  readonly timeStamps: readonly DossierTimeStamp[];
  /** Whether this installation asks an authority for time-stamps. */
  readonly timeStampsExpected: boolean;
}

/** Who outside of this installation has seen the checkpoint. */
export interface DossierWitnessing {
  /** C2SP tlog-policy: the key of the log, the witnesses, and how many of them are enough. */
  readonly policy: string;
  /** `undefined` when the operator has named no witness. */
  readonly isMet: boolean | undefined;
  /** All witnesses of the policy, in its order; `cosignedAt` is the witness's own clock. */
  readonly witnesses: readonly {
    readonly name: string;
    readonly key: string;
    readonly cosignedAt: string | undefined;
  }[];
}

export interface DossierTimeStamp {
  /** Name in the certificate of the authority. */
  readonly authority: string;
  /** genTime: what the checkpoint covers existed by then. */
  readonly at: string;
  /** SHA-256 of the token. */
  readonly tokenSha256: string;
}

export interface DossierGap {
  readonly severity: 'open' | 'unknown' | 'note';
  readonly text: string;
}

/** A picture for the report: a small JPEG or PNG of an asset of the chain, made from the signed file. */
export interface DossierPicture {
  readonly assetId: string;
  readonly bytes: Buffer;
  readonly mediaType: 'image/jpeg' | 'image/png';
  readonly width: number;
  readonly height: number;
}

/** What goes into an evidence bundle beside the dossier. Bytes are exactly those that were hashed. */
export interface BundleEvidence {
  readonly entries: readonly { readonly index: number; readonly bytes: Buffer; readonly proof: Buffer }[];
  /** Values behind commitments that this bundle discloses. `salt` is base64url, as in the log's openings. */
  readonly openings: readonly {
    readonly index: number;
    readonly field: string;
    readonly salt: string;
    readonly value: string;
  }[];
  /** The asset itself, and ancestors as far as they may leave. Names are made safe when they are packed. */
  readonly assets: readonly {
    readonly assetId: string;
    readonly sha256: string;
    readonly path: string;
    readonly fileName: string;
    /** The manifest, where it is a file of its own. */
    readonly sidecar: { readonly sha256: string; readonly path: string } | undefined;
  }[];
  /** Attachments that the bundle was asked to hold. */
  readonly attachments: readonly {
    readonly attachmentId: string;
    readonly sha256: string;
    readonly path: string;
  }[];
  /** PEM of the certificate authority that the manifests chain to. */
  readonly trustAnchorsPem: string;
  /** PEM of the authorities that certified the report keys of the installation. */
  readonly reportAnchorsPem: string;
  /** Who vouches for the names in manifests, by the lists of the installation; may be empty. */
  readonly identityLists: readonly TrustList[];
  /** RFC 3161 tokens (DER) over the text of the checkpoint. `authority` names the file. */
  readonly timeStamps: readonly { readonly authority: string; readonly token: Buffer }[];
  /** PEM of the roots to which the operator says that the authorities lead; `undefined` when none is configured. */
  readonly timeStampRootsPem: string | undefined;
}
