import { Body, Controller, Get, Headers, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { AssetRepository } from '../../assets/adapters/asset.repository.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { ExamineAsset } from '../application/examine-asset.js';
import { readExaminations } from '../application/read-examinations.js';
import { type ExaminationFinding } from '../domain/diligence/examination.js';
import { idIn } from './contribution.schemas.js';
import { examinationView } from './diligence-view.js';
import { type ExaminationBody, examinationSchema } from './diligence.schemas.js';

@ApiTags('Examinations and claims')
@ApiBearerAuth()
@Controller('v1/assets/:id/examinations')
export class ExaminationController {
  constructor(
    private readonly examineAsset: ExamineAsset,
    private readonly assets: AssetRepository,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Post()
  @Audited('asset.examined')
  @Allow('examinations:record')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary:
      'What a person or a program found out about the file: matter of others, similar works, exclusivity, claims',
  })
  async examine(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: examinationSchema }) body: ExaminationBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { examinedOn, tool, text, document, evidenceSha256 } = body;
    const evidenceAssetId =
      body.evidenceAssetId === undefined ? undefined : idIn('asset', body.evidenceAssetId);
    const request = { assetId, finding: findingOf(body), examinedOn, tool, text, document };
    const fingerprint = ['POST examinations', assetId, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) =>
      examinationView(
        await this.examineAsset.examine(tx, principal, { ...request, evidenceAssetId, evidenceSha256 }),
      ),
    );
  }

  @Get()
  @Unaudited('What was examined, by whom, with which result. The words of people are sealed and not shown.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Examinations of the file, oldest first; of each question the last one counts' })
  async list(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) assetId: string) {
    const items = await this.organizationTx.run(organizationId, async (tx) => {
      await this.assets.get(tx, assetId);
      return readExaminations(tx, [assetId]);
    });
    return { assetId: publicId('asset', assetId), items: items.map(examinationView) };
  }
}

function findingOf(body: ExaminationBody): ExaminationFinding {
  switch (body.question) {
    case 'third_party_matter':
      return { question: body.question, matter: body.matter };
    case 'similar_works':
      return { question: body.question, result: body.result, index: body.index, matches: body.matches };
    case 'exclusivity':
      return { question: body.question, result: body.result };
    case 'claims':
      return { question: body.question, result: body.result };
  }
}
