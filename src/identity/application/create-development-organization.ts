import { type OrganizationTx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { type Administer } from './administer.js';
import { type CreateOrganization } from './create-organization.js';

/** What scripts need to know of a started instance: `COLOPHON_HOME/instance.json`, mode 0600. */
export interface Instance {
  readonly url: string;
  readonly organizationId: string;
  readonly projectId: string;
  readonly keys: { readonly live: string; readonly test: string };
  readonly log: { readonly origin: string; readonly vkey: string };
}

/** So much may be spent before an admin decides: USD 25. */
const FIRST_BUDGET_MICRO_USD = 25_000_000n;

/**
 * The organization of a first start: a project, two use cases, one person with a test key and a live key. The
 * person is everything but a reviewer, since nobody approves their own work.
 *
 * A crash in here leaves an organization that nobody has keys for; the next start makes another one.
 */
export async function createDevelopmentOrganization(
  services: {
    organizationTx: OrganizationTx;
    createOrganization: CreateOrganization;
    administer: Administer;
  },
  host: string,
): Promise<Omit<Instance, 'url'>> {
  const { organizationTx, createOrganization, administer } = services;
  const { organizationId, origin, vkey } = await createOrganization.create('Development organization', host);
  return organizationTx.run(organizationId, async (tx) => {
    const projectId = await administer.createProject(tx, 'First campaign');
    await administer.createUseCase(tx, projectId, 'feed-thumbnail');
    await administer.createUseCase(tx, projectId, 'hero-image');
    await administer.setBudget(tx, FIRST_BUDGET_MICRO_USD);
    const principalId = await administer.createPrincipal(tx, {
      kind: 'user',
      displayName: 'Development owner',
      roles: ['creator', 'legal', 'asset_manager', 'auditor', 'admin'],
    });
    const key = { principalId, expiresAt: undefined };
    const test = await administer.createApiKey(tx, { ...key, mode: 'test' });
    const live = await administer.createApiKey(tx, { ...key, mode: 'live' });
    return {
      organizationId: publicId('organization', organizationId),
      projectId: publicId('project', projectId),
      keys: { live: live.text, test: test.text },
      log: { origin, vkey },
    };
  });
}
