import { type RunFacts } from './run-facts.js';
import { type ThreeValued } from './three-valued.js';

/** Until when people accept what a decision left open. Whatever is shown after it, nobody has accepted. */
export interface WaiverCover {
  readonly until: Date;
  /** UUIDs of the waivers without which it would end earlier, sorted. */
  readonly waiverIds: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * Does a waiver end before the campaign does? The last day of a campaign ends at midnight UTC, and a waiver that ends
 * then covers it. An open-ended campaign outlives every waiver; one of which nobody stated an end may.
 */
export function endsBeforeCampaign(until: Date, campaignEnd: RunFacts['campaignEnd']): ThreeValued {
  if (campaignEnd === null) return 'unknown';
  if (campaignEnd === 'open-ended') return 'yes';
  return until.getTime() < Date.parse(campaignEnd) + DAY_MS ? 'yes' : 'no';
}

/** The last day on which the work is covered to its end, as `YYYY-MM-DD`. */
export function lastCoveredDay(until: Date): string {
  return new Date(until.getTime() - DAY_MS).toISOString().slice(0, 10);
}

/** Of two that cover the same, the one that lasts longer. */
export function longer(a: WaiverCover | undefined, b: WaiverCover | undefined): WaiverCover | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.until > a.until ? b : a;
}
