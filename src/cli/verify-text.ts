import { type Break } from '../provenance/domain/breaks.js';
import { statusWords } from '../provenance/domain/status-words.js';
import {
  type TrustList as KeptTrustList,
  trustListUse,
  trustListWords,
} from '../provenance/domain/trust-list.js';
import {
  type BundleFinding,
  type BundleStatement,
  type BundleVerification,
  type TimeStampOutcome,
  type WitnessOutcome,
} from '../reports/verify/bundle-verification.js';
import { type ReportVerification } from '../reports/verify/pdf/report-verification.js';
import { type PeriodVerification } from '../reports/verify/verify-period.js';
import { drawChain } from './draw-chain.js';
import { printable } from './printable.js';
import { type VerifiedFile } from './verify-file.js';

type VerifiedMedia = Extract<VerifiedFile, { kind: 'media' }>;

/** What `colophon verify` prints for people. Everything that comes out of the file is escaped. */
export function formatVerification(
  file: string,
  result: VerifiedFile,
  lists: readonly KeptTrustList[] = [],
): string {
  const head = [
    `${result.verdict.toUpperCase().padEnd(8)}  ${printable(file)}`,
    `          ${printable(result.headline)}`,
  ];
  return [...head, ...bodyLines(file, result, lists)].join('\n');
}

function bodyLines(file: string, result: VerifiedFile, lists: readonly KeptTrustList[]): string[] {
  switch (result.kind) {
    case 'media':
      return mediaLines(file, result, lists);
    case 'bundle':
      return bundleLines(result.verification);
    case 'period':
      return periodLines(result.verification);
    case 'report':
      return reportLines(result.verification);
  }
}

function mediaLines(
  file: string,
  { trustList, verification, manifestPath }: VerifiedMedia,
  lists: readonly KeptTrustList[],
): string[] {
  if (verification === undefined) return [];
  const { sentences, chain, sha256, mediaType, sizeBytes } = verification;
  const now = new Date();
  const list = trustList
    ? `${printable(trustList.path)}${trustList.own ? ' (this installation)' : ''}`
    : 'none of your own: give one with --trust CA.pem, or set COLOPHON_HOME';
  const facts = [
    `sha256      ${sha256}`,
    `type        ${mediaType}, ${sizeBytes.toLocaleString('en-US')} bytes`,
    ...(manifestPath === undefined ? [] : [`manifest    ${printable(manifestPath)}`]),
    `trust list  ${list}`,
    ...lists.map((each) => `            ${printable(trustListWords(trustListUse(each, now)))}`),
  ];
  const failures = verification.statuses.filter(({ outcome }) => outcome === 'failure');
  return [
    ...section(
      'What it says',
      sentences.map((sentence) => `- ${printable(sentence)}`),
    ),
    ...section('File', facts),
    ...(chain ? section('Chain, newest first', drawChain(chain, file)) : []),
    ...section('Where it broke', verification.breaks.slice(0, 50).map(breakLine)),
    ...section(
      'Other failed checks',
      failures
        .filter(({ code }) => !verification.breaks.some((each) => each.code === code))
        .slice(0, 50)
        .map(({ code }) => `- ${printable(code)}: ${printable(statusWords(code))}`),
    ),
  ];
}

function breakLine({ in: place, title, part, code, meaning, manifestLabel }: Break): string {
  const where = place === 'file' ? 'the file' : `ingredient "${printable(title ?? 'untitled', 80)}"`;
  const inPart = part === undefined ? '' : `, in ${printable(part, 80)}`;
  const manifest = manifestLabel === undefined ? '' : ` (${printable(manifestLabel, 80)})`;
  return `- ${where}${manifest}${inPart}: ${printable(meaning)} [${printable(code, 80)}]`;
}

