import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { RunRepository } from '../../src/generation/adapters/run.repository.js';
import { type StepRun } from '../../src/generation/domain/run.js';
import { newId } from '../../src/shared/ids.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** One job of a vendor is the work of one step, of whichever organization. */

let database: TestDatabase;
let source: DataSource;
let door: OrganizationTx;
const runs = new RunRepository({ now: () => new Date() });

beforeAll(async () => {
  database = await createTestDatabase();
  source = await createDataSource({
    ...{ url: database.applicationUrl, applicationName: 'test', poolSize: 4, entities: [] },
  }).initialize();
  door = new OrganizationTx(source);
});
afterAll(async () => {
  await source.destroy();
  await database.drop();
});

interface Holder {
  readonly organizationId: string;
  readonly step: Pick<StepRun, 'id' | 'provider'>;
}
const holder = (organizationId: string, provider: StepRun['provider'] = 'fal'): Holder => ({
  organizationId,
  step: { id: newId(), provider },
});
const claim = ({ organizationId, step }: Holder, upstreamId: string) =>
  door.run(organizationId, (tx) => runs.claimJob(tx, step, upstreamId));

describe('a job of a vendor', () => {
  it('is of the step that had it first, and of no other, of no organization', async () => {
    const [here, elsewhere] = [newId(), newId()];
    const first = holder(here);
    expect(await claim(first, 'job-1')).toBe(true);
    expect(await claim(first, 'job-1')).toBe(true);
    expect(await claim(holder(here), 'job-1')).toBe(false);
    expect(await claim(holder(elsewhere), 'job-1')).toBe(false);
    expect(await claim(first, 'job-2')).toBe(true);
  });

  it('has an id of its provider alone', async () => {
    expect(await claim(holder(newId()), 'job-3')).toBe(true);
    expect(await claim(holder(newId(), 'replicate'), 'job-3')).toBe(true);
  });

  it('is given to one of many that ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, () => claim(holder(newId()), 'job-4')));
    expect(asked.filter(Boolean)).toHaveLength(1);
  });
});
