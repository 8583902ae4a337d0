import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { ReportScheduleEntity } from '../adapters/report-schedule.entity.js';
import { type DueTimes, dueTimes, nextBoundary } from '../domain/cadence.js';
import { madeUpFor, scheduledParameters } from '../domain/report-schedule.js';
import { isDisabled } from './disabled-creators.js';
import {
  keyOf,
  lockedSchedule,
  type ReportSchedules,
  requestedOf,
  type ScheduleQueue,
  subjectOfSchedule,
} from './report-schedules.js';
import { type RequestReport } from './request-report.js';

/** A wake-up may come before its time, when two clocks differ; it is sent again. Later ones belong to another chain. */
const EARLY_MS = 3_600_000;

/**
 * Asks for what is due of a schedule. A wake-up is only that: the row says what is due, so one that comes twice or late
 * makes no second report. One wake-up asks for one report and sends the next, so that however much was missed, reports
 * are made one after another.
 */
export class MakeDueReports {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly reports: RequestReport,
    private readonly schedules: ReportSchedules,
    private readonly queue: ScheduleQueue,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * One transaction: the request for the report, the next due time and the next wake-up; a crash leaves all of them or
   * none. What will not get better by trying again is written down, and the schedule goes on.
   */
  async makeDue(organizationId: string, id: string): Promise<void> {
    try {
      await this.attempt(organizationId, id, (tx, schedule, dueAt) => this.request(tx, schedule, dueAt));
    } catch (error) {
      if (!isColophonError(error) || error.status >= 500) throw error;
      // Of the transaction above nothing is left; the row may have moved meanwhile, so it is looked at again.
      await this.attempt(organizationId, id, (tx, schedule, dueAt) =>
        this.fail(tx, schedule, dueAt, error.code),
      );
    }
  }

  private attempt(
    organizationId: string,
    id: string,
    deal: (tx: Tx, schedule: ReportScheduleEntity, dueAt: Date) => Promise<Partial<ReportScheduleEntity>>,
  ): Promise<void> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const schedule = await lockedSchedule(tx, id);
      const now = this.clock.now();
      if (!schedule || schedule.endedAt !== null || schedule.pausedAt !== null) return;
      const { cadence, nextDueAt } = schedule;
      if (nextDueAt > now) {
        if (nextDueAt.getTime() - now.getTime() < EARLY_MS)
          await this.queue.wakeSchedule(tx, { id, dueAt: nextDueAt, now });
        return;
      }
      if (await isDisabled(tx, schedule.createdBy)) {
        await this.schedules.endNow(tx, schedule, SYSTEM_ACTOR, 'creator_disabled');
        return;
      }
      const { skipped, due } = dueTimes(cadence, nextDueAt, now, madeUpFor(schedule.kind));
      if (skipped !== undefined) await this.recordSkipped(tx, schedule, skipped);
      const [dueAt = nextDueAt] = due;
      const changed = await deal(tx, schedule, dueAt);
      const next = nextBoundary(cadence, dueAt);
      await tx.manager.update(ReportScheduleEntity, keyOf(schedule), { ...changed, nextDueAt: next });
      await this.queue.wakeSchedule(tx, { id, dueAt: next, now });
    });
  }

  private async request(
    tx: Tx,
    schedule: ReportScheduleEntity,
    dueAt: Date,
  ): Promise<Partial<ReportScheduleEntity>> {
    const { format, cadence, createdBy } = schedule;
    const subject = subjectOfSchedule(schedule);
    const scheduleId = publicId('reportSchedule', schedule.id);
    const parameters = scheduledParameters(subject, { scheduleId, cadence, dueAt });
    const request = { ...requestedOf(subject), format, parameters };
    const report = await this.reports.request(tx, { scheduleId, createdBy }, request);
    return { lastReportId: report.id, failedDueAt: null, failedCode: null };
  }

  private async fail(
    tx: Tx,
    schedule: ReportScheduleEntity,
    dueAt: Date,
    code: string,
  ): Promise<Partial<ReportScheduleEntity>> {
    const data = { scheduledFor: dueAt.toISOString(), code };
    await this.append(tx, schedule, { type: 'report_schedule.failed', data });
    return { failedDueAt: dueAt, failedCode: code };
  }

  private recordSkipped(
    tx: Tx,
    schedule: ReportScheduleEntity,
    { count, first, last }: NonNullable<DueTimes['skipped']>,
  ): Promise<void> {
    const data = { count, first: first.toISOString(), last: last.toISOString() };
    return this.append(tx, schedule, { type: 'report_schedule.skipped', data });
  }

  private async append(
    tx: Tx,
    { id, projectId }: ReportScheduleEntity,
    said:
      | { readonly type: 'report_schedule.failed'; readonly data: { scheduledFor: string; code: string } }
      | {
          readonly type: 'report_schedule.skipped';
          readonly data: { count: number; first: string; last: string };
        },
  ): Promise<void> {
    await this.appendEntry.append(tx, {
      ...said,
      ...(projectId !== null && { projectId }),
      actor: SYSTEM_ACTOR,
      subject: { kind: 'report_schedule', id: publicId('reportSchedule', id) },
    });
  }
}
