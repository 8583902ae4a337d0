import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { type DataSource } from 'typeorm';
import { FileLogKeys } from '../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../src/audit/adapters/file-tile-store.js';
import { connectByHttp } from '../../src/audit/adapters/http-witness.js';
import { AnchoredCheckpoints } from '../../src/audit/application/anchored-checkpoints.js';
import { AnchorStates } from '../../src/audit/application/anchor-state.js';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { LogWriter } from '../../src/audit/application/log-writer.js';
import { CHECKPOINT_PATH, PublishLog } from '../../src/audit/application/publish-log.js';
import { PublishedLogs } from '../../src/audit/application/published-logs.js';
import { ReadLog } from '../../src/audit/application/read-log.js';
import { type LogKeyChange, RotateLogKey } from '../../src/audit/application/rotate-log-key.js';
import { Sequencer } from '../../src/audit/application/sequencer.js';
import { SettleLogKeys } from '../../src/audit/application/settle-log-keys.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { WitnessLog } from '../../src/audit/application/witness-log.js';
import { WitnessRecords } from '../../src/audit/application/witness-records.js';
import { openCheckpoint, signCheckpoint } from '../../src/audit/core/checkpoint.js';
import { verifierFromVkey } from '../../src/audit/core/cosignature.js';
import { parseEntry } from '../../src/audit/core/entry.js';
import { ed25519Signer, parsePrivateKey, parseVkey } from '../../src/audit/core/note-key.js';
import { parseNote } from '../../src/audit/core/signed-note.js';
import {
  NO_WITNESS_POLICY,
  parseOperatorPolicy,
  parseWitnessPolicy,
  witnessKeyName,
} from '../../src/audit/core/witness-policy.js';
import { verifyEntry } from '../../src/audit/verify/verify-entry.js';
import { verifyLog } from '../../src/audit/verify/verify-log.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../src/identity/application/actor.js';
import { CreateOrganization } from '../../src/identity/application/create-organization.js';
import { type Principal } from '../../src/identity/domain/principal.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, publicId } from '../../src/shared/ids.js';
import { type CompiledProgram, compileProgram } from '../crash/log/compiled-program.js';
import { LogProcess } from '../crash/log/log-process.js';
import { FakeWitness } from '../fakes/witness/fake-witness.js';
import { eventually } from '../support/eventually.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const logger = pino({ level: 'silent' });
const appendEntry = new AppendEntry(
  new SubjectVault(randomBytes(32), systemClock),
  systemClock,
  () => undefined,
);

let program: CompiledProgram;
let folder: string;
let keyFolder: string;
let stores: FileTileStores;
let database: TestDatabase;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
let pool: pg.Pool;
let organizationId: string;
let admin: Principal;
let first: string;
let here: ReturnType<typeof startProcess>;
const processes: LogProcess[] = [];

/** What one process of the product has of a log; nothing in memory is shared with another one. */
function startProcess() {
  const keys = new FileLogKeys(keyFolder);
  const publish = new PublishLog(pool, stores, keys, systemClock);
  const writer = new LogWriter(pool, systemClock, () => undefined);
  const anchored = new AnchoredCheckpoints(undefined);
  const log = new ReadLog(organizationTx, stores, keys, anchored);
  const logs = new PublishedLogs(organizationTx, stores, keys, anchored, NO_WITNESS_POLICY, () =>
    Promise.reject(new Error('nobody asks')),
  );
  const rotate = new RotateLogKey(keys, appendEntry, async (id) => (await log.published(id)).vkey);
  const settler = new SettleLogKeys(organizationTx, keys, (id) => publish.publish(id));
  const settle = (): Promise<void> => settler.settle(organizationId);
  const sequencer = new Sequencer(pool, writer, publish, logger, undefined, settle);
  return { keys, publish, writer, log, logs, rotate, settler, settle, sequencer };
}

