import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { PipelineEntity } from '../adapters/run.entity.js';
import { CreatePipeline } from '../application/create-pipeline.js';
import { BUILTIN_PIPELINES } from '../domain/builtin-pipelines.js';
import { translateFalWorkflow } from '../domain/fal-workflow.js';
import { Offerings } from '../domain/offering.js';
import {
  type CreatePipelineBody,
  createPipelineSchema,
  type ImportPipelineBody,
  importPipelineSchema,
} from './run.schemas.js';

@ApiTags('Pipelines')
@ApiBearerAuth()
@Controller('v1/pipelines')
export class PipelineController {
  constructor(
    private readonly createPipeline: CreatePipeline,
    private readonly organizationTx: OrganizationTx,
    private readonly offerings: Offerings,
  ) {}

  @Get()
  @Unaudited('Definitions of pipelines as their authors stored them. The log has the hash of each.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Built-in pipelines, and those of the organization' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const own = await this.organizationTx.run(organizationId, (tx) =>
      tx.manager.find(PipelineEntity, {
        where: { organizationId },
        order: { name: 'ASC', version: 'DESC' },
        take: 500,
      }),
    );
    return {
      items: [
        ...BUILTIN_PIPELINES.map((pipeline) => ({ ...pipeline, id: null, builtIn: true })),
        ...own.map(({ id, name, version, definition }) => ({
          id: publicId('pipeline', id),
          name,
          version,
          builtIn: false,
          definition: JSON.parse(definition.toString('utf8')) as unknown,
        })),
      ],
    };
  }

  @Post()
  @Audited('pipeline.created')
  @Allow('pipelines:create')
  @ApiOperation({ summary: 'Store a pipeline; the same name again makes the next version' })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createPipelineSchema }) body: CreatePipelineBody,
  ) {
    const { id, version } = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.createPipeline.create(tx, principal, body.name, body.definition),
    );
    return { id: publicId('pipeline', id), name: body.name, version };
  }

  @Post('import')
  @Audited('pipeline.created')
  @Allow('pipelines:create')
  @ApiOperation({
    summary: 'Store a workflow of fal as a pipeline; what cannot be translated is refused with its place',
  })
  async import(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: importPipelineSchema }) { name, workflow }: ImportPipelineBody,
  ) {
    const definition = translateFalWorkflow(workflow, this.offerings);
    const { id, version } = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.createPipeline.create(tx, principal, name, definition),
    );
    return { id: publicId('pipeline', id), name, version, definition };
  }
}
