import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Rfc3161Authority } from '../../src/audit/adapters/rfc3161-authority.js';
import { TimeStampLog } from '../../src/audit/application/time-stamp-log.js';
import { signCheckpoint } from '../../src/audit/core/checkpoint.js';
import { verifierFromVkey } from '../../src/audit/core/cosignature.js';
import { buildEntry } from '../../src/audit/core/entry.js';
import { ed25519Signer, parsePrivateKey } from '../../src/audit/core/note-key.js';
import { parseNote } from '../../src/audit/core/signed-note.js';
import { inclusionProofFromTiles } from '../../src/audit/core/tile-reading.js';
import { formatTlogProof } from '../../src/audit/core/tlog-proof.js';
import { checkTimeStamps } from '../../src/audit/verify/time-status.js';
import { verifyEntry } from '../../src/audit/verify/verify-entry.js';
import { newId } from '../../src/shared/ids.js';
import { FakeAuthority } from '../fakes/time-stamp-authority/fake-authority.js';
import { type Fault } from '../fakes/time-stamp-authority/fault-plan.js';
import {
  OpensslAuthority,
  opensslVerify,
  opensslVersion,
} from '../fakes/time-stamp-authority/openssl-authority.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { signedAsset } from '../vectors/tlog/entry-examples.js';
import { MemoryLog, readGolden } from '../vectors/tlog/vectors.js';

const golden = readGolden();
const trust = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };
const entry = buildEntry({ ...signedAsset, at: new Date().toISOString() }).bytes;

let database: TestDatabase;
let superuser: Inspector;
let pool: pg.Pool;
let fake: FakeAuthority;
let organizationId: string;
let log: MemoryLog;
let now: number;
const clock = { now: () => new Date(now) };

beforeAll(async () => {
  fake = await FakeAuthority.start({ now: () => new Date(now) });
});
afterAll(() => fake.stop());
beforeEach(async () => {
  now = Date.now();
  fake.requests = 0;
  database = await createTestDatabase();
  superuser = await Inspector.open(database);
  pool = new pg.Pool({ connectionString: database.sequencerUrl, max: 4, options: '-c search_path=colophon' });
  // Dropping the database at the end of a test breaks idle connections.
  pool.on('error', () => undefined);
  organizationId = await organization();
  log = new MemoryLog();
  await grow();
});
afterEach(async () => {
  await pool.end();
  await superuser.close();
  await database.drop();
});

async function organization(): Promise<string> {
  const id = newId();
  await superuser.query(
    'INSERT INTO organization (organization_id, name, created_at) VALUES ($1, $2, now())',
    [id, 'An organization'],
  );
  return id;
}

/** One entry more, and the checkpoint over it on record. @returns the note */
async function grow(): Promise<Buffer> {
  await log.append([entry]);
  const { size } = log.range;
  const note = await signCheckpoint({ origin: trust.origin, size, root: log.range.root() }, [
    ed25519Signer(parsePrivateKey(golden.log.skey)),
  ]);
  await superuser.query(
    'INSERT INTO audit_checkpoint (organization_id, size, edge, note, signed_at) VALUES ($1, $2, $3, $4, $5)',
    [organizationId, size, [], note.toString('utf8'), clock.now()],
  );
  return note;
}

function stamper(
  options: { minimumIntervalMs?: number; url?: string; rootsPem?: string; hostPort?: string } = {},
): TimeStampLog {
  const authority = new Rfc3161Authority({
    url: options.url ?? fake.url,
    name: 'tsa',
    trust: { rootsPem: options.rootsPem ?? fake.rootsPem },
    clock,
    outbound: { allowedPrivateHosts: [options.hostPort ?? fake.hostPort] },
    deadlineMs: 2000,
  });
  const { minimumIntervalMs = 60_000 } = options;
  return new TimeStampLog(pool, authority, clock, { minimumIntervalMs });
}

interface StampRow {
  readonly size: string;
  readonly authority: string;
  readonly token: Buffer;
  readonly stamped_at: Date;
  readonly received_at: Date;
}
const stamps = () => superuser.query<StampRow>('SELECT * FROM audit_time_stamp ORDER BY size');

