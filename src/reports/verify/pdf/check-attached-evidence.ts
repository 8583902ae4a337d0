import { decodeTimeStampToken } from '../../../audit/verify/time-stamp-structure.js';
import { subjectName } from '../../../audit/verify/pki.js';
import { findSigner } from '../../../audit/verify/signing-certificate.js';
import { TlogError } from '../../../audit/core/tlog-error.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { type BundleVerification, type TimeStampOutcome } from '../bundle-verification.js';
import { parseCanonicalDocument } from '../bounded-json.js';
import { type CheckedAnchors, checkDossier } from '../check-dossier.js';
import { checkHumanWork } from '../check-human-work.js';
import { checkEntries, openLog, type ProvedLog } from '../check-log.js';
import { checkRecords } from '../check-records.js';
import { type CheckedTime, checkTime } from '../check-time-stamps.js';
import { checkWitnesses } from '../check-witnesses.js';
import { type Checklist } from '../checklist.js';
import { type CheckedDossier, checkedDossierSchema } from '../dossier-schema.js';
import { checkKey } from '../verify-bundle.js';
import { ATTACHED, readEvidence, TIME_STAMP_NAME } from './attached-evidence.js';
import { FACTS } from './check-report-json.js';
import { type ReadAttachment } from './pdf-attachments.js';
import { type VerifyReportOptions } from './report-verification.js';

export type CheckedReport = Pick<BundleVerification, 'witnessing' | 'timeStamps'> & {
  readonly dossier: CheckedDossier | undefined;
  /** What the log proves; `undefined` where the PDF carries no evidence, or its tree head does not hold. */
  readonly log: ProvedLog | undefined;
  readonly isKnownLog: boolean;
};

const NOTHING: CheckedReport = {
  ...{ witnessing: [], timeStamps: [], dossier: undefined, log: undefined },
  isKnownLog: false,
};

/** A dossier and what it carries: the checks of an evidence bundle, as far as a PDF holds what they look at. */
export async function checkAttachedEvidence(
  json: Buffer,
  attachments: ReadonlyMap<string, ReadAttachment>,
  options: VerifyReportOptions,
  checklist: Checklist,
): Promise<CheckedReport> {
  const parsed = checkedDossierSchema.safeParse(parseCanonicalDocument(json));
  if (!parsed.success) {
    checklist.fault(FACTS.dossier.json, 'The dossier cannot be read, or lacks what the log could confirm.');
    return NOTHING;
  }
  const dossier = parsed.data;
  checkNames(attachments, checklist);
  if (!attachments.has(ATTACHED.checkpoint)) {
    tellUnused(options, checklist);
    checklist.notProved.push(
      'This PDF carries no evidence: it comes out of an evidence bundle. Verify that zip file to have the dossier compared with the log.',
    );
    return { ...NOTHING, dossier };
  }
  const { index, contents } = readEvidence(dossier, json, attachments, checklist);
  const log = await checklist.ask(
    `The key of the log ${index.log.origin} signed its state with ${index.log.treeSize} entries.`,
    'The signed state of the log does not hold.',
    () => openLog(index, contents, checklist),
  );
  const isKnownLog = checkKey(log?.vkey, options, checklist);
  if (!log) return { ...NOTHING, dossier };
  const witnessing = checkWitnesses(contents, log, options.policy, checklist);
  const time = await checkTime(index, contents, log, options.timeStampRootsPem, checklist);
  const proved = await checklist.ask(
    ({ entries }) =>
      `All ${entries.size} entries were in the log, unchanged; disclosed values are those that were sealed.`,
    'Not every entry is proved to be in the log.',
    () => checkEntries(index, contents, log, time.valid, checklist),
  );
  await checklist.ask(
    'The dossier says what the log recorded: assets, hashes, clearances, contributions, decisions, witnesses and time-stamps.',
    'The dossier contradicts the log.',
    async () => {
      const policy = Buffer.from(dossier.log.witnessing?.policy ?? '', 'utf8');
      const anchors = { policy, witnessing, ...toldTimes(dossier, time) };
      const found = checkDossier(json, index, proved, anchors, checklist);
      if (found) await checkHumanWork(found, proved, checklist);
      if (found) checkRecords(found, index, contents, proved, checklist);
    },
  );
  checkMediaFiles(dossier, attachments, checklist);
  return { witnessing, timeStamps: time.outcomes, dossier, log: proved, isKnownLog };
}

/** What the reader gave must not look as if it had been used. */
export function tellUnused({ expectedVkey, policy }: VerifyReportOptions, checklist: Checklist): void {
  if (expectedVkey !== undefined || policy !== undefined)
    checklist.notProved.push(
      'The key of the log and the witnesses that you gave were not used: this PDF holds no signed state of a log.',
    );
}

function checkNames(attachments: ReadonlyMap<string, ReadAttachment>, checklist: Checklist): void {
  const known: readonly string[] = [...Object.values(FACTS.dossier), ...Object.values(ATTACHED)];
  for (const [name, { relationship }] of attachments)
    if (!known.includes(name) && !TIME_STAMP_NAME.test(name) && relationship !== 'Source')
      checklist.fault(name, 'The report carries a file that no report has.');
}

/**
 * What the tokens that the dossier names say: a bundle brings the roots under which the dossier read them, and a PDF
 * does not. Whether they hold, the roots of the reader decide.
 */
function toldTimes(
  { log }: CheckedDossier,
  { tokens }: CheckedTime,
): Pick<CheckedAnchors, 'timeStamps' | 'tokenSha256'> {
  const named = new Set((log.timeStamps ?? []).map(({ tokenSha256 }) => tokenSha256));
  const timeStamps = tokens.flatMap(({ path, sha256, bytes }): TimeStampOutcome[] => {
    const said = named.has(sha256) && bytes !== undefined ? readToken(bytes) : undefined;
    return said ? [{ path, roots: 'bundle', outcome: 'not_proved', text: '', ...said }] : [];
  });
  return { timeStamps, tokenSha256: new Map(tokens.map(({ path, sha256 }) => [path, sha256])) };
}

function readToken(bytes: Buffer): { readonly at: string; readonly authority: string } | undefined {
  try {
    const { signer, certificates, genTime } = decodeTimeStampToken(bytes);
    const held = findSigner(signer, certificates);
    return held && { at: genTime.toISOString(), authority: subjectName(held.certificate) };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return undefined;
  }
}

/** The media file and its manifest, by the hashes in the dossier, which the log confirms. */
function checkMediaFiles(
  { asset }: CheckedDossier,
  attachments: ReadonlyMap<string, ReadAttachment>,
  checklist: Checklist,
): void {
  const files = [...attachments].filter(([, { relationship }]) => relationship === 'Source');
  if (files.length === 0) {
    checklist.notProved.push(
      'The media file is not in this PDF: compare the SHA-256 of the file that you have with the one named above.',
    );
    return;
  }
  for (const [name, { bytes }] of files)
    if (![asset.sha256, asset.manifestSha256].includes(sha256Hex(bytes)))
      checklist.fault(name, 'The file is not the one that was signed: the log recorded another SHA-256.');
  checklist.notProved.push(
    'The media file inside is compared by its SHA-256 alone: take it out and verify it by itself to have its manifest checked.',
  );
}