const commitAdd = (by = here): Promise<LogKeyChange> =>
  organizationTx.run(organizationId, (tx) => by.rotate.add(tx, admin));
const commitRetire = (keyId: string, by = here): Promise<LogKeyChange> =>
  organizationTx.run(organizationId, (tx) => by.rotate.retire(tx, admin, keyId));
/** As the route does it. */
async function add(by = here): Promise<LogKeyChange> {
  const added = await commitAdd(by);
  await by.settler.settleAndPublish(organizationId);
  return added;
}
async function retire(keyId: string, by = here): Promise<void> {
  await commitRetire(keyId, by);
  await by.settler.settleAndPublish(organizationId);
}
async function states(by = here): Promise<Record<string, string>> {
  const keys = await organizationTx.run(organizationId, (tx) => by.rotate.list(tx));
  return Object.fromEntries(keys.map(({ vkey, state }) => [vkey, state]));
}
const keyIdOf = (vkey: string): string => vkey.split('+')[1] ?? '';

async function grow(count = 1, by = here): Promise<void> {
  for (let i = 0; i < count; i++) {
    const subject = { kind: 'project', id: publicId('project', newId()) } as const;
    await organizationTx.run(organizationId, (tx) =>
      appendEntry.append(tx, {
        type: 'project.created',
        actor: SYSTEM_ACTOR,
        subject,
        data: { name: `entry ${i}` },
      }),
    );
  }
  await by.sequencer.runOnce();
}

const trustOf = (vkey: string) => ({ origin: parseVkey(vkey).name, log: verifierFromVkey(vkey) });
const fsck = (vkey: string) => verifyLog(stores.ofLog(organizationId), trustOf(vkey));
async function published(): Promise<Buffer> {
  return Buffer.from((await stores.ofLog(organizationId).read(CHECKPOINT_PATH)) ?? Buffer.alloc(0));
}
/** Key ids, in the order of the signatures. */
function signersOf(note: Uint8Array): string[] {
  return parseNote(note).signatures.map(({ keyId }) => keyId.toString(16).padStart(8, '0'));
}
const sizeOf = (note: Uint8Array): number => Number(parseNote(note).text.split('\n')[1]);
const fileOf = (serial: number, ending = ''): string =>
  join(keyFolder, `${organizationId}${serial === 1 ? '' : `.${serial}`}.key${ending}`);

beforeAll(() => {
  program = compileProgram();
});
afterAll(() => program.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-rotation-'));
  keyFolder = join(folder, 'keys', 'logs');
  stores = new FileTileStores(join(folder, 'logs'));
  database = await createTestDatabase();
  const url = database.applicationUrl;
  dataSource = createDataSource({ url, applicationName: 'test', poolSize: 8, entities: [] });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  pool = new pg.Pool({
    connectionString: database.sequencerUrl,
    max: 4,
    options: '-c search_path=colophon',
  });
  pool.on('error', () => undefined);
  const keys = new FileLogKeys(keyFolder);
  const create = new CreateOrganization(organizationTx, keys, appendEntry, systemClock);
  ({ organizationId, vkey: first } = await create.create('An organization', 'log.example'));
  admin = { organizationId, principalId: newId(), keyId: 'key_admin', mode: 'live', roles: ['admin'] };
  here = startProcess();
  await grow(3);
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((process) => process.kill()));
  await dataSource.destroy();
  await pool.end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

function startProgram(): LogProcess {
  const { applicationUrl, sequencerUrl } = database;
  const options = { applicationUrl, sequencerUrl, home: folder, organizationId };
  const process = new LogProcess(program.file, options);
  processes.push(process);
  return process;
}

