import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompactRange } from '../../audit/core/compact-range.js';
import { consistencyProof } from '../../audit/core/merkle-proof.js';
import { type Hash, treeRoot } from '../../audit/core/merkle.js';
import { formatBase64 } from '../../audit/core/strict-encoding.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { writePeriodZip } from '../adapters/period-zip.js';
import { CHECK_PROGRAM, periodInstructions } from '../adapters/period-instructions.js';
import { PERIOD_FORMAT, PERIOD_PATHS, type PeriodIndex } from '../domain/period-format.js';
import { PERIOD_TYPE } from '../domain/report-kinds.js';
import { readStoredZip } from '../verifier-page/read-zip.js';
import { MemoryLog } from './testing/memory-log.js';
import { ReportSigning } from './testing/report-signing.js';
import { runVerifyPeriod } from './verify-period.js';

const run = promisify(execFile);
const AT = '2026-11-22T10:00:00.000Z';
const FIRST = 300;
const LAST = 900;
let folder: string;
let log: MemoryLog;
let signing: ReportSigning;
let checkpoints: Buffer[];
let leaves: Hash[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-period-'));
  log = new MemoryLog('log.example/logs/org_1');
  signing = await ReportSigning.create(new Date(AT));
  const fill = (until: number): void => {
    while (log.entries.length < until) {
      const n = log.entries.length;
      log.append({
        type: 'report_schedule.ended',
        at: AT,
        actor: { kind: 'api_key', id: 'key_1' },
        subject: { kind: 'report_schedule', id: `rsc_${n}` },
        data: { reason: 'ended' },
      });
    }
  };
  fill(FIRST);
  checkpoints = [await log.checkpoint()];
  fill(LAST);
  checkpoints.push(await log.checkpoint());
  leaves = log.entries.map(({ leafHash }) => leafHash);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function indexOf(first = FIRST): Promise<PeriodIndex> {
  const before = CompactRange.empty().append(leaves.slice(0, first));
  const reader = {
    readHash: (level: number, position: number) =>
      Promise.resolve(treeRoot(leaves.slice(position * 2 ** level, (position + 1) * 2 ** level))),
  };
  return {
    format: PERIOD_FORMAT,
    v: 1,
    reportId: 'rep_1',
    createdAt: AT,
    product: { name: 'Colophon', version: '0.1.0' },
    asked: { from: AT },
    origin: log.origin,
    first: {
      size: first,
      rootHash: formatBase64(before.root()),
      edge: before.edge.map(formatBase64),
      vkey: first === 0 ? null : log.vkey,
    },
    last: { size: LAST, rootHash: formatBase64(log.root()), vkey: log.vkey },
    consistencyProof: (await consistencyProof(reader, first, LAST)).map(formatBase64),
  };
}

type Lines = Buffer[];
const linesFrom = (first: number): Lines =>
  log.entries.slice(first).map(({ bytes }) => Buffer.concat([bytes, Buffer.from('\n')]));

/** As the program writes it, but for what is changed. */
async function write(
  lines: Lines,
  change: Partial<PeriodIndex> = {},
  first = FIRST,
  more: readonly { readonly path: string; readonly bytes: Buffer }[] = [],
): Promise<string> {
  const index = { ...(await indexOf(first)), ...change };
  const json = canonicalJson(JSON.parse(JSON.stringify(index)) as never);
  const signer = await signing.signer();
  const destinationPath = join(folder, `${String(Math.random()).slice(2)}.zip`);
  await writePeriodZip({
    files: [
      { path: PERIOD_PATHS.index, bytes: json },
      { path: PERIOD_PATHS.signedIndex, bytes: await signer.signJson(json, PERIOD_TYPE) },
      ...(first === 0 ? [] : [{ path: PERIOD_PATHS.firstCheckpoint, bytes: checkpoints[0] as Buffer }]),
      { path: PERIOD_PATHS.lastCheckpoint, bytes: checkpoints[1] as Buffer },
      { path: PERIOD_PATHS.vkey, bytes: Buffer.from(`${log.vkey}\n`) },
      { path: PERIOD_PATHS.reportAnchors, bytes: Buffer.from(signing.anchorsPem) },
      { path: PERIOD_PATHS.instructions, bytes: Buffer.from(periodInstructions(index)) },
      ...more,
    ],
    lines: Readable.from(lines, { objectMode: true }),
    createdAt: new Date(AT),
    destinationPath,
  });
  return destinationPath;
}
const findingsOf = async (path: string, options = {}) => {
  const { verdict, findings } = await runVerifyPeriod(path, options);
  return [verdict, ...findings.map(({ text }) => text)];
};

describe('the export of a period', () => {
  it('is valid as it was written, from a signed state and from the empty log', async () => {
    expect(await findingsOf(await write(linesFrom(FIRST)))).toEqual(['valid']);
    const whole = await write(linesFrom(0), {}, 0);
    const result = await runVerifyPeriod(whole, { expectedVkey: log.vkey });
    expect(result.verdict).toBe('valid');
    expect(result.statements.map(({ ok }) => ok)).not.toContain(false);
    expect(result.subject).toMatchObject({ firstSize: 0, lastSize: LAST });
  });

  it('shows every entry that is left out, added, changed or moved, wherever it is', async () => {
    const lines = linesFrom(FIRST);
    for (const at of [0, 1, 299, lines.length - 1]) {
      const without = lines.filter((_, i) => i !== at);
      expect(await findingsOf(await write(without))).toEqual(['invalid', '1 entries are missing.']);
      const twice = [...lines.slice(0, at), lines[at] as Buffer, ...lines.slice(at)];
      expect(await findingsOf(await write(twice))).toEqual(['invalid', '1 entries were added.']);
      const swapped = [...lines];
      const other = at === 0 ? 1 : at - 1;
      [swapped[at], swapped[other]] = [lines[other] as Buffer, lines[at] as Buffer];
      expect((await findingsOf(await write(swapped)))[0]).toBe('invalid');
      const changed = [...lines];
      changed[at] = Buffer.from((lines[at] as Buffer).toString().replace('key_1', 'key_2'));
      expect((await findingsOf(await write(changed)))[0]).toBe('invalid');
    }
  });

  it('is not valid with another beginning, another end, another signer or another key', async () => {
    const lines = linesFrom(FIRST);
    const index = await indexOf();
    const elsewhere = await indexOf(FIRST - 1);
    const wrong: Partial<PeriodIndex>[] = [
      { first: { ...index.first, size: FIRST - 1 } },
      { first: elsewhere.first },
      { first: { ...index.first, edge: elsewhere.first.edge } },
      { last: { ...index.last, size: LAST - 1 } },
      { last: { ...index.last, rootHash: index.first.rootHash } },
      { consistencyProof: index.consistencyProof.slice(1) },
      { origin: 'log.example/logs/org_2' },
      { createdAt: '2020-01-01T00:00:00.000Z' },
    ];
    for (const change of wrong)
      expect([
        JSON.stringify(change).slice(0, 60),
        (await findingsOf(await write(lines, change)))[0],
      ]).toEqual([expect.anything(), 'invalid']);
    const stranger = new MemoryLog(log.origin);
    expect((await findingsOf(await write(lines), { expectedVkey: stranger.vkey }))[0]).toBe('invalid');
  });

  it('holds no file that an export does not have, although SHA256SUMS lists it', async () => {
    const added = [{ path: 'released.txt', bytes: Buffer.from('All of it was released.') }];
    expect(await findingsOf(await write(linesFrom(FIRST), {}, FIRST, added))).toEqual([
      'invalid',
      'The file was added: an export has none of this name.',
    ]);
    const { notProved } = await runVerifyPeriod(await write(linesFrom(FIRST)), {});
    expect(notProved.join('\n')).toContain('SHA256SUMS is signed by nobody');
  });

  it('that was cut off or is something else is told as such', async () => {
    const path = await write(linesFrom(FIRST));
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 10));
    expect((await findingsOf(path))[0]).toBe('unusable');
    const cut = [...linesFrom(FIRST)];
    cut[cut.length - 1] = (cut.at(-1) as Buffer).subarray(0, -1);
    expect((await findingsOf(await write(cut)))[0]).toBe('invalid');
    expect((await findingsOf(await write([Buffer.alloc(70_000, 0x61)])))[0]).toBe('invalid');
  });

  it('is checked by the program in its VERIFY.md, which is not ours to trust', async () => {
    const check = async (lines: Lines): Promise<string> => {
      const files = readStoredZip(await readFile(await write(lines)));
      const place = await mkdtemp(join(folder, 'unpacked-'));
      await mkdir(join(place, 'log'));
      await mkdir(join(place, 'trust'));
      for (const [name, bytes] of files) await writeFile(join(place, name), bytes);
      await writeFile(join(place, 'check.py'), CHECK_PROGRAM);
      const { stdout } = await run('python3', ['check.py'], { cwd: place });
      await run('sha256sum', ['-c', 'SHA256SUMS'], { cwd: place });
      return stdout;
    };
    expect(await check(linesFrom(FIRST))).toContain(`complete: entries ${FIRST} to ${LAST - 1}`);
    const [first, second, ...rest] = linesFrom(FIRST);
    await expect(check([second as Buffer, first as Buffer, ...rest])).rejects.toThrow(/order/);
  });
});
