import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { type DataSource } from 'typeorm';
import { FileLogKeys } from '../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../src/audit/adapters/file-tile-store.js';
import { connectByHttp } from '../../src/audit/adapters/http-witness.js';
import { type AnchorState, AnchorStates } from '../../src/audit/application/anchor-state.js';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { LogWriter } from '../../src/audit/application/log-writer.js';
import { PublishLog } from '../../src/audit/application/publish-log.js';
import { Sequencer } from '../../src/audit/application/sequencer.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { WitnessLog } from '../../src/audit/application/witness-log.js';
import { WitnessRecords } from '../../src/audit/application/witness-records.js';
import { openCheckpoint, type OpenedCheckpoint } from '../../src/audit/core/checkpoint.js';
import { cosignedNote } from '../../src/audit/core/cosigned-note.js';
import { explainLines } from '../../src/audit/core/policy-quorum.js';
import {
  NO_WITNESS_POLICY,
  parseOperatorPolicy,
  policyForLog,
  witnessKeyName,
  type WitnessPolicy,
} from '../../src/audit/core/witness-policy.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../src/identity/application/actor.js';
import { CreateOrganization } from '../../src/identity/application/create-organization.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, publicId } from '../../src/shared/ids.js';
import { FakeWitness } from '../fakes/witness/fake-witness.js';
import { type WitnessFault } from '../fakes/witness/witness-fault.js';
import { eventually } from '../support/eventually.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const logger = pino({ level: 'silent' });

/** Everything on one database and one store: what a backup holds together. */
class Deployment {
  private constructor(
    readonly database: TestDatabase,
    readonly pool: pg.Pool,
    readonly stores: FileTileStores,
    private readonly dataSource: DataSource,
    private readonly keys: FileLogKeys,
  ) {}

  static async open(database: TestDatabase, logs: string): Promise<Deployment> {
    const dataSource = createDataSource({
      url: database.applicationUrl,
      applicationName: 'test',
      poolSize: 4,
      entities: [],
    });
    await dataSource.initialize();
    const options = '-c search_path=colophon';
    const pool = new pg.Pool({ connectionString: database.sequencerUrl, max: 8, options });
    pool.on('error', () => undefined);
    return new Deployment(database, pool, new FileTileStores(logs), dataSource, keys);
  }

  get organizationTx(): OrganizationTx {
    return new OrganizationTx(this.dataSource);
  }

  async commit(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const subject = { kind: 'project', id: publicId('project', newId()) } as const;
      const data = { name: `entry ${newId()}` };
      await this.organizationTx.run(organizationId, (tx) =>
        appendEntry.append(tx, { type: 'project.created', actor: SYSTEM_ACTOR, subject, data }),
      );
    }
  }

  async sequence(): Promise<void> {
    const heard = policyOf(fakes.length, 1).witnesses.map(witnessKeyName);
    const publish = new PublishLog(this.pool, this.stores, this.keys, systemClock, heard);
    const writer = new LogWriter(this.pool, systemClock, () => undefined);
    await new Sequencer(this.pool, writer, publish, logger).runOnce();
  }

  async grow(count: number): Promise<void> {
    await this.commit(count);
    await this.sequence();
  }

  witnessLog(policy: WitnessPolicy, onAsked: (name: string) => void = () => undefined): WitnessLog {
    return new WitnessLog({
      patience: { slowMs: 200, silenceMs: 60_000 },
      pool: this.pool,
      stores: this.stores,
      keys: this.keys,
      policy,
      connect: (witness) => {
        onAsked(witness.name);
        return connectByHttp({
          allowedPrivateHosts: fakes.map(({ hostPort }) => hostPort),
          ...(witness.name === 'w0' && {
            submissionDeadlineMs: patienceMs,
            monitoringDeadlineMs: patienceMs,
          }),
        })(witness);
      },
      clock: { now: () => new Date(Date.now() + aheadMs) },
    });
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.pool.end();
  }
}

const appendEntry = new AppendEntry(
  new SubjectVault(randomBytes(32), systemClock),
  systemClock,
  () => undefined,
);

let folder: string;
let keys: FileLogKeys;
let here: Deployment;
let organizationId: string;
let fakes: FakeWitness[];
let aheadMs: number;
/** How long witness 0 is waited for; the others have the default. */
let patienceMs: number;