function periodLines(verification: PeriodVerification): string[] {
  const { subject, statements, findings, notProved } = verification;
  const about = subject && [
    `report   ${printable(subject.reportId)}, made ${printable(subject.createdAt)}`,
    `log      ${printable(subject.logOrigin)}`,
    subject.lastSize === subject.firstSize
      ? 'entries  none'
      : `entries  ${subject.firstSize} to ${subject.lastSize - 1} (${subject.lastSize - subject.firstSize})`,
    `asked    ${spanWords(subject.asked)}`,
    `whole    ${subject.span === undefined ? 'for no time that is proved' : spanWords(subject.span)}`,
  ];
  return [
    ...section('About', about ?? []),
    ...section('Checked', statements.map(statementLine)),
    ...section('Findings', findings.map(findingLine)),
    ...section(
      'Not proved by this',
      notProved.map((text) => `- ${printable(text)}`),
    ),
  ];
}

function spanWords({
  from,
  until,
}: {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}): string {
  return `${printable(from ?? 'the beginning of the log')} to ${printable(until ?? 'its end')}`;
}

const statementLine = ({ ok, text }: BundleStatement): string =>
  `${ok ? '\u2713 yes' : '\u2717 NO '}  ${printable(text)}`;
const findingLine = ({ path, text }: BundleFinding): string =>
  `- ${path === undefined ? '' : `${printable(path)}: `}${printable(text)}`;

function bundleLines(verification: BundleVerification): string[] {
  const { subject } = verification;
  const about = subject && [
    `report   ${printable(subject.reportId)}, made ${printable(subject.createdAt)}`,
    `asset    ${printable(subject.assetId)}, ${subject.released ? 'released for publication' : 'not released'}`,
    `sha256   ${printable(subject.assetSha256)}`,
    `log      ${printable(subject.logOrigin)}, ${subject.treeSize} entries`,
  ];
  return [...section('About', about ?? []), ...checkedLines(verification, 'bundle')];
}

const KINDS = { asset: 'dossier', campaign: 'campaign report', model: 'model file' } as const;

function reportLines(verification: ReportVerification): string[] {
  const { subject } = verification;
  const { asset } = subject ?? {};
  const about = subject && [
    `report   ${printable(subject.reportId)} (${KINDS[subject.kind]}), made ${printable(subject.createdAt)}`,
    `signed   ${printable(subject.signedAt ?? 'at no time that it names')}, says the signature`,
    `by       ${printable(subject.signer.replaceAll('\n', ', '))}`,
    `         certificate ${printable(subject.certificateSha256)} (SHA-256)`,
    ...(asset
      ? [
          `asset    ${printable(asset.id)}, ${asset.released ? 'released for publication' : 'not released'}`,
          `sha256   ${printable(asset.sha256)}`,
          `log      ${printable(asset.logOrigin)}, ${asset.treeSize} entries`,
        ]
      : []),
  ];
  return [...section('About', about ?? []), ...checkedLines(verification, 'report')];
}

function checkedLines(
  verification: Omit<ReportVerification, 'verdict' | 'subject'>,
  carrier: 'bundle' | 'report',
): string[] {
  const { statements, findings, notProved, witnessing, timeStamps } = verification;
  return [
    ...section('Checked', statements.map(statementLine)),
    ...witnessing.flatMap((outcome) => witnessLines(outcome, carrier)),
    ...section('Time-stamps', timeStamps.map(timeStampLine)),
    ...section('Findings', findings.map(findingLine)),
    ...section(
      'Not proved by this',
      notProved.map((text) => `- ${printable(text)}`),
    ),
  ];
}

function witnessLines(
  { source, policyMet, witnesses }: WitnessOutcome,
  carrier: 'bundle' | 'report',
): string[] {
  const whose = source === 'reader' ? 'by the policy you gave' : `by the policy in the ${carrier}`;
  const title = `Witnesses, ${whose}: ${policyMet ? 'met' : 'NOT MET'}`;
  return section(
    title,
    witnesses.map(
      ({ name, key, cosignedAt }) =>
        `${cosignedAt ?? 'has not cosigned'.padEnd(24)}  ${printable(name)}  ${printable(key)}`,
    ),
  );
}

const ROOTS = {
  bundle: 'roots in the bundle',
  reader: 'roots you gave',
  none: 'no roots',
} as const;

function timeStampLine({ path, roots, outcome, at, authority, text }: TimeStampOutcome): string {
  const what = outcome === 'proved' ? `${at ?? ''}  by ${authority ?? ''}` : text;
  return `${printable(what)}  (${printable(path)}; ${ROOTS[roots]})`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}
