import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { type WitnessPolicy } from '../audit/core/witness-policy.js';
import { VerificationProcess } from '../provenance/adapters/verification-process.js';
import { ByteSource } from '../provenance/adapters/byte-source.js';
import { DETECTION_BYTES, detectMediaType, isUsdz } from '../provenance/domain/detect-media-type.js';
import { SIDECAR_SUFFIX } from '../provenance/domain/media-signer.port.js';
import { embeddableMediaType, SIGNABLE_NAMES } from '../provenance/domain/media-types.js';
import {
  type MediaToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../provenance/domain/media-verifier.port.js';
import { TEST_PART_WORDS, TEST_WORDS, testWorkIn } from '../provenance/domain/test-work.js';
import { type TrustList as KeptTrustList } from '../provenance/domain/trust-list.js';
import { BUNDLE_VERSION, SIGNED_DOSSIER_VERSION } from '../reports/domain/bundle-format.js';
import { PERIOD_PATHS } from '../reports/domain/period-format.js';
import { type BundleVerdict, type BundleVerification } from '../reports/verify/bundle-verification.js';
import { NotAReport, type ReportVerification } from '../reports/verify/pdf/report-verification.js';
import { runVerifyReportPdf } from '../reports/verify/pdf/verify-report-pdf.js';
import { type PeriodVerification, runVerifyPeriod } from '../reports/verify/verify-period.js';
import { runVerifyBundle } from '../reports/verify/verify-bundle.js';
import { isColophonError } from '../shared/errors.js';
import { archiveHolds } from './batch-files.js';
import { Unusable } from './exit-code.js';
import { isWithin, type TrustList } from './trust-list.js';

/**
 * `valid`: every check passed. `unproved`: no check failed, but who made it is not proved. `invalid`: at least one
 * failed. `unusable`: nothing can be said.
 */
export type Verdict = BundleVerdict;
/** A media file names its signer itself. */
export type MediaVerdict = Exclude<Verdict, 'unproved'>;

export type VerifiedFile =
  | {
      readonly kind: 'media';
      readonly verdict: MediaVerdict;
      readonly headline: string;
      /** The file with the manifest, where it is one of its own. */
      readonly manifestPath: string | undefined;
      /** The list against which the signer was checked; `undefined`: none. */
      readonly trustList: TrustList | undefined;
      /** `undefined` when the manifest cannot be parsed. */
      readonly verification: MediaVerification | undefined;
    }
  | {
      readonly kind: 'bundle';
      readonly verdict: Verdict;
      readonly headline: string;
      readonly verification: BundleVerification;
    }
  | {
      readonly kind: 'period';
      readonly verdict: Verdict;
      readonly headline: string;
      readonly verification: PeriodVerification;
    }
  | {
      readonly kind: 'report';
      readonly verdict: Verdict;
      readonly headline: string;
      readonly verification: ReportVerification;
    };

export interface VerifyFileOptions {
  /** For media files: whose signers count as known. */
  readonly trustList: TrustList | undefined;
  /** For media files: the C2PA lists and those of the user. */
  readonly lists?: readonly KeptTrustList[] | undefined;
  /** For media files: the file with the manifest. By default one beside it is looked for. */
  readonly manifestPath?: string | undefined;
  /** For bundles: the authority that the bundle must bring; by default its own word is taken. */
  readonly expectedAuthority?: TrustList | undefined;
  /** Authorities for names that the user trusts. */
  readonly identityLists?: readonly KeptTrustList[] | undefined;
  /** For bundles, periods and reports: the key of the log as known from elsewhere. */
  readonly expectedVkey?: string | undefined;
  /** For bundles and reports: the witnesses that the user asks for. */
  readonly policy?: WitnessPolicy | undefined;
  /** For bundles and reports: PEM of the roots of time-stamp authorities that the user trusts. */
  readonly timeStampRootsPem?: string | undefined;
  /** For bundles, periods and reports: PEM of the authorities for reports that the user knows. */
  readonly reportAnchorsPem?: string | undefined;
  /** For bundles and periods: judge older formats as far as they go. */
  readonly acceptOlderFormat?: boolean | undefined;
  /** Files of strangers are parsed in a separate process; tests that run from sources bring their own verifier. */
  readonly openVerifier?: OpenVerifier;
}

export type OpenVerifier = (
  trust: Pick<TrustList, 'name' | 'anchorsPem'> | undefined,
  options?: { readonly lists?: readonly KeptTrustList[] | undefined; readonly jobs?: number },
) => MediaVerifier & {
  close?(): void;
};

const MEBIBYTE = 1024 * 1024;

/** More than the server allows: nobody else waits for this process. */
export const inSeparateProcess: OpenVerifier = (trust, { lists = [], jobs = 1 } = {}) =>
  new VerificationProcess({
    trust,
    lists: () => lists,
    deadlineMs: 5 * 60_000,
    maxFileBytes: 4096 * MEBIBYTE,
    maxConcurrent: jobs,
  });

/**
 * Verifies a media file, an evidence bundle, the export of a period or a report in PDF. Which of them it is, its bytes decide. No database, no network.
 * @throws Unusable when it is none of them
 */
export async function verifyFile(path: string, options: VerifyFileOptions): Promise<VerifiedFile> {
  const head = await readHead(path);
  if (isZip(head)) {
    const isPeriod = await archiveHolds(path, PERIOD_PATHS.index);
    return isPeriod ? verifyPeriod(path, options) : verifyBundle(path, options);
  }
  if (isPdf(head)) return verifyReport(path, options);
  const { openVerifier = inSeparateProcess, trustList, lists = [], identityLists = [] } = options;
  const verifier = openVerifier(trustList, { lists: [...identityLists, ...lists] });
  try {
    return await verifyMediaFile(path, verifier, trustList, options.manifestPath);
  } finally {
    verifier.close?.();
  }
}

export type VerifiedMedia = Extract<VerifiedFile, { kind: 'media' }>;

/** A media file by a verifier that is there already: for many files. @throws Unusable */
export async function verifyMediaFile(
  path: string,
  verifier: MediaVerifier,
  trustList: TrustList | undefined,
  givenManifestPath?: string,
): Promise<VerifiedMedia> {
  const head = await readHead(path);
  const mediaType = await mediaTypeOf(path);
  if (mediaType !== undefined) {
    const manifestPath = givenManifestPath ?? (await sidecarBeside(path, mediaType));
    return verifyMedia({ path, mediaType, manifestPath }, verifier, trustList);
  }
  throw new Unusable(
    isPdf(head)
      ? 'a report in PDF is verified by itself: colophon verify REPORT.pdf'
      : `the file is neither a media file of a kind that is signed here (${SIGNABLE_NAMES}) nor an evidence bundle nor a report in PDF`,
  );
}

async function mediaTypeOf(path: string) {
  const file = await ByteSource.open(path);
  try {
    return await detectMediaType(file);
  } finally {
    await file.close();
  }
}

/**
 * `film.webm.c2pa` or `film.c2pa` beside `film.webm`. Looked for only where no manifest can be inside: otherwise a file
 * that somebody put there would speak for one that has lost its own.
 */
async function sidecarBeside(path: string, mediaType: string): Promise<string | undefined> {
  if (embeddableMediaType(mediaType) !== undefined) return undefined;
  const withoutExtension = path.slice(0, path.length - extname(path).length);
  for (const candidate of [`${path}${SIDECAR_SUFFIX}`, `${withoutExtension}${SIDECAR_SUFFIX}`]) {
    const status = await stat(candidate).catch(() => undefined);
    if (status?.isFile() === true) return candidate;
  }
  return undefined;
}

/** Local file header, or the end record of a zip without files. */
export function isZip(head: Buffer): boolean {
  const mark = head.toString('latin1', 0, 4);
  return ['PK\x03\x04', 'PK\x05\x06'].includes(mark) && !isUsdz(head.toString('latin1'));
}

function isPdf(head: Buffer): boolean {
  return head.toString('latin1').startsWith('%PDF-');
}

async function readHead(path: string): Promise<Buffer> {
  try {
    // Looked at before it is opened: opening a pipe waits until somebody writes into it.
    if (!(await stat(path)).isFile()) throw new Unusable('this is not a regular file');
    const file = await open(path, 'r');
    try {
      if (!(await file.stat()).isFile()) throw new Unusable('this is not a regular file');
      const { buffer, bytesRead } = await file.read(Buffer.alloc(DETECTION_BYTES), 0, DETECTION_BYTES, 0);
      if (bytesRead === 0) throw new Unusable('the file is empty');
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Unusable) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Unusable(
      code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code ?? 'unknown reason'})`,
    );
  }
}

async function verifyMedia(
  file: MediaToVerify,
  verifier: MediaVerifier,
  trustList: TrustList | undefined,
): Promise<VerifiedMedia> {
  const { manifestPath } = file;
  try {
    const verification = await verifier.verify(file);
    const { verdict, headline } = judge(verification);
    const testWork = testWorkIn(verification.chain);
    const words = testWork && (testWork === 'file' ? TEST_WORDS : TEST_PART_WORDS);
    return {
      kind: 'media',
      verdict,
      headline: words === undefined ? headline : `${headline}. ${words}`,
      manifestPath,
      trustList,
      verification,
    };
  } catch (error) {
    if (!isColophonError(error)) throw error;
    // A manifest that was damaged beyond reading is a manifest that does not hold.
    if (error.code !== 'manifest_malformed') throw new Unusable(error.message);
    const broken = { verdict: 'invalid', headline: error.message } as const;
    return { kind: 'media', ...broken, manifestPath, trustList, verification: undefined };
  }
}

function judge({ verdict }: MediaVerification): { verdict: MediaVerdict; headline: string } {
  switch (verdict) {
    case 'intact_and_trusted':
      return { verdict: 'valid', headline: 'intact, and signed by a known signer' };
    case 'intact':
      return { verdict: 'valid', headline: 'intact, but the signer is on no list that was checked' };
    case 'broken':
      return {
        verdict: 'invalid',
        headline: 'the file or its manifest was changed, or the signature does not hold',
      };
    case 'none':
      return { verdict: 'unusable', headline: 'the file carries no manifest, so there is nothing to verify' };
  }
}

const PERIOD_HEADLINES: Readonly<Record<Verdict, string>> = {
  valid: 'every entry of the time below is there, unchanged and in order',
  unproved: 'nothing in the export is wrong, but what would make it proof is missing: see below',
  invalid: 'the export of the period does not hold',
  unusable: 'this is no export of a period that can be read',
};

async function verifyPeriod(path: string, options: VerifyFileOptions): Promise<VerifiedFile> {
  const { expectedVkey, reportAnchorsPem, acceptOlderFormat } = options;
  const verification = await runVerifyPeriod(path, { expectedVkey, reportAnchorsPem, acceptOlderFormat });
  const { verdict } = verification;
  return { kind: 'period', verdict, headline: PERIOD_HEADLINES[verdict], verification };
}

const REPORT_HEADLINES: Readonly<Record<ReportVerification['verdict'], string>> = {
  valid:
    'the report is, byte for byte, what the report key signed; later entries of the log, such as a recall, are not in it',
  unproved: 'nothing in the report is wrong, but who made it is not proved: see below',
  invalid: 'the report does not hold',
};

async function verifyReport(path: string, options: VerifyFileOptions): Promise<VerifiedFile> {
  const { expectedVkey, policy, timeStampRootsPem, reportAnchorsPem } = options;
  try {
    const given = { expectedVkey, policy, timeStampRootsPem, reportAnchorsPem };
    const verification = await runVerifyReportPdf(path, given);
    const { verdict, witnessing } = verification;
    const headline = [REPORT_HEADLINES[verdict], ...(verdict === 'valid' ? unmetPolicy(witnessing) : [])];
    return { kind: 'report', verdict, headline: headline.join(', '), verification };
  } catch (error) {
    if (!(error instanceof NotAReport)) throw error;
    throw new Unusable(error.message);
  }
}

/** A policy that the user asked for must not be overlooked. */
function unmetPolicy(witnessing: BundleVerification['witnessing']): string[] {
  const isUnmet = witnessing.some(({ source, policyMet }) => source === 'reader' && !policyMet);
  return isUnmet ? ['BUT THE WITNESS POLICY YOU GAVE IS NOT MET'] : [];
}

const BUNDLE_HEADLINES: Readonly<Record<Verdict, string>> = {
  valid:
    'every check of the evidence bundle passed; later entries of the log, such as a recall, are not in it',
  unproved: 'nothing in the evidence bundle is wrong, but who made it is not proved: see below',
  invalid: 'the evidence bundle does not hold',
  unusable: 'this is not an evidence bundle that can be read',
};

async function verifyBundle(path: string, options: VerifyFileOptions): Promise<VerifiedFile> {
  const { expectedVkey, policy, timeStampRootsPem, expectedAuthority } = options;
  const { reportAnchorsPem, acceptOlderFormat } = options;
  const { openVerifier = inSeparateProcess, identityLists = [] } = options;
  const verifiers = new Map<string, ReturnType<OpenVerifier>>();
  try {
    const result = await runVerifyBundle(path, {
      expectedVkey,
      policy,
      timeStampRootsPem,
      reportAnchorsPem,
      acceptOlderFormat,
      verifyMedia: (file, anchorsPem, brought) => {
        // The user's own first: what he knows himself is worth more than what came with the bundle.
        const lists = [...identityLists, ...brought];
        const verifier =
          verifiers.get(anchorsPem) ??
          openVerifier({ name: 'the authority in this bundle', anchorsPem }, { lists });
        verifiers.set(anchorsPem, verifier);
        return verifier.verify(file);
      },
    });
    const verification = withAuthority(result, [...verifiers.keys()], expectedAuthority);
    const { verdict } = verification;
    return { kind: 'bundle', verdict, headline: headlineOf(verification), verification };
  } finally {
    for (const verifier of verifiers.values()) verifier.close?.();
  }
}

/** What an older format lacks must not be overlooked either. */
function headlineOf({ verdict, witnessing, subject }: BundleVerification): string {
  const headline = BUNDLE_HEADLINES[verdict];
  if (verdict !== 'valid') return headline;
  const { format = 0 } = subject ?? {};
  return [
    headline,
    ...unmetPolicy(witnessing),
    ...(format < SIGNED_DOSSIER_VERSION ? ['BUT THE DOSSIER IS UNSIGNED'] : []),
    ...(format >= SIGNED_DOSSIER_VERSION && format < BUNDLE_VERSION
      ? ['BUT OF THE FILES ONLY dossier.json IS SIGNED']
      : []),
  ].join(', ');
}

const AUTHORITY_UNKNOWN = 'The certificate authority came with the bundle;';

/** Whether the authority under which the bundle's media files were verified is the one that the user expects. */
function withAuthority(
  result: BundleVerification,
  anchors: readonly string[],
  expected: TrustList | undefined,
): BundleVerification {
  if (expected === undefined || result.verdict === 'unusable') return result;
  const ok = anchors.length > 0 && anchors.every((pem) => isWithin(pem, expected));
  const text = ok
    ? 'The certificate authority of the bundle is on the list you gave.'
    : 'The certificate authority of the bundle is not on the list you gave.';
  return {
    ...result,
    verdict: ok ? result.verdict : 'invalid',
    statements: [...result.statements, { ok, text }],
    findings: ok ? result.findings : [...result.findings, { path: 'trust/claim-ca.pem', text }],
    notProved: ok
      ? result.notProved.filter((limit) => !limit.startsWith(AUTHORITY_UNKNOWN))
      : result.notProved,
  };
}
