import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { type ReportScheduleEntity } from '../adapters/report-schedule.entity.js';
import { ReportSchedules } from '../application/report-schedules.js';
import { RequestReport } from '../application/request-report.js';
import { CADENCES } from '../domain/cadence.js';
import { FORMATS_OF } from '../domain/report-kinds.js';
import { campaignFields } from './report-request.js';

const scheduleSchema = z
  .strictObject({
    ...campaignFields,
    format: z.enum(FORMATS_OF.campaign),
    cadence: z.enum(CADENCES).describe('the day, week from Monday, or month in UTC that has ended'),
  })
  .meta({ id: 'CreateReportSchedule' });

@ApiTags('Reports')
@ApiBearerAuth()
@Controller('v1/report-schedules')
export class ReportScheduleController {
  constructor(
    private readonly schedules: ReportSchedules,
    private readonly requestReport: RequestReport,
  ) {}

  @Post()
  @Audited('report_schedule.created')
  @Allow('reports:schedule')
  @HttpCode(201)
  @ApiOperation({ summary: 'Campaign reports that are made by themselves' })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: scheduleSchema }) body: z.infer<typeof scheduleSchema>,
  ) {
    const projectId = parsePublicId('project', body.projectId);
    if (projectId === undefined) throw new ColophonError('not_found', 'There is no project with this id.');
    await this.requestReport.requireSigner(body.format);
    const { useCase, format, cadence } = body;
    return scheduleView(await this.schedules.create(principal, { projectId, useCase, format, cadence }));
  }

  @Get()
  @Unaudited('What is made when: no byte of a report.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Report schedules, newest first' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    return { items: (await this.schedules.list(organizationId)).map(scheduleView) };
  }

  @Post(':id/end')
  @Audited('report_schedule.ended')
  @Allow('reports:schedule')
  @HttpCode(200)
  @ApiOperation({ summary: 'No further reports; those that were made stay' })
  async end(@CurrentPrincipal() principal: Principal, @Param('id', idOf('reportSchedule')) id: string) {
    return scheduleView(await this.schedules.end(principal, id));
  }
}

function scheduleView(schedule: ReportScheduleEntity) {
  return {
    id: publicId('reportSchedule', schedule.id),
    projectId: publicId('project', schedule.projectId),
    useCase: schedule.useCase,
    format: schedule.format,
    cadence: schedule.cadence,
    nextDueAt: schedule.endedAt === null ? schedule.nextDueAt.toISOString() : null,
    endedAt: schedule.endedAt?.toISOString() ?? null,
    createdAt: schedule.createdAt.toISOString(),
  };
}
