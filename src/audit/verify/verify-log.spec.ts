import { beforeAll, describe, expect, it } from '@jest/globals';
import { exampleEntries } from '../../../test/vectors/tlog/entry-examples.js';
import { MemoryLog, readGolden } from '../../../test/vectors/tlog/vectors.js';
import { type CheckpointTrust, signCheckpoint } from '../core/checkpoint.js';
import { verifierFromVkey } from '../core/cosignature.js';
import { buildEntry } from '../core/entry.js';
import { decodeBundle, encodeBundle } from '../core/entry-bundle.js';
import { leafHash } from '../core/merkle.js';
import { ed25519Signer, ED25519, generatePrivateKey, parsePrivateKey } from '../core/note-key.js';
import { tilePath, TILE_WIDTH, tileWidth } from '../core/tiles.js';
import { type LogReport, MAX_FINDINGS } from './log-report.js';
import { verifyLog, type VerifyLogOptions } from './verify-log.js';

const golden = readGolden();
const signer = ed25519Signer(parsePrivateKey(golden.log.skey));
const trust: CheckpointTrust = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };
const opaque: VerifyLogOptions = { opaqueEntries: true };

async function publish(log: MemoryLog): Promise<void> {
  const { size } = log.range;
  const checkpoint = { origin: trust.origin, size, root: log.range.root() };
  log.files.set('checkpoint', await signCheckpoint(checkpoint, [signer]));
}

async function publishedLog(...batchSizes: number[]): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.appendGolden(...batchSizes);
  await publish(log);
  return log;
}

/** Changes one bit of a file for the time of `work`. */
async function withFlippedBit<T>(
  log: MemoryLog,
  path: string,
  at: number,
  work: () => Promise<T>,
): Promise<T> {
  const bytes = log.files.get(path) as Buffer;
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  const result = await work();
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return result;
}

const check = (log: MemoryLog, options = opaque): Promise<LogReport> => verifyLog(log, trust, options);
const paths = (report: LogReport): string[] => report.findings.map(({ path }) => path);
const codes = (report: LogReport): string[] => report.findings.map(({ code }) => code);

/** The files that a verifier of the current size reads; older partial tiles are not among them. */
function currentFiles(log: MemoryLog): string[] {
  return [...log.files.keys()].filter((path) => {
    const match = /^tile\/(\w+)\/(.*?)(?:\.p\/(\d+))?$/.exec(path);
    if (!match) return true;
    const level = match[1] === 'entries' ? 'entries' : Number(match[1]);
    const index = Number((match[2] ?? '').replaceAll(/\D/g, ''));
    return tilePath({ level, index, width: tileWidth(level, index, log.range.size) }) === path;
  });
}

describe('a sound log', () => {
  it.each([0, 1, 2, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, 70_000])(
    'of %p entries is clean',
    async (size) => {
      const log = await publishedLog(Math.floor(size / 3), size - Math.floor(size / 3));
      let last = 0;
      const report = await check(log, { ...opaque, onProgress: ({ entries }) => (last = entries) });
      expect(report).toMatchObject({ ok: true, size, entriesRead: size, findings: [], stoppedEarly: false });
      expect(last).toBe(size);
    },
  );

  it('is clean when it has grown since its checkpoint and dropped the partial tiles', async () => {
    const log = await publishedLog(300);
    const report = await (async () => {
      const checkpoint = log.files.get('checkpoint') as Buffer;
      await log.appendGolden(70_000);
      for (const path of log.files.keys()) if (path.includes('.p/')) log.files.delete(path);
      log.files.set('checkpoint', checkpoint);
      return check(log);
    })();
    expect(report).toMatchObject({ ok: true, size: 300, entriesRead: 300 });
  });

  it('reads our own entries, and counts those of later versions without calling them wrong', async () => {
    const log = new MemoryLog();
    const entries = Object.values(exampleEntries).map((entry) => buildEntry(entry).bytes);
    const future = Buffer.from(
      entries[0]?.toString().replace('organization.created', 'organization.renamed') ?? '',
    );
    await log.append([...entries, future]);
    await publish(log);
    const report = await check(log, {});
    expect(report).toMatchObject({ ok: true, unknownEntryTypes: { 'organization.renamed': 1 } });
  });
});

