import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { keys as keysCommand } from '../../src/cli/keys/keys.js';
import { readConfiguration } from '../../src/config/configuration.js';
import { ActiveKeys } from '../../src/provenance/application/keys/active-keys.js';
import { ChangeKeys, RETIRING_MS } from '../../src/provenance/application/keys/change-keys.js';
import { type KeyGeneration } from '../../src/provenance/domain/key-generation.js';
import { ClaimAuthority } from '../../src/provenance/testing/claim-authority.js';
import { type Tx } from '../../src/database/organization-tx.js';
import { createServices } from '../../src/services.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { FakeKms } from '../fakes/aws-kms/fake-kms.js';
import { FakeAuthority } from '../fakes/time-stamp-authority/fake-authority.js';
import { formWith, OWN_RIGHTS, postForm } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { createTestDatabase } from '../support/test-database.js';

interface Asset {
  id: string;
  certificateSha256: string;
  timeStamp: { outcome: string; authority: string; time: string } | null;
}

let app: TestApplication;
let inspector: Inspector;
let kms: FakeKms;
let tsa: FakeAuthority;
let authority: ClaimAuthority;
let environment: Record<string, string>;
let folder: string;

beforeAll(async () => {
  [kms, tsa] = await Promise.all([FakeKms.start(), FakeAuthority.start()]);
  // The client of AWS reads its credentials itself: that of the service, and that of the commands in this test.
  for (const environment of [programEnvironment(), process.env])
    Object.assign(environment, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });
  folder = await mkdtemp(join(tmpdir(), 'colophon-tsa-'));
  await writeFile(join(folder, 'roots.pem'), tsa.rootsPem);
  const configured = {
    COLOPHON_AWS_KMS_ENDPOINT: kms.endpoint,
    COLOPHON_TSA_URL: tsa.url,
    COLOPHON_TSA_ROOTS: join(folder, 'roots.pem'),
    COLOPHON_MANIFEST_TIME_STAMP: 'required',
    COLOPHON_ANCHOR_INTERVAL_SECONDS: '3600',
  };
  app = await startTestApplication(configured);
  environment = { ...configured, COLOPHON_HOME: app.home, DATABASE_URL: app.database.administratorUrl };
  authority = ClaimAuthority.create(join(app.home, 'authority'));
  inspector = await Inspector.open(app.database);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await kms.stop();
  delete programEnvironment().AWS_ACCESS_KEY_ID;
  delete programEnvironment().AWS_SECRET_ACCESS_KEY;
  await rm(folder, { recursive: true, force: true });
});

/** What the command prints, as an operator would run it beside the service. */
async function command(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  const out = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    const code = await keysCommand(argv, environment);
    const text = (spy: typeof out): string => spy.mock.calls.map(([line]) => String(line)).join('\n');
    return { code, out: text(out), error: text(error) };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}

async function upload(): Promise<Response> {
  const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
  return app.request('/v1/assets', postForm(formWith(await noisePicture(), 'a.png', { declaration })));
}
async function uploaded(): Promise<Asset> {
  const response = await upload();
  expect(response.status).toBe(201);
  return (await response.json()) as Asset;
}
async function expectHeld(
  code: 'signer_unavailable' | 'time_stamp_unavailable',
  detail: RegExp,
): Promise<void> {
  expect((await expectProblem(await upload(), code)).detail).toMatch(detail);
}
async function verdictOf(asset: Asset): Promise<string> {
  const content = await app.request(`/v1/assets/${asset.id}/content`);
  const form = formWith(new Uint8Array(await content.arrayBuffer()), 'a.png', {});
  const verified = await app.request('/v1/verify', { method: 'POST', body: form });
  return ((await verified.json()) as { verdict: string }).verdict;
}
const readiness = async (): Promise<string> => {
  const answer = await app.request('/readyz', { key: null });
  const { checks } = (await answer.json()) as { checks: { name: string; detail: string }[] };
  return checks.find(({ name }) => name === 'claim-key')?.detail ?? '';
};
const active = async (): Promise<KeyGeneration> => {
  const key = await app.services.keyGenerations.active('claim');
  if (key === undefined) throw new Error('no active key');
  return key;
};
async function entries(): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const rows = await inspector.query<{ entry: Buffer }>(
    `SELECT entry FROM (SELECT entry, index, NULL::bigint AS ordinal FROM audit_entry
      UNION ALL SELECT entry, NULL, ordinal FROM audit_pending) e ORDER BY index NULLS LAST, ordinal`,
  );
  return rows.map(
    ({ entry }) => JSON.parse(entry.toString('utf8')) as { type: string; data: Record<string, unknown> },
  );
}
/** A key with a certificate of the authority, active. */
async function bring(reference: string, ...options: string[]): Promise<KeyGeneration> {
  const { out, code } = await command(
    'csr',
    '--subject',
    'O=Example, CN=Example Media',
    '--key',
    reference,
    ...options,
  );
  expect(code).toBe(0);
  const file = join(app.home, `${randomUUID()}.pem`);
  await writeFile(file, authority.issue(out));
  const imported = JSON.parse((await command('import', file, '--json')).out) as KeyGeneration;
  expect(imported.state).toBe('pending');
  expect((await command('activate', imported.id.slice(0, 20))).code).toBe(0);
  return active();
}

