import { Body, Controller, Get, Headers, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { AssetRepository } from '../../assets/adapters/asset.repository.js';
import { ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { OBLIGATION_OUTCOMES } from '../../audit/core/entries/license-entries.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { readObligations } from '../../licenses/application/read-obligations.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { parsePublicId } from '../../shared/ids.js';
import { ProveObligation } from '../application/prove-obligation.js';
import { obligationListView, obligationView } from './obligation-view.js';

const proofSchema = z
  .strictObject({
    outcome: z
      .enum(OBLIGATION_OUTCOMES)
      .describe('waived and not_applicable are for the role legal; open takes back what was said before'),
    text: textSchema(4000).describe('what was done, where and when, or why it need not be; sealed'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces')
      .optional()
      .describe('where it can be seen; sealed, and never fetched'),
    assetId: z
      .string()
      .regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...')
      .optional()
      .describe('an asset that shows it, e.g. an uploaded screenshot of the label'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
      .optional()
      .describe('SHA-256 of a document that you keep'),
  })
  .meta({ id: 'ObligationProof' });

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/assets/:id/obligations')
export class ObligationController {
  constructor(
    private readonly proveObligation: ProveObligation,
    private readonly assets: AssetRepository,
    private readonly obligationsToday: ShowObligationsToday,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Get()
  @Unaudited(
    'What is owed for an asset and who proved it. What people wrote as a proof is sealed and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'What must be shown or done for an asset, and what of it is proved' })
  async list(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) assetId: string) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const asset = await this.assets.get(tx, assetId);
      const list = await readObligations(tx, assetId);
      return obligationListView(assetId, list, list && (await this.obligationsToday.of(tx, asset, list)));
    });
  }

  @Post(':obligationId/proof')
  @Audited('obligation.proved')
  @Allow('obligations:prove')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'A person says that an obligation was met, is waived or does not apply; or takes that back',
  })
  async prove(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Param('obligationId', idOf('obligation')) obligationId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: proofSchema }) body: z.infer<typeof proofSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { assetId: evidence, sha256: evidenceSha256, url, outcome, text } = body;
    const evidenceAssetId = evidence === undefined ? undefined : parsePublicId('asset', evidence);
    const request = { assetId, obligationId, outcome, text, url, evidenceAssetId, evidenceSha256 };
    const fingerprint = [
      'POST proof',
      assetId,
      obligationId,
      canonicalJson(JSON.parse(JSON.stringify(body)) as never),
    ];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const { owed, signedEntryId } = await this.proveObligation.prove(tx, principal, request);
        const view = obligationView(owed, signedEntryId);
        await idempotent.complete(tx, { status: 201, body: view });
        return { status: 201, body: view };
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }
}
