import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { ReportSchedules, type ScheduleState } from '../application/report-schedules.js';
import { RequestReport } from '../application/request-report.js';
import { type ScheduleBody, scheduleSchema, toScheduledSubject } from './report-request.js';

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
  @ApiOperation({ summary: 'Reports that are made by themselves, each day, week or month' })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: scheduleSchema }) body: ScheduleBody,
  ) {
    const subject = toScheduledSubject(body);
    await this.requestReport.requireSigner(body.format);
    const { format, cadence } = body;
    return scheduleView(await this.schedules.create(principal, { subject, format, cadence }));
  }

  @Get()
  @Unaudited('What is made when, and what became of the last one: no byte of a report.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Report schedules, newest first' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    return { items: (await this.schedules.list(organizationId)).map(scheduleView) };
  }

  @Get(':id')
  @Unaudited('What is made when, and what became of the last one: no byte of a report.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'When the next report is due, and what became of the last one' })
  async get(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('reportSchedule')) id: string,
  ) {
    return scheduleView(await this.schedules.get(organizationId, id));
  }

  @Post(':id/pause')
  @Audited('report_schedule.paused')
  @Allow('reports:schedule')
  @HttpCode(200)
  @ApiOperation({ summary: 'No report until it goes on' })
  async pause(@CurrentPrincipal() principal: Principal, @Param('id', idOf('reportSchedule')) id: string) {
    return scheduleView(await this.schedules.pause(principal, id));
  }

  @Post(':id/resume')
  @Audited('report_schedule.resumed')
  @Allow('reports:schedule')
  @HttpCode(200)
  @ApiOperation({ summary: 'Go on with the next due time; what was due meanwhile is not made' })
  async resume(@CurrentPrincipal() principal: Principal, @Param('id', idOf('reportSchedule')) id: string) {
    return scheduleView(await this.schedules.resume(principal, id));
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

function scheduleView({ schedule, lastReport }: ScheduleState) {
  const { kind, projectId, assetId, endedAt, pausedAt, failedDueAt } = schedule;
  const state = endedAt !== null ? 'ended' : pausedAt !== null ? 'paused' : 'active';
  return {
    id: publicId('reportSchedule', schedule.id),
    kind,
    ...(projectId !== null && { projectId: publicId('project', projectId), useCase: schedule.useCase }),
    ...(assetId !== null && { assetId: publicId('asset', assetId) }),
    ...(schedule.listingId !== null && { listingId: schedule.listingId }),
    format: schedule.format,
    cadence: schedule.cadence,
    state,
    nextDueAt: state === 'active' ? schedule.nextDueAt.toISOString() : null,
    lastReport: lastReport
      ? {
          id: publicId('report', lastReport.id),
          scheduledFor: lastReport.parameters.scheduledFor ?? null,
          state: lastReport.state,
          errorCode: lastReport.errorCode,
          createdAt: lastReport.createdAt.toISOString(),
        }
      : null,
    // Set while the latest due time is one of which no report could be asked for.
    lastFailure:
      failedDueAt === null
        ? null
        : { scheduledFor: failedDueAt.toISOString(), errorCode: schedule.failedCode },
    pausedAt: pausedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    createdAt: schedule.createdAt.toISOString(),
  };
}
