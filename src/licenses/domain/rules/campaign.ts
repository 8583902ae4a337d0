import { type Expiry } from '../rights.js';
import { type RunFacts } from '../run-facts.js';
import { type ThreeValued } from '../three-valued.js';

/**
 * Does something with this last day end before the campaign does? The last day is still covered. An open-ended
 * campaign outlives everything that ends; one of which nobody stated an end may.
 */
export function endsBefore(expiresAt: Expiry, { campaignStart, campaignEnd }: RunFacts): ThreeValued {
  if (expiresAt === null) return 'no';
  if (expiresAt === 'unknown') return 'unknown';
  if (campaignEnd === 'open-ended') return 'yes';
  if (campaignStart !== null && campaignStart > expiresAt) return 'yes';
  if (campaignEnd === null) return 'unknown';
  return campaignEnd > expiresAt ? 'yes' : 'no';
}
