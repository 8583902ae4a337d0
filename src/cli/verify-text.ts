import { type BundleVerification } from '../reports/verify/bundle-verification.js';
import { drawChain } from './draw-chain.js';
import { printable } from './printable.js';
import { type VerifiedFile } from './verify-file.js';

type VerifiedMedia = Extract<VerifiedFile, { kind: 'media' }>;

/** What `colophon verify` prints for people. Everything that comes out of the file is escaped. */
export function formatVerification(file: string, result: VerifiedFile): string {
  const head = [
    `${result.verdict.toUpperCase().padEnd(8)}  ${printable(file)}`,
    `          ${printable(result.headline)}`,
  ];
  const body = result.kind === 'media' ? mediaLines(file, result) : bundleLines(result.verification);
  return [...head, ...body].join('\n');
}

function mediaLines(file: string, { trustList, verification }: VerifiedMedia): string[] {
  if (verification === undefined) return [];
  const { sentences, chain, sha256, mediaType, sizeBytes } = verification;
  const list = trustList
    ? `${printable(trustList.path)}${trustList.own ? ' (this installation)' : ''}`
    : 'none: give one with --trust CA.pem, or set COLOPHON_HOME';
  const facts = [
    `sha256      ${sha256}`,
    `type        ${mediaType}, ${sizeBytes.toLocaleString('en-US')} bytes`,
    `trust list  ${list}`,
  ];
  const failures = verification.statuses.filter(({ outcome }) => outcome === 'failure');
  return [
    ...section(
      'What it says',
      sentences.map((sentence) => `- ${printable(sentence)}`),
    ),
    ...section('File', facts),
    ...(chain ? section('Chain, newest first', drawChain(chain, file)) : []),
    ...section(
      'Failed checks',
      failures
        .slice(0, 50)
        .map(
          ({ code, explanation }) =>
            `- ${printable(code)}${explanation ? `: ${printable(explanation)}` : ''}`,
        ),
    ),
  ];
}

function bundleLines({ subject, statements, findings, notProved }: BundleVerification): string[] {
  const about = subject && [
    `report   ${printable(subject.reportId)}, made ${printable(subject.createdAt)}`,
    `asset    ${printable(subject.assetId)}, ${subject.released ? 'released for publication' : 'not released'}`,
    `sha256   ${printable(subject.assetSha256)}`,
    `log      ${printable(subject.logOrigin)}, ${subject.treeSize} entries`,
  ];
  return [
    ...section('About', about ?? []),
    ...section(
      'Checked',
      statements.map(({ ok, text }) => `${ok ? '\u2713 yes' : '\u2717 NO '}  ${printable(text)}`),
    ),
    ...section(
      'Findings',
      findings.map(
        ({ path, text }) => `- ${path === undefined ? '' : `${printable(path)}: `}${printable(text)}`,
      ),
    ),
    ...section(
      'Not proved by this',
      notProved.map((text) => `- ${printable(text)}`),
    ),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}
