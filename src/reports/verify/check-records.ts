import { type EntryEnvelope } from '../../audit/core/entry.js';
import { BUNDLE_PATHS, type BundleIndex } from '../domain/bundle-format.js';
import { type ProvedLog } from './check-log.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';
import { type CheckedDossier } from './dossier-schema.js';
import { counted } from '../../shared/counted.js';

const PATH = BUNDLE_PATHS.dossierJson;

/** Orders of storyboards, files of contributions, and what was removed: as the log recorded it, and nothing left out. */
export function checkRecords(
  dossier: CheckedDossier,
  index: BundleIndex,
  contents: BundleContents,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  // Older bundles hold neither entries of storyboards nor of removals.
  if (index.v >= 4) checkStoryboards(dossier, proved, checklist);
  checkAttachments(dossier, index, contents, proved, checklist);
  checkRemovals(dossier, proved, checklist);
}

function checkStoryboards(
  { storyboards = [] }: CheckedDossier,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const there = [...proved.entries].filter(([, { type }]) => type === 'storyboard.ordered');
  const shown = new Map(storyboards.map((one) => [one.entryIndex, one]));
  if (shown.size !== storyboards.length || there.some(([index]) => !shown.has(index)))
    checklist.fault(PATH, 'The orders of storyboards are not all that the bundle holds.');
  for (const one of storyboards) {
    const name = `version ${one.version} of ${one.id}`;
    const entry = proved.entries.get(one.entryIndex);
    if (entry?.type !== 'storyboard.ordered') {
      checklist.fault(PATH, `Entry ${one.entryIndex} is not the order that the dossier says it is.`);
      continue;
    }
    checklist.equal(PATH, `The storyboard of ${name}`, one.id, entry.data.storyboardId);
    checklist.equal(PATH, `The number of ${name}`, one.version, entry.data.version);
    checklist.equal(
      PATH,
      `The order of ${name}`,
      JSON.stringify(one.assetIds),
      JSON.stringify(entry.data.assetIds),
    );
    const opened = proved.opened.get(one.entryIndex)?.rationale;
    if (one.rationale === undefined) continue;
    if (opened === undefined)
      checklist.notProved.push(`The reason shown for ${name} was not opened, so it is not proved.`);
    else if (opened !== one.rationale)
      checklist.fault(PATH, `The reason of ${name} is not the one that the log seals.`);
  }
  // Versions count from 1, one by one: one in the middle cannot be left out.
  for (const id of new Set(storyboards.map((one) => one.id))) {
    const versions = storyboards.filter((one) => one.id === id).map(({ version }) => version);
    if (versions.some((version, i) => version !== i + 1))
      checklist.fault(PATH, `The versions of ${id} are not all there, or not in their order.`);
  }
}

/** Each file against the entry that recorded it; of the others the bundle has the hash alone. */
function checkAttachments(
  { contributions }: CheckedDossier,
  index: BundleIndex,
  contents: BundleContents,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const known = new Map(
    contributions.flatMap(({ attachments = [] }) => attachments.map((one) => [one.id, one] as const)),
  );
  const held = new Set<string>();
  for (const file of index.files) {
    if (file.role !== 'attachment') continue;
    held.add(file.attachmentId);
    const content = contents.get(file.path);
    const shown = known.get(file.attachmentId);
    const entry = proved.entries.get(shown?.entryIndex ?? -1);
    if (shown === undefined || entry?.type !== 'contribution.attached') {
      checklist.fault(file.path, 'The bundle has no proved entry for this file.');
      continue;
    }
    checklist.equal(file.path, 'The attachment', file.attachmentId, entry.data.attachmentId);
    checklist.equal(file.path, 'The SHA-256 in bundle.json', file.sha256, entry.data.sha256);
    if (content === undefined) continue;
    checklist.equal(file.path, 'The SHA-256 of the file', content.sha256, entry.data.sha256);
    checklist.equal(file.path, 'The size of the file', content.sizeBytes, entry.data.sizeBytes);
  }
  const absent = [...known.keys()].filter((id) => !held.has(id));
  if (absent.length > 0)
    checklist.notProved.push(
      `${absent.length} of ${counted(known.size, 'attachment')} of human work ${absent.length === 1 ? 'is' : 'are'} not in the bundle: it has ${absent.length === 1 ? 'its hash' : 'their hashes'} alone.`,
    );
}

function checkRemovals(
  { chain, contributions, asset }: CheckedDossier,
  proved: ProvedLog,
  checklist: Checklist,
): void {
  const compare = (id: string, shown: number | undefined, there: number | undefined): void => {
    if (shown !== there)
      checklist.fault(PATH, `Whether the file of ${id} was removed is not what the log says.`);
  };
  for (const one of chain) {
    const removed = lastRemoval(
      proved,
      (entry) => entry.subject.id === one.id && entry.data.kind === 'asset',
    );
    compare(one.id, one.contentRemoved?.entryIndex, removed?.index);
    if (removed && !hashesOf(removed.entry).includes(one.sha256))
      checklist.fault(PATH, `Entry ${removed.index} does not name the file of ${one.id}.`);
    if (removed && one.id !== asset.id)
      checklist.notProved.push(
        `The file of ${one.id} was removed: nobody can compare it with its hash any more.`,
      );
  }
  for (const { id, attachments = [] } of contributions)
    for (const one of attachments) {
      const removed = lastRemoval(
        proved,
        (entry) => entry.subject.id === id && entry.data.thingId === one.id,
      );
      compare(one.id, one.removed?.entryIndex, removed?.index);
    }
}

/** The removal that stands: not one that a later entry took back. */
function lastRemoval(
  { entries }: ProvedLog,
  fits: (entry: EntryEnvelope) => boolean,
): { readonly index: number; readonly entry: EntryEnvelope } | undefined {
  const told = [...entries]
    .filter(([, entry]) => ['content.removed', 'content.restored'].includes(entry.type) && fits(entry))
    .sort(([a], [b]) => a - b)
    .at(-1);
  return told?.[1].type === 'content.removed' ? { index: told[0], entry: told[1] } : undefined;
}

function hashesOf({ data }: EntryEnvelope): unknown[] {
  return Array.isArray(data.sha256) ? data.sha256 : [];
}
