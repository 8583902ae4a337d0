import { readFile, stat } from 'node:fs/promises';
import { Checklist } from '../checklist.js';
import { checkReportKey } from '../check-report-key.js';
import { tellRelease } from '../tell-release.js';
import { anchorLimits } from '../verify-bundle.js';
import { checkAttachedEvidence, type CheckedReport, tellUnused } from './check-attached-evidence.js';
import { checkPdfSignature } from './check-pdf-signature.js';
import { checkReportJson, FACTS, factsIn, type SignedReport } from './check-report-json.js';
import { checkSigningTime, readPdfTime } from './check-signing-time.js';
import { readAttachments, type ReadAttachment } from './pdf-attachments.js';
import { PdfFile, type PdfSignatureParts } from './pdf-file.js';
import { ForeignForm } from './pdf-values.js';
import { inReportWords } from './report-words.js';
import { NotAReport, type ReportVerification, type VerifyReportOptions } from './report-verification.js';

/** A report holds a media file of at most 16 MiB; the rest of it is small. */
const MAX_REPORT_BYTES = 256 * 1024 * 1024;

interface ReadReport {
  readonly pdf: Buffer;
  readonly signature: PdfSignatureParts;
  readonly attachments: ReadonlyMap<string, ReadAttachment>;
}

/**
 * Verifies a signed report in PDF by itself, offline. Only the form that this program writes is accepted. It collects
 * all findings, and never throws for what a stranger could have written, but where that is no report of ours at all.
 *
 * @throws NotAReport
 */
export async function runVerifyReportPdf(
  path: string,
  options: VerifyReportOptions,
): Promise<ReportVerification> {
  const { size } = await stat(path);
  if (size > MAX_REPORT_BYTES) throw new NotAReport('The PDF is larger than any report that Colophon makes.');
  return verifyReportPdf(await readFile(path), options);
}

/** @throws NotAReport */
export async function verifyReportPdf(
  pdf: Buffer,
  options: VerifyReportOptions,
): Promise<ReportVerification> {
  const checklist = new Checklist();
  const report = await checklist.ask(
    'The file has one revision and one signature, and nothing follows it.',
    'The file is not as it was written.',
    () => open(pdf, checklist),
  );
  const result = report && (await checkReport(report, options, checklist));
  return inReportWords({
    verdict: result === undefined ? 'invalid' : checklist.verdict,
    statements: checklist.statements,
    findings: checklist.findings,
    notProved: checklist.notProved,
    witnessing: result?.witnessing ?? [],
    timeStamps: result?.timeStamps ?? [],
    subject: result?.subject,
  });
}

/** @throws NotAReport */
function open(pdf: Buffer, checklist: Checklist): ReadReport | undefined {
  try {
    const file = new PdfFile(pdf);
    const read = { pdf, signature: file.signature(), attachments: readAttachments(file) };
    if (factsIn(read.attachments) !== undefined) return read;
    throw new ForeignForm('it does not carry the facts of a report');
  } catch (error) {
    if (!(error instanceof ForeignForm)) throw error;
    if (!hasOurMarks(pdf))
      throw new NotAReport(
        `This PDF is not a report that Colophon made and signed (${error.message}). A certificate of provenance carries no signature: verify the media file that it is about.`,
        { cause: error },
      );
    checklist.fault(
      undefined,
      `The file was changed after it was written, or Colophon did not write it: ${error.message}.`,
    );
    return undefined;
  }
}

/** A report of ours that somebody changed is told from a PDF of somebody else by what stands in it. */
function hasOurMarks(pdf: Buffer): boolean {
  const holds = (text: string): boolean => pdf.includes(text, 0, 'latin1');
  return (
    holds('/ETSI.CAdES.detached') &&
    Object.values(FACTS).some(({ jws, json }) => holds(`(${jws})`) && holds(`(${json})`))
  );
}

