import type { CheckpointTrust, OpenedCheckpoint } from '../core/checkpoint.js';
import type { LogReport, LogStatus } from './log-report.js';
import { signedText, TRUTH } from './verify-entry.js';
import { witnessStatus } from './witness-status.js';

/** What the check of a whole log proves and what it does not, in words for people. */
export function logStatuses(
  report: Pick<LogReport, 'ok' | 'entriesRead' | 'findings' | 'stoppedEarly'>,
  opened: OpenedCheckpoint | undefined,
  trust: CheckpointTrust,
): LogStatus[] {
  const { outcome, text } = opened
    ? witnessStatus(opened, trust)
    : {
        outcome: 'not_proved' as const,
        text: 'Without a signed tree head no witness vouches for anything here.',
      };
  return [
    headStatus(opened, trust),
    filesStatus(report, opened),
    { subject: 'witnesses', outcome, text },
    { subject: 'time', outcome: 'not_proved', text: TIME },
    { subject: 'truth', outcome: TRUTH.outcome, text: TRUTH.text },
  ];
}

const TIME =
  "The times in the entries are the operator's clock. Only the order of the entries is proved, not when they were made.";

function headStatus(opened: OpenedCheckpoint | undefined, trust: CheckpointTrust): LogStatus {
  return opened
    ? { subject: 'checkpoint', outcome: 'proved', text: signedText(opened, trust) }
    : { subject: 'checkpoint', outcome: 'failed', text: 'There is no signed tree head that can be trusted.' };
}

function filesStatus(
  report: Pick<LogReport, 'ok' | 'entriesRead' | 'findings' | 'stoppedEarly'>,
  opened: OpenedCheckpoint | undefined,
): LogStatus {
  if (opened === undefined) {
    const text = 'Without a signed tree head there is nothing that tiles and entries could be compared with.';
    return { subject: 'files', outcome: 'not_proved', text };
  }
  if (!report.ok) {
    const count = `${report.findings.length}${report.stoppedEarly ? ' or more' : ''}`;
    const text = `The files are not all what was signed: ${count} findings.`;
    return { subject: 'files', outcome: 'failed', text };
  }
  const text =
    `All ${report.entriesRead} entries, every tile and the signed root follow from each other: ` +
    'since it was signed, nothing was changed, removed, reordered or inserted.';
  return { subject: 'files', outcome: 'proved', text };
}
