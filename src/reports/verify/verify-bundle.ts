import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BUNDLE_FORMAT,
  BUNDLE_PATHS,
  BUNDLE_VERSION,
  type BundleIndex,
  bundleIndexSchema,
} from '../domain/bundle-format.js';
import { type BundleContent, BundleReader, UnusableBundle } from './bundle-reader.js';
import { type BundleVerification, type VerifyBundleOptions } from './bundle-verification.js';
import { parseCanonicalDocument } from './bounded-json.js';
import { checkContainer } from './check-container.js';
import { type CheckedAnchors, checkDossier } from './check-dossier.js';
import { checkHumanWork } from './check-human-work.js';
import { checkEntries, openLog } from './check-log.js';
import { checkMedia } from './check-media.js';
import { checkRecords } from './check-records.js';
import { checkSignedBundle } from './check-signed-bundle.js';
import { type BundleContents, checkIndex, checkSums } from './check-sums.js';
import { checkTime } from './check-time-stamps.js';
import { checkWitnesses } from './check-witnesses.js';
import { Checklist } from './checklist.js';
import { type CheckedDossier } from './dossier-schema.js';
import { tellRelease } from './tell-release.js';

/**
 * Verifies an evidence bundle offline and says of each question whether the answer is yes. It collects all findings,
 * and never throws for anything that a stranger could put into the file.
 *
 * @param path the zip file; it is not changed. Media files in it are unpacked into a temporary folder for a moment.
 */