interface StateRow {
  readonly kind: string;
  readonly name: string;
  readonly size: string;
  readonly failures: number;
  readonly last_error: string | null;
  readonly conflict: string | null;
  readonly attempted_at: Date;
  readonly succeeded_at: Date | null;
}
const state = async () => (await superuser.query<StateRow>('SELECT * FROM audit_anchor_state'))[0];

describe('a time-stamped log', () => {
  it('has a token over its newest checkpoint, which proves when an entry existed at the latest', async () => {
    const note = await grow();
    await stamper().stamp(organizationId);
    const [row, ...more] = await stamps();
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      size: '2',
      authority: 'tsa',
      stamped_at: new Date(now),
      received_at: new Date(now),
    });
    expect(await state()).toMatchObject({
      kind: 'time_stamp',
      name: 'tsa',
      size: '2',
      failures: 0,
      last_error: null,
      conflict: null,
      succeeded_at: new Date(now),
    });

    const { size } = log.range;
    const { proof: hashes } = await inclusionProofFromTiles(log, 1, size, log.range.root());
    const proof = formatTlogProof({ index: 1, hashes, checkpoint: note });
    const text = Buffer.from(parseNote(note).text, 'utf8');
    const timeStamps = await checkTimeStamps([row?.token ?? Buffer.alloc(0)], text, {
      rootsPem: fake.rootsPem,
    });
    const result = verifyEntry({ entry, proof, timeStamps }, trust);
    expect(result.ok).toBe(true);
    expect(result.statuses.find(({ subject }) => subject === 'time')).toMatchObject({
      outcome: 'proved',
      text: `The entry existed at or before ${new Date(now).toISOString()} (give or take 1.5 s) according to Fake TSA, Fake. Whether the certificate of that authority was revoked was not looked up.`,
    });
  });

  it('asks once for a checkpoint, and at most once in the interval for newer ones', async () => {
    const log = stamper();
    await log.stamp(organizationId);
    now += 3_600_000;
    await log.stamp(organizationId);
    expect(fake.requests).toBe(1);
    await grow();
    await log.stamp(organizationId);
    now += 59_000;
    await grow();
    await log.stamp(organizationId);
    expect(fake.requests).toBe(2);
    now += 1000;
    await log.stamp(organizationId);
    expect(fake.requests).toBe(3);
    // The checkpoint in between is covered by the newer token.
    expect((await stamps()).map(({ size }) => size)).toEqual(['1', '2', '3']);
  });

  it('asks once when several processes want the same token', async () => {
    await Promise.all(Array.from({ length: 4 }, () => stamper().stamp(organizationId)));
    expect(fake.requests).toBe(1);
    await grow();
    now += 60_000;
    await Promise.all(Array.from({ length: 4 }, () => stamper().stamp(organizationId)));
    expect(fake.requests).toBe(2);
    expect(await stamps()).toHaveLength(2);
  });

  it('does nothing without a checkpoint, and keeps the logs of organizations apart', async () => {
    const other = await organization();
    await stamper().stamp(other);
    expect(fake.requests).toBe(0);
    expect(await state()).toBeUndefined();
    await stamper().stamp(organizationId);
    expect(
      await superuser.query('SELECT 1 FROM audit_time_stamp WHERE organization_id = $1', [other]),
    ).toEqual([]);
  });

  it('keeps its tokens: not even the sequencer may change or remove one', async () => {
    await stamper().stamp(organizationId);
    await expect(pool.query(`UPDATE audit_time_stamp SET token = ''`)).rejects.toThrow(/permission denied/);
    await expect(pool.query('DELETE FROM audit_time_stamp')).rejects.toThrow(/permission denied/);
    const application = new pg.Client({
      connectionString: database.applicationUrl,
      options: '-c search_path=colophon',
    });
    await application.connect();
    try {
      await application.query(`SELECT set_config('app.organization_id', $1, false)`, [organizationId]);
      expect((await application.query('SELECT 1 FROM audit_time_stamp')).rowCount).toBe(1);
      await expect(
        application.query(`INSERT INTO audit_time_stamp SELECT * FROM audit_time_stamp`),
      ).rejects.toThrow(/permission denied/);
      await application.query(`SELECT set_config('app.organization_id', $1, false)`, [await organization()]);
      expect((await application.query('SELECT 1 FROM audit_time_stamp')).rowCount).toBe(0);
    } finally {
      await application.end();
    }
  });
});

