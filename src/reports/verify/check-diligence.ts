import { claimStanding } from '../../contributions/domain/diligence/claim.js';
import { CLAIM_OUTCOMES, type ClaimOutcome } from '../../audit/core/diligence-words.js';
import { type EntryEnvelope } from '../../audit/core/entry.js';
import { BUNDLE_PATHS } from '../domain/bundle-format.js';
import { type ProvedLog } from './check-log.js';
import { type Checklist } from './checklist.js';
import { type CheckedClaim, type CheckedDossier, type CheckedExamination } from './dossier-schema.js';

const PATH = BUNDLE_PATHS.dossierJson;

/**
 * What people found out and what outsiders claim is what the log says, and all of it: an examination that found
 * something, or a claim, can neither be left out of a dossier nor be called closed without an answer.
 */
export function checkDiligence(dossier: CheckedDossier, proved: ProvedLog, checklist: Checklist): void {
  const { examinations = [], claims = [] } = dossier;
  for (const one of examinations) checkExamination(one, proved, checklist);
  for (const one of claims) checkClaim(one, proved, checklist);
  const chain = new Set(dossier.chain.map(({ id }) => id));
  const about = (type: string): number[] =>
    indicesOf(proved, (entry) => entry.type === type && chain.has(String(entry.data.assetId)));
  complete('examinations', examinations, about('asset.examined'), checklist);
  complete('claims', claims, about('claim.received'), checklist);
  for (const { id, answers } of claims) {
    const there = indicesOf(proved, ({ type, data }) => type === 'claim.answered' && data.claimId === id);
    if (JSON.stringify(answers.map(({ entryIndex }) => entryIndex)) !== JSON.stringify(there))
      checklist.fault(PATH, `The answers to ${id} are not all that the bundle holds, or not in their order.`);
  }
}

function checkExamination(one: CheckedExamination, proved: ProvedLog, checklist: Checklist): void {
  const data = dataOf('asset.examined', 'examinationId', one, proved, checklist);
  if (data === undefined) return;
  for (const field of [
    'assetId',
    'question',
    'result',
    'examinedOn',
    'index',
    'matches',
    'evidenceAssetId',
    'evidenceSha256',
  ] as const)
    checklist.equal(PATH, `"${field}" of ${one.id}`, one[field], data[field]);
  for (const field of ['tool', 'matter'] as const)
    checklist.equal(
      PATH,
      `"${field}" of ${one.id}`,
      JSON.stringify(sorted(one[field])),
      JSON.stringify(sorted(data[field])),
    );
  for (const field of ['text', 'document'] as const)
    checkOpened(one.id, field, one[field], one.entryIndex, proved, checklist);
}

function checkClaim(one: CheckedClaim, proved: ProvedLog, checklist: Checklist): void {
  const data = dataOf('claim.received', 'claimId', one, proved, checklist);
  if (data === undefined) return;
  for (const field of ['assetId', 'kind', 'receivedOn', 'respondBy', 'evidenceSha256'] as const)
    checklist.equal(PATH, `"${field}" of ${one.id}`, one[field], data[field]);
  for (const field of ['claimant', 'text'] as const)
    checkOpened(one.id, field, one[field], one.entryIndex, proved, checklist);
  for (const answer of one.answers) {
    const answered = dataOf('claim.answered', 'answerId', answer, proved, checklist);
    if (answered === undefined) continue;
    checklist.equal(PATH, `The claim of ${answer.id}`, one.id, answered.claimId);
    checklist.equal(PATH, `"outcome" of ${answer.id}`, answer.outcome, answered.outcome);
    checklist.equal(PATH, `"evidenceSha256" of ${answer.id}`, answer.evidenceSha256, answered.evidenceSha256);
    checkOpened(answer.id, 'text', answer.text, answer.entryIndex, proved, checklist);
  }
  const outcomes = one.answers.flatMap(({ outcome }) => (isOutcome(outcome) ? [outcome] : []));
  checklist.equal(PATH, `The state of ${one.id}`, one.state, claimStanding(outcomes));
}

function isOutcome(word: string): word is ClaimOutcome {
  return (CLAIM_OUTCOMES as readonly string[]).includes(word);
}

function dataOf(
  type: EntryEnvelope['type'],
  idField: string,
  { id, entryIndex }: { readonly id: string; readonly entryIndex: number },
  proved: ProvedLog,
  checklist: Checklist,
): Readonly<Record<string, unknown>> | undefined {
  const entry = proved.entries.get(entryIndex);
  if (entry?.type === type && entry.data[idField] === id) return entry.data;
  checklist.fault(PATH, `Entry ${entryIndex} is not the one of ${id} that the dossier says it is.`);
  return undefined;
}

function complete(
  what: string,
  shown: readonly { readonly entryIndex: number }[],
  there: readonly number[],
  checklist: Checklist,
): void {
  const indices = shown.map(({ entryIndex }) => entryIndex).sort((a, b) => a - b);
  if (JSON.stringify(indices) !== JSON.stringify(there))
    checklist.fault(PATH, `The ${what} are not all that the bundle holds.`);
}

function indicesOf({ entries }: ProvedLog, fits: (entry: EntryEnvelope) => boolean): number[] {
  return [...entries]
    .filter(([, entry]) => fits(entry))
    .map(([index]) => index)
    .sort((a, b) => a - b);
}

function checkOpened(
  id: string,
  field: string,
  shown: string | undefined,
  index: number,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  if (shown === undefined) return;
  const value = proved.opened.get(index)?.[field];
  if (value === undefined)
    checklist.notProved.push(
      `The ${field} that the dossier shows for ${id} was not opened, so it is not proved.`,
    );
  else if (value !== shown) checklist.fault(PATH, `The ${field} of ${id} is not the one that the log seals.`);
}

/** With the members of objects in one order, whatever order they were written in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
