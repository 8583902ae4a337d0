import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import {
  type Claim,
  ClaimLostError,
  type Entered,
  GatewayRequests,
} from '../../src/generation/gateway/application/gateway-requests.js';
import { type CallIdentity } from '../../src/generation/gateway/domain/gateway-call.js';
import { type Principal } from '../../src/identity/domain/principal.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Two processes are two connections pools: everything that they share is in the database. */

let database: TestDatabase;
let inspector: Inspector;
let sources: DataSource[];
let doors: OrganizationTx[];
let one: GatewayRequests;
let two: GatewayRequests;
const organizationId = newId();
const principal: Principal = {
  organizationId,
  principalId: newId(),
  keyId: 'a'.repeat(12),
  mode: 'live',
  roles: ['creator'],
};

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  const macKey = randomBytes(32);
  sources = await Promise.all(
    [1, 2].map(() =>
      createDataSource({
        url: database.applicationUrl,
        applicationName: 'test',
        poolSize: 8,
        entities: [],
      }).initialize(),
    ),
  );
  doors = sources.map((source) => new OrganizationTx(source));
  const [first, second] = doors.map((door) => new GatewayRequests(door, macKey));
  if (!first || !second) throw new Error('two processes');
  [one, two] = [first, second];
  const id = newId();
  const statements: [string, unknown[]][] = [
    [`INSERT INTO organization VALUES ($1, 'o', now())`, [organizationId]],
    [`INSERT INTO project VALUES ($1, $2, 'p', now())`, [organizationId, id]],
    [`INSERT INTO use_case VALUES ($1, $2, $2, 'u', now())`, [organizationId, id]],
    [`INSERT INTO clearance VALUES ($1, $2, 'allow', '', '', $2, now())`, [organizationId, id]],
  ];
  for (const [sql, values] of statements) await inspector.query(sql, values);
  useCaseId = id;
});
afterAll(async () => {
  for (const source of sources) await source.destroy();
  await inspector.close();
  await database.drop();
});

let useCaseId: string;
let serial = 0;
/** Like no other call. */
const call = (changes: Partial<CallIdentity> = {}): CallIdentity => ({
  idempotencyKey: undefined,
  isRetry: false,
  fingerprint: ['POST', '/x', `body ${++serial}`],
  ...changes,
});

async function newRun(): Promise<string> {
  const id = newId();
  await inspector.query(
    `INSERT INTO run (organization_id, id, project_id, use_case_id, pipeline_name, pipeline_version, definition,
                      sealed_inputs, mode, state, clearance_id, created_by, created_at)
     VALUES ($1, $2, $3, $3, 'p', 1, '', '', 'live', 'RUNNING', $3, $3, now())`,
    [organizationId, id, useCaseId],
  );
  return id;
}

const claimOf = (entered: Entered): Claim => {
  if (entered.kind !== 'claimed') throw new Error('not claimed');
  return entered.claim;
};
const inTx = (work: (tx: Parameters<Parameters<OrganizationTx['run']>[1]>[0]) => Promise<void>) =>
  doors[0]?.run(organizationId, work);
const acceptRun = async (entered: Entered): Promise<string> => {
  const runId = await newRun();
  await inTx((tx) => one.accept(tx, claimOf(entered), runId));
  return runId;
};
const stateOf = (runId: string, state: string) =>
  inspector.query('UPDATE run SET state = $2 WHERE id = $1', [runId, state]);
/** As if so much time had passed. */
const age = (column: string, interval: string) =>
  inspector.query(`UPDATE gateway_request SET ${column} = now() - interval '${interval}'`);

