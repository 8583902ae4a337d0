import { type AuthorshipStatement } from '../../contributions/domain/authorship/authorship-statement.js';
import { type PromptHistory } from '../../contributions/domain/authorship/prompt-history.js';
import { type DossierErasure, type DossierPerson, type DossierRemoval } from './dossier.js';

/** What a record of human work says beyond the facts that every version of it had. Absent in records of older versions. */
export interface DossierRecord {
  /** How the contributor works for the organization, and on what ground it may claim the work; by their own word. */
  readonly engagement?: string | undefined;
  readonly assignment?: string | undefined;
  /** Exactly the text that is signed, in canonical JSON; `undefined` after an erasure. */
  readonly record?: string | undefined;
  /** Compact JWS with detached payload over `record`. */
  readonly signature?: string | undefined;
  readonly signatureKey?: DossierSignatureKey | undefined;
  /** SHA-256 of the picture of what differs. */
  readonly differenceSha256?: string | undefined;
  /** Candidates, in the order in which they were shown. */
  readonly shown?: readonly string[] | undefined;
  /** What was said of it later, oldest first. */
  readonly corrections?: readonly DossierCorrection[] | undefined;
  readonly attachments?: readonly DossierAttachment[] | undefined;
}

export interface DossierSignatureKey {
  readonly id: string;
  readonly algorithm: string;
  /** RFC 7638, hex. */
  readonly thumbprint: string;
  /** The entry that registered it. */
  readonly entryIndex: number;
}

export interface DossierCorrection {
  readonly id: string;
  readonly kind: 'amended' | 'withdrawn' | 'signed';
  readonly correctedBy: DossierPerson;
  readonly actionType: string | undefined;
  readonly basis: string | undefined;
  readonly text: string | undefined;
  readonly textErased?: DossierErasure | undefined;
  readonly signature: string | undefined;
  readonly signatureKey: DossierSignatureKey | undefined;
  readonly correctedAt: string;
  readonly entryIndex: number;
}

export interface DossierAttachment {
  readonly id: string;
  readonly kind: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly entryIndex: number;
  /** Its bytes are gone; the hash stays. */
  readonly removed?: DossierRemoval | undefined;
}

/** One version of an order that a person gave to assets: selection and arrangement, recorded as the act happened. */
export interface DossierStoryboard {
  readonly id: string;
  readonly version: number;
  /** In their order; assets of this report among them, or in another version. */
  readonly assetIds: readonly string[];
  readonly orderedBy: DossierPerson;
  readonly orderedAt: string;
  /** Why, in the person's own words; `undefined` after an erasure. */
  readonly rationale: string | undefined;
  readonly rationaleErased?: DossierErasure | undefined;
  readonly entryIndex: number;
}

/** A release that was taken back. */
export interface DossierRecall {
  readonly reason: string;
  readonly recalledBy: DossierPerson;
  readonly recalledAt: string;
  readonly text: string | undefined;
  readonly textErased?: DossierErasure | undefined;
  readonly entryIndex: number;
}

/** What follows from the records, worked out when the report was made. */
export interface DossierAuthorship {
  readonly statement: AuthorshipStatement;
  readonly promptHistory: readonly PromptHistory[];
}
