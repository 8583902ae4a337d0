import { type EntryEnvelope } from '../../audit/core/entry.js';
import { obligationsSha256 } from '../../licenses/domain/asset-obligation.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { BUNDLE_PATHS } from '../domain/bundle-format.js';
import { type ProvedLog } from './check-log.js';
import { checkLaterObligations } from './check-later-obligations.js';
import { type Checklist } from './checklist.js';
import { type CheckedDossier, type CheckedObligation } from './dossier-schema.js';

const PATH = BUNDLE_PATHS.dossierJson;

/**
 * What is owed is what `asset.signed` committed to, each word of it, none left out; and each proof is an entry. So an
 * obligation can neither be removed from a dossier nor be called done without one.
 */
export function checkObligations(dossier: CheckedDossier, proved: ProvedLog, checklist: Checklist): void {
  const { asset, obligations } = dossier;
  const signed = proved.entries.get(asset.entryIndex);
  const recorded = committed(signed);
  if (obligations === undefined) {
    if (recorded !== undefined) checklist.fault(PATH, 'The dossier leaves out what is owed for the asset.');
    return;
  }
  const rows = obligations.items.map(({ id, obligation }) => ({ id, bytes: canonicalJson(obligation) }));
  checklist.equal(PATH, 'The list of obligations', obligationsSha256(rows), recorded?.sha256);
  checklist.equal(PATH, 'The hash of the list of obligations', obligations.sha256, recorded?.sha256);
  checklist.equal(PATH, 'The calendar of duties', obligations.calendarSha256, recorded?.calendarSha256);
  for (const item of obligations.items) {
    checkItem(item, asset, proved, checklist);
    checklist.equal(PATH, `The state of ${item.id}`, item.state, stateOf(item));
  }
  for (const item of obligations.later ?? []) checkItem(item, asset, proved, checklist);
  checkLaterObligations(dossier, proved, checklist);
  checkNoneLeftOut(dossier, proved, checklist);
}

function committed(
  signed: EntryEnvelope | undefined,
): { sha256?: unknown; calendarSha256?: unknown } | undefined {
  const { obligations } = signed?.data ?? {};
  return typeof obligations === 'object' && obligations !== null ? obligations : undefined;
}

function checkItem(
  item: CheckedObligation,
  asset: CheckedDossier['asset'],
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const sha256 = sha256Hex(canonicalJson(item.obligation));
  checklist.equal(PATH, `The SHA-256 of ${item.id}`, item.sha256, sha256);
  for (const proof of item.proofs) {
    const entry = proved.entries.get(proof.entryIndex);
    if (entry?.type !== 'obligation.proved' || entry.subject.id !== proof.id) {
      checklist.fault(
        PATH,
        `Entry ${proof.entryIndex} is not the proof ${proof.id} that the dossier says it is.`,
      );
      continue;
    }
    const { data } = entry;
    checklist.equal(PATH, `The obligation of ${proof.id}`, item.id, data.obligationId);
    checklist.equal(PATH, `The words that ${proof.id} is about`, sha256, data.obligationSha256);
    checklist.equal(PATH, `The asset of ${proof.id}`, asset.id, data.assetId);
    checklist.equal(PATH, `The file of ${proof.id}`, asset.sha256, data.sha256);
    for (const field of ['outcome', 'evidenceAssetId', 'evidenceSha256'] as const)
      checklist.equal(PATH, `"${field}" of ${proof.id}`, proof[field], data[field]);
    for (const field of ['text', 'url'] as const) checkOpened(proof, field, proved, checklist);
  }
}

/** The last word of a person; else what the program proved as a whole when it signed the file. */
function stateOf({ proofs, obligation }: CheckedObligation): string {
  const { systemProof } = obligation as { systemProof?: { extent?: unknown } | null };
  return proofs.at(-1)?.outcome ?? (systemProof?.extent === 'whole' ? 'done' : 'open');
}

function checkOpened(
  proof: CheckedObligation['proofs'][number],
  field: 'text' | 'url',
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const shown = proof[field];
  if (shown === undefined) return;
  const value = proved.opened.get(proof.entryIndex)?.[field];
  if (value === undefined)
    checklist.notProved.push(
      `The ${field} that the dossier shows for ${proof.id} was not opened, so it is not proved.`,
    );
  else if (value !== shown)
    checklist.fault(PATH, `The ${field} of ${proof.id} is not the one that the log seals.`);
}

/** A later word that takes a proof back must not be missing, nor stand in another order than in the log. */
function checkNoneLeftOut(
  { asset, obligations }: CheckedDossier,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const there = new Map<unknown, number[]>();
  for (const [index, { type, data }] of [...proved.entries].sort(([a], [b]) => a - b)) {
    if (type !== 'obligation.proved' || data.assetId !== asset.id) continue;
    there.set(data.obligationId, [...(there.get(data.obligationId) ?? []), index]);
  }
  for (const { id, proofs } of [...(obligations?.items ?? []), ...(obligations?.later ?? [])]) {
    const shown = proofs.map(({ entryIndex }) => entryIndex);
    if (JSON.stringify(shown) !== JSON.stringify(there.get(id) ?? []))
      checklist.fault(PATH, `The proofs of ${id} are not all that the bundle holds, or not in their order.`);
    there.delete(id);
  }
  for (const indices of there.values())
    checklist.fault(PATH, `The dossier leaves out what entry ${String(indices[0])} says of an obligation.`);
}