describe('an authority that is down or lies', () => {
  it.each<[Fault, RegExp]>([
    ['down', /^unavailable: the connection was lost/],
    ['slow', /^unavailable: .*time limit/],
    ['huge', /^unavailable: .*larger than/],
    ['rejection', /^refused: .*system failure/],
    ['garbage', /^invalid: /],
    ['truncated', /^invalid: /],
    ['wrong-imprint', /^invalid: .*other bytes/],
    ['wrong-nonce', /^invalid: .*another request/],
    ['unknown-issuer', /^invalid: .*none of the given roots/],
    ['wrong-eku', /^invalid: .*not for time-stamping/],
    ['expired-certificate', /^invalid: .*ended at/],
    ['time-off', /^invalid: .*10 minutes/],
  ])('(%s) leaves no token, throws nothing and is on record', async (fault, words) => {
    fake.plan(fault);
    await stamper().stamp(organizationId);
    expect(await stamps()).toEqual([]);
    const row = await state();
    expect(row).toMatchObject({ size: '0', failures: 1, conflict: null, succeeded_at: null });
    expect(row?.last_error).toMatch(words);
  });

  it('is asked ever more seldom, at most after 5 minutes, and is taken back at once when it works again', async () => {
    const log = stamper();
    const waits = [15_000, 15_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000];
    for (const [round, wait] of waits.entries()) {
      fake.plan('http-500');
      await log.stamp(organizationId);
      expect(fake.requests).toBe(round + 1);
      expect(await state()).toMatchObject({ failures: round + 1 });
      now += wait - 1;
      await log.stamp(organizationId);
      expect(fake.requests).toBe(round + 1);
      now += 1;
    }
    await log.stamp(organizationId);
    expect(await stamps()).toHaveLength(1);
    expect(await state()).toMatchObject({
      failures: 0,
      last_error: null,
      size: '1',
      succeeded_at: new Date(now),
    });
  });

  it('stops nobody when a process died between asking and recording', async () => {
    await superuser.query(
      `INSERT INTO audit_anchor_state (organization_id, kind, name, size, failures, attempted_at)
       VALUES ($1, 'time_stamp', 'tsa', 0, 0, $2)`,
      [organizationId, new Date(now - 14_000)],
    );
    await stamper().stamp(organizationId);
    expect(fake.requests).toBe(0);
    now += 1000;
    await stamper().stamp(organizationId);
    expect(await stamps()).toHaveLength(1);
  });

  it('is asked again after our clock was set back', async () => {
    await stamper().stamp(organizationId);
    await grow();
    now -= 300_000;
    await stamper().stamp(organizationId);
    expect(await stamps()).toHaveLength(2);
  });
});

const openssl = opensslVersion();
describe('openssl ts as the authority', () => {
  if (openssl === undefined) {
    it('NOT CHECKED on this machine: there is no openssl', () => expect(openssl).toBeUndefined());
    return;
  }
  let real: OpensslAuthority;
  beforeAll(async () => {
    real = await (await OpensslAuthority.create()).listen();
  });
  afterAll(() => real.stop());

  it('stamps the checkpoint, and openssl ts -verify accepts body and token as they are stored', async () => {
    const { url, rootsPem, hostPort } = real;
    await stamper({ url, rootsPem, hostPort }).stamp(organizationId);
    const [row] = await stamps();
    const [checkpoint] = await superuser.query<{ note: string }>('SELECT note FROM audit_checkpoint');
    const message = Buffer.from(`${(checkpoint?.note ?? '').split('\n\n')[0] ?? ''}\n`);
    expect(message.toString().split('\n')).toHaveLength(4);
    expect(await opensslVerify({ message, token: row?.token ?? Buffer.alloc(0), rootsPem })).toMatchObject({
      ok: true,
    });
  });
});