describe('a request', () => {
  it('is claimed by one of many at once, in whichever process, and joined by the others', async () => {
    const same = call();
    const entering = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : two).enter(principal, same));
    const first = await Promise.race(entering);
    const runId = await acceptRun(first);
    const all = await Promise.all(entering);
    expect(all.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
    for (const entered of all) if (entered.kind === 'joined') expect(entered.runId).toBe(runId);
  });

  it('of another key, route or body is another one', async () => {
    const same = call();
    const [method = '', url = '', body = ''] = same.fingerprint;
    const claims = [
      await one.enter(principal, same),
      await one.enter({ ...principal, keyId: 'b'.repeat(12) }, same),
      await one.enter(principal, { ...same, fingerprint: [method, '/y', body] }),
      await one.enter(principal, { ...same, fingerprint: [method, url, 'other'] }),
      // The same bytes, cut at another place.
      await one.enter(principal, { ...same, fingerprint: [method, `${String(url)}${String(body)}`, ''] }),
    ];
    expect(claims.map(({ kind }) => kind)).toEqual(Array(5).fill('claimed'));
  });

  it('that was refused is free again at once', async () => {
    const same = call();
    const claim = claimOf(await one.enter(principal, same));
    await inTx((tx) => one.leave(tx, claim));
    expect((await two.enter(principal, same)).kind).toBe('claimed');
  });

  it('of a process that died is taken over, and the dead one can accept nothing any more', async () => {
    const same = call();
    const dead = await one.enter(principal, same);
    await age('claimed_until', '1 second');
    const alive = await two.enter(principal, same);
    expect(alive.kind).toBe('claimed');
    await expect(acceptRun(dead)).rejects.toThrow(ClaimLostError);
    await inTx((tx) => one.leave(tx, claimOf(dead)));
    const runId = await acceptRun(alive);
    expect(await one.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
  });

  it('is joined until its answer was handed over, and new after it', async () => {
    const same = call();
    const entered = await one.enter(principal, same);
    const { requestId } = claimOf(entered);
    const runId = await acceptRun(entered);
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
    await one.handingOver(organizationId, requestId);
    await one.notHandedOver(organizationId, requestId);
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
    await one.handingOver(organizationId, requestId);
    // Whoever asks now may have read the answer already, and waits to know.
    const waiting = two.enter(principal, same);
    await one.handedOver(organizationId, requestId);
    expect((await waiting).kind).toBe('claimed');
  });

  it('whose arrival does not show is joined after a moment: that costs nothing, another would', async () => {
    const same = call();
    const entered = await one.enter(principal, same);
    const runId = await acceptRun(entered);
    await one.handingOver(organizationId, claimOf(entered).requestId);
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
  });

  it('whose answer turns out to be lost after all is joined again, unless it was made anew', async () => {
    const same = call();
    const entered = await one.enter(principal, same);
    const { requestId } = claimOf(entered);
    const runId = await acceptRun(entered);
    await one.handedOver(organizationId, requestId);
    await one.notHandedOver(organizationId, requestId);
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
    await one.handedOver(organizationId, requestId);
    const anew = await two.enter(principal, same);
    await one.notHandedOver(organizationId, requestId);
    const runOfAnew = await acceptRun(anew);
    expect(await one.enter(principal, same)).toMatchObject({ kind: 'joined', runId: runOfAnew });
  });

  it('whose process died while it handed over is answered again and not made again', async () => {
    const same = call();
    const entered = await one.enter(principal, same);
    const runId = await acceptRun(entered);
    await one.handingOver(organizationId, claimOf(entered).requestId);
    await age('handing_over_until', '1 second');
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
  });

  it('that an SDK repeats is the last one, delivered or not', async () => {
    const same = call();
    const entered = await one.enter(principal, same);
    const runId = await acceptRun(entered);
    await one.handedOver(organizationId, claimOf(entered).requestId);
    const repeated = { ...same, isRetry: true };
    expect(await two.enter(principal, repeated)).toMatchObject({ kind: 'joined', runId });
    await age('created_at', '2 hours');
    expect((await two.enter(principal, repeated)).kind).toBe('claimed');
  });

  it('of which nobody knows what became is found until somebody does, though it was answered', async () => {
    const same = call();
    const entered = await one.enter(principal, same);
    const runId = await acceptRun(entered);
    await one.handedOver(organizationId, claimOf(entered).requestId);
    await stateOf(runId, 'NEEDS_RECONCILIATION');
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
    await stateOf(runId, 'SUCCEEDED');
    expect((await two.enter(principal, same)).kind).toBe('claimed');
  });

  it('that nobody came for in a day is a new one', async () => {
    const same = call();
    await acceptRun(await one.enter(principal, same));
    await age('created_at', '25 hours');
    expect((await two.enter(principal, same)).kind).toBe('claimed');
  });

  it('with an Idempotency-Key is the same for ever, and of one person', async () => {
    const same = call({ idempotencyKey: 'k' });
    const entered = await one.enter(principal, same);
    const runId = await acceptRun(entered);
    await one.handedOver(organizationId, claimOf(entered).requestId);
    await age('created_at', '20 days');
    expect(await two.enter(principal, same)).toMatchObject({ kind: 'joined', runId });
    const other = { ...same, fingerprint: ['POST', '/x', 'other'] };
    await expect(two.enter(principal, other)).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect((await two.enter({ ...principal, principalId: newId() }, other)).kind).toBe('claimed');
  });

  it('is forgotten after 30 days, by the function that may do that alone', async () => {
    await age('created_at', '29 days');
    const forget = 'SELECT delete_expired_gateway_requests(1000) AS deleted';
    const role = await sources[0]?.query<{ allowed: boolean }[]>(
      `SELECT has_function_privilege('delete_expired_gateway_requests(integer)', 'EXECUTE') AS allowed`,
    );
    expect(role?.[0]?.allowed).toBe(false);
    expect(await inspector.query(forget)).toEqual([{ deleted: 0 }]);
    await age('created_at', '31 days');
    const [answer] = await inspector.query<{ deleted: number }>(forget);
    expect(answer?.deleted).toBeGreaterThan(0);
  });
});
