import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, encodeCursor, pageQuerySchema } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { useCaseOf } from '../../licenses/application/find-use.js';
import { OBLIGATION_KINDS } from '../../licenses/domain/finding.js';
import { OWED_MARKS } from '../../licenses/domain/marking-duty.js';
import { placeSchema } from '../../licenses/domain/subdivisions.js';
import { markingDuties } from '../../licenses/registry/marking-duties.js';
import { ListObligations, type PagePlace } from '../application/list-obligations.js';
import { idIn } from './contribution.schemas.js';
import { listedObligationView, NO_LEGAL_ADVICE } from './obligation-view.js';

const jurisdictions = (): string[] => [
  ...new Set(markingDuties().duties.map(({ jurisdiction }) => jurisdiction.code)),
];

const querySchema = pageQuerySchema
  .extend({
    projectId: z
      .string()
      .regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...')
      .optional(),
    useCase: z.string().min(1).max(100).optional().describe('name of a use case of the project'),
    mode: z.enum(['live', 'test']).optional(),
    files: z
      .enum(['finished', 'all'])
      .default('finished')
      .describe('finished: released, or neither made into another file nor brought in from outside'),
    market: placeSchema
      .optional()
      .describe(
        'where the work is shown: ISO 3166-1 alpha-2 or 3166-2, such as DE or US-CA; licenses bind everywhere',
      ),
    jurisdiction: z
      .string()
      .max(10)
      .refine((code) => jurisdictions().includes(code), 'no jurisdiction of the calendar')
      .optional()
      .describe('whose law demands it, such as EU or US-CA'),
    state: z
      .enum(['open', 'proved', 'overdue'])
      .optional()
      .describe('proved: done, waived or not applicable; overdue: open after the day on which it fell due'),
    dueBefore: z.iso.date().optional().describe('what has no day is left out'),
    kind: z.enum([...OBLIGATION_KINDS, ...OWED_MARKS]).optional(),
    source: z.enum(['license', 'law']).optional(),
    applies: z.enum(['yes', 'may_apply']).optional(),
    since: z
      .enum(['signing', 'added', 'changed'])
      .optional()
      .describe(
        'signing: as listed when the file was signed; added, changed: what came since, as it reads today',
      ),
  })
  .refine(({ useCase, projectId }) => useCase === undefined || projectId !== undefined, {
    path: ['useCase'],
    error: 'names a use case of a project: send projectId, too',
  });

/** An asset, and where more of it is left the key of an obligation. */
const PLACE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?: [a-z]+:[A-Za-z0-9_-]{1,100})?$/;

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/obligations')
export class ObligationListController {
  constructor(
    private readonly obligations: ListObligations,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited(
    'What is owed for assets and how it stands, with their names. What people wrote as a proof is sealed and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({
    summary: 'What must be shown or done, across assets, as it reads today; newest asset first',
    description:
      'A page may hold fewer items than asked for and still have a nextCursor: a thousand files are looked at for one page. Those of which nobody worked out what is owed are counted in filesWithoutList.',
  })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: querySchema }) query: z.infer<typeof querySchema>,
  ) {
    const { cursor, limit, projectId: project, useCase, ...filter } = query;
    const after = placeIn(decodeCursor(cursor, PLACE));
    const projectId = project === undefined ? undefined : idIn('project', project);
    const { asOf, items, next, filesWithoutList } = await this.organizationTx.run(
      organizationId,
      async (tx) => {
        const useCaseId =
          projectId === undefined ? undefined : ((await useCaseOf(tx, projectId, useCase)) ?? undefined);
        const asked = { ...ALL, ...filter, projectId, useCaseId };
        return this.obligations.list(tx, asked, { after, limit });
      },
    );
    const { sha256, readOn } = markingDuties();
    return {
      asOf,
      calendar: { sha256, readOn },
      notice: NO_LEGAL_ADVICE,
      filesWithoutList,
      items: items.map(listedObligationView),
      nextCursor: next === undefined ? null : encodeCursor([next.assetId, next.key ?? []].flat().join(' ')),
    };
  }
}

const ALL = {
  ...{ mode: undefined, market: undefined, jurisdiction: undefined, state: undefined, dueBefore: undefined },
  ...{ kind: undefined, source: undefined, applies: undefined, since: undefined },
};

function placeIn(sortKey: string | undefined): PagePlace | undefined {
  if (sortKey === undefined) return undefined;
  const [assetId = '', key] = sortKey.split(' ');
  return { assetId, key };
}