beforeEach(async () => {
  fakes = [];
  aheadMs = 0;
  patienceMs = 5_000;
  folder = await mkdtemp(join(tmpdir(), 'colophon-witness-'));
  keys = new FileLogKeys(join(folder, 'keys'));
  here = await Deployment.open(await createTestDatabase(), join(folder, 'logs'));
  const create = new CreateOrganization(here.organizationTx, keys, appendEntry, systemClock);
  organizationId = (await create.create('An organization', 'log.example')).organizationId;
  await here.grow(2);
  const { vkey } = await keys.ofLog(organizationId);
  fakes = await Promise.all(
    [0, 1, 2].map((i) => FakeWitness.start({ name: `witness.example/w${i}`, logs: [vkey] })),
  );
});
afterEach(async () => {
  await Promise.all(fakes.map((fake) => fake.stop()));
  await here.close();
  await here.database.drop();
  await rm(folder, { recursive: true, force: true });
});

function fake(index: number): FakeWitness {
  const found = fakes[index];
  if (found === undefined) throw new Error(`there is no witness ${index}`);
  return found;
}

/** The first `count` fakes, of which `needed` are enough. */
function policyOf(count: number, needed: number): WitnessPolicy {
  if (count === 0) return NO_WITNESS_POLICY;
  const names = fakes.slice(0, count).map((_, i) => `w${i}`);
  const lines = fakes.slice(0, count).map((one, i) => one.policyLine(`w${i}`));
  return parseOperatorPolicy(
    Buffer.from([...lines, `group g ${needed} ${names.join(' ')}`, 'quorum g', ''].join('\n')),
  );
}

async function newest(): Promise<{ size: number; note: Buffer; lines: string[] }> {
  const records = new WitnessRecords(here.pool);
  const checkpoint = await records.newest(organizationId);
  if (checkpoint === undefined) throw new Error('nothing is recorded');
  return { ...checkpoint, lines: await records.cosignatures(organizationId, checkpoint.size) };
}

async function stateOf(index: number, deployment = here): Promise<AnchorState | undefined> {
  const states = await new AnchorStates(deployment.pool, 'witness').ofLog(organizationId);
  return states.get(keyNameOf(index));
}

function keyNameOf(index: number): string {
  const [witness] = policyOf(index + 1, 1).witnesses.slice(index);
  return witness === undefined ? '' : witnessKeyName(witness);
}

/** The published note as a stranger opens it: with the shipped policy and nothing else. */
async function openedByStranger(policy: WitnessPolicy): Promise<OpenedCheckpoint> {
  const { vkey, origin, verifier } = await keys.ofLog(organizationId);
  const { note, lines } = await newest();
  return openCheckpoint(cosignedNote(note, lines), {
    origin,
    log: verifier,
    policy: policyForLog(policy, vkey),
  });
}

describe('witnesses that do right', () => {
  it('cosign each checkpoint once, and a stranger finds the policy met', async () => {
    const policy = policyOf(3, 3);
    const log = here.witnessLog(policy);
    for (const count of [0, 1, 7]) {
      await here.grow(count);
      await log.witness(organizationId);
      await log.witness(organizationId);
      const { size, lines } = await newest();
      expect(explainLines(policy, lines)).toMatchObject({ satisfied: true, cosigned: ['w0', 'w1', 'w2'] });
      expect((await openedByStranger(policy)).cosignatures).toHaveLength(3);
      expect(await stateOf(1)).toMatchObject({
        size,
        failures: 0,
        lastError: undefined,
        conflict: undefined,
      });
    }
    expect(fake(0).submissions()).toEqual([
      { oldSize: 0, status: 200 },
      { oldSize: 3, status: 200 },
      { oldSize: 4, status: 200 },
    ]);
  });

  it('are asked by two processes at once, and each is stored once', async () => {
    const policy = policyOf(3, 2);
    const processes = [here.witnessLog(policy), here.witnessLog(policy)];
    for (const count of [0, 3, 5]) {
      await here.grow(count);
      await Promise.all(processes.map((log) => log.witness(organizationId)));
      expect((await newest()).lines).toHaveLength(3);
      for (const index of [0, 1, 2]) expect((await stateOf(index))?.conflict).toBeUndefined();
    }
  });

  it('cosign again when we lost the answer before it was stored', async () => {
    const policy = policyOf(1, 1);
    const { note } = await newest();
    const lost = connectByHttp({ allowedPrivateHosts: [fake(0).hostPort] })(policy.witnesses[0] ?? fail());
    expect((await lost.addCheckpoint({ oldSize: 0, proof: [], checkpoint: note })).kind).toBe('cosigned');
    await here.witnessLog(policy).witness(organizationId);
    expect((await newest()).lines).toHaveLength(1);
    expect(
      fake(0)
        .submissions()
        .map(({ oldSize }) => oldSize),
    ).toEqual([0, 0, 3]);
  });

  it('are not asked when there is no policy', async () => {
    await here.witnessLog(NO_WITNESS_POLICY).witness(organizationId);
    await here.witnessLog(NO_WITNESS_POLICY).checkBeforeSigning(organizationId);
    expect((await newest()).lines).toEqual([]);
  });
});

