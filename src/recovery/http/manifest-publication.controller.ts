import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { PublicationRepository } from '../adapters/publication.repository.js';
import { SetManifestPublication } from '../application/set-manifest-publication.js';

const publicationSchema = z
  .strictObject({ publishManifests: z.boolean() })
  .meta({ id: 'SetManifestPublication' });

@ApiTags('Organization')
@ApiBearerAuth()
@Controller('v1/projects/:id/manifest-publication')
export class ManifestPublicationController {
  constructor(
    private readonly setPublication: SetManifestPublication,
    private readonly publications: PublicationRepository,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('A setting of the project.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Whether strangers find the manifests of what the project released' })
  async get(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('project')) projectId: string,
  ) {
    const publishManifests = await this.organizationTx.run(organizationId, (tx) =>
      this.publications.isPublished(tx, projectId),
    );
    return { projectId: publicId('project', projectId), publishManifests };
  }

  @Put()
  @Audited('project.manifest_publication_set')
  @Allow('manifests:publish')
  @ApiOperation({ summary: 'Set whether strangers find the manifests of what the project released' })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('project')) projectId: string,
    @Body({ schema: publicationSchema }) { publishManifests }: z.infer<typeof publicationSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', 'What strangers may see');
    await this.organizationTx.run(principal.organizationId, (tx) =>
      this.setPublication.set(tx, principal, projectId, publishManifests),
    );
    return { projectId: publicId('project', projectId), publishManifests };
  }
}
