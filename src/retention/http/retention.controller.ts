import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { PreviewRetention } from '../application/preview-retention.js';
import { RetentionRules } from '../application/retention-rules.js';
import { type RetentionAction, type RetentionKind } from '../domain/retention-rule.js';
import { forecastView, retentionRuleView } from './retention-view.js';
import { retentionKindSchema, retentionRuleSchema } from './retention.schemas.js';

const previewSchema = pageQuerySchema.extend({ kind: retentionKindSchema });

@ApiTags('Retention')
@ApiBearerAuth()
@Controller('v1/retention')
export class RetentionController {
  constructor(
    private readonly rules: RetentionRules,
    private readonly preview: PreviewRetention,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get('rules')
  @Unaudited('What is removed by itself, and after how long. Each change of it is in the log.')
  @Allow('retention:read')
  @ApiOperation({ summary: 'The rule that counts for each kind and project; without one nothing is removed' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const rules = await this.organizationTx.run(organizationId, (tx) => this.rules.list(tx));
    return { items: rules.map(retentionRuleView) };
  }

  @Put('rules/:kind')
  @Audited('retention.rule_set')
  @Allow('retention:set')
  @ApiOperation({
    summary: 'Say what is removed by itself; by a rule that removes, nothing is for the first seven days',
  })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('kind') kindText: string,
    @Body({ schema: retentionRuleSchema }) body: z.infer<typeof retentionRuleSchema>,
  ) {
    const kind = kindOf(kindText);
    const scope = { projectId: projectOf(body.projectId) };
    return retentionRuleView(
      await this.organizationTx.run(principal.organizationId, (tx) =>
        this.rules.set(tx, principal, { kind, scope, does: actionOf(body) }),
      ),
    );
  }

  @Get('preview')
  @Unaudited('Ids, sizes and hashes of things, and why they stay or go: no byte and no word of them.')
  @Allow('retention:read')
  @ApiOperation({ summary: 'What would be removed now, and why everything else is kept; by id' })
  async page(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: previewSchema }) query: z.infer<typeof previewSchema>,
  ) {
    const filter = {
      kind: query.kind,
      after: decodeCursor(query.cursor, UUID_SORT_KEY),
      limit: query.limit + 1,
    };
    const rows = await this.organizationTx.run(organizationId, (tx) => this.preview.page(tx, filter));
    return toPage(rows, query.limit, ({ thing }) => thing.id, forecastView(organizationId));
  }
}

/** A kind that is none is no address. */
function kindOf(text: string): RetentionKind {
  const kind = retentionKindSchema.safeParse(text);
  if (!kind.success) throw new ColophonError('not_found', 'Nothing of this kind is kept.');
  return kind.data;
}

function projectOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const id = parsePublicId('project', text);
  if (id === undefined) throw new ColophonError('not_found', 'There is no project with this id.');
  return id;
}

function actionOf(body: z.infer<typeof retentionRuleSchema>): RetentionAction {
  if (body.action !== 'remove') return { action: body.action };
  const { action, days, since, campaignEndsOn, evidence } = body;
  return { action, days, since, campaignEndsOn, evidence };
}
