import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { ProviderCredentials } from '../application/provider-credentials.js';
import { KEYED_PROVIDERS, type KeyedProviderName } from '../domain/provider.port.js';

const setSchema = z
  .strictObject({
    key: z.string().min(1).max(500).describe('as the vendor shows it; stored sealed, never shown again'),
  })
  .meta({ id: 'SetProviderCredential' });

@ApiTags('Providers')
@ApiBearerAuth()
@Controller('v1/providers/:provider/credentials')
export class ProviderCredentialController {
  constructor(
    private readonly credentials: ProviderCredentials,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Put()
  @Audited('provider_credential.set')
  @Allow('organization:administer')
  @ApiOperation({ summary: "Set the organization's own key for a provider; it takes effect at once" })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('provider') name: string,
    @Body({ schema: setSchema }) body: z.infer<typeof setSchema>,
  ) {
    const provider = keyedProvider(name);
    refuseTestKeyOnLive(principal.mode, 'live', 'The key of a provider');
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.credentials.set(tx, principal, provider, body.key);
      return this.view(await this.credentials.view(tx, provider));
    });
  }

  @Get()
  @Unaudited('The last four characters of a key, by which people recognize it, and when it was set.')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Which key the organization has for a provider: its last four characters' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('provider') name: string) {
    const provider = keyedProvider(name);
    return this.organizationTx.run(organizationId, async (tx) =>
      this.view(await this.credentials.view(tx, provider)),
    );
  }

  @Delete()
  @Audited('provider_credential.removed')
  @Allow('organization:administer')
  @HttpCode(200)
  @ApiOperation({ summary: "Remove the organization's own key for a provider; it takes effect at once" })
  async remove(@CurrentPrincipal() principal: Principal, @Param('provider') name: string) {
    const provider = keyedProvider(name);
    refuseTestKeyOnLive(principal.mode, 'live', 'The key of a provider');
    await this.organizationTx.run(principal.organizationId, (tx) =>
      this.credentials.remove(tx, principal, provider),
    );
    return { provider, removed: true };
  }

  private view({ provider, lastFour, setAt }: { provider: string; lastFour: string; setAt: Date }) {
    return { provider, lastFour, setAt: setAt.toISOString() };
  }
}

function keyedProvider(name: string): KeyedProviderName {
  const provider = KEYED_PROVIDERS.find((known) => known === name);
  if (provider === undefined)
    throw new ColophonError('not_found', `Keys can be set for: ${KEYED_PROVIDERS.join(', ')}.`);
  return provider;
}
