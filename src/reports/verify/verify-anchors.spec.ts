import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../../../test/support/effort.js';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FakeAuthority } from '../../../test/fakes/time-stamp-authority/fake-authority.js';
import { opensslVersion } from '../../../test/fakes/time-stamp-authority/openssl-authority.js';
import { Rfc3161Authority } from '../../audit/adapters/rfc3161-authority.js';
import { cosignatureSigner } from '../../audit/core/cosignature.js';
import { COSIGNATURE_V1, generatePrivateKey } from '../../audit/core/note-key.js';
import { formatNote, parseNote } from '../../audit/core/signed-note.js';
import { parseWitnessPolicy } from '../../audit/core/witness-policy.js';
import { systemClock } from '../../shared/clock.js';
import { writeEvidenceBundle } from '../adapters/evidence-bundle.js';
import { type AssetDossier, type BundleEvidence } from '../domain/dossier.js';
import {
  type BundleVerification,
  type VerifyBundleOptions,
  type VerifyMedia,
} from './bundle-verification.js';
import { type Anchoring, TestWitnesses } from './testing/anchoring.js';
import { EvidenceWorkshop } from './testing/evidence-workshop.js';
import { type BundleFiles, putCheckpoint, putPolicy, readBundle, repack } from './testing/repack.js';
import { runVerifyBundle } from './verify-bundle.js';

interface Made {
  readonly dossier: AssetDossier;
  readonly evidence: BundleEvidence;
}

const run = promisify(execFile);
/** Every flip is a whole verification; a machine that does other things beside takes its time. */
const FLIPS_MS = effort(240_000, 1_200_000);
const witnesses = new TestWitnesses(3, 2);
let workshop: EvidenceWorkshop;
let authority: FakeAuthority;
let stranger: FakeAuthority;
let verifyMedia: VerifyMedia;
let anchored: Made;
let anchoredPath: string;

beforeAll(async () => {
  workshop = await EvidenceWorkshop.create();
  verifyMedia = workshop.mediaVerifier();
  authority = await FakeAuthority.start();
  stranger = await FakeAuthority.start();
  anchored = await workshop.build(anchoring(3));
  anchoredPath = await write(anchored);
});

afterAll(async () => {
  await Promise.all([authority.stop(), stranger.stop()]);
  await workshop.close();
});

async function tokenBy(fake: FakeAuthority, text: Uint8Array): Promise<Buffer> {
  const trust = { rootsPem: fake.rootsPem };
  const outbound = { allowedPrivateHosts: [fake.hostPort] };
  const client = new Rfc3161Authority({ url: fake.url, trust, clock: systemClock, outbound });
  const answer = await client.stamp(Buffer.from(text));
  if (answer.outcome !== 'stamped') throw new Error(`no token: ${answer.reason}`);
  return Buffer.from(answer.token);
}

function anchoring(cosigners: number): Anchoring {
  return {
    policy: witnesses.policy,
    cosigners: witnesses.signers(cosigners),
    stamp: async (text) => [{ authority: authority.hostPort, token: await tokenBy(authority, text) }],
    rootsPem: authority.rootsPem,
  };
}

async function write({ dossier, evidence }: Made): Promise<string> {
  const destinationPath = workshop.signing.newPath();
  const documents = await workshop.documents(dossier);
  await writeEvidenceBundle({ dossier, ...documents, evidence, destinationPath });
  return destinationPath;
}

async function verify(
  made: Made | string,
  options: Partial<VerifyBundleOptions> = {},
): Promise<BundleVerification> {
  const path = typeof made === 'string' ? made : await write(made);
  return runVerifyBundle(path, { verifyMedia, expectedVkey: workshop.log.vkey, ...options });
}

/** The verdict on the bundle as a forger packs it anew. */
async function verifyForged(
  change: (files: BundleFiles) => void,
  options: Partial<VerifyBundleOptions> = {},
): Promise<BundleVerification> {
  const path = workshop.signing.newPath();
  await repack(anchoredPath, path, change);
  return verify(path, options);
}

