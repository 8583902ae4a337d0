import { isSince } from '../engine-version.js';
import { type Expiry } from '../rights.js';
import { type ThreeValued } from '../three-valued.js';
import { type PreparedFacts } from './rule.js';

/**
 * Does something with this last day end before the campaign does? The last day is still covered. An open-ended
 * campaign outlives everything that ends; one of which nobody stated an end may. What is made after the last day is
 * used after it, whatever was said of the campaign.
 */
export function endsBefore(expiresAt: Expiry, { facts, version }: PreparedFacts): ThreeValued {
  const { campaignStart, campaignEnd, generatedOn } = facts;
  if (expiresAt === null) return 'no';
  if (expiresAt === 'unknown') return 'unknown';
  if (campaignEnd === 'open-ended') return 'yes';
  if (campaignStart !== null && campaignStart > expiresAt) return 'yes';
  if (isSince('2.2.0', version) && generatedOn !== null && generatedOn > expiresAt) return 'yes';
  if (campaignEnd === null) return 'unknown';
  return campaignEnd > expiresAt ? 'yes' : 'no';
}
