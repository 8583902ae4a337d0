import { type ObligationToday, owedToday } from '../../licenses/application/owed-today.js';
import {
  type ObligationList,
  type ObligationProof,
  type OwedObligation,
} from '../../licenses/application/read-obligations.js';
import { type AssetObligation } from '../../licenses/domain/asset-obligation.js';
import { isUpToDate, type ObligationsToday } from '../../licenses/domain/obligations-today.js';
import { markingDuties } from '../../licenses/registry/marking-duties.js';
import { sha256Hex } from '../../shared/bytes.js';
import { publicId } from '../../shared/ids.js';
import { type ListedObligation } from '../application/list-obligations.js';

export const NO_LEGAL_ADVICE =
  'A calendar is no legal advice: what a law demands of you is for counsel. What was not verified says so.';

/** Of an asset that is older than this record nothing is known: that is not the same as "nothing is owed". */
export function obligationListView(
  assetId: string,
  list: ObligationList | undefined,
  today: ObligationsToday | undefined,
) {
  const items = (list?.items ?? []).map((owed) => obligationView(owed, list?.entryId ?? ''));
  const count = (state: OwedObligation['state']): number =>
    items.filter((item) => item.state === state).length;
  return {
    assetId: publicId('asset', assetId),
    recorded: list !== undefined,
    calendar: list && {
      sha256: list.calendarSha256,
      readOn: list.calendarReadOn,
      // False: duties may have been added or corrected since; what was written down then stays as it was.
      isCurrent: list.calendarSha256 === markingDuties().sha256,
    },
    sha256: list?.sha256,
    summary: {
      open: count('open'),
      done: count('done'),
      waived: count('waived'),
      notApplicable: count('not_applicable'),
    },
    notice: NO_LEGAL_ADVICE,
    items,
    today: list && today ? todayView(assetId, list, today) : null,
  };
}

/** @param signedEntryId the `asset.signed` entry, on which the program's own proofs rest */
export function obligationView(
  { id, bytes, obligation, state, proofs }: OwedObligation,
  signedEntryId: string,
) {
  const { systemProof, ...content } = obligation;
  return {
    id: publicId('obligation', id),
    state,
    sha256: sha256Hex(bytes),
    ...content,
    systemProof: systemProof && { ...systemProof, entryId: publicId('entry', signedEntryId) },
    proofs: proofs.map(proofView),
  };
}

/** What the person wrote is sealed: it is opened in reports, where the log says so. */
function proofView(proof: ObligationProof) {
  return {
    id: publicId('obligationProof', proof.id),
    outcome: proof.outcome,
    provedBy: publicId('principal', proof.provedBy),
    provedAt: proof.createdAt.toISOString(),
    entryId: publicId('entry', proof.entryId),
    evidence: {
      sealed: proof.sealedUrl === undefined ? ['text'] : ['text', 'url'],
      assetId: proof.evidenceAssetId === undefined ? null : publicId('asset', proof.evidenceAssetId),
      sha256: proof.evidenceSha256 ?? null,
    },
  };
}

/** What stays to be done after a release. */
export function openObligations(list: ObligationList | undefined) {
  return (list?.items ?? [])
    .filter(({ state }) => state === 'open')
    .map(({ id, obligation }) => ({
      id: publicId('obligation', id),
      key: obligation.key,
      applies: obligation.applies,
      where: obligation.where,
      due: obligation.due,
      inForceOn: obligation.inForceOn,
      dateVerified: obligation.dateVerified,
      verified: obligation.verified,
      text: obligation.text,
    }));
}

/**
 * What is owed today beside the list, or otherwise than it says. Each has an id under which it is proved as it reads now;
 * `earlier` are readings of which somebody said something, and that are not owed any more.
 * @param assetId UUID
 */
export function todayView(assetId: string, list: ObligationList, today: ObligationsToday) {
  const owed = owedToday(assetId, list, today);
  const members = new Map(today.changed.map((change) => [change.key, change.members]));
  const current = new Set(owed.map(({ id }) => id));
  return {
    asOf: today.asOf,
    calendar: today.calendar,
    isAsListed: isUpToDate(today),
    added: owed.filter(({ since }) => since === 'added').map(readingView),
    changed: owed
      .filter(({ since }) => since === 'changed')
      .map((reading) => ({
        key: reading.obligation.key,
        members: members.get(reading.obligation.key) ?? [],
        obligationId: reading.listedId && publicId('obligation', reading.listedId),
        today: readingView(reading),
      })),
    gone: today.gone,
    earlier: list.later.filter(({ id }) => !current.has(id)).map(earlierView),
  };
}

/** One of a list across assets. What was said of it, and of other words of it, is with the asset. */
export function listedObligationView({ owed, ...file }: ListedObligation) {
  const { id, since, state, listedId, isGone, obligation, said } = owed;
  return {
    id: publicId('obligation', id),
    assetId: publicId('asset', file.assetId),
    title: file.title,
    projectId: publicId('project', file.projectId),
    mode: file.mode,
    releasedAt: file.releasedAt?.toISOString() ?? null,
    recalledAt: file.recalledAt?.toISOString() ?? null,
    ...{ since, state },
    listedId: listedId === undefined ? null : publicId('obligation', listedId),
    isGone,
    dueOn: file.dueOn,
    isOverdue: file.isOverdue,
    ...dutyView(obligation),
    shownIn: obligation.shownIn,
    proofs: (said?.proofs ?? []).map(proofView),
  };
}

function readingView({ id, state, obligation, said }: ObligationToday) {
  const proofs = (said?.proofs ?? []).map(proofView);
  return { id: publicId('obligation', id), state, ...dutyView(obligation), proofs };
}

function earlierView({ id, state, bytes, obligation, proofs }: OwedObligation) {
  const sha256 = sha256Hex(bytes);
  return {
    ...{ id: publicId('obligation', id), state, sha256 },
    ...dutyView(obligation),
    proofs: proofs.map(proofView),
  };
}

/** What came since the asset was signed, as far as a law demands it; null where nothing did. */
export function newDutiesView(today: ObligationsToday | undefined) {
  if (today === undefined || isUpToDate(today)) return null;
  const { calendar, added } = today;
  return { calendar, duties: added.filter(({ source }) => source === 'law').map(dutyView) };
}

function dutyView(obligation: AssetObligation) {
  const { key, source, kind, text, where, applies, findOut, who, owedBy, due, blocking } = obligation;
  const { inForceOn, dateVerified, notVerified, citation, until = null, clearanceId } = obligation;
  return {
    ...{ key, source, kind, text, where, applies, findOut, who, owedBy, due, blocking },
    ...{ inForceOn, dateVerified, notVerified, citation, until, clearanceId },
  };
}
