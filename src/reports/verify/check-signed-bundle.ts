import {
  BUNDLE_PATHS,
  BUNDLE_VERSION,
  type BundleIndex,
  SIGNED_DOSSIER_VERSION,
} from '../domain/bundle-format.js';
import { BUNDLE_TYPE, DOSSIER_TYPE } from '../domain/report-kinds.js';
import { type VerifyBundleOptions } from './bundle-verification.js';
import { type ProvedLog } from './check-log.js';
import { checkReportKey } from './check-report-key.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';
import { type SignedJson, type SignedJsonQuestion, verifySignedJson } from './signed-json.js';

const UNSIGNED_DOSSIER =
  'The dossier of a bundle of this format is unsigned: whoever packed it could write into it, and leave out of it, what the log does not contradict.';
const UNSIGNED_BUNDLE =
  'In a bundle of this format only dossier.json is signed: dossier.pdf, VERIFY.md, the authorities and the number of the format are not.';

/**
 * Who vouches for the bundle as a whole. From format 5 on the report key signs the list of contents with the hash of
 * each file. What format a bundle has it says itself, so an older one, of which less is signed, is never valid unless
 * the reader asked for it.
 */
export async function checkSignedBundle(
  index: BundleIndex,
  contents: BundleContents,
  log: ProvedLog,
  { isKnownLog, options }: { readonly isKnownLog: boolean; readonly options: VerifyBundleOptions },
  checklist: Checklist,
): Promise<void> {
  if (index.v < BUNDLE_VERSION) olderFormat(index, isKnownLog, options, checklist);
  if (index.v < SIGNED_DOSSIER_VERSION) return;
  let provedBy: string | undefined;
  await checklist.askIfProved(
    () =>
      index.v < BUNDLE_VERSION
        ? `dossier.json is signed by a report key ${provedBy}.`
        : `The whole bundle, dossier.pdf included, is signed by a report key ${provedBy}.`,
    'The signature of the report does not hold.',
    async () => {
      const documents = new SignedDocuments(index, contents, checklist);
      const dossier = await documents.verify(BUNDLE_PATHS.dossierJws, BUNDLE_PATHS.dossierJson, DOSSIER_TYPE);
      const list =
        index.v < BUNDLE_VERSION
          ? dossier
          : await documents.verify(BUNDLE_PATHS.signedIndex, BUNDLE_PATHS.index, BUNDLE_TYPE);
      if (list === undefined || dossier === undefined) return false;
      if (list.signed.certificateSha256 !== dossier.signed.certificateSha256)
        checklist.fault(BUNDLE_PATHS.signedIndex, 'Dossier and bundle are signed by two keys.');
      const evidence = {
        entries: log.entries.values(),
        isKnownLog,
        reportAnchorsPem: options.reportAnchorsPem,
      };
      provedBy = await checkReportKey(list.path, list.signed, list.question, evidence, checklist);
      return provedBy !== undefined;
    },
  );
}

function olderFormat(
  { v }: BundleIndex,
  isKnownLog: boolean,
  { acceptOlderFormat = false }: VerifyBundleOptions,
  checklist: Checklist,
): void {
  const text = v < SIGNED_DOSSIER_VERSION ? UNSIGNED_DOSSIER : UNSIGNED_BUNDLE;
  if (!acceptOlderFormat)
    checklist.unproved(`${text} Verify again with --older-format to have it judged as far as it goes.`);
  else if (v < SIGNED_DOSSIER_VERSION && !isKnownLog)
    checklist.unproved(`${text} Nothing in it is proved without the key of the log: give it with --vkey.`);
  else checklist.notProved.push(text);
}

class SignedDocuments {
  constructor(
    private readonly index: BundleIndex,
    private readonly contents: BundleContents,
    private readonly checklist: Checklist,
  ) {}

  /** A JWS over the very bytes of a file, by a certificate that leads to the authority in the bundle. */
  async verify(
    path: string,
    payloadPath: string,
    type: string,
  ): Promise<{ path: string; signed: SignedJson; question: SignedJsonQuestion } | undefined> {
    const question = {
      jws: this.text(path),
      type,
      anchorsPem: this.text(BUNDLE_PATHS.reportAnchors),
      at: new Date(this.index.createdAt),
    };
    const signed = await verifySignedJson(question);
    if ('fault' in signed) {
      this.checklist.fault(path, signed.fault);
      return undefined;
    }
    const payload = this.contents.get(payloadPath)?.bytes;
    if (payload === undefined || !signed.payload.equals(payload))
      this.checklist.fault(path, `What is signed is another file than ${payloadPath}.`);
    return { path, signed, question };
  }

  private text(path: string): string {
    return this.contents.get(path)?.bytes?.toString('latin1') ?? '';
  }
}
