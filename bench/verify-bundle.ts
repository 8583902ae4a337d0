import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { C2paReader } from '../src/provenance/adapters/c2pa-reader.js';
import { releaseSigners } from '../src/provenance/testing/signing-workshop.js';
import { writeEvidenceBundle } from '../src/reports/adapters/evidence-bundle.js';
import { type VerifyMedia } from '../src/reports/verify/bundle-verification.js';
import { TestWitnesses } from '../src/reports/verify/testing/anchoring.js';
import { EvidenceWorkshop } from '../src/reports/verify/testing/evidence-workshop.js';
import { runVerifyBundle } from '../src/reports/verify/verify-bundle.js';
import { systemClock } from '../src/shared/clock.js';
import { Rfc3161Authority } from '../src/audit/adapters/rfc3161-authority.js';
import { FakeAuthority } from '../test/fakes/time-stamp-authority/fake-authority.js';
import { type BenchmarkResult, type BenchmarkRow, percentile, timeEach } from './benchmark.js';

const ENTRIES = [10, 1_000];
const ROUNDS = 15;
const RECORD_ENTRIES = 9;
const run = promisify(execFile);
const COMMAND_LINE = fileURLToPath(new URL('../src/cli/colophon.js', import.meta.url));

/** A bundle with three cosignatures, a time-stamp, three signed pictures and many entries, verified from the zip file. */
export const verifyBundleBenchmark = {
  needs: 'nothing' as const,
  async run(): Promise<BenchmarkResult> {
    const authority = await FakeAuthority.start();
    const rows: BenchmarkRow[] = [];
    try {
      for (const entries of ENTRIES) rows.push(...(await measure(entries, authority)));
    } finally {
      await authority.stop();
      await releaseSigners();
    }
    return {
      rows,
      notes: [
        'Verified: sums, container, log signature, three cosignatures by policy, one RFC 3161 token, every entry with its inclusion proof, three C2PA manifests, dossier.',
        'The command line adds the start of node and of the separate process that parses media files of strangers.',
      ],
    };
  },
};

async function measure(entries: number, authority: FakeAuthority): Promise<BenchmarkRow[]> {
  const workshop = await EvidenceWorkshop.create();
  try {
    const path = await makeBundle(workshop, entries, authority);
    const sizeMiB = Math.round(((await stat(path)).size / 2 ** 20) * 10) / 10;
    const verifyMedia: VerifyMedia = (file, anchorsPem) =>
      new C2paReader({ trust: { name: 'the authority in this bundle', anchorsPem } }).verify(file);
    const before = process.cpuUsage();
    const inProcess = await timeEach(ROUNDS, async () => {
      const { verdict, findings } = await runVerifyBundle(path, {
        verifyMedia,
        expectedVkey: workshop.log.vkey,
      });
      if (verdict !== 'valid') throw new Error(findings.map(({ text }) => text).join('\n'));
    });
    const { user, system } = process.cpuUsage(before);
    const commandLine = await timeEach(Math.ceil(ROUNDS / 3), () =>
      run(process.execPath, [COMMAND_LINE, 'verify', path, '--vkey', workshop.log.vkey]),
    );
    const row = (what: string, times: readonly number[]): BenchmarkRow => ({
      what: `${entries} entries, ${what}`,
      'p50 ms': percentile(times, 0.5),
      'max ms': percentile(times, 1),
      sizeMiB,
    });
    const cpuMs = Math.round((user + system) / 1000 / ROUNDS);
    return [{ ...row('in process', inProcess), 'cpu ms': cpuMs }, row('colophon verify', commandLine)];
  } finally {
    await workshop.close();
  }
}

async function makeBundle(
  workshop: EvidenceWorkshop,
  entries: number,
  authority: FakeAuthority,
): Promise<string> {
  const trust = { rootsPem: authority.rootsPem };
  const outbound = { allowedPrivateHosts: [authority.hostPort] };
  const client = new Rfc3161Authority({ url: authority.url, trust, clock: systemClock, outbound });
  const witnesses = new TestWitnesses(3, 2);
  const { dossier, evidence } = await workshop.build(
    {
      policy: witnesses.policy,
      cosigners: witnesses.signers(3),
      rootsPem: authority.rootsPem,
      stamp: async (text) => {
        const answer = await client.stamp(text);
        if (answer.outcome !== 'stamped') throw new Error(answer.reason);
        return [{ authority: client.name, token: Buffer.from(answer.token) }];
      },
    },
    Math.max(0, entries - RECORD_ENTRIES),
  );
  const destinationPath = workshop.signing.newPath();
  const documents = await workshop.documents(dossier);
  await writeEvidenceBundle({ dossier, ...documents, evidence, destinationPath });
  return destinationPath;
}
