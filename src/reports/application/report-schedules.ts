import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf, SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { ReportScheduleEntity } from '../adapters/report-schedule.entity.js';
import { type Cadence, nextBoundary, previousBoundary } from '../domain/cadence.js';
import { type ReportFormat } from '../domain/report-kinds.js';
import { type RequestReport } from './request-report.js';

/** Wakes a worker when the next report of a schedule is due, within the caller's transaction. */
export interface ScheduleQueue {
  wakeSchedule(
    tx: Tx,
    schedule: { readonly id: string; readonly dueAt: Date; readonly now: Date },
  ): Promise<void>;
}

export interface NewSchedule {
  /** UUID. */
  readonly projectId: string;
  readonly useCase: string | undefined;
  readonly format: ReportFormat;
  readonly cadence: Cadence;
}

const MAX_LISTED = 500;

/**
 * Campaign reports that are made by themselves: each is about the day, week or month that has ended. A wake-up is only
 * that: the row says what is due, so one that comes twice or late makes no second report, and one after a pause makes the
 * reports that were missed, one after another.
 */
export class ReportSchedules {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly reports: RequestReport,
    private readonly queue: ScheduleQueue,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found` for a project or use case that there is not */
  create(principal: Principal, wanted: NewSchedule): Promise<ReportScheduleEntity> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.reports.requireCampaign(tx, wanted.projectId, wanted.useCase);
      const now = this.clock.now();
      const schedule: ReportScheduleEntity = {
        organizationId: tx.organizationId,
        id: newId(),
        projectId: wanted.projectId,
        useCase: wanted.useCase ?? null,
        format: wanted.format,
        cadence: wanted.cadence,
        nextDueAt: nextBoundary(wanted.cadence, now),
        endedAt: null,
        createdBy: principal.principalId,
        createdAt: now,
      };
      await tx.manager.insert(ReportScheduleEntity, schedule);
      await this.appendEntry.append(tx, {
        type: 'report_schedule.created',
        projectId: wanted.projectId,
        actor: actorOf(principal),
        subject: { kind: 'report_schedule', id: publicId('reportSchedule', schedule.id) },
        data: {
          projectId: publicId('project', wanted.projectId),
          ...(wanted.useCase !== undefined && { useCase: wanted.useCase }),
          format: wanted.format,
          cadence: wanted.cadence,
        },
      });
      await this.queue.wakeSchedule(tx, { id: schedule.id, dueAt: schedule.nextDueAt, now });
      return schedule;
    });
  }

  list(organizationId: string): Promise<ReportScheduleEntity[]> {
    return this.organizationTx.run(organizationId, (tx) =>
      tx.manager.find(ReportScheduleEntity, {
        where: { organizationId },
        order: { id: 'DESC' },
        take: MAX_LISTED,
      }),
    );
  }

  /** Ending twice changes nothing. */
  end(principal: Principal, id: string): Promise<ReportScheduleEntity> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const schedule = await locked(tx, id);
      if (!schedule) throw new ColophonError('not_found', 'There is no report schedule with this id.');
      if (schedule.endedAt !== null) return schedule;
      return this.endNow(tx, schedule, actorOf(principal), 'ended');
    });
  }

  /**
   * Makes what is due. One transaction: the request for the report, the next due time and the next wake-up; a crash leaves
   * all of them or none.
   */
  makeDue(organizationId: string, id: string): Promise<void> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const schedule = await locked(tx, id);
      const now = this.clock.now();
      if (!schedule || schedule.endedAt !== null || schedule.nextDueAt > now) return;
      if (await isDisabled(tx, schedule.createdBy)) {
        await this.endNow(tx, schedule, SYSTEM_ACTOR, 'creator_disabled');
        return;
      }
      const { nextDueAt: until, cadence, useCase } = schedule;
      const scheduleId = publicId('reportSchedule', id);
      await this.reports.request(
        tx,
        { scheduleId, createdBy: schedule.createdBy },
        {
          kind: 'campaign',
          format: schedule.format,
          subjectId: schedule.projectId,
          parameters: {
            ...(useCase !== null && { useCase }),
            from: previousBoundary(cadence, until).toISOString(),
            until: until.toISOString(),
            scheduleId,
          },
        },
      );
      const dueAt = nextBoundary(cadence, until);
      await tx.manager.update(ReportScheduleEntity, { organizationId, id }, { nextDueAt: dueAt });
      await this.queue.wakeSchedule(tx, { id, dueAt, now });
    });
  }

  private async endNow(
    tx: Tx,
    schedule: ReportScheduleEntity,
    actor: ReturnType<typeof actorOf> | typeof SYSTEM_ACTOR,
    reason: 'ended' | 'creator_disabled',
  ): Promise<ReportScheduleEntity> {
    const endedAt = this.clock.now();
    const { organizationId, id } = schedule;
    await tx.manager.update(ReportScheduleEntity, { organizationId, id }, { endedAt });
    await this.appendEntry.append(tx, {
      type: 'report_schedule.ended',
      projectId: schedule.projectId,
      actor,
      subject: { kind: 'report_schedule', id: publicId('reportSchedule', id) },
      data: { reason },
    });
    return { ...schedule, endedAt };
  }
}

function locked(tx: Tx, id: string): Promise<ReportScheduleEntity | null> {
  return tx.manager.findOne(ReportScheduleEntity, {
    where: { organizationId: tx.organizationId, id },
    lock: { mode: 'pessimistic_write' },
  });
}

async function isDisabled(tx: Tx, principalId: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM principal WHERE organization_id = $1 AND id = $2 AND disabled_at IS NOT NULL',
    [tx.organizationId, principalId],
  );
  return rows.length > 0;
}
