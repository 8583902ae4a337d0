import { type ActFact } from '../domain/authorship/authorship-facts.js';
import { type ActTrace, isTriflingShare, SELECTION } from '../domain/contribution.js';
import { publicId } from '../../shared/ids.js';
import { type FullContribution } from './read-contribution.js';

/** What the files say about an act, whatever was said by people. */
export interface FoundInFiles {
  /** The share of the picture in which something is left of an act, by its id (UUID). */
  readonly traces: ReadonlyMap<string, number>;
  readonly fileSays: ActFact['fileSays'];
}

/** An act as it is to be counted today: with its amendments, which make it one that was declared later. */
export function effectiveAct(
  { row, corrections }: FullContribution,
  versions: ReadonlySet<string>,
  { traces, fileSays }: FoundInFiles,
): ActFact {
  const amended = corrections.filter(({ kind }) => kind === 'amended');
  const isSigned = row.signatureKeyId !== null || corrections.some(({ kind }) => kind === 'signed');
  return {
    contributionId: publicId('contribution', row.id),
    assetId: publicId('asset', row.assetId),
    contributorId: publicId('principal', row.contributorId),
    actionType: amended.findLast(({ actionType }) => actionType !== undefined)?.actionType ?? row.actionType,
    basis: amended.findLast(({ basis }) => basis !== undefined)?.basis ?? row.basis,
    capture: amended.length > 0 ? 'declared_later' : row.capture,
    relation: versions.has(row.assetId) ? 'version' : 'used',
    isWithdrawn: corrections.some(({ kind }) => kind === 'withdrawn'),
    isSigned,
    assignment: row.assignment ?? 'unknown',
    shown: row.shownAssetIds?.length ?? 0,
    change: row.changeKind ?? undefined,
    trace: traceOf(traces.get(row.id)),
    // Whoever chose a file did not send it.
    fileSays: row.actionType === SELECTION ? undefined : fileSays,
  };
}

function traceOf(share: number | undefined): ActFact['trace'] {
  if (share === undefined) return undefined;
  if (share === 0) return 'none';
  return isTriflingShare(share) ? 'trifling' : 'present';
}

/** The newest version of each line of edits says what is left of the acts in that line. */
export function tracesLeft(
  contributions: readonly FullContribution[],
  newestEdits: ReadonlySet<string>,
): Map<string, number> {
  const newest = contributions.filter(({ row }) => newestEdits.has(row.assetId));
  const all = newest.flatMap(({ row }): readonly ActTrace[] => row.traces ?? []);
  return new Map(all.map(({ contributionId, share }) => [contributionId, share]));
}
