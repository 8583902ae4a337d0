import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type z } from 'zod';
import { OrganizationTx } from '../../../database/organization-tx.js';
import { Audited, Unaudited } from '../../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../../http/authentication.guard.js';
import { refuseTestKeyOnLive } from '../../../identity/domain/key-mode.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { ColophonError } from '../../../shared/errors.js';
import {
  GatewaySettingsOfUseCase,
  type SettingsInForce,
} from '../application/gateway-settings-of-use-case.js';
import { gatewaySettingsSchema } from '../domain/gateway-settings.js';
import { placeOf } from './call-request.js';

const settingsSchema = gatewaySettingsSchema.meta({ id: 'GatewaySettings' });

@ApiTags('Gateway')
@ApiBearerAuth()
@Controller('v1/projects/:id/use-cases/:name/gateway')
export class GatewaySettingsController {
  constructor(
    private readonly settings: GatewaySettingsOfUseCase,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('Facts and declared rights under which calls of SDKs run. Each change of them is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: "Under which facts and rights calls of vendors' SDKs run in a use case" })
  async get(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id') project: string,
    @Param('name') useCase: string,
  ) {
    const place = placeOf(project, useCase);
    const found = await this.organizationTx.run(organizationId, (tx) => this.settings.find(tx, place));
    if (!found) throw new ColophonError('not_found', 'The gateway of this use case has never been opened.');
    return view(found);
  }

  @Put()
  @Audited('use_case.gateway_set')
  @Allow('gateway:set')
  @ApiOperation({
    summary: "Say under which facts and rights calls of vendors' SDKs run; without it none is taken",
  })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('id') project: string,
    @Param('name') useCase: string,
    @Body({ schema: settingsSchema }) body: z.infer<typeof settingsSchema>,
  ) {
    const place = placeOf(project, useCase);
    refuseTestKeyOnLive(principal.mode, 'live', 'What calls of SDKs may do');
    const set = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.settings.set(tx, principal, place, body),
    );
    return view(set);
  }
}

function view({ settings, sha256, version, setAt }: SettingsInForce) {
  return { ...settings, version, settingsSha256: sha256, setAt: setAt.toISOString() };
}
