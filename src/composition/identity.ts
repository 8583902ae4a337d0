import { Administer } from '../identity/application/administer.js';
import { Authenticate } from '../identity/application/authenticate.js';
import { CreateOrganization } from '../identity/application/create-organization.js';
import { type composeDatabase } from './database.js';
import { type composeLog } from './log.js';
import { type Composed, clock } from './services-options.js';

export function composeIdentity(
  { dataSource, organizationTx }: Composed<typeof composeDatabase>,
  { logKeys, appendEntry }: Composed<typeof composeLog>,
) {
  return {
    authenticate: new Authenticate(dataSource, clock),
    administer: new Administer(appendEntry, clock),
    createOrganization: new CreateOrganization(organizationTx, logKeys, appendEntry, clock),
  };
}
