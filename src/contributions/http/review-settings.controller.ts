import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { ReviewSettingsOfUseCase, type UseCasePlace } from '../application/review-settings.js';
import { reviewSettingsSchema, useCaseName } from './review.schemas.js';
import { settingsView } from './review-view.js';

@ApiTags('Review and release')
@ApiBearerAuth()
@Controller('v1/projects/:id/use-cases/:name/review-settings')
export class ReviewSettingsController {
  constructor(
    private readonly settings: ReviewSettingsOfUseCase,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('How many approvals a use case needs, and what besides. Each change of it is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What a use case asks for before a release' })
  async get(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('project')) projectId: string,
    @Param('name') name: string,
  ) {
    const place = placeOf(projectId, name);
    return settingsView(await this.organizationTx.run(organizationId, (tx) => this.settings.find(tx, place)));
  }

  @Put()
  @Audited('use_case.review_set')
  @Allow('reviews:set')
  @ApiOperation({ summary: 'One approval or two, a human contribution, a confirmed checklist: from now on' })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('project')) projectId: string,
    @Param('name') name: string,
    @Body({ schema: reviewSettingsSchema }) body: z.infer<typeof reviewSettingsSchema>,
  ) {
    const place = placeOf(projectId, name);
    refuseTestKeyOnLive(principal.mode, 'live', 'What a use case asks for before a release');
    return settingsView(
      await this.organizationTx.run(principal.organizationId, (tx) =>
        this.settings.set(tx, principal, place, body),
      ),
    );
  }
}

/** A malformed name cannot exist, so it is the same 404 as an unknown one. */
function placeOf(projectId: string, name: string): UseCasePlace {
  if (!useCaseName.safeParse(name).success)
    throw new ColophonError('not_found', 'There is no such project, or it has no such use case.');
  return { projectId, useCase: name };
}