describe('k of n', () => {
  it.each([
    [1, true],
    [2, true],
    [3, false],
  ])('needs %d, and one of three is down: met is %s', async (needed, met) => {
    const policy = policyOf(3, needed);
    fake(2).misbehave('down');
    await here.witnessLog(policy).witness(organizationId);
    const { lines } = await newest();
    expect(explainLines(policy, lines)).toMatchObject({
      satisfied: met,
      cosigned: ['w0', 'w1'],
      missing: ['w2'],
    });
    expect(await stateOf(2)).toMatchObject({ size: 0, failures: 1, lastError: 'the connection was lost' });
  });

  it('stores what came while one still hangs', async () => {
    const policy = policyOf(3, 2);
    fake(0).misbehave('hang');
    let isOver = false;
    const round = here
      .witnessLog(policy)
      .witness(organizationId)
      .then(() => (isOver = true));
    const stored = await eventually('two cosignatures while the third is awaited', async () => {
      const { lines } = await newest();
      return lines.length === 2 ? { isOver } : undefined;
    });
    expect(stored).toEqual({ isOver: false });
    await round;
    expect((await stateOf(0))?.lastError).toBe('no complete answer within the time limit');
  });
});

describe('a witness that comes back', () => {
  it('catches up over several sizes with one proof, after its pause', async () => {
    const policy = policyOf(2, 2);
    const log = here.witnessLog(policy);
    await log.witness(organizationId);
    fake(1).misbehave('down');
    for (const count of [1, 300, 2]) {
      await here.grow(count);
      await log.witness(organizationId);
      aheadMs += 60_000;
    }
    expect(await stateOf(1)).toMatchObject({ size: 3, failures: 3 });
    fake(1).misbehave(undefined);
    aheadMs -= 60_000;
    await log.witness(organizationId);
    expect(explainLines(policy, (await newest()).lines).satisfied).toBe(false);
    aheadMs += 60_000;
    await log.witness(organizationId);
    const { size, lines } = await newest();
    expect(explainLines(policy, lines).satisfied).toBe(true);
    expect(fake(1).submissions().at(-1)).toEqual({ oldSize: 3, status: 200 });
    expect(await stateOf(1)).toMatchObject({ size, failures: 0, lastError: undefined });
  });

  it('and has forgotten everything cosigns, but that is noted', async () => {
    const log = here.witnessLog(policyOf(1, 1));
    await log.witness(organizationId);
    fake(0).forget();
    await here.grow(2);
    await log.witness(organizationId);
    expect((await newest()).lines).toHaveLength(1);
    expect(await stateOf(0)).toMatchObject({
      failures: 0,
      lastError: 'it knew 3 entries before and now only 0',
    });
  });
});

