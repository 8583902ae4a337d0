import { VerificationProcess } from '../src/provenance/adapters/verification-process.js';
import { OWN_TRUST_LIST } from '../src/provenance/domain/trust-list.js';
import { releaseSigners, SigningWorkshop } from '../src/provenance/testing/signing-workshop.js';
import {
  addTally,
  newTally,
  seeded,
  TAMPERED_KINDS,
  TamperingCampaign,
} from '../src/provenance/testing/tampering/campaign.js';
import { type BenchmarkResult, type BenchmarkRow } from './benchmark.js';

const FLIPS = 1_000;
const CUTS = 100;
const SEED = 20_261_122;

/**
 * The tampering campaign at its full length, by the process that verifies files of strangers. It takes minutes for each
 * kind: name kinds (`image/png clip.mp4`) to run it in pieces. Throws when any file passed for one of ours.
 */
export const tamperingBenchmark = {
  needs: 'nothing' as const,
  async run(kinds: readonly string[] = []): Promise<BenchmarkResult> {
    const workshop = await SigningWorkshop.create();
    const trust = {
      name: OWN_TRUST_LIST,
      anchorsPem: workshop.anchors.claims,
      certificates: { trusted: [workshop.claimCertificateSha256], ever: [workshop.claimCertificateSha256] },
    };
    const verifier = new VerificationProcess({ trust });
    const campaign = new TamperingCampaign(workshop, verifier);
    try {
      const rows: BenchmarkRow[] = [];
      for (const kind of kinds.length > 0 ? kinds : TAMPERED_KINDS) rows.push(await measure(campaign, kind));
      return {
        rows,
        notes: [
          `Seed ${SEED}; ${FLIPS} single bits and ${CUTS} cuts of each kind. A LIE would pass for ours.`,
        ],
      };
    } finally {
      verifier.close();
      await workshop.close();
      await releaseSigners();
    }
  },
};

async function measure(campaign: TamperingCampaign, kind: string): Promise<BenchmarkRow> {
  const random = seeded(SEED);
  const start = performance.now();
  const victim = await campaign.victim(kind);
  const tally = newTally();
  addTally(tally, await campaign.flips(victim, FLIPS, random));
  addTally(tally, await campaign.rearrangements(victim, CUTS, random));
  addTally(tally, await campaign.swapped(victim, await campaign.otherVictim(kind)));
  if (tally.counts.LIE > 0) throw new Error(`PASSED FOR OURS: ${tally.lies.join('; ')}`);
  return { what: kind, ...tally.counts, seconds: Math.round((performance.now() - start) / 1000) };
}