async function checkReport(
  { pdf, signature, attachments }: ReadReport,
  options: VerifyReportOptions,
  checklist: Checklist,
): Promise<Pick<ReportVerification, 'witnessing' | 'timeStamps' | 'subject'>> {
  const names = factsIn(attachments) ?? FACTS.report;
  const report = await checklist.ask(
    `${names.json}, the facts of the report for machines, is signed by the certificate in ${names.jws}.`,
    'The facts of the report are not those that were signed.',
    () => checkReportJson(names, attachments, checklist),
  );
  if (report === undefined) return { witnessing: [], timeStamps: [], subject: undefined };
  const held = await checklist.ask(
    'Every byte of the file but the signature itself, pages and attachments, is what the same certificate signed.',
    'The signature of the PDF does not hold.',
    () => checkPdfSignature(pdf, signature, report.signed.chain, checklist),
  );
  const signedAt = readPdfTime(signature.signedAt);
  const rootsPem = options.timeStampRootsPem;
  const stamps = held ? await checkSigningTime(signedAt, held, report.signed, rootsPem, checklist) : [];
  const checked = await checkFacts(report, attachments, options, checklist);
  await checkSigner(report, checked, options, checklist);
  const { dossier, witnessing, log } = checked;
  const timeStamps = [...stamps, ...checked.timeStamps];
  const isWhole = checklist.findings.length === 0;
  if (dossier && log && isWhole) tellRelease(dossier, checklist);
  checklist.notProved.push(
    ...(log ? anchorLimits({ witnessing, timeStamps: checked.timeStamps }) : []),
    ...limits(report),
  );
  return { witnessing, timeStamps, subject: subjectOf(report, signedAt, dossier) };
}

async function checkFacts(
  report: SignedReport,
  attachments: ReadonlyMap<string, ReadAttachment>,
  options: VerifyReportOptions,
  checklist: Checklist,
): Promise<CheckedReport> {
  if (report.kind === 'asset') return checkAttachedEvidence(report.json, attachments, options, checklist);
  for (const name of attachments.keys())
    if (!Object.values<string>(FACTS.report).includes(name))
      checklist.fault(name, 'The report carries a file that no report of its kind has.');
  tellUnused(options, checklist);
  checklist.notProved.push(
    'A report of this kind carries no entries of the log: that it says what the log recorded is the word of who signed it.',
  );
  const nothing = { witnessing: [], timeStamps: [], dossier: undefined, log: undefined };
  return { ...nothing, isKnownLog: false };
}

/** Who vouches for the certificate: an authority that the reader gave, or the log whose key the reader gave. */
async function checkSigner(
  { jwsPath, signed, question }: SignedReport,
  { log, isKnownLog }: CheckedReport,
  { reportAnchorsPem }: VerifyReportOptions,
  checklist: Checklist,
): Promise<void> {
  let provedBy: string | undefined;
  await checklist.askIfProved(
    () => `The report is signed by a report key ${provedBy}.`,
    'Who signed the report does not hold.',
    async () => {
      const evidence = { entries: log?.entries.values() ?? [], isKnownLog, reportAnchorsPem };
      provedBy = await checkReportKey(jwsPath, signed, question, evidence, checklist);
      return provedBy !== undefined;
    },
  );
}

function subjectOf(
  { kind, reportId, createdAt, signed }: SignedReport,
  signedAt: Date | undefined,
  dossier: CheckedReport['dossier'],
): ReportVerification['subject'] {
  const { subject: signer, certificateSha256 } = signed;
  const base = { kind, reportId, createdAt, signedAt: signedAt?.toISOString(), signer, certificateSha256 };
  if (dossier === undefined) return base;
  const { asset, log, release, recall } = dossier;
  const released = release !== undefined && recall === undefined;
  const { origin: logOrigin, treeSize } = log;
  return { ...base, asset: { id: asset.id, sha256: asset.sha256, released, logOrigin, treeSize } };
}

function limits({ kind }: SignedReport): string[] {
  const facts = kind === 'asset' ? FACTS.dossier.json : FACTS.report.json;
  return [
    'What was recorded after the report was made is not in it: a later recall, correction, claim or loss of the report key would not show. Ask for a new one, or read the log itself.',
    `That the pages say what ${facts} says is the word of who signed both: pages are not compared.`,
    'Whether the certificate of the report key was revoked was not looked up.',
    'A signature proves who made the file and that it has not changed since, not that what it says is true or that nothing was left out. This is not legal advice.',
  ];
}