describe('a witness that does wrong', () => {
  it.each<[WitnessFault, string]>([
    ['down', 'connection was lost'],
    ['hang', 'within the time limit'],
    ['status-500', 'status 500'],
    ['redirect', 'redirects'],
    ['wrong-key', 'without a cosignature by its key'],
    ['forged', 'does not verify'],
    ['garbage', 'not valid UTF-8'],
    ['html', 'cannot be read'],
    ['empty', 'cannot be read'],
    ['truncated', 'broke off'],
    ['huge', 'larger than 65536 bytes'],
    ['many', 'larger than 65536 bytes'],
    ['future', 'ahead of our clock'],
    ['past', 'before the checkpoint was signed'],
    ['no-time', 'does not verify'],
    ['conflict-loop', 'another size each time'],
    ['conflict-same', 'another size each time'],
    ['conflict-words', 'cannot be read'],
    ['conflict-plain', 'without naming a size'],
    ['claims-huge', '2^53 or larger'],
  ])('%s: harms nobody else, says why, and is asked again later', async (fault, reason) => {
    const policy = policyOf(2, 1);
    const log = here.witnessLog(policy);
    fake(0).misbehave(fault);
    if (fault === 'hang') patienceMs = 300;
    await log.witness(organizationId);
    patienceMs = 5_000;
    expect(explainLines(policy, (await newest()).lines).cosigned).toEqual(['w1']);
    expect(await stateOf(0)).toMatchObject({ size: 0, failures: 1, conflict: undefined });
    expect((await stateOf(0))?.lastError).toContain(reason);
    expect((await stateOf(0))?.lastError).not.toContain('127.0.0.1');
    await here.grow(1);
    fake(0).misbehave(undefined);
    aheadMs = 5_000;
    await log.witness(organizationId);
    expect(explainLines(policy, (await newest()).lines).cosigned).toEqual(['w0', 'w1']);
  });

  it('or sends its cosignature among 99 others is believed, and they are not', async () => {
    const policy = policyOf(1, 1);
    fake(0).misbehave('hundred');
    await here.witnessLog(policy).witness(organizationId);
    expect((await newest()).lines).toHaveLength(1);
    expect((await openedByStranger(policy)).unverified).toEqual([]);
  });

  it.each<[WitnessFault, string]>([
    ['claims-larger', 'it has seen 1000000 entries'],
    ['refuses', 'it refuses the proof'],
  ])('%s: nothing is signed any more, until a person has decided', async (fault, reason) => {
    const log = here.witnessLog(policyOf(2, 1));
    fake(0).misbehave(fault);
    await log.witness(organizationId);
    expect((await stateOf(0))?.conflict).toContain('the witness w0 knows another history of this log');
    expect((await stateOf(0))?.conflict).toContain(reason);
    expect((await newest()).lines).toHaveLength(1);
    await expect(here.grow(1)).rejects.toThrow(/Refusing to sign .*w0 knows another history/);
    expect((await newest()).size).toBe(3);
    aheadMs = 360_000;
    await log.witness(organizationId);
    expect(fake(0).submissions()).toHaveLength(1);
    const states = new AnchorStates(here.pool, 'witness');
    const words = (await stateOf(0))?.conflict ?? '';
    expect(await states.clearConflict(organizationId, keyNameOf(0), 'other words')).toBe(false);
    expect(await states.clearConflict(organizationId, keyNameOf(0), words)).toBe(true);
    expect(await states.clearConflict(organizationId, keyNameOf(0), words)).toBe(false);
    await here.sequence();
    expect((await newest()).size).toBe(4);
  });
});

it('a witness whose answer nobody can read does not keep the log from being signed after a start', async () => {
  fake(0).misbehave('no-time');
  await here.witnessLog(policyOf(1, 1)).checkBeforeSigning(organizationId);
  expect(await stateOf(0)).toMatchObject({ failures: 1, conflict: undefined });
});

describe('a witness that left the policy', () => {
  it('no longer keeps the log from being signed, whatever it said', async () => {
    fake(0).misbehave('claims-larger');
    await here.witnessLog(policyOf(1, 1)).witness(organizationId);
    await expect(here.grow(1)).rejects.toThrow('Refusing to sign');
    await fake(0).stop();
    fakes = fakes.slice(1);
    await here.sequence();
    expect((await newest()).size).toBe(4);
  });
});

describe('a witness that cannot be reached', () => {
  it('is not waited for again before each further log is signed, and the others are asked about each', async () => {
    const asked: string[] = [];
    patienceMs = 300;
    fake(0).misbehave('hang');
    const log = here.witnessLog(policyOf(2, 1), (name) => asked.push(name));
    for (let count = 0; count < 4; count++) await log.checkBeforeSigning(organizationId);
    expect(asked.filter((name) => name === 'w0')).toHaveLength(1);
    expect(asked.filter((name) => name === 'w1').length).toBeGreaterThanOrEqual(4);
  });

  it('is asked about each log when it only refuses connections: that takes no time', async () => {
    const asked: string[] = [];
    fake(0).misbehave('down');
    const log = here.witnessLog(policyOf(1, 1), (name) => asked.push(name));
    for (let count = 0; count < 4; count++) await log.checkBeforeSigning(organizationId);
    expect(asked).toHaveLength(4);
  });
});