describe('keys of an installation', () => {
  const assets: Asset[] = [];

  it('begin with the development authority: one for claims, another for reports', async () => {
    const found = JSON.parse((await command('list', '--json')).out) as KeyGeneration[];
    expect(found.map(({ purpose, state, development }) => [purpose, state, development])).toEqual([
      ['claim', 'active', true],
      ['report', 'active', true],
    ]);
    expect(new Set(found.map(({ spkiSha256 }) => spkiSha256)).size).toBe(2);
    const report = new X509Certificate((await app.services.activeKeys.reportKey()).certificateChainPem);
    expect(report.keyUsage).toEqual(['1.3.6.1.5.5.7.3.36']);
    assets.push(await uploaded());
    expect(assets[0]?.certificateSha256).toBe((await active()).certificate?.sha256);
    expect(assets[0]?.timeStamp).toMatchObject({ outcome: 'stamped', authority: tsa.hostPort });
    // No log existed when it was activated, and its asset names it.
    expect(
      (await entries()).filter(({ type }) => type.includes('_key.')).map(({ type }) => type),
    ).not.toContain('claim_key.activated');
  });

  it('change over without a pause: the old one finishes what it began, and stays trusted', async () => {
    const old = await active();
    expect((await command('rotate')).code).toBe(0);
    const next = await active();
    expect(next.id).not.toBe(old.id);
    const { organizationTx, keyUse } = app.services;
    const organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
    await organizationTx.run(organizationId, (tx) => keyUse.admit(tx, old.certificate?.sha256 ?? ''));
    assets.push(await uploaded());
    expect(assets[1]?.certificateSha256).toBe(next.certificate?.sha256);
    for (const asset of assets) expect(await verdictOf(asset)).toBe('intact_and_trusted');
    const log = await entries();
    const at = (type: string, field: string, value: unknown) =>
      log.findIndex((entry) => entry.type === type && entry.data[field] === value);
    const activated = at('claim_key.activated', 'certificateSha256', next.certificate?.sha256);
    expect(activated).toBeGreaterThan(0);
    expect(activated).toBeLessThan(at('asset.signed', 'certificateSha256', next.certificate?.sha256));
  });

  it('are retired when their time to finish is over, and then nothing of theirs is recorded', async () => {
    const retiring = (await app.services.keyGenerations.list('claim')).find(
      ({ state }) => state === 'retiring',
    );
    const later = { now: () => new Date(Date.now() + RETIRING_MS) };
    const changes = new ChangeKeys(app.services.keyGenerations, {} as never, {} as never, later);
    expect([await changes.retireDue(), await changes.retireDue()]).toEqual([1, 0]);
    const { organizationTx, keyUse } = app.services;
    const organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
    const admitted = organizationTx.run(organizationId, (tx) =>
      keyUse.admit(tx, retiring?.certificate?.sha256 ?? ''),
    );
    await expect(admitted).rejects.toMatchObject({ code: 'signer_unavailable' });
    assets.push(await uploaded());
    expect((await entries()).map(({ type }) => type)).toContain('claim_key.retired');
  });

  it('are brought from outside: request, chain, activation, and all processes agree', async () => {
    const key = await bring('file:brought.pem', '--new', '--algorithm', 'es384');
    expect(key).toMatchObject({ algorithm: 'es384', development: false });
    assets.push(await uploaded());
    expect(assets[3]?.certificateSha256).toBe(key.certificate?.sha256);
    for (const asset of assets) expect(await verdictOf(asset)).toBe('intact_and_trusted');
    // Certified once, a key is never certified again, and a certificate is for the key of its request only.
    expect(await command('csr', '--subject', 'CN=x', '--key', 'file:brought.pem')).toMatchObject({ code: 1 });
    const stranger = join(app.home, 'stranger.pem');
    await writeFile(stranger, (await active()).certificate?.chainPem ?? '');
    expect((await command('import', stranger)).code).toBe(0);
    await writeFile(stranger, authority.rootPem);
    expect((await command('import', stranger)).error).toMatch(/that of an authority/);
    expect((await command('rotate')).error).toMatch(/only the development authority/);
  });

  it('let a service start in production, which the development authority does not', async () => {
    const production = { ...environment, NODE_ENV: 'production', LOG_LEVEL: 'silent' };
    const logger = pino({ level: 'silent' });
    const other = await createServices({
      configuration: readConfiguration(production),
      database: app.database,
      logger,
    });
    const { generation } = await other.activeKeys.current('claim');
    // The files of the development authority for names lie in this home, and its credentials in this database.
    const organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
    const { organizationTx, namedActors } = other;
    expect([other.identityIssuer, other.identityLists()]).toEqual([undefined, []]);
    expect(app.services.identityLists()).toHaveLength(1);
    const inDevelopment = (tx: Tx) => app.services.namedActors.organization(tx, 'Acme');
    expect(await app.services.organizationTx.run(organizationId, inDevelopment)).toBeDefined();
    const named = (tx: Tx) => namedActors.organization(tx, 'Acme');
    expect(await organizationTx.run(organizationId, named)).toBeUndefined();
    await other.stop();
    expect(generation.id).toBe((await active()).id);
    const fresh = await createTestDatabase();
    const home = await mkdtemp(join(tmpdir(), 'colophon-production-'));
    const start = (environment: Record<string, string>) =>
      createServices({
        configuration: readConfiguration({ COLOPHON_HOME: home, LOG_LEVEL: 'silent', ...environment }),
        database: fresh,
        logger,
      });
    await expect(start({ NODE_ENV: 'production' })).rejects.toThrow(/colophon keys csr/);
    await (await start({})).stop();
    await expect(start({ NODE_ENV: 'production' })).rejects.toThrow(
      /development authority, which production refuses/,
    );
    await fresh.drop();
    await rm(home, { recursive: true });
  });

  it('in KMS hold what they cannot sign, and go on by themselves', async () => {
    const arn = kms.createKey('RSA_2048');
    const key = await bring(`awskms:${arn}`);
    expect(key).toMatchObject({ algorithm: 'ps256', reference: `awskms:${arn}` });
    expect(await readiness()).toMatch(/can sign: ps256 in awskms, certificate [0-9a-f]{16}; /);
    kms.setState(arn, 'Disabled');
    await expectHeld('signer_unavailable', /disabled/);
    kms.setState(arn, 'Enabled');
    assets.push(await uploaded());
    kms.plan('flip-bit');
    await expectHeld('signer_unavailable', /does not verify/);
    expect(await verdictOf(assets.at(-1) as Asset)).toBe('intact_and_trusted');
  });

  it('sign nothing outside the validity of their certificate', async () => {
    const { keyGenerations } = app.services;
    const { notBefore, notAfter } = (await active()).certificate ?? {
      notBefore: new Date(),
      notAfter: new Date(),
    };
    const keysAt = (at: Date) => new ActiveKeys(keyGenerations, {} as never, { now: () => at }, false);
    await expect(keysAt(notAfter).current('claim')).rejects.toThrow(/expired on/);
    await expect(keysAt(new Date(notBefore.getTime() - 1)).current('claim')).rejects.toThrow(
      /valid only from/,
    );
  });

  it('are given up for good, with everything that they signed named', async () => {
    const key = await active();
    expect((await command('revoke', key.id)).error).toMatch(/--reason/);
    const { code, out, error } = await command('revoke', key.id, '--reason', 'key_compromise');
    expect({ code, error }).toMatchObject({
      code: 0,
      error: expect.stringMatching(/No claim key is active/) as unknown,
    });
    const [lost] = assets.slice(-1);
    expect(out).toContain(lost?.id);
    expect(out).toMatch(/1 asset in 1 log/);
    for (const other of assets.slice(0, -1)) expect(out).not.toContain(other.id);

    await expectHeld('signer_unavailable', /No claim key is active/);
    const ready = await app.request('/readyz', { key: null });
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('No claim key is active');
    expect((await command('activate', key.id)).error).toMatch(/never signs again/);
    await bring('file:next.pem', '--new');
    await uploaded();
    // What it signed is in the log and intact, but its signature alone is worth nothing any more.
    expect(await verdictOf(lost as Asset)).toBe('intact');
    for (const other of assets.slice(0, -1)) expect(await verdictOf(other)).toBe('intact_and_trusted');
    expect((await entries()).find(({ type }) => type === 'claim_key.compromised')?.data).toEqual({
      certificateSha256: key.certificate?.sha256,
      reason: 'key_compromise',
      assets: 1,
    });
    expect(JSON.parse((await command('affected', key.id, '--json')).out)).toMatchObject({
      origin: app.instance.log.origin,
      assets: [{ assetId: lost?.id }],
    });
  });

  it('never go back in the database, whoever writes there', async () => {
    for (const sql of [
      `UPDATE signing_key SET state = 'active' WHERE state = 'compromised'`,
      `UPDATE signing_key SET certificate_sha256 = repeat('0', 64), chain_pem = 'x' WHERE state = 'retired'`,
      `UPDATE signing_key SET reference = 'file:other.pem'`,
      'DELETE FROM signing_key',
      'TRUNCATE signing_key CASCADE',
    ])
      await expect(inspector.query(sql)).rejects.toThrow(/refused/);
  });

  it('hold everything when a required time-stamp cannot be had', async () => {
    await tsa.stop();
    await expectHeld('time_stamp_unavailable', /could not be time-stamped/);
  });
});
