import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../../../../test/support/effort.js';
import { C2paReader } from '../../adapters/c2pa-reader.js';
import { SigningWorkshop } from '../signing-workshop.js';
import { addTally, newTally, seeded, TAMPERED_KINDS, TamperingCampaign, type Victim } from './campaign.js';
import { type CampaignAuthorities, campaignAuthorities, campaignTrust, forgeries } from './forgeries.js';

/** The short version of bench/tampering.ts: other bits in each run, the seed is told when it fails. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const FLIPS = effort(4, 100);
const CUTS = effort(3, 25);

let workshop: SigningWorkshop;
let authorities: CampaignAuthorities;
let campaign: TamperingCampaign;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  authorities = await campaignAuthorities();
  const trust = campaignTrust(workshop, authorities);
  campaign = new TamperingCampaign(workshop, new C2paReader({ trust }));
});
afterAll(() => workshop.close());

describe('a tampered file never passes for one of ours', () => {
  it.each(TAMPERED_KINDS)('%s: bits, parts, pieces, and the manifest of another file', async (kind) => {
    const random = seeded(SEED);
    const victim = await campaign.victim(kind);
    const other = await campaign.otherVictim(kind);
    const tally = newTally();
    addTally(tally, await campaign.flips(victim, FLIPS, random));
    addTally(tally, await campaign.rearrangements(victim, CUTS, random));
    addTally(tally, await campaign.swapped(victim, other));
    expect({ seed: SEED, lies: tally.lies }).toEqual({ seed: SEED, lies: [] });
    const { broken, refused } = tally.counts;
    expect(broken + refused).toBeGreaterThan(0);
  });

  it('nor does a claim in our words, whatever certificate signs it', async () => {
    const original: Victim = await campaign.victim('image/png');
    const outcomes: Record<string, string[]> = {};
    for (const { what, file } of await forgeries(workshop, () => workshop.picture(), authorities)) {
      const { counts } = await campaign.forged(what, original, file);
      outcomes[what] = Object.entries(counts).flatMap(([outcome, count]) => (count > 0 ? [outcome] : []));
    }
    expect(outcomes).toEqual({
      expired: ['broken'],
      notYet: ['broken'],
      wrongPurpose: ['broken'],
      revoked: ['stranger'],
      neighbor: ['stranger'],
      unknown: ['stranger'],
      'our certificate, another key': ['broken'],
    });
  });

  it.each(['image/png', 'image/jpeg', 'tone.wav', 'clip.mp4'])(
    'nor does %s with the manifest of another file in its history',
    async (kind) => {
      const { counts, lies } = await campaign.ingredientReplaced(kind);
      expect({ lies, broken: counts.broken + counts.refused }).toEqual({ lies: [], broken: 1 });
    },
  );
});
