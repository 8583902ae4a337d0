import { type PlainEntry } from '../../../src/audit/application/append-entry.js';

/** Business transactions that write their entries into the outbox. */
export interface Business {
  /** @returns the ids of the entries, once their transaction is committed */
  commit(organizationId: string, entries: readonly PlainEntry[]): Promise<string[]>;
}

/** Loaded when it is needed only: most programs that are killed never begin a transaction. */
export async function openBusiness(applicationUrl: string, wake: () => void): Promise<Business> {
  const { AppendEntry } = await import('../../../src/audit/application/append-entry.js');
  const { SubjectVault } = await import('../../../src/audit/application/subject-vault.js');
  const { createDataSource } = await import('../../../src/database/data-source.js');
  const { OrganizationTx } = await import('../../../src/database/organization-tx.js');
  const { systemClock } = await import('../../../src/shared/clock.js');
  const applicationName = 'colophon';
  const dataSource = createDataSource({ url: applicationUrl, applicationName, poolSize: 16, entities: [] });
  await dataSource.initialize();
  const organizationTx = new OrganizationTx(dataSource);
  const appendEntry = new AppendEntry(new SubjectVault(Buffer.alloc(32), systemClock), systemClock, wake);
  return {
    commit: (organizationId, entries) =>
      organizationTx.run(organizationId, async (tx) => {
        const ids: string[] = [];
        for (const entry of entries) ids.push(await appendEntry.append(tx, entry));
        return ids;
      }),
  };
}
