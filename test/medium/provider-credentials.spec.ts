import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { ProviderCredentialRepository } from '../../src/generation/adapters/provider-credential.repository.js';
import { ProviderCredentials } from '../../src/generation/application/provider-credentials.js';
import { type Principal } from '../../src/identity/domain/principal.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const CANARY = 'r8_canary_0123456789abcdefWXYZ';

let database: TestDatabase;
let inspector: Inspector;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
const [alpha, beta] = [newId(), newId()];
const keyEncryptionKey = randomBytes(32);
const repository = new ProviderCredentialRepository(keyEncryptionKey, systemClock);
const credentials = new ProviderCredentials(
  repository,
  new AppendEntry(new SubjectVault(randomBytes(32), systemClock), systemClock, () => undefined),
);
const admin = (organizationId: string): Principal => ({
  organizationId,
  principalId: organizationId,
  keyId: 'key_1',
  mode: 'live',
  roles: ['admin'],
});

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: 4,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  for (const organization of [alpha, beta]) {
    await inspector.query(`INSERT INTO organization VALUES ($1, 'o', now())`, [organization]);
    await inspector.query(`INSERT INTO principal VALUES ($1, $1, 'user', 'A person', '{admin}', now())`, [
      organization,
    ]);
  }
});
afterAll(async () => {
  await dataSource.destroy();
  await inspector.close();
  await database.drop();
});

const set = (organization: string, key: string) =>
  organizationTx.run(organization, (tx) => credentials.set(tx, admin(organization), 'replicate', key));
const open = (organization: string, from = repository) =>
  organizationTx.run(organization, async (tx) => (await from.find(tx, 'replicate'))?.open());
const everythingStored = async () =>
  JSON.stringify([
    await inspector.query('SELECT * FROM provider_credential'),
    (await inspector.query<{ entry: Buffer }>('SELECT * FROM audit_pending')).map((row) =>
      Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value)),
    ),
  ]);

describe('the key of an organization for a provider', () => {
  it('is sealed: neither the row nor the log holds any of it but the four characters that are shown', async () => {
    await set(alpha, CANARY);
    const stored = await everythingStored();
    expect(stored).toContain('provider_credential.set');
    expect(stored).not.toContain('canary');
    expect(await open(alpha)).toBe(CANARY);
    const view = await organizationTx.run(alpha, (tx) => credentials.view(tx, 'replicate'));
    expect(view).toMatchObject({ provider: 'replicate', lastFour: 'WXYZ' });
    expect(JSON.stringify(view)).not.toContain('canary');
  });

  it('gets a new version with each change, which is what tells other processes', async () => {
    const version = () =>
      organizationTx.run(alpha, async (tx) => (await repository.find(tx, 'replicate'))?.versionId);
    const before = await version();
    await set(alpha, `${CANARY}2`);
    expect(await version()).not.toBe(before);
    expect(await open(alpha)).toBe(`${CANARY}2`);
  });

  it('is not there for another organization, and its row copied there does not open', async () => {
    expect(await open(beta)).toBeUndefined();
    await inspector.query(
      `INSERT INTO provider_credential SELECT $2, provider, version_id, sealed_key, last_four, $2, set_at
         FROM provider_credential WHERE organization_id = $1`,
      [alpha, beta],
    );
    await expect(open(beta)).rejects.toThrow('wrong place');
    await inspector.query('DELETE FROM provider_credential WHERE organization_id = $1', [beta]);
  });

  it('does not open with another key-encryption key', async () => {
    const other = new ProviderCredentialRepository(randomBytes(32), systemClock);
    await expect(open(alpha, other)).rejects.toThrow();
  });

  it('is refused when it was pasted wrongly, in words that repeat none of it', async () => {
    for (const wrong of ['canary with spaces 123456', 'sk-canary-not-of-replicate', 'canary']) {
      const refused = await set(alpha, wrong).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'invalid_request' });
      expect(String((refused as Error).message)).not.toContain('canary');
    }
    expect(await open(alpha)).toBe(`${CANARY}2`);
  });

  it('is removed once, with one entry', async () => {
    const remove = () => organizationTx.run(alpha, (tx) => credentials.remove(tx, admin(alpha), 'replicate'));
    await remove();
    await remove();
    expect(await open(alpha)).toBeUndefined();
    const removed = `SELECT 1 FROM audit_pending WHERE entry_type = 'provider_credential.removed'`;
    expect(await inspector.query(removed)).toHaveLength(1);
    await expect(organizationTx.run(alpha, (tx) => credentials.view(tx, 'replicate'))).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
