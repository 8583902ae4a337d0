import { BUNDLE_PATHS, type BundleIndex } from '../domain/bundle-format.js';
import { DOSSIER_TYPE } from '../domain/report-kinds.js';
import { type ProvedLog } from './check-log.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';
import { type SignedJson, verifySignedJson } from './signed-json.js';

/**
 * dossier.jws: the very bytes of dossier.json, signed by a certificate that leads to the authority in the bundle, at a
 * time at which it was valid, by a key that the log names.
 */
export async function checkSignedDossier(
  index: BundleIndex,
  contents: BundleContents,
  log: ProvedLog,
  checklist: Checklist,
): Promise<void> {
  const path = BUNDLE_PATHS.dossierJws;
  const jws = contents.get(path)?.bytes?.toString('latin1') ?? '';
  const anchors = contents.get(BUNDLE_PATHS.reportAnchors)?.bytes?.toString('latin1') ?? '';
  const at = new Date(index.createdAt);
  const signed = await verifySignedJson({ jws, type: DOSSIER_TYPE, anchorsPem: anchors, at });
  if ('fault' in signed) return checklist.fault(path, signed.fault);
  const payload = contents.get(BUNDLE_PATHS.dossierJson)?.bytes;
  if (payload === undefined || !signed.payload.equals(payload))
    checklist.fault(path, 'The signed dossier is another one than dossier.json.');
  checkKeyInLog(signed, log, checklist);
}

/** The log says when a report key began and whether it was given up; a log that began later says neither. */
function checkKeyInLog({ certificateSha256 }: SignedJson, log: ProvedLog, checklist: Checklist): void {
  const events = [...log.entries.values()].filter(({ subject }) => subject.id === certificateSha256);
  const types = events.map(({ type }) => type);
  if (types.includes('report_key.compromised')) {
    checklist.fault(
      BUNDLE_PATHS.dossierJws,
      'The log says that the key which signed the dossier was given up: somebody else may have signed with it.',
    );
  }
  if (types.includes('report_key.activated')) return;
  checklist.notProved.push(
    'The dossier is signed, but no entry in this bundle says that its key is a report key of this installation.',
  );
}
