import { Body, Controller, Get, Headers, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { assetView } from '../../assets/http/asset-view.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { ReadContributions } from '../application/read-contribution.js';
import { RecordContribution, type RecordedContribution } from '../application/record-contribution.js';
import { RecordSelection } from '../application/record-selection.js';
import { StateAuthorship } from '../application/state-authorship.js';
import { contributionSchema, idIn, selectionSchema } from './contribution.schemas.js';
import { authorshipView, contributionFactsView } from './contribution-view.js';

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/assets/:id')
export class ContributionController {
  constructor(
    private readonly recordContribution: RecordContribution,
    private readonly recordSelection: RecordSelection,
    private readonly stateAuthorship: StateAuthorship,
    private readonly contributions: ReadContributions,
    private readonly uploads: FormUploads,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Post('contributions')
  @Audited('contribution.recorded', 'asset.signed')
  @Allow('contributions:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @FormRoute({
    name: 'contribution',
    description:
      'JSON: actionType, basis, capture, tool, statement; optional: engagement, shown, signature, nameInFile',
  })
  @ApiOperation({ summary: 'A person’s new version of an asset, with the record of what they did' })
  async contribute(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) parentAssetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const route = ['POST contributions', parentAssetId];
    const field = { name: 'contribution', schema: contributionSchema };
    return this.uploads.create(
      { principal, key, request, reply, route, field, view: recordedView },
      ({ file, fields }, completed) => {
        const { shown, signature, ...said } = fields;
        return this.recordContribution.contribute(
          principal,
          {
            ...said,
            parentAssetId,
            file,
            shownAssetIds: shown.map((id) => idIn('asset', id)),
            signature: signature && { ...signature, keyId: idIn('signatureKey', signature.keyId) },
          },
          completed,
        );
      },
    );
  }

  @Get('contributions')
  @Unaudited(
    'Which acts are recorded, by whom and when. The statements that people wrote are sealed and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'Records of human work on this very asset, with corrections and attachments' })
  async list(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const found = await this.contributions.of(tx, [id]);
      // An asset without any, or none at all.
      if (found.length === 0) await this.stateAuthorship.requireAsset(tx, id);
      return { items: found.map(contributionFactsView) };
    });
  }

  @Post('selections')
  @Audited('contribution.recorded')
  @Allow('contributions:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'This one was chosen among several: recorded with what was shown and why' })
  async choose(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) chosenAssetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: selectionSchema }) body: z.infer<typeof selectionSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { shown, statement, engagement } = body;
    const fingerprint = ['POST selections', chosenAssetId, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) => {
      const shownAssetIds = shown.map((id) => idIn('asset', id));
      const request = { chosenAssetId, shownAssetIds, statement, engagement };
      const id = await this.recordSelection.choose(tx, principal, request);
      return contributionFactsView(await this.contributions.get(tx, id));
    });
  }

  @Get('authorship')
  @Unaudited(
    'Which acts are recorded and what follows from them. The statements that people wrote are sealed and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({
    summary:
      'What may be claimed, what is to be disclaimed and what is open; a draft for registration; per jurisdiction what the record supports and lacks',
  })
  async authorship(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('asset')) id: string,
  ) {
    return this.organizationTx.run(organizationId, async (tx) =>
      authorshipView(id, await this.stateAuthorship.state(tx, id)),
    );
  }
}

function recordedView({
  contributionId,
  asset,
  changedRegion,
  differenceSha256,
  isSigned,
}: RecordedContribution) {
  const id = publicId('contribution', contributionId);
  return {
    id,
    asset: assetView(asset),
    changedRegion: changedRegion ?? null,
    differenceSha256: differenceSha256 ?? null,
    differenceUrl: differenceSha256 === undefined ? null : `/v1/contributions/${id}/difference`,
    signed: isSigned,
  };
}
