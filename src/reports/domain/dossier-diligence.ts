import {
  type ClaimKind,
  type ClaimOutcome,
  type ExaminationResult,
  type ExaminedQuestion,
  type MatterBasis,
  type MatterFound,
  type MatterKind,
} from '../../audit/core/diligence-words.js';
import { type DossierErasure, type DossierPerson } from './dossier.js';

/** What somebody found out about a file of the chain. Of one question and file the last one counts. */
export interface DossierExamination {
  readonly id: string;
  readonly assetId: string;
  readonly question: ExaminedQuestion;
  readonly result: ExaminationResult;
  /** `YYYY-MM-DD`. */
  readonly examinedOn: string;
  readonly examinedBy: DossierPerson;
  /** The program that looked; absent where a person did. */
  readonly tool?: { readonly name: string; readonly version: string } | undefined;
  readonly matter?:
    | readonly { readonly kind: MatterKind; readonly found: MatterFound; readonly basis?: MatterBasis }[]
    | undefined;
  readonly index?: string | undefined;
  readonly matches?: number | undefined;
  /** In the words of who examined it; `undefined` after an erasure. */
  readonly text: string | undefined;
  readonly document?: string | undefined;
  readonly textErased?: DossierErasure | undefined;
  readonly evidenceAssetId?: string | undefined;
  readonly evidenceSha256?: string | undefined;
  readonly entryIndex: number;
}

/** What somebody outside claims of a file of the chain. */
export interface DossierClaim {
  readonly id: string;
  readonly assetId: string;
  readonly kind: ClaimKind;
  readonly receivedOn: string;
  readonly respondBy?: string | undefined;
  readonly recordedBy: DossierPerson;
  /** `undefined` after an erasure. */
  readonly claimant: string | undefined;
  readonly text: string | undefined;
  readonly textErased?: DossierErasure | undefined;
  readonly evidenceSha256?: string | undefined;
  readonly entryIndex: number;
  /** Oldest first; the last one counts. */
  readonly answers: readonly {
    readonly id: string;
    readonly outcome: ClaimOutcome;
    readonly answeredBy: DossierPerson;
    readonly answeredAt: string;
    readonly text: string | undefined;
    readonly textErased?: DossierErasure | undefined;
    readonly evidenceSha256?: string | undefined;
    readonly entryIndex: number;
  }[];
  readonly state: 'open' | 'upheld' | 'closed';
}
