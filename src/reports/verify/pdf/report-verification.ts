import { type WitnessPolicy } from '../../../audit/core/witness-policy.js';
import { type BundleFinding, type BundleStatement, type BundleVerification } from '../bundle-verification.js';

/** What a report in PDF shows by itself. The words are those of bundles. */
export interface ReportVerification {
  readonly verdict: 'valid' | 'unproved' | 'invalid';
  readonly statements: readonly BundleStatement[];
  readonly findings: readonly BundleFinding[];
  readonly notProved: readonly string[];
  readonly witnessing: BundleVerification['witnessing'];
  readonly timeStamps: BundleVerification['timeStamps'];
  /** What the report says of itself; `undefined` when it cannot be read. */
  readonly subject: ReportSubject | undefined;
}

export interface ReportSubject {
  readonly kind: 'asset' | 'campaign' | 'model';
  readonly reportId: string;
  readonly createdAt: string;
  /** The time that the signature names; `undefined` when it names none. */
  readonly signedAt: string | undefined;
  /** Subject of the certificate that signed, and its SHA-256. */
  readonly signer: string;
  readonly certificateSha256: string;
  /** Of a dossier that was read. */
  readonly asset?: {
    readonly id: string;
    readonly sha256: string;
    readonly released: boolean;
    readonly logOrigin: string;
    readonly treeSize: number;
  };
}

export interface VerifyReportOptions {
  /** The key of the log as the reader knows it from elsewhere. */
  readonly expectedVkey?: string | undefined;
  readonly policy?: WitnessPolicy | undefined;
  /** PEM of the roots of time-stamp authorities that the reader trusts. */
  readonly timeStampRootsPem?: string | undefined;
  /** PEM of the authorities for reports that the reader knows. */
  readonly reportAnchorsPem?: string | undefined;
}

/** The file is no signed report of this program, so nothing is said about it; the message says why, in plain words. */
export class NotAReport extends Error {}
