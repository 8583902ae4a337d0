import { type EntryEnvelope } from '../../audit/core/entry.js';
import { type Checklist } from './checklist.js';
import { type SignedJson, type SignedJsonQuestion, verifySignedJson } from './signed-json.js';

/** What the reader knows from elsewhere, and what of the log is proved. */
export interface ReportKeyEvidence {
  /** Entries that are proved to be in the log. */
  readonly entries: Iterable<EntryEnvelope>;
  /** The key of that log is one that the reader gave. */
  readonly isKnownLog: boolean;
  /** PEM of authorities for reports that the reader gave. */
  readonly reportAnchorsPem: string | undefined;
}

/**
 * Whether what is signed is the word of the installation. A certificate that came with the signature proves nothing:
 * anybody can make one with the same names. Either the log that the reader knows names the key, or the certificate
 * leads to an authority that the reader knows. Without either the signature is not proved, and nothing is valid.
 *
 * @returns who proves it, in words; `undefined` when nobody does, which the checklist says then
 */
export async function checkReportKey(
  path: string,
  signed: SignedJson,
  question: SignedJsonQuestion,
  evidence: ReportKeyEvidence,
  checklist: Checklist,
): Promise<string | undefined> {
  const { reportAnchorsPem, isKnownLog } = evidence;
  const about = [...evidence.entries].filter(({ subject }) => subject.id === signed.certificateSha256);
  if (about.some(({ type }) => type === 'report_key.compromised')) {
    checklist.fault(
      path,
      'The log says that the key of this signature was given up: somebody else may have it.',
    );
    return undefined;
  }
  if (reportAnchorsPem !== undefined) {
    const known = await verifySignedJson({ ...question, anchorsPem: reportAnchorsPem });
    if (!('fault' in known)) return 'whose certificate leads to an authority that you gave';
    checklist.fault(
      path,
      'The certificate of the signature leads to none of the authorities for reports that you gave.',
    );
    return undefined;
  }
  const isNamed = about.some(
    ({ type, data }) =>
      type === 'report_key.activated' && data.certificateSha256 === signed.certificateSha256,
  );
  if (isNamed && isKnownLog) return 'which the log that you know names as its own';
  checklist.unproved(
    isNamed
      ? 'Who signed the report is not proved: the log in this file names the key, but whose log it is, nobody said. Get the key of the log from elsewhere and verify again with --vkey, or give the authority for reports with --report-trust.'
      : 'Who signed the report is not proved: no entry of the log in this file names the key. Get the authority for reports from elsewhere and verify again with --report-trust.',
  );
  return undefined;
}