const withNote = (note: Buffer): Promise<BundleVerification> =>
  verifyForged((files) => putCheckpoint(files, note));

function noteOf({ dossier }: Made): Buffer {
  return Buffer.from(dossier.log.checkpointNote, 'utf8');
}

/** With other tokens; the dossier is left as it is. */
function withTokens(made: Made, ...tokens: readonly Buffer[]): Made {
  const timeStamps = tokens.map((token) => ({ authority: 'tsa.example', token }));
  return { ...made, evidence: { ...made.evidence, timeStamps } };
}

function findings(result: BundleVerification): string {
  return result.findings.map(({ path, text }) => `${path ?? ''}: ${text}`).join('\n');
}

describe('a bundle whose tree head was cosigned and time-stamped', () => {
  it('is valid and names every witness, every time, and what that rests on', async () => {
    const result = await verify(anchoredPath);
    expect(findings(result)).toBe('');
    expect(result.verdict).toBe('valid');
    expect(result.witnessing).toMatchObject([
      { source: 'bundle', outcome: 'proved', policyMet: true, witnesses: [{ name: 'w1' }, {}, {}] },
    ]);
    expect(result.witnessing[0]?.witnesses.map(({ cosignedAt }) => cosignedAt)).toEqual([
      '2026-11-22T10:00:05.000Z',
      '2026-11-22T10:00:06.000Z',
      '2026-11-22T10:00:07.000Z',
    ]);
    expect(result.timeStamps).toMatchObject([
      {
        roots: 'bundle',
        outcome: 'proved',
        path: expect.stringMatching(/^time-stamps\/1-127\.0\.0\.1-\d+\.tst$/),
      },
    ]);
    const said = result.statements.map(({ text }) => text).join('\n');
    expect(said).toContain('3 of 3 witnesses cosigned');
    expect(said).toContain('The tree head existed at or before');
    const notProved = result.notProved.join('\n');
    expect(notProved).toContain('The witness policy came with the bundle');
    expect(notProved).toContain('The roots of the time-stamp authority came with the bundle');
    expect(notProved).toContain('a time-stamp shows only that it was not later');
    expect(notProved).not.toContain('That everybody was shown');
  });

  it('is believed under a policy and roots that the reader brings', async () => {
    const policy = parseWitnessPolicy(Buffer.from(`log ${workshop.log.vkey}\n${witnesses.policyText}`));
    const known = { policy, timeStampRootsPem: authority.rootsPem, expectedVkey: undefined };
    const result = await verify(anchoredPath, known);
    expect(result.verdict).toBe('valid');
    expect(result.witnessing.map(({ source, policyMet }) => [source, policyMet])).toEqual([
      ['bundle', true],
      ['reader', true],
    ]);
    expect(result.timeStamps.map(({ roots, outcome }) => [roots, outcome])).toEqual([
      ['bundle', 'proved'],
      ['reader', 'proved'],
    ]);
    const notProved = result.notProved.join('\n');
    expect(notProved).not.toContain('The roots of the time-stamp authority came');
    // The reader's policy names the log, so its key is known from elsewhere.
    expect(notProved).not.toContain('The key of the log came with the bundle');
  });

  it('leaves a reader unconvinced who trusts others, and is no forgery for that', async () => {
    const policy = new TestWitnesses(2, 1).policy;
    const result = await verify(anchoredPath, { policy, timeStampRootsPem: stranger.rootsPem });
    expect(result.verdict).toBe('valid');
    expect(result.witnessing[1]).toMatchObject({
      source: 'reader',
      outcome: 'not_proved',
      policyMet: false,
    });
    expect(result.timeStamps[1]).toMatchObject({ roots: 'reader', outcome: 'not_proved' });
    expect(result.notProved.join('\n')).toContain(
      '0 of 2 witnesses cosigned, and the policy you gave is not met',
    );
    expect(result.notProved.join('\n')).toContain('by nobody whose time you trust');
  });

  it('is refused by a reader whose policy names another log', async () => {
    const other = await EvidenceWorkshop.create();
    const policy = parseWitnessPolicy(Buffer.from(`log ${other.log.vkey}\nquorum none\n`));
    await other.close();
    const result = await verify(anchoredPath, { policy });
    expect(result.verdict).toBe('invalid');
    expect(findings(result)).toContain('log/vkey: The key of the log is not the one you gave.');
  });

  it('with too few cosignatures is valid, says so, and does not claim more', async () => {
    const made = await workshop.build(anchoring(1));
    const result = await verify(made);
    expect(result.verdict).toBe('valid');
    expect(result.witnessing).toMatchObject([{ outcome: 'not_proved', policyMet: false }]);
    expect(result.notProved.join('\n')).toContain('1 of 3 witnesses cosigned');
    expect(made.dossier.log.witnessing.isMet).toBe(false);
  });
});

