import { VerificationProcess } from '../src/provenance/adapters/verification-process.js';
import { releaseSigners, SigningWorkshop } from '../src/provenance/testing/signing-workshop.js';
import {
  addTally,
  newTally,
  seeded,
  type Tally,
  TAMPERED_KINDS,
  TamperingCampaign,
} from '../src/provenance/testing/tampering/campaign.js';
import {
  type CampaignAuthorities,
  campaignAuthorities,
  campaignTrust,
  forgeries,
} from '../src/provenance/testing/tampering/forgeries.js';
import { type BenchmarkResult, type BenchmarkRow } from './benchmark.js';

const FLIPS = 1_000;
/** One cut for so many bits. */
const FLIPS_PER_CUT = 10;
const SEED = 20_261_122;

/**
 * The tampering campaign at its full length, by the process that verifies files of strangers. It takes minutes for each
 * kind: name kinds (`image/png clip.mp4`) to run it in pieces, and a number of bits (`50`) to run it shorter. Throws when
 * any file passed for one of ours.
 */
export const tamperingBenchmark = {
  needs: 'nothing' as const,
  async run(words: readonly string[] = []): Promise<BenchmarkResult> {
    const flips = Number(words.find((word) => /^\d+$/.test(word)) ?? FLIPS);
    const kinds = words.filter((word) => !/^\d+$/.test(word));
    refuseUnknown(kinds);
    const workshop = await SigningWorkshop.create();
    const authorities = await campaignAuthorities();
    const verifier = new VerificationProcess({ trust: campaignTrust(workshop, authorities) });
    const campaign = new TamperingCampaign(workshop, verifier);
    try {
      const rows: BenchmarkRow[] = [await claims(campaign, workshop, authorities)];
      for (const kind of kinds.length > 0 ? kinds : TAMPERED_KINDS) {
        rows.push(await measure(campaign, kind, flips));
        console.error(JSON.stringify(rows.at(-1)));
      }
      return {
        rows,
        notes: [
          `Seed ${SEED}; ${flips} single bits and ${cutsFor(flips)} cuts of each kind. A LIE would pass for ours.`,
          'changed: the manifest still reads as it was signed, and the log says that these are not the bytes it recorded. stranger: intact, by nobody whom we know.',
        ],
      };
    } finally {
      verifier.close();
      await workshop.close();
      await releaseSigners();
    }
  },
};

async function claims(
  campaign: TamperingCampaign,
  workshop: SigningWorkshop,
  authorities: CampaignAuthorities,
): Promise<BenchmarkRow> {
  const start = performance.now();
  const victim = await campaign.victim('image/png');
  const tally = newTally();
  for (const { what, file } of await forgeries(workshop, () => workshop.picture(), authorities))
    addTally(tally, await campaign.forged(what, victim, file));
  return row('claims in our words by seven other signers', tally, start);
}

function refuseUnknown(kinds: readonly string[]): void {
  const unknown = kinds.filter((kind) => !TAMPERED_KINDS.includes(kind));
  if (unknown.length > 0)
    throw new Error(`no such kinds: ${unknown.join(', ')}; there are ${TAMPERED_KINDS.join(', ')}`);
}

function cutsFor(flips: number): number {
  return Math.ceil(flips / FLIPS_PER_CUT);
}

async function measure(campaign: TamperingCampaign, kind: string, flips: number): Promise<BenchmarkRow> {
  const random = seeded(SEED);
  const start = performance.now();
  const victim = await campaign.victim(kind);
  const tally = newTally();
  addTally(tally, await campaign.flips(victim, flips, random));
  addTally(tally, await campaign.rearrangements(victim, cutsFor(flips), random));
  addTally(tally, await campaign.swapped(victim, await campaign.otherVictim(kind)));
  if (victim.manifestPath === undefined) addTally(tally, await campaign.ingredientReplaced(kind));
  return row(kind, tally, start);
}

function row(what: string, { counts, lies }: Tally, start: number): BenchmarkRow {
  if (counts.LIE > 0 || lies.length > 0) throw new Error(`PASSED FOR OURS: ${lies.join('; ')}`);
  return { what, ...counts, seconds: Math.round((performance.now() - start) / 1000) };
}
