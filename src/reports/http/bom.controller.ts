import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { exportCycloneDx } from '../../licenses/formats/cyclonedx-export.js';
import { exportSpdx } from '../../licenses/formats/spdx-export.js';
import { type ExportStamp, type SupplyChain } from '../../licenses/formats/supply-chain.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { PRODUCT_VERSION } from '../../shared/product.js';
import { BillOfMaterials } from '../application/bill-of-materials.js';
import { findPipelineSubject, findUseCaseName } from '../application/bom-subjects.js';

const WRITERS: Readonly<
  Record<string, { mediaType: string; write: (chain: SupplyChain, stamp: ExportStamp) => Buffer }>
> = {
  cyclonedx: { mediaType: 'application/vnd.cyclonedx+json; version=1.6', write: exportCycloneDx },
  'cyclonedx-1.7': {
    mediaType: 'application/vnd.cyclonedx+json; version=1.7',
    write: (chain, stamp) => exportCycloneDx(chain, stamp, '1.7'),
  },
  spdx3: { mediaType: 'application/spdx+json', write: exportSpdx },
};

const formatSchema = z.enum(['cyclonedx', 'cyclonedx-1.7', 'spdx3']).default('cyclonedx');
const assetQuerySchema = z.strictObject({ format: formatSchema });
const momentSchema = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);
const periodQuerySchema = z.strictObject({
  format: formatSchema,
  since: momentSchema.optional(),
  until: momentSchema.optional(),
});
type PeriodQuery = z.infer<typeof periodQuerySchema>;

const NOTHING_SEALED =
  'Models, licenses and decisions that are in the log already. Nothing that is sealed, no byte of a picture.';

@ApiTags('Bills of materials')
@ApiBearerAuth()
@Controller('v1')
export class BomController {
  constructor(
    private readonly bills: BillOfMaterials,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get('assets/:id/bom')
  @Unaudited(NOTHING_SEALED)
  @Allow('organization:read')
  @ApiOperation({
    summary: 'What an asset was made with, as it was decided: ML-BOM (CycloneDX) or SPDX 3',
  })
  async ofAsset(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('asset')) id: string,
    @Query({ schema: assetQuerySchema }) { format }: z.infer<typeof assetQuerySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return this.answer(organizationId, format, reply, (tx) => this.bills.ofAsset(tx, id));
  }

  @Get('pipelines/:id/bom')
  @Unaudited(NOTHING_SEALED)
  @Allow('organization:read')
  @ApiOperation({
    summary: 'Models of a pipeline by its definition, or those cleared for it between since and until',
  })
  async ofPipeline(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id') id: string,
    @Query({ schema: periodQuerySchema }) query: PeriodQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return this.answer(organizationId, query.format, reply, async (tx) => {
      const pipeline = await findPipelineSubject(tx, id);
      const { name, version } = pipeline;
      const full = version === undefined ? name : `${name}@${version}`;
      const subject = { kind: 'pipeline', id: pipeline.id, name: full, sha256: null } as const;
      const defined = await this.ofDefinition(tx, subject, full);
      if (query.since === undefined && query.until === undefined) return defined;
      return this.bills.cleared(tx, subject, { of: { kind: 'pipeline', name, version }, ...periodOf(query) });
    });
  }

  @Get('use-cases/:id/bom')
  @Unaudited(NOTHING_SEALED)
  @Allow('organization:read')
  @ApiOperation({ summary: 'Every model cleared for a use case, and begun, between since and until' })
  async ofUseCase(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('useCase')) id: string,
    @Query({ schema: periodQuerySchema }) query: PeriodQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return this.answer(organizationId, query.format, reply, async (tx) => {
      const name = await findUseCaseName(tx, id);
      const subject = { kind: 'use-case', id: publicId('useCase', id), name, sha256: null } as const;
      return this.bills.cleared(tx, subject, { of: { kind: 'use-case', id }, ...periodOf(query) });
    });
  }

  private async ofDefinition(
    tx: Tx,
    subject: SupplyChain['subject'],
    pipeline: string,
  ): Promise<SupplyChain> {
    try {
      return await this.bills.ofDefinition(tx, subject, pipeline);
    } catch (error) {
      // In an address an unknown name is a missing thing like any other.
      if (error instanceof ColophonError && error.code === 'unknown_pipeline')
        throw new ColophonError('not_found', 'There is no pipeline with this id or name.');
      throw error;
    }
  }

  private async answer(
    organizationId: string,
    format: string,
    reply: FastifyReply,
    chain: (tx: Tx) => Promise<SupplyChain>,
  ): Promise<Buffer> {
    const writer = WRITERS[format];
    if (writer === undefined) throw new ColophonError('invalid_request', 'format: is not known');
    const found = await this.organizationTx.run(organizationId, chain);
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    void reply.type(writer.mediaType);
    return writer.write(found, { serial: newId(), time, toolVersion: PRODUCT_VERSION });
  }
}

/** A day ends with its last millisecond. */
function periodOf({ since, until }: PeriodQuery): { since: Date | undefined; until: Date | undefined } {
  const end = until === undefined || until.includes('T') ? until : `${until}T23:59:59.999Z`;
  return {
    since: since === undefined ? undefined : new Date(since),
    until: end === undefined ? undefined : new Date(end),
  };
}
