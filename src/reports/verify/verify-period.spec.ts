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
import { runVerifyPeriod, type VerifyPeriodOptions } from './verify-period.js';

const run = promisify(execFile);
const AT = '2026-11-22T10:00:00.000Z';
/** The time that is asked for; entries before and after it are of other days. */
const ASKED = { from: '2026-11-22T00:00:00.000Z', until: '2026-11-23T00:00:00.000Z' };
const BEFORE = '2026-11-21T10:00:00.000Z';
const AFTER = '2026-11-23T10:00:00.000Z';
const FIRST = 300;
const LAST = 900;
const NEWEST = 910;
/** The entry that names the report key: the last one of all. */
const KEY = NEWEST - 1;
let folder: string;
let log: MemoryLog;
let signing: ReportSigning;
let checkpoints: [Buffer, Buffer, Buffer];
let leaves: Hash[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-period-'));
  log = new MemoryLog('log.example/logs/org_1');
  signing = await ReportSigning.create(new Date(AT));
  const fill = (until: number, at: string): void => {
    while (log.entries.length < until) {
      const n = log.entries.length;
      log.append({
        type: 'report_schedule.ended',
        at,
        actor: { kind: 'api_key', id: 'key_1' },
        subject: { kind: 'report_schedule', id: `rsc_${n}` },
        data: { reason: 'ended' },
      });
    }
  };
  fill(FIRST, BEFORE);
  const first = await log.checkpoint();
  fill(LAST, AT);
  const last = await log.checkpoint();
  fill(KEY, AFTER);
  const { type, subject, data } = await signing.activation();
  const actor = { kind: 'system', id: 'system' } as const;
  log.append({ type, at: AFTER, actor, subject, data });
  checkpoints = [first, last, await log.checkpoint()];
  leaves = log.entries.map(({ leafHash }) => leafHash);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Index = Extract<PeriodIndex, { v: 2 }>;
const known = (): { expectedVkey: string } => ({ expectedVkey: log.vkey });
const rootOf = (size: number): string => formatBase64(treeRoot(leaves.slice(0, size)));

async function indexOf(first = FIRST, last = LAST): Promise<Index> {
  const before = CompactRange.empty().append(leaves.slice(0, first));
  const reader = {
    readHash: (level: number, position: number) =>
      Promise.resolve(treeRoot(leaves.slice(position * 2 ** level, (position + 1) * 2 ** level))),
  };
  return {
    format: PERIOD_FORMAT,
    v: 2,
    reportId: 'rep_1',
    createdAt: AT,
    product: { name: 'Colophon', version: '0.1.0' },
    asked: first === 0 ? { until: ASKED.until } : ASKED,
    origin: log.origin,
    first: {
      size: first,
      rootHash: formatBase64(before.root()),
      edge: before.edge.map(formatBase64),
      vkey: first === 0 ? null : log.vkey,
    },
    last: { size: last, rootHash: rootOf(last), vkey: log.vkey },
    consistencyProof: (await consistencyProof(reader, first, last)).map(formatBase64),
    newest: { size: NEWEST, rootHash: rootOf(NEWEST), vkey: log.vkey },
    consistencyToNewest: (await consistencyProof(reader, last, NEWEST)).map(formatBase64),
  };
}

type Lines = Buffer[];
const linesFrom = (first: number): Lines =>
  log.entries.slice(first, LAST).map(({ bytes }) => Buffer.concat([bytes, Buffer.from('\n')]));

/** As the program writes it, but for what is changed. */
async function write(
  lines: Lines,
  change: Partial<Index> = {},
  first = FIRST,
  more: readonly { readonly path: string; readonly bytes: Buffer }[] = [],
  by = signing,
): Promise<string> {
  const index = { ...(await indexOf(first)), ...change };
  const json = canonicalJson(JSON.parse(JSON.stringify(index)) as never);
  const signer = await by.signer();
  const added = new Set(more.map(({ path }) => path));
  const around = await aroundFiles(index);
  const destinationPath = join(folder, `${String(Math.random()).slice(2)}.zip`);
  await writePeriodZip({
    files: [
      { path: PERIOD_PATHS.index, bytes: json },
      { path: PERIOD_PATHS.signedIndex, bytes: await signer.signJson(json, PERIOD_TYPE) },
      ...(first === 0 ? [] : [{ path: PERIOD_PATHS.firstCheckpoint, bytes: checkpoints[0] }]),
      {
        path: PERIOD_PATHS.lastCheckpoint,
        bytes: index.last.size === FIRST ? checkpoints[0] : checkpoints[1],
      },
      { path: PERIOD_PATHS.newestCheckpoint, bytes: checkpoints[2] },
      ...around.filter(({ path }) => !added.has(path)),
      { path: PERIOD_PATHS.vkey, bytes: Buffer.from(`${log.vkey}\n`) },
      { path: PERIOD_PATHS.reportAnchors, bytes: Buffer.from(by.anchorsPem) },
      { path: PERIOD_PATHS.instructions, bytes: Buffer.from(periodInstructions(index)) },
      ...more,
    ],
    lines: Readable.from(lines, { objectMode: true }),
    createdAt: new Date(AT),
    destinationPath,
  });
  return destinationPath;
}
/** The neighbours of the export, and the entry of the key, each with its proof under the newest state. */
async function aroundFiles({ first, last }: Pick<Index, 'first' | 'last'>) {
  const of = async (index: number, path: string, proofPath: string) => [
    { path, bytes: log.entries[index]?.bytes ?? Buffer.alloc(0) },
    { path: proofPath, bytes: await log.proof(index, checkpoints[2]) },
  ];
  return [
    ...(first.size === 0 ? [] : await of(first.size - 1, PERIOD_PATHS.before, PERIOD_PATHS.beforeProof)),
    ...(await of(last.size, PERIOD_PATHS.after, PERIOD_PATHS.afterProof)),
    ...(await of(KEY, PERIOD_PATHS.reportKey, PERIOD_PATHS.reportKeyProof)),
  ];
}
const findingsOf = async (path: string, options: VerifyPeriodOptions = known()) => {
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
    expect(result.subject).toMatchObject({
      ...{ firstSize: 0, lastSize: LAST },
      span: { from: undefined, until: ASKED.until },
    });
  });

  it('proves nothing without the key of the log or the authority for reports, and says what is missing', async () => {
    const path = await write(linesFrom(FIRST));
    const { verdict, notProved } = await runVerifyPeriod(path, {});
    expect(verdict).toBe('unproved');
    expect(notProved[0]).toContain('Who signed the report is not proved');
    expect(await findingsOf(path, { reportAnchorsPem: signing.anchorsPem })).toEqual(['valid']);
    const stranger = await ReportSigning.create(new Date(AT));
    expect((await findingsOf(path, { reportAnchorsPem: stranger.anchorsPem }))[0]).toBe('invalid');
    // An authority of their own, with the same names, and the key of the log, which anybody knows.
    const forged = await write(linesFrom(FIRST), {}, FIRST, [], stranger);
    expect(await findingsOf(forged)).toEqual(['unproved']);
  });

  it('cannot pass for one of a longer time, not even signed by the right key', async () => {
    const year = { from: '2026-01-01T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' };
    const cases: [Index['asked'], RegExp][] = [
      [year, /beginning is missing/],
      [{ ...ASKED, until: year.until }, /end is missing/],
      [{ ...ASKED, from: BEFORE }, /beginning is missing/],
      [{ from: ASKED.from }, /end is missing/],
      [{ until: ASKED.until }, /beginning is missing/],
      [{}, /missing/],
    ];
    for (const [asked, text] of cases) {
      const [verdict, ...findings] = await findingsOf(await write(linesFrom(FIRST), { asked }));
      expect([verdict, findings.join()]).toEqual(['invalid', expect.stringMatching(text)]);
    }
    const more = [
      { path: PERIOD_PATHS.after, bytes: log.entries[LAST + 1]?.bytes ?? Buffer.alloc(0) },
      { path: PERIOD_PATHS.afterProof, bytes: await log.proof(LAST + 1, checkpoints[2]) },
    ];
    expect((await findingsOf(await write(linesFrom(FIRST), {}, FIRST, more)))[0]).toBe('invalid');
    const without = [{ path: PERIOD_PATHS.before, bytes: Buffer.alloc(0) }];
    expect((await findingsOf(await write(linesFrom(FIRST), {}, FIRST, without)))[0]).toBe('invalid');
  });

  it('without entries is valid only where the two neighbours show that there are none', async () => {
    const empty = await indexOf(FIRST, FIRST);
    const between = { from: '2026-11-21T12:00:00.000Z', until: '2026-11-21T13:00:00.000Z' };
    expect(await findingsOf(await write([], { ...empty, asked: between }))).toEqual(['valid']);
    expect((await findingsOf(await write([], empty)))[0]).toBe('invalid');
  });

  it('of format 1 is judged only when that is asked for, and its edges are said to be unproved', async () => {
    // Undefined members are not written.
    const older = { v: 1, newest: undefined, consistencyToNewest: undefined };
    const path = await write(linesFrom(FIRST), older as unknown as Partial<Index>);
    expect(await findingsOf(path)).toEqual(['unproved']);
    const options = { reportAnchorsPem: signing.anchorsPem, acceptOlderFormat: true };
    const { verdict, notProved } = await runVerifyPeriod(path, options);
    expect([verdict, notProved.join()]).toEqual(['valid', expect.stringContaining('shorter time')]);
  });

  it('holds nothing outside of its files', async () => {
    const bytes = await readFile(await write(linesFrom(FIRST)));
    const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    const directory = bytes.readUInt32LE(end + 16);
    const hidden = Buffer.from(bytes.subarray(0, bytes.indexOf(PERIOD_PATHS.signedIndex) - 30));
    const moved = Buffer.from(bytes.subarray(end));
    moved.writeUInt32LE(directory + hidden.length, 16);
    const commented = Buffer.concat([bytes, Buffer.from('hello')]);
    commented.writeUInt16LE(5, end + 20);
    const altered = [
      Buffer.concat([bytes.subarray(0, directory), hidden, bytes.subarray(directory, end), moved]),
      commented,
    ];
    for (const each of altered) {
      const path = join(folder, `${String(Math.random()).slice(2)}.zip`);
      await writeFile(path, each);
      const [verdict, ...texts] = await findingsOf(path);
      expect([verdict, texts.join()]).toEqual(['invalid', expect.stringContaining('packed again')]);
    }
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
    const wrong: Partial<Index>[] = [
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
    // Its neighbours are of other times; of entries beyond them nothing is shown.
    expect(notProved.join('\n')).toContain('only its neighbours are shown');
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
      for (const name of ['trust', 'around']) await mkdir(join(place, name));
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
