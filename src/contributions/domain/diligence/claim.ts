import { type ClaimOutcome } from '../../../audit/core/diligence-words.js';

/** `open`: nobody has said yet how it ended. `upheld`: it was right. `closed`: it needs nothing any more. */
export type ClaimStanding = 'open' | 'upheld' | 'closed';

/** @param outcomes oldest first; the last one counts */
export function claimStanding(outcomes: readonly ClaimOutcome[]): ClaimStanding {
  const last = outcomes.at(-1);
  switch (last) {
    case undefined:
    case 'acknowledged':
    case 'open':
      return 'open';
    case 'upheld':
      return 'upheld';
    case 'rejected':
    case 'settled':
    case 'withdrawn':
      return 'closed';
  }
}
