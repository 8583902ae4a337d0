import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { NamedActors } from '../../src/assets/application/named-actors.js';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import {
  type IdentityAuthority,
  openIdentityAuthority,
} from '../../src/provenance/adapters/identity-authority.js';
import { IdentityKeys } from '../../src/provenance/adapters/identity-key.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const DAY_MS = 86_400_000;
const USER = { kind: 'user', id: 'somebody' } as const;

let database: TestDatabase;
let inspector: Inspector;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
let folder: string;
let authority: IdentityAuthority;
let actors: NamedActors;
let daysAhead = 0;
const clock = { now: () => new Date(Date.now() + daysAhead * DAY_MS) };

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
  folder = mkdtempSync(join(tmpdir(), 'identity-'));
  authority = await openIdentityAuthority({ folder, clock });
  const vault = new SubjectVault(randomBytes(32), clock);
  const appendEntry = new AppendEntry(vault, clock, () => undefined);
  const keys = new IdentityKeys(authority.certificatePem);
  const open = keys.open.bind(keys);
  actors = new NamedActors(vault, appendEntry, authority, open, clock);
});
afterAll(async () => {
  await dataSource.destroy();
  await inspector.close();
  await database.drop();
  rmSync(folder, { recursive: true });
});

async function newOrganization(): Promise<string> {
  const id = newId();
  await inspector.query(`INSERT INTO organization VALUES ($1, 'o', now())`, [id]);
  return id;
}

/** When the certificate begins by which the organization is named now, in days from today. */
async function namedFrom(organization: string, ahead: number): Promise<number> {
  daysAhead = ahead;
  const naming = await organizationTx.run(organization, (tx) => actors.organization(tx, 'Acme'));
  const begins = naming?.key.certificateNotBefore.getTime() ?? 0;
  return Math.ceil((begins - Date.now() + 600_000) / DAY_MS) - 1;
}

async function credentials(organization: string): Promise<number> {
  const [row] = await inspector.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM identity_credential WHERE organization_id = $1',
    [organization],
  );
  return row?.count ?? 0;
}

describe('the credential by which an organization is named', () => {
  it('is one that is valid now, after a clock that ran a year ahead was set back', async () => {
    const organization = await newOrganization();
    expect(await namedFrom(organization, 0)).toBe(0);
    expect(await namedFrom(organization, 366)).toBe(366);
    expect(await namedFrom(organization, 0)).toBe(0);
    expect(await namedFrom(organization, 0)).toBe(0);
    expect(await credentials(organization)).toBe(2);
  });

  it('is made once when the only one there is was made by a clock that ran ahead', async () => {
    const organization = await newOrganization();
    expect(await namedFrom(organization, 366)).toBe(366);
    expect(await namedFrom(organization, 0)).toBe(0);
    expect(await namedFrom(organization, 1)).toBe(0);
    expect(await credentials(organization)).toBe(2);
  });

  it('is the imported one, whatever the program made for itself before or for later', async () => {
    const organization = await newOrganization();
    await namedFrom(organization, 366);
    daysAhead = 2;
    const imported = await authority.issue({ organization: 'Acme', person: undefined });
    await organizationTx.run(organization, (tx) => actors.install(tx, USER, imported));
    expect(await namedFrom(organization, 3)).toBe(2);
    await expect(namedFrom(organization, 370)).rejects.toThrow('Install a new one');
  });
});