describe('a damaged log', () => {
  let log: MemoryLog;
  beforeAll(async () => {
    log = await publishedLog(66_000);
  });

  it('has one finding that names the file, for one flipped bit in any kind of file', async () => {
    const touched = [
      'tile/0/000',
      'tile/0/200',
      'tile/0/257.p/208',
      'tile/1/000',
      'tile/1/001.p/1',
      'tile/2/000.p/1',
      'tile/entries/000',
      'tile/entries/257.p/208',
    ];
    for (const path of touched) {
      const { length } = log.files.get(path) as Buffer;
      const report = await withFlippedBit(log, path, Math.floor(length / 2), () => check(log));
      expect(report).toMatchObject({ ok: false, findings: [{ path }] });
      expect(report.findings).toHaveLength(1);
    }
  });

  it('has one finding that names the file, for every file that is missing, truncated, longer or changed', async () => {
    const small = await publishedLog(300, 300);
    for (const path of currentFiles(small)) {
      const bytes = small.files.get(path) as Buffer;
      const changed = Buffer.from(bytes);
      changed[5] = (changed[5] ?? 0) ^ 1;
      for (const other of [
        undefined,
        bytes.subarray(0, -1),
        Buffer.concat([bytes, Buffer.of(10)]),
        changed,
      ]) {
        if (other) small.files.set(path, other);
        else small.files.delete(path);
        expect(paths(await check(small))).toEqual([path]);
      }
      small.files.set(path, bytes);
    }
    expect((await check(small)).ok).toBe(true);
  });

  it('tells all faults at once', async () => {
    const report = await withFlippedBit(log, 'tile/0/010', 0, () =>
      withFlippedBit(log, 'tile/entries/020', 9, () =>
        withFlippedBit(log, 'tile/1/001.p/1', 0, () => check(log)),
      ),
    );
    expect(paths(report).sort()).toEqual(['tile/0/010', 'tile/1/001.p/1', 'tile/entries/020']);
  });

  it('blames an entry that was changed together with its level 0 tile', async () => {
    const path = 'tile/entries/100';
    const [bundle, tile] = [log.files.get(path), log.files.get('tile/0/100')] as [Buffer, Buffer];
    const entries = decodeBundle(bundle, TILE_WIDTH);
    entries[7] = Buffer.from('forged');
    log.files.set(path, encodeBundle(entries));
    log.files.set('tile/0/100', Buffer.concat(entries.map(leafHash)));
    expect((await check(log)).findings).toMatchObject([{ code: 'tile_mismatch', path: 'tile/0/100' }]);
    log.files.set(path, bundle);
    log.files.set('tile/0/100', tile);
  });

  it('names entry and file of a changed entry', async () => {
    const report = await withFlippedBit(log, 'tile/entries/001', 2, () => check(log));
    expect(report.findings).toMatchObject([
      { code: 'bundle_mismatch', path: 'tile/entries/001', detail: expect.stringContaining('entry 256') },
    ]);
  });
});

describe('a log that was rewritten', () => {
  it('does not lead to the signed root, however well its files agree', async () => {
    const [genuine, forged] = [await publishedLog(300), new MemoryLog()];
    await forged.append(Array.from({ length: 300 }, (_, i) => Buffer.from(`forged ${i}`)));
    forged.files.set('checkpoint', genuine.files.get('checkpoint') as Buffer);
    expect(codes(await check(forged))).toEqual(['root_mismatch']);
  });

  it('names two files that contradict each other when neither is under the signed root', async () => {
    const [genuine, other] = [await publishedLog(300), await publishedLog(299)];
    genuine.files.set('checkpoint', other.files.get('checkpoint') as Buffer);
    const tile = genuine.files.get('tile/0/001.p/44') as Buffer;
    genuine.files.set('tile/0/001.p/43', Buffer.alloc(43 * 32, 1));
    genuine.files.set('tile/entries/001.p/43', encodeBundle(Array.from({ length: 43 }, () => tile)));
    expect(codes(await check(genuine))).toEqual(['root_mismatch', 'contradiction']);
  });

  it('says so when entries are not canonical, and still hashes them', async () => {
    const log = await publishedLog(2);
    const report = await check(log, {});
    expect(codes(report)).toEqual(['entry_malformed', 'entry_malformed']);
    expect(report.findings[1]?.detail).toContain('entry 1');
  });

  it('stops at many findings, and does not follow a signed size of 2^52 for ever', async () => {
    const log = await publishedLog(1);
    const root = log.range.root();
    log.files.set(
      'checkpoint',
      await signCheckpoint({ origin: trust.origin, size: 2 ** 52, root }, [signer]),
    );
    const report = await check(log);
    expect(report.stoppedEarly).toBe(true);
    expect(report.findings.length).toBeLessThan(MAX_FINDINGS + 100);
  });

  it('says that the root is unknown when a whole branch is gone', async () => {
    const log = await publishedLog(300);
    for (const path of ['tile/entries/001.p/44', 'tile/0/001.p/44']) log.files.delete(path);
    expect(codes(await check(log)).sort()).toEqual(['bundle_missing', 'root_unknown', 'tile_missing']);
  });
});

describe('a forged checkpoint', () => {
  const invalid: [string, (log: MemoryLog) => Promise<void> | void, string][] = [
    ['is missing', (log) => void log.files.delete('checkpoint'), 'checkpoint_missing'],
    ['is empty', (log) => void log.files.set('checkpoint', Buffer.alloc(0)), 'checkpoint_invalid'],
    [
      'has a flipped bit',
      (log) => {
        const bytes = log.files.get('checkpoint') as Buffer;
        bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
      },
      'checkpoint_invalid',
    ],
    [
      'is signed by another key of that name',
      async (log) => {
        const impostor = ed25519Signer(generatePrivateKey(trust.origin, ED25519));
        const checkpoint = { origin: trust.origin, size: 3, root: log.range.root() };
        log.files.set('checkpoint', await signCheckpoint(checkpoint, [impostor]));
      },
      'checkpoint_invalid',
    ],
    [
      'belongs to another log of the same key',
      async (log) => {
        const checkpoint = { origin: 'other.example', size: 3, root: log.range.root() };
        log.files.set('checkpoint', await signCheckpoint(checkpoint, [signer]));
      },
      'checkpoint_invalid',
    ],
  ];
  it.each(invalid)('that %s is a finding', async (_what, forge, code) => {
    const log = await publishedLog(3);
    await forge(log);
    const report = await check(log);
    expect(report).toMatchObject({ ok: false, findings: [{ code, path: 'checkpoint' }] });
    expect(report.size).toBeUndefined();
  });

  it('does not hide a source that fails', async () => {
    const broken = { read: () => Promise.reject(new Error('connection reset')) };
    await expect(verifyLog(broken, trust)).rejects.toThrow('connection reset');
  });
});