export async function runVerifyBundle(
  path: string,
  options: VerifyBundleOptions,
): Promise<BundleVerification> {
  const scratch = await mkdtemp(join(options.scratchFolder ?? tmpdir(), 'colophon-verify-'));
  const checklist = new Checklist();
  try {
    return await verifyIn(scratch, path, options, checklist);
  } catch (error) {
    if (!(error instanceof UnusableBundle)) throw error;
    const findings = [{ path: undefined, text: error.message }, ...checklist.findings];
    return {
      verdict: 'unusable',
      statements: [],
      findings,
      notProved: [],
      witnessing: [],
      timeStamps: [],
      subject: undefined,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function verifyIn(
  scratch: string,
  path: string,
  options: VerifyBundleOptions,
  checklist: Checklist,
): Promise<BundleVerification> {
  const reader = await BundleReader.open(path, scratch, checklist);
  try {
    const entries = await reader.entries();
    const contents = new Map<string, BundleContent>();
    for (const [name, entry] of entries) {
      const content = await reader.read(name, entry);
      if (content) contents.set(name, content);
    }
    const index = readIndex(contents, checklist);
    await checklist.ask(
      () =>
        `SHA256SUMS and bundle.json list these ${contents.size} files and no others, and nothing lies between them.`,
      'The bundle is not as it was packed.',
      async () => {
        checkSums(contents, checklist);
        if (!index) return;
        checkIndex(index, contents, checklist);
        await checkContainer(reader, contents, entries, index.createdAt, checklist);
      },
    );
    const evidence = index && (await checkEvidence(index, contents, options, checklist));
    return result(index, evidence ?? NO_EVIDENCE, checklist);
  } finally {
    reader.close();
  }
}

/** @throws UnusableBundle when this is some other zip file, or a bundle of a later format */
function readIndex(contents: BundleContents, checklist: Checklist): BundleIndex | undefined {
  const bytes = contents.get(BUNDLE_PATHS.index)?.bytes;
  if (bytes === undefined && !contents.has(BUNDLE_PATHS.sums)) {
    throw new UnusableBundle(
      'The zip file is not an evidence bundle: it has neither bundle.json nor SHA256SUMS.',
    );
  }
  const document = bytes && parseCanonicalDocument(bytes);
  const parsed = bundleIndexSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const { format, v } = (document ?? {}) as { format?: unknown; v?: unknown };
  if (format === BUNDLE_FORMAT && typeof v === 'number' && v > BUNDLE_VERSION) {
    throw new UnusableBundle('The bundle has a later format than this program knows. Use a later version.');
  }
  checklist.fault(
    BUNDLE_PATHS.index,
    'The list of contents is missing or was changed, so it cannot be read.',
  );
  return undefined;
}

type CheckedEvidence = Pick<BundleVerification, 'witnessing' | 'timeStamps'> & {
  readonly dossier: CheckedDossier | undefined;
};

const NO_EVIDENCE: CheckedEvidence = { dossier: undefined, witnessing: [], timeStamps: [] };

async function checkEvidence(
  index: BundleIndex,
  contents: BundleContents,
  options: VerifyBundleOptions,
  checklist: Checklist,
): Promise<CheckedEvidence> {
  const log = await checklist.ask(
    `The key of the log ${index.log.origin} signed its state with ${index.log.treeSize} entries.`,
    'The signed state of the log does not hold.',
    () => openLog(index, contents, checklist),
  );
  const isKnownLog = checkKey(log?.vkey, options, checklist);
  if (!log) return NO_EVIDENCE;
  const witnessing = checkWitnesses(contents, log, options.policy, checklist);
  const time = await checkTime(index, contents, log, options.timeStampRootsPem, checklist);
  const proved = await checklist.ask(
    ({ entries }) =>
      `All ${entries.size} entries were in the log, unchanged; disclosed values are those that were sealed.`,
    'Not every entry is proved to be in the log.',
    () => checkEntries(index, contents, log, time.valid, checklist),
  );
  await checklist.ask(
    'Each media file is the one whose signing the log recorded, and its manifest is intact and chains to the authority in this bundle.',
    'A media file or its manifest is not what the log recorded.',
    () => checkMedia(index, contents, proved, options.verifyMedia, checklist),
  );
  const anchors: CheckedAnchors = {
    policy: contents.get(BUNDLE_PATHS.policy)?.bytes,
    witnessing,
    timeStamps: time.outcomes,
    tokenSha256: new Map(time.tokens.map(({ path, sha256 }) => [path, sha256])),
  };
  const dossier = await checklist.ask(
    'The dossier says what the log recorded: assets, hashes, clearances, contributions, decisions, witnesses and time-stamps.',
    'The dossier contradicts the log.',
    async () => {
      const { bytes } = contents.get(BUNDLE_PATHS.dossierJson) ?? {};
      const found = checkDossier(bytes, index, proved, anchors, checklist);
      if (found) await checkHumanWork(found, proved, checklist);
      if (found) checkRecords(found, index, contents, proved, checklist);
      return found;
    },
  );
  await checkSignedBundle(index, contents, proved, { isKnownLog, options }, checklist);
  return { dossier, witnessing, timeStamps: time.outcomes };
}

/** The key as the reader knows it, by itself or by the logs of a policy. @returns whether it is that one */
export function checkKey(
  vkey: string | undefined,
  { expectedVkey, policy }: Pick<VerifyBundleOptions, 'expectedVkey' | 'policy'>,
  checklist: Checklist,
): boolean {
  const known = [
    ...(expectedVkey === undefined ? [] : [[expectedVkey.trim()]]),
    ...(policy === undefined || policy.logs.length === 0 ? [] : [policy.logs.map((log) => log.vkey)]),
  ];
  if (known.length === 0) {
    checklist.notProved.push(
      'The key of the log came with the bundle. Whether it is the key of the organization is not proved: get it from elsewhere and verify again with it.',
    );
    return false;
  }
  const ok = vkey !== undefined && known.every((keys) => keys.includes(vkey));
  const text = ok ? 'The key of the log is the one you gave.' : 'The key of the log is not the one you gave.';
  if (!ok) checklist.fault(BUNDLE_PATHS.vkey, text);
  checklist.statements.push({ ok, text });
  return ok;
}

const NO_WITNESS = 'No witness vouches that everybody was shown this same log.';
const NO_TIME = 'The times are the clock of whoever runs the log.';
const TIME_BOUND =
  'The time in an entry is the clock of whoever runs the log; a time-stamp shows only that it was not later.';

const LATER =
  'What was recorded after the signed state of the log in this bundle is not in it: a later recall, correction, claim or loss of the report key would not show. Ask for a new bundle, or read the log itself.';

const LIMITS = [
  LATER,
  'The certificate authority came with the bundle; compare it with the one that the organization names elsewhere.',
  'dossier.pdf is for reading: only dossier.json was compared with the log.',
  'CERTIFICATION.md is a draft that no person has signed, and verify.html cannot vouch for itself.',
  'A log proves what was recorded and that it has not changed since, not that what was recorded is true or that nothing was left out.',
  'That the asset infringes nothing or is protected by copyright does not follow from this. This is not legal advice.',
];

/** What nobody outside has confirmed. */
export function anchorLimits({
  witnessing,
  timeStamps,
}: Pick<BundleVerification, 'witnessing' | 'timeStamps'>): string[] {
  const isStamped = timeStamps.some(({ outcome }) => outcome === 'proved');
  return [...(witnessing.length === 0 ? [NO_WITNESS] : []), isStamped ? TIME_BOUND : NO_TIME];
}

function result(
  index: BundleIndex | undefined,
  evidence: CheckedEvidence,
  checklist: Checklist,
): BundleVerification {
  const { dossier, witnessing, timeStamps } = evidence;
  const isWhole = checklist.findings.length === 0 && dossier !== undefined;
  const released = dossier?.release !== undefined && dossier.recall === undefined;
  if (dossier && isWhole) tellRelease(dossier, checklist);
  return {
    verdict: isWhole ? checklist.verdict : 'invalid',
    statements: checklist.statements,
    findings: checklist.findings,
    notProved: [...checklist.notProved, ...anchorLimits(evidence), ...LIMITS],
    witnessing,
    timeStamps,
    subject: index && {
      reportId: index.reportId,
      createdAt: index.createdAt,
      assetId: index.asset.id,
      assetSha256: index.asset.sha256,
      logOrigin: index.log.origin,
      treeSize: index.log.treeSize,
      format: index.v,
      released,
    },
  };
}