describe('database and store that were restored together', () => {
  let restored: Deployment;

  /** The witnessed log goes on to 6 entries; what is restored has 3 of them. */
  async function rewind(): Promise<void> {
    const log = here.witnessLog(policyOf(1, 1));
    await log.witness(organizationId);
    const { database } = here;
    await here.close();
    const backup = await createTestDatabase(database.name);
    await cp(join(folder, 'logs'), join(folder, 'restored'), { recursive: true });
    here = await Deployment.open(database, join(folder, 'logs'));
    await here.grow(3);
    await here.witnessLog(policyOf(1, 1)).witness(organizationId);
    restored = await Deployment.open(backup, join(folder, 'restored'));
  }
  afterEach(async () => {
    await restored.close();
    await restored.database.drop();
  });

  it.each([0, 2, 3, 4])(
    'are found at the start by what the witness shows, after %d entries of another history',
    async (count) => {
      await rewind();
      await restored.grow(count);
      await restored.witnessLog(policyOf(1, 1)).checkBeforeSigning(organizationId);
      const state = await stateOf(0, restored);
      expect(state?.conflict).toContain('it shows a checkpoint of 6 entries');
      expect(state?.conflict).toContain(count === 3 ? 'another root' : 'never recorded it');
      await expect(restored.grow(1)).rejects.toThrow(/Refusing to sign .*restored from a backup/);
    },
  );

  it.each([
    [0, 'it has seen 6 entries, and the newest recorded checkpoint has 3'],
    [2, 'it has seen 6 entries, and the newest recorded checkpoint has 5'],
    [3, 'it refuses the proof'],
    [4, 'it refuses the proof'],
  ])(
    'are found at the start by a witness that shows nothing, after %d entries of another history',
    async (count, reason) => {
      await rewind();
      fake(0).misbehave('no-monitoring');
      await restored.grow(count);
      await restored.witnessLog(policyOf(1, 1)).checkBeforeSigning(organizationId);
      expect((await stateOf(0, restored))?.conflict).toContain(reason);
      await expect(restored.grow(1)).rejects.toThrow('Refusing to sign');
    },
  );

  it.each([
    [2, 'it has seen 6 entries, and the newest recorded checkpoint has 5'],
    [3, 'it refuses the proof'],
    [4, 'it refuses the proof'],
  ])(
    'are found by the next round, when the witness was down at the start, after %d entries of another history',
    async (count, reason) => {
      await rewind();
      fake(0).misbehave('down');
      await restored.witnessLog(policyOf(1, 1)).checkBeforeSigning(organizationId);
      expect((await stateOf(0, restored))?.conflict).toBeUndefined();
      await restored.grow(count);
      fake(0).misbehave(undefined);
      await restored.witnessLog(policyOf(1, 1)).witness(organizationId);
      const conflict = (await stateOf(0, restored))?.conflict;
      expect(conflict).toContain(reason);
      expect(conflict).toContain(
        'it shows a checkpoint of 6 entries that is signed with the key of this log',
      );
      await expect(restored.grow(1)).rejects.toThrow('Refusing to sign');
      expect(fake(0).sizeOf((await keys.ofLog(organizationId)).origin)).toBe(6);
      expect((await new WitnessRecords(restored.pool).cosignatures(organizationId, 3 + count)).length).toBe(
        0,
      );
    },
  );

  it('are not found by a witness that cannot be reached, and the start goes on', async () => {
    await rewind();
    patienceMs = 300;
    for (const fault of ['down', 'hang', 'truncated'] as const) {
      fake(0).misbehave(fault);
      await restored.witnessLog(policyOf(1, 1)).checkBeforeSigning(organizationId);
    }
    expect((await stateOf(0, restored))?.conflict).toBeUndefined();
    await restored.grow(1);
  });

  it('are no conflict for the database that went on', async () => {
    await rewind();
    for (const fault of [undefined, 'no-monitoring'] as const) {
      fake(0).misbehave(fault);
      await here.witnessLog(policyOf(3, 1)).checkBeforeSigning(organizationId);
      for (const index of [0, 1, 2]) expect((await stateOf(index))?.conflict).toBeUndefined();
      await here.grow(1);
    }
  });
});

function fail(): never {
  throw new Error('the policy has no witness');
}
