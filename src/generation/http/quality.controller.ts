import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf, invalidRequest } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { OwnQualityOfModels, type Vote } from '../application/own-quality.js';
import { findUseCase } from '../application/use-case.js';
import { QualityScores } from '../registry/quality-scores.js';
import { ownQualityView } from './quality-view.js';

const voteSchema = z
  .discriminatedUnion('vote', [
    z.strictObject({ vote: z.enum(['accept', 'reject']) }),
    z
      .strictObject({
        vote: z.literal('prefer'),
        overAssetId: z.string().regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...'),
      })
      .describe('better than another asset of the same use case'),
  ])
  .meta({ id: 'CastVote' });

@ApiTags('Models by cost and quality')
@ApiBearerAuth()
@Controller('v1')
export class QualityController {
  constructor(
    private readonly ownQuality: OwnQualityOfModels,
    private readonly scores: QualityScores,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get('quality-scores')
  @Unaudited('Scores of public boards, the same for everybody.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Scores of public boards with source and day; boards are never mixed' })
  board() {
    return { boards: this.scores.boards, items: this.scores.scores };
  }

  @Post('assets/:id/votes')
  @Audited('vote.recorded')
  @Allow('votes:cast')
  @ApiOperation({ summary: 'Say whether an asset is good enough, or better than another one' })
  async vote(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Body({ schema: voteSchema }) body: z.infer<typeof voteSchema>,
  ) {
    const vote = toVote(body);
    const id = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.ownQuality.cast(tx, principal, assetId, vote),
    );
    return { id: publicId('vote', id), assetId: publicId('asset', assetId), ...body };
  }

  @Get('use-cases/:id/quality')
  @Unaudited('Counts of votes by model. No person is named.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What your own people say of models in one use case, with 95 % intervals' })
  async ofUseCase(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('useCase')) id: string,
  ) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const { name } = await findUseCase(tx, id);
      const items = await this.ownQuality.ofUseCase(tx, id);
      return { useCaseId: publicId('useCase', id), useCase: name, items: items.map(ownQualityView) };
    });
  }
}

function toVote(body: z.infer<typeof voteSchema>): Vote {
  if (body.vote !== 'prefer') return body;
  const overAssetId = parsePublicId('asset', body.overAssetId);
  if (overAssetId === undefined)
    throw invalidRequest([{ path: 'overAssetId', message: 'is not an asset id' }]);
  return { vote: body.vote, overAssetId };
}
