import { type ActFact } from '../domain/authorship/authorship-facts.js';
import { publicId } from '../../shared/ids.js';
import { type FullContribution } from './read-contribution.js';

/** An act as it is to be counted today: with its amendments, which make it one that was declared later. */
export function effectiveAct({ row, corrections }: FullContribution, versions: ReadonlySet<string>): ActFact {
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
  };
}