describe('rotation while two other processes write and publish', () => {
  it('never stops the log; old and new readers verify it until the old key is retired, then new ones do', async () => {
    const programs = [startProgram(), startProgram()];
    await Promise.all(programs.map((one) => one.tell({ do: 'load', transactions: 2, appends: 2 })));
    const seen: { size: number; signers: string[] }[] = [];
    let watching = true;
    const watch = (async () => {
      while (watching) {
        // Whoever takes the key from the log itself always gets one that fits.
        const vkey = await here.logs.vkey(organizationId);
        const note = await published();
        openCheckpoint(note, trustOf(vkey));
        if (seen.at(-1)?.size !== sizeOf(note)) seen.push({ size: sizeOf(note), signers: signersOf(note) });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const until = async (entries: number): Promise<void> => {
      const start = sizeOf(await published());
      await eventually('it grows', async () => sizeOf(await published()) > start + entries || undefined);
    };

    await until(50);
    const { vkey: second } = await add();
    const [old, young] = [keyIdOf(first), keyIdOf(second)];
    const atOnce = await published();
    expect(signersOf(atOnce)).toEqual([old, young]);
    await until(200);
    await eventually(
      'several checkpoints are seen',
      () => seen.filter(({ size }) => size > sizeOf(atOnce)).length > 3 || undefined,
    );
    for (const vkey of [first, second]) expect(await fsck(vkey)).toMatchObject({ ok: true, findings: [] });

    const beforeRetirement = sizeOf(await published());
    await retire(old);
    await until(200);
    watching = false;
    await watch;
    await Promise.all(programs.map((one) => one.tell({ do: 'stop' })));
    for (const one of programs) {
      expect({ trouble: one.trouble, refused: one.refused }).toEqual({ trouble: [], refused: [] });
      expect(one.acknowledged.length).toBeGreaterThan(100);
    }
    expect(await fsck(second)).toMatchObject({ ok: true, findings: [] });
    expect(await fsck(first)).toMatchObject({ ok: false, findings: [{ code: 'checkpoint_invalid' }] });

    const during = seen.filter(({ size }) => size > sizeOf(atOnce) && size <= beforeRetirement);
    expect(during.length).toBeGreaterThan(2);
    for (const { signers } of during) expect(signers).toEqual([old, young]);
    expect(seen[0]?.signers).toEqual([old]);
    expect(seen.at(-1)?.signers).toEqual([young]);
  }, 120_000);

  it('by two processes at once gives two keys, each with an entry and a number of its own', async () => {
    const other = startProcess();
    const added = await Promise.all([add(), add(other)]);
    expect(new Set(added.map(({ keyId }) => keyId)).size).toBe(2);
    const ring = await startProcess().keys.ofLog(organizationId);
    expect(ring.active.map(({ vkey }) => vkey)).toEqual([first, ...(await inOrderOfTheLog())]);
    await here.sequencer.runOnce();
    expect(signersOf(await published())).toHaveLength(3);

    async function inOrderOfTheLog(): Promise<string[]> {
      return Object.keys(await states()).slice(1);
    }
  });

  it('retires a key once, whoever asks at the same time', async () => {
    await add();
    const answers = await Promise.allSettled([
      retire(keyIdOf(first)),
      retire(keyIdOf(first), startProcess()),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'conflict' },
    });
  });
});

describe('what is refused', () => {
  it('is to retire the current key, the only key, an unknown one, one that is retired, and more than four in use', async () => {
    await expect(commitRetire(keyIdOf(first))).rejects.toMatchObject({ code: 'conflict' });
    await expect(commitRetire('00000000')).rejects.toMatchObject({ code: 'not_found' });
    const { keyId: second, vkey } = await add();
    await expect(commitRetire(second)).rejects.toMatchObject({ code: 'conflict' });
    await retire(keyIdOf(first));
    await expect(commitRetire(keyIdOf(first))).rejects.toMatchObject({ code: 'conflict' });
    await expect(commitRetire(second)).rejects.toMatchObject({ code: 'conflict' });
    expect(await states()).toEqual({ [first]: 'retired', [vkey]: 'current' });
    for (let i = 0; i < 3; i++) await add();
    await expect(commitAdd()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is to retire a key before the published checkpoint is signed by the current one', async () => {
    await commitAdd();
    await here.settle();
    await expect(commitRetire(keyIdOf(first))).rejects.toMatchObject({ code: 'conflict' });
    await here.publish.publish(organizationId);
    await retire(keyIdOf(first));
  });

  it('is everything to a test key', async () => {
    const test = { ...admin, mode: 'test' as const };
    const asTest = (work: (typeof here.rotate)['add']) =>
      organizationTx.run(organizationId, (tx) => work(tx, test));
    await expect(asTest((tx, by) => here.rotate.add(tx, by))).rejects.toMatchObject({ code: 'wrong_mode' });
    await expect(asTest((tx, by) => here.rotate.retire(tx, by, 'x'))).rejects.toMatchObject({
      code: 'wrong_mode',
    });
    expect(await readdir(keyFolder)).toEqual([`${organizationId}.key`]);
  });
});

describe('a crash', () => {
  const rootOf = (note: Uint8Array): string => parseNote(note).text.split('\n')[2] ?? '';
  const recorded = async (): Promise<number> => {
    const { rows } = await pool.query('SELECT size FROM audit_checkpoint WHERE organization_id = $1', [
      organizationId,
    ]);
    return rows.length;
  };

  it('after the key was written and before the commit leaves a key that nobody uses', async () => {
    const dies = organizationTx.run(organizationId, async (tx) => {
      await here.rotate.add(tx, admin);
      throw new Error('killed');
    });
    await expect(dies).rejects.toThrow('killed');
    expect((await readdir(keyFolder)).sort()).toEqual([
      `${organizationId}.2.key.new`,
      `${organizationId}.key`,
    ]);
    const again = startProcess();
    await grow(2, again);
    expect(await states(again)).toEqual({ [first]: 'current' });
    expect(signersOf(await published())).toEqual([keyIdOf(first)]);
    const { vkey } = await add(again);
    expect(await states(again)).toEqual({ [first]: 'active', [vkey]: 'current' });
    expect((await readdir(keyFolder)).sort()).toEqual([`${organizationId}.2.key`, `${organizationId}.key`]);
  });

  it('after the commit and before the key signs is made up for at the next start, under the same tree head', async () => {
    const { vkey: second } = await commitAdd();
    await here.sequencer.runOnce();
    const before = await published();
    expect(signersOf(before)).toEqual([keyIdOf(first)]);
    expect(await states()).toEqual({ [first]: 'current', [second]: 'missing' });
    const rows = await recorded();

    await startProcess().sequencer.runOnce();
    const after = await published();
    expect([sizeOf(after), rootOf(after)]).toEqual([sizeOf(before), rootOf(before)]);
    expect(signersOf(after)).toEqual([keyIdOf(first), keyIdOf(second)]);
    // No second checkpoint of this size was recorded, and publishing again changes no byte.
    expect(await recorded()).toBe(rows);
    await startProcess().sequencer.runOnce();
    expect(await published()).toEqual(after);
    for (const vkey of [first, second]) expect(await fsck(vkey)).toMatchObject({ ok: true });
  });

  it('after the key signs and before anything is published is made up for by the next publication', async () => {
    const { vkey: second } = await commitAdd();
    await here.sequencer.runOnce();
    await here.settle();
    // Until then the key is given out that fits what is published.
    expect(await here.logs.vkey(organizationId)).toBe(first);
    expect((await here.log.published(organizationId)).vkey).toBe(first);
    await startProcess().publish.publish(organizationId);
    expect(await here.logs.vkey(organizationId)).toBe(second);
    expect(await here.logs.policy(organizationId)).toContain(second);
  });

  it('between a checkpoint row and its file does not keep a new key from signing it', async () => {
    const stubborn = new FileTileStores(join(folder, 'logs'));
    const failing = new PublishLog(
      pool,
      {
        ofLog: (id) => {
          const store = stubborn.ofLog(id);
          return {
            read: (path) => store.read(path),
            partialWidths: (path) => store.partialWidths(path),
            removePartials: (path) => store.removePartials(path),
            writeAll: (files) => store.writeAll(files),
            write: (path, bytes) =>
              path === CHECKPOINT_PATH ? Promise.reject(new Error('killed')) : store.write(path, bytes),
          };
        },
      },
      here.keys,
      systemClock,
    );
    const { vkey: second } = await commitAdd();
    await here.writer.integratePending(organizationId);
    await expect(failing.publish(organizationId)).rejects.toThrow('killed');
    await startProcess().sequencer.runOnce();
    expect(signersOf(await published())).toEqual([keyIdOf(first), keyIdOf(second)]);
    expect(await fsck(second)).toMatchObject({ ok: true, size: 5 });
  });

  it('after a retirement was committed and before the secret is gone is made up for at the next start', async () => {
    const { vkey: second } = await add();
    await commitRetire(keyIdOf(first));
    await here.sequencer.runOnce();
    expect(signersOf(await published())).toEqual([keyIdOf(first), keyIdOf(second)]);
    const again = startProcess();
    await again.sequencer.runOnce();
    expect((await readdir(keyFolder)).sort()).toEqual([
      `${organizationId}.2.key`,
      `${organizationId}.key.retired`,
    ]);
    await grow(1, again);
    expect(signersOf(await published())).toEqual([keyIdOf(second)]);
  });

  it('in the middle of the removal is made up for, too, and so is a backup that brings the secret back', async () => {
    await copyFile(fileOf(1), join(folder, 'backup'));
    await add();
    await retire(keyIdOf(first));
    for (const withMarker of [true, false]) {
      await copyFile(join(folder, 'backup'), fileOf(1));
      if (!withMarker) await rm(fileOf(1, '.retired'));
      await startProcess().sequencer.runOnce();
      expect(await readdir(keyFolder)).not.toContain(`${organizationId}.key`);
      expect(await readFile(fileOf(1, '.retired'), 'utf8')).toContain(first);
    }
  });
});

describe('readers', () => {
  it('verify with the old key what they were given under it, for ever', async () => {
    const proof = await here.log.proof(organizationId, 1);
    const { entry } = await here.log.byIndex(organizationId, 1);
    const { vkey: second } = await add();
    await grow();
    await retire(keyIdOf(first));
    await grow();
    expect(verifyEntry({ entry, proof }, trustOf(first)).ok).toBe(true);
    expect(verifyEntry({ entry, proof }, trustOf(second)).ok).toBe(false);
    const today = await here.log.proof(organizationId, 1);
    expect(verifyEntry({ entry, proof: today }, trustOf(second)).ok).toBe(true);
    expect(verifyEntry({ entry, proof: today }, trustOf(first)).ok).toBe(false);
  });

  it('find in the log when which key was added and retired', async () => {
    const { vkey: second } = await add();
    await retire(keyIdOf(first));
    await here.sequencer.runOnce();
    const written = await here.log.list(organizationId, { fromIndex: 4, limit: 10 });
    const actor = { kind: 'api_key', id: 'key_admin' };
    expect(written.map(({ entry }) => parseEntry(entry))).toMatchObject([
      { schema: 'known', entry: { type: 'log.key_added', data: { vkey: second }, actor } },
      { schema: 'known', entry: { type: 'log.key_retired', data: { vkey: first }, actor } },
    ]);
  });
});

describe('witnesses', () => {
  it('cosign by the old key during the overlap, and after it once they were told the new one', async () => {
    const witness = await FakeWitness.start({ logs: [first] });
    try {
      const policy = parseOperatorPolicy(Buffer.from(`${witness.policyLine('w')}\nquorum w\n`));
      const connect = connectByHttp({ allowedPrivateHosts: [witness.hostPort] });
      const log = new WitnessLog({ pool, stores, keys: here.keys, policy, connect, clock: systemClock });
      const [name = ''] = policy.witnesses.map(witnessKeyName);
      const lines = async (): Promise<number> =>
        (await new WitnessRecords(pool).cosignatures(organizationId, sizeOf(await published()))).length;
      const { vkey: second } = await add();
      await grow();
      await log.witness(organizationId);
      expect(await lines()).toBe(1);

      await retire(keyIdOf(first));
      await grow();
      await log.witness(organizationId);
      expect(await lines()).toBe(0);
      const state = (await new AnchorStates(pool, 'witness').ofLog(organizationId)).get(name);
      expect(state).toMatchObject({ failures: 1, conflict: undefined });

      witness.addLog(second);
      const later = { now: () => new Date(Date.now() + 3_600_000) };
      await new WitnessLog({ pool, stores, keys: here.keys, policy, connect, clock: later }).witness(
        organizationId,
      );
      expect(witness.sizeOf(parseVkey(second).name)).toBe(sizeOf(await published()));
      expect(parseWitnessPolicy(Buffer.from(await here.logs.policy(organizationId))).logs[0]?.vkey).toBe(
        second,
      );
    } finally {
      await witness.stop();
    }
  });
});

describe('a lost key', () => {
  it('is replaced: the log goes on under the next one, and what the lost one signed is still known as ours', async () => {
    await rename(fileOf(1), join(folder, 'lost'));
    await grow(2).then(
      () => expect('published').toBe('refused'),
      (error: unknown) => expect(error).toMatchObject({ code: 'signer_unavailable' }),
    );
    const again = startProcess();
    expect(await states(again)).toEqual({ [first]: 'missing' });
    const { vkey: second } = await add(again);
    await again.sequencer.runOnce();
    expect(signersOf(await published())).toEqual([keyIdOf(second)]);
    expect(await fsck(second)).toMatchObject({ ok: true, size: 7 });
    expect(await states(again)).toEqual({ [first]: 'missing', [second]: 'current' });
    // Then it says so in the log.
    await retire(keyIdOf(first), again);
    expect(await states(again)).toEqual({ [first]: 'retired', [second]: 'current' });
  });
});

describe('the guard against forks', () => {
  /** The thief signs with the retired key whatever they like. */
  async function forged(size: number): Promise<Buffer> {
    const thief = parsePrivateKey((await readFile(join(folder, 'stolen'), 'utf8')).trim());
    return signCheckpoint({ origin: thief.name, size, root: randomBytes(32) }, [ed25519Signer(thief)]);
  }

  it('does not take a checkpoint by a stolen retired key for one of ours', async () => {
    await copyFile(fileOf(1), join(folder, 'stolen'));
    await add();
    await retire(keyIdOf(first));
    await grow();
    await writeFile(join(folder, 'logs', organizationId, CHECKPOINT_PATH), await forged(1_000));
    const again = startProcess();
    await expect(again.log.published(organizationId)).rejects.toMatchObject({ code: 'log_damaged' });
    await expect(again.publish.publish(organizationId)).rejects.toThrow('not signed by a key of the log');
    // One of a size that the old key may have signed is known by its root.
    await writeFile(join(folder, 'logs', organizationId, CHECKPOINT_PATH), await forged(3));
    await expect(again.publish.publish(organizationId)).rejects.toThrow('Refusing to sign');
  });

  it('still refuses to sign for a database that is older than the published log, with keys old and new', async () => {
    const { vkey: second } = await add();
    await grow();
    const ahead = await here.keys.ofLog(organizationId);
    const note = await signCheckpoint(
      { origin: ahead.origin, size: 1_000, root: randomBytes(32) },
      ahead.active.map(({ signer }) => signer),
    );
    await writeFile(join(folder, 'logs', organizationId, CHECKPOINT_PATH), note);
    await expect(startProcess().publish.publish(organizationId)).rejects.toThrow('never signed');
    expect(await here.logs.vkey(organizationId)).toBe(second);
  });
});
