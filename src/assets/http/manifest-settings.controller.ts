import { Body, Controller, Get, Param, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type ManifestSettings, manifestSettingsSchema } from '../../provenance/domain/manifest-settings.js';
import { ManifestSettingsOfProject } from '../application/manifest-settings.js';
import { NamedActors } from '../application/named-actors.js';

const settingsSchema = manifestSettingsSchema.meta({ id: 'ManifestSettings' });
const pem = z.string().min(100).max(50_000).startsWith('-----BEGIN ');
const credentialSchema = z
  .strictObject({
    chainPem: pem.describe('certificates, leaf first: document signing (1.3.6.1.5.5.7.3.36), P-256'),
    keyPem: pem.describe('private key of the leaf, PKCS#8; kept encrypted and never shown again'),
  })
  .meta({ id: 'IdentityCredential' });

@ApiTags('Manifests')
@ApiBearerAuth()
@Controller('v1')
export class ManifestSettingsController {
  constructor(
    private readonly settings: ManifestSettingsOfProject,
    private readonly namedActors: NamedActors,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get('projects/:id/manifest-settings')
  @Unaudited('What the manifests of a project say; the same words stand in every file that it makes.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What the manifests and files of a project say on the organization’s behalf' })
  async get(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('project')) projectId: string,
  ): Promise<ManifestSettings> {
    return this.organizationTx.run(organizationId, async (tx) => {
      return (await this.settings.context(tx, projectId)).settings;
    });
  }

  @Put('projects/:id/manifest-settings')
  @Audited('project.manifest_settings_set')
  @Allow('organization:administer')
  @ApiOperation({
    summary: 'Set what the manifests of a project say: training and mining, usage terms, who is named',
  })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('project')) projectId: string,
    @Body({ schema: settingsSchema }) body: z.infer<typeof settingsSchema>,
  ): Promise<ManifestSettings> {
    refuseTestKeyOnLive(principal.mode, 'live', 'What manifests say');
    await this.organizationTx.run(principal.organizationId, (tx) =>
      this.settings.set(tx, principal, projectId, body),
    );
    return body;
  }

  @Post('identity-credential')
  @Audited('identity_credential.installed')
  @Allow('organization:administer')
  @ApiOperation({
    summary: 'Install the certificate and key by which the organization is named in manifests',
  })
  async install(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: credentialSchema }) body: z.infer<typeof credentialSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', 'The credential of the organization');
    const installed = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.namedActors.install(tx, actorOf(principal), body),
    );
    return {
      subject: installed.subject,
      certificateSha256: installed.certificateSha256,
      validUntil: installed.key.certificateNotAfter.toISOString(),
    };
  }
}