describe('every flipped bit, packed anew with right sums', () => {
  /** Positions of the lines of cosignatures in the note. */
  function cosignaturePositions(note: Buffer): number[] {
    const text = note.toString('latin1');
    const first = text.indexOf('\n\n') + 2;
    const start = text.indexOf('\n', first) + 1;
    return Array.from({ length: note.length - start }, (_, i) => start + i);
  }

  it(
    'in a cosignature is found and named',
    async () => {
      const note = noteOf(anchored);
      const missed: string[] = [];
      const positions = cosignaturePositions(note).filter((_, i) => i % effort(31, 3) === 0);
      for (const position of positions) {
        const altered = Buffer.from(note);
        altered[position] = (altered[position] ?? 0) ^ (1 << (position % 8));
        const result = await withNote(altered);
        const named =
          findings(result).includes('log/checkpoint') ||
          findings(result).includes('The witnesses and their times');
        if (result.verdict === 'valid' || !named) missed.push(`${position}: ${findings(result)}`);
      }
      expect(missed).toEqual([]);
      expect(positions.length).toBeGreaterThan(10);
    },
    FLIPS_MS,
  );

  it(
    'in a token is found and named',
    async () => {
      const token = anchored.evidence.timeStamps[0]?.token ?? Buffer.alloc(0);
      const missed: string[] = [];
      for (let position = 0; position < token.length; position += effort(263, 11)) {
        const altered = Buffer.from(token);
        altered[position] = (altered[position] ?? 0) ^ (1 << (position % 8));
        const result = await verify(withTokens(anchored, altered));
        const named = findings(result).includes('time-stamps/1-tsa.example.tst');
        if (result.verdict === 'valid' || !named) missed.push(`${position}: ${findings(result)}`);
      }
      expect(missed).toEqual([]);
    },
    FLIPS_MS,
  );
});

describe('forged anchors in a bundle that was packed anew', () => {
  const note = (): ReturnType<typeof parseNote> => parseNote(noteOf(anchored));

  it('a cosignature under the name and id of a witness by another key', async () => {
    const { text, signatures } = note();
    const [, genuine] = signatures;
    if (!genuine) throw new Error('a cosignature expected');
    const forger = cosignatureSigner(generatePrivateKey(genuine.name, COSIGNATURE_V1), () => 1_795_000_000);
    const forged = { ...genuine, signature: await forger.sign(Buffer.from(text)) };
    const altered = formatNote({
      text,
      signatures: signatures.map((one) => (one === genuine ? forged : one)),
    });
    const result = await withNote(altered);
    expect(result.verdict).toBe('invalid');
    expect(result.witnessing).toMatchObject([{ outcome: 'failed', policyMet: false }]);
    expect(findings(result)).toContain('log/checkpoint: A cosignature does not hold');
    expect(findings(result)).toContain('witness.example/w1');
    // What does not rest on witnesses is still answered.
    expect(result.statements.filter(({ ok }) => ok).length).toBeGreaterThan(3);
  });

  it('a cosignature by a witness of the same name whose key nobody named counts for nothing, and is told', async () => {
    const { text, signatures } = note();
    const forger = cosignatureSigner(
      generatePrivateKey('witness.example/w1', COSIGNATURE_V1),
      () => 1_795_000_000,
    );
    const foreign = {
      name: forger.name,
      keyId: forger.keyId,
      signature: await forger.sign(Buffer.from(text)),
    };
    const result = await withNote(formatNote({ text, signatures: [...signatures, foreign] }));
    // The note stands in the dossier, too, which is signed: that it was added afterwards is all that is wrong.
    expect(findings(result).split('\n')).toEqual([
      'dossier.jws: What is signed is another file than dossier.json.',
      'bundle.jws: What is signed is another file than bundle.json.',
    ]);
    expect(result.notProved.join('\n')).toContain(
      `keys that no policy names prove nothing: witness.example/w1+${forger.keyId.toString(16).padStart(8, '0')}`,
    );
    const [log, ...others] = signatures;
    if (!log) throw new Error('a signature expected');
    const second = await withNote(formatNote({ text, signatures: [log, foreign, ...others.slice(1)] }));
    expect(second.verdict).toBe('invalid');
    expect(findings(second)).toContain('The witnesses and their times differ');
  });

  it('10,000 signatures are refused before one of them is verified', async () => {
    const lines = 'x'.repeat(10_000).replaceAll('x', '\u2014 w.example/x AAAAAAAA\n');
    const altered = Buffer.concat([noteOf(anchored), Buffer.from(lines)]);
    const before = process.cpuUsage();
    const result = await withNote(altered);
    expect(result.verdict).toBe('invalid');
    expect(findings(result)).toContain('log/checkpoint');
    expect(findings(result)).toContain('more than 100 signatures');
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(3_000);
  });

  it('a token over another tree head, and one by another authority', async () => {
    const other = await tokenBy(authority, Buffer.from('other/log\n1\nAAAA\n'));
    const first = await verify(withTokens(anchored, other));
    expect(first.verdict).toBe('invalid');
    expect(findings(first)).toContain(
      'time-stamps/1-tsa.example.tst: The time-stamp does not hold. The token is about other bytes',
    );
    const foreign = await tokenBy(stranger, Buffer.from(note().text));
    const second = await verify(withTokens(anchored, foreign));
    expect(second.verdict).toBe('invalid');
    expect(findings(second)).toContain('time-stamps/1-tsa.example.tst');
    // The roots of the forger with the token of the forger fit: only a reader with roots of their own can tell.
    const made = withTokens(anchored, foreign);
    const evidence = { ...made.evidence, timeStampRootsPem: stranger.rootsPem };
    const third = await verify({ ...made, evidence }, { timeStampRootsPem: authority.rootsPem });
    expect(third.timeStamps.map(({ roots, outcome }) => [roots, outcome])).toEqual([
      ['bundle', 'proved'],
      ['reader', 'not_proved'],
    ]);
  });

  it('a proof with data that nothing authenticates', async () => {
    const result = await verifyForged((files) => {
      const proof = files.get('proofs/0.tlog-proof')?.toString('utf8') ?? '';
      files.set('proofs/0.tlog-proof', Buffer.from(proof.replace('\nindex ', '\nextra AAAA\nindex ')));
    });
    expect(result.verdict).toBe('invalid');
    expect(findings(result)).toContain(
      'proofs/0.tlog-proof: The proof carries data that nothing authenticates',
    );
  });

  it('more than 16 tokens, garbage, and none where the dossier names one', async () => {
    const token = anchored.evidence.timeStamps[0]?.token ?? Buffer.alloc(0);
    const many = await verify(withTokens(anchored, ...Array.from({ length: 17 }, () => token)));
    expect(findings(many)).toContain('more than 16 time-stamps');
    const garbage = await verify(withTokens(anchored, Buffer.alloc(1000, 0x30), Buffer.alloc(0)));
    for (const name of ['1-tsa.example', '2-tsa.example']) expect(findings(garbage)).toContain(name);
    const none = await verify(withTokens(anchored));
    expect(none.verdict).toBe('invalid');
    expect(findings(none)).toContain('which the dossier names, is not in the bundle');
  });

  it('an entry that names a later time than the time-stamp over it', async () => {
    const late = await EvidenceWorkshop.create();
    late.log.append({
      type: 'run.finished',
      at: new Date(Date.now() + 3_600_000).toISOString(),
      actor: { kind: 'system', id: 'system' },
      subject: { kind: 'run', id: late.runId },
      data: { state: 'SUCCEEDED' },
    });
    const made = await late.build(anchoring(3));
    const result = await verify(made);
    await late.close();
    expect(findings(result)).toContain('entries/0.json: The entry existed at or before');
    expect(findings(result)).toContain('post-dated');
  });

  it('a policy of another log, an unreadable one, and one that says less than the cosignatures show', async () => {
    const policyOf = (change: (policy: string) => string): Promise<BundleVerification> =>
      verifyForged((files) => putPolicy(files, change));
    const without = await policyOf((policy) => policy.replace(/^log .*\n/, ''));
    expect(findings(without)).toContain('log/policy: The policy does not name the log of this bundle');
    const broken = await policyOf((policy) => policy.replace('quorum enough', 'quorum someone'));
    expect(findings(broken)).toContain('log/policy: The policy cannot be read');
    const none = await policyOf(() => `log ${workshop.log.vkey}\nquorum none\n`);
    expect(none.verdict).toBe('invalid');
    expect(findings(none)).toContain('The witnesses and their times differ');
  });

  it('a dossier that claims a witness, a time, or a policy that is met', async () => {
    const made = await workshop.build(anchoring(1));
    const { log } = made.dossier;
    const [first] = log.timeStamps;
    if (!first) throw new Error('a time-stamp expected');
    const claims: Partial<AssetDossier['log']>[] = [
      { witnessing: { ...log.witnessing, isMet: true } },
      {
        witnessing: {
          ...log.witnessing,
          witnesses: log.witnessing.witnesses.map((one) => ({
            ...one,
            cosignedAt: '2026-01-01T00:00:00.000Z',
          })),
        },
      },
      { timeStamps: [{ ...first, at: '2020-01-01T00:00:00.000Z' }] },
      { timeStamps: [{ ...first, authority: 'A qualified authority' }] },
    ];
    for (const claim of claims) {
      const result = await verify({ ...made, dossier: { ...made.dossier, log: { ...log, ...claim } } });
      expect(result.verdict).toBe('invalid');
      expect(result.findings.every(({ path }) => path === 'dossier.json')).toBe(true);
    }
  });
});

/** Says in the output where a tool is missing: nothing is checked then. */
const withOpenssl = opensslVersion() === undefined ? describe.skip : describe;

withOpenssl('the commands of VERIFY.md for time-stamps', () => {
  it('are satisfied by openssl ts, and only by the right text and roots', async () => {
    const folder = workshop.signing.newPath();
    const files = await readBundle(anchoredPath);
    for (const [name, bytes] of files) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    const instructions = files.get('VERIFY.md')?.toString('utf8') ?? '';
    const sh = (command: string) => run('sh', ['-c', command], { cwd: folder });
    const commands = instructions.match(/^ {4}(openssl ts|sed) .*$/gm) ?? [];
    expect(commands).toHaveLength(3);
    const [compare = '', check = '', show = ''] = commands;
    expect((await sh(compare)).stdout).toBe('');
    const { stdout, stderr } = await sh(check);
    expect(`${stdout}${stderr}`).toContain('Verification: OK');
    expect((await sh(show)).stdout).toContain('Time stamp:');
    await writeFile(join(folder, 'time-stamps/roots.pem'), stranger.rootsPem);
    await expect(sh(check)).rejects.toThrow();
  });
});
