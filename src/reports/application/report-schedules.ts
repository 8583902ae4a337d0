import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf, type SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { ReportScheduleEntity } from '../adapters/report-schedule.entity.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { type Cadence, nextBoundary } from '../domain/cadence.js';
import { type ReportFormat } from '../domain/report-kinds.js';
import { scheduledParameters, type ScheduledSubject } from '../domain/report-schedule.js';
import { lastReports } from './last-reports.js';
import { type RequestReport } from './request-report.js';

/** Wakes a worker when the next report of a schedule is due, within the caller's transaction. */
export interface ScheduleQueue {
  wakeSchedule(
    tx: Tx,
    schedule: { readonly id: string; readonly dueAt: Date; readonly now: Date },
  ): Promise<void>;
}

export interface NewSchedule {
  readonly subject: ScheduledSubject;
  readonly format: ReportFormat;
  readonly cadence: Cadence;
}

export interface ScheduleState {
  readonly schedule: ReportScheduleEntity;
  readonly lastReport: ReportEntity | undefined;
}

const MAX_LISTED = 500;
const WHAT = 'A report that is made by itself';
type Actor = ReturnType<typeof actorOf> | typeof SYSTEM_ACTOR;
type ScheduleChange =
  | { readonly type: 'report_schedule.paused'; readonly data: Record<string, never> }
  | { readonly type: 'report_schedule.resumed'; readonly data: { nextDueAt: string } }
  | { readonly type: 'report_schedule.ended'; readonly data: { reason: 'ended' | 'creator_disabled' } };

/** Reports that are made by themselves, each day, week or month: set up, looked at, paused, ended. */
export class ReportSchedules {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly reports: RequestReport,
    private readonly queue: ScheduleQueue,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `wrong_mode`, `not_found` for a subject that there is not, `forbidden`, `invalid_request` */
  create(principal: Principal, { subject, format, cadence }: NewSchedule): Promise<ScheduleState> {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    // Nobody has made for themselves what they may not ask for.
    if (subject.kind === 'period') requirePermission(principal, 'audit:export');
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const now = this.clock.now();
      const id = newId();
      const dueAt = nextBoundary(cadence, now);
      const scheduleId = publicId('reportSchedule', id);
      const parameters = scheduledParameters(subject, { scheduleId, cadence, dueAt });
      const projectId = await this.reports.requireSubject(tx, {
        ...requestedOf(subject),
        format,
        parameters,
      });
      const schedule: ReportScheduleEntity = {
        organizationId: tx.organizationId,
        id,
        kind: subject.kind,
        ...columnsOf(subject),
        format,
        cadence,
        nextDueAt: dueAt,
        pausedAt: null,
        endedAt: null,
        lastReportId: null,
        failedDueAt: null,
        failedCode: null,
        createdBy: principal.principalId,
        createdAt: now,
      };
      await tx.manager.insert(ReportScheduleEntity, schedule);
      await this.appendEntry.append(tx, {
        type: 'report_schedule.created',
        ...(projectId !== undefined && { projectId }),
        actor: actorOf(principal),
        subject: { kind: 'report_schedule', id: scheduleId },
        data: { kind: subject.kind, ...loggedSubject(subject), format, cadence },
      });
      await this.queue.wakeSchedule(tx, { id, dueAt, now });
      return { schedule, lastReport: undefined };
    });
  }

  /** Newest first. */
  list(organizationId: string): Promise<ScheduleState[]> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const schedules = await tx.manager.find(ReportScheduleEntity, {
        where: { organizationId },
        order: { id: 'DESC' },
        take: MAX_LISTED,
      });
      return withLastReports(tx, schedules);
    });
  }

  /** @throws ColophonError `not_found` */
  get(organizationId: string, id: string): Promise<ScheduleState> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const schedule = await tx.manager.findOneBy(ReportScheduleEntity, { organizationId, id });
      if (!schedule) throw missing();
      return stateOf(tx, schedule);
    });
  }

  /** No report until it goes on. Pausing twice changes nothing. @throws ColophonError `wrong_mode`, `conflict` for one that has ended */
  pause(principal: Principal, id: string): Promise<ScheduleState> {
    return this.change(principal, id, async (tx, schedule) => {
      if (schedule.pausedAt !== null) return schedule;
      const pausedAt = this.clock.now();
      await tx.manager.update(ReportScheduleEntity, keyOf(schedule), { pausedAt });
      await this.log(tx, schedule, actorOf(principal), { type: 'report_schedule.paused', data: {} });
      return { ...schedule, pausedAt };
    });
  }

  /** Goes on with the next due time: what was due meanwhile is not made. */
  resume(principal: Principal, id: string): Promise<ScheduleState> {
    return this.change(principal, id, async (tx, schedule) => {
      if (schedule.pausedAt === null) return schedule;
      const now = this.clock.now();
      const nextDueAt = nextBoundary(schedule.cadence, now);
      await tx.manager.update(ReportScheduleEntity, keyOf(schedule), { pausedAt: null, nextDueAt });
      await this.log(tx, schedule, actorOf(principal), {
        type: 'report_schedule.resumed',
        data: { nextDueAt: nextDueAt.toISOString() },
      });
      await this.queue.wakeSchedule(tx, { id, dueAt: nextDueAt, now });
      return { ...schedule, pausedAt: null, nextDueAt };
    });
  }

  /** Ending twice changes nothing. @throws ColophonError `not_found` */
  end(principal: Principal, id: string): Promise<ScheduleState> {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const schedule = await lockedSchedule(tx, id);
      if (!schedule) throw missing();
      const ended =
        schedule.endedAt === null ? await this.endNow(tx, schedule, actorOf(principal), 'ended') : schedule;
      return stateOf(tx, ended);
    });
  }

  async endNow(
    tx: Tx,
    schedule: ReportScheduleEntity,
    actor: Actor,
    reason: 'ended' | 'creator_disabled',
  ): Promise<ReportScheduleEntity> {
    const endedAt = this.clock.now();
    await tx.manager.update(ReportScheduleEntity, keyOf(schedule), { endedAt });
    await this.log(tx, schedule, actor, { type: 'report_schedule.ended', data: { reason } });
    return { ...schedule, endedAt };
  }

  private change(
    principal: Principal,
    id: string,
    work: (tx: Tx, schedule: ReportScheduleEntity) => Promise<ReportScheduleEntity>,
  ): Promise<ScheduleState> {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const schedule = await lockedSchedule(tx, id);
      if (!schedule) throw missing();
      if (schedule.endedAt !== null) throw new ColophonError('conflict', 'This schedule has ended.');
      return stateOf(tx, await work(tx, schedule));
    });
  }

  private async log(
    tx: Tx,
    schedule: ReportScheduleEntity,
    actor: Actor,
    said: ScheduleChange,
  ): Promise<void> {
    await this.appendEntry.append(tx, {
      ...said,
      ...(schedule.projectId !== null && { projectId: schedule.projectId }),
      actor,
      subject: { kind: 'report_schedule', id: publicId('reportSchedule', schedule.id) },
    });
  }
}

export function lockedSchedule(tx: Tx, id: string): Promise<ReportScheduleEntity | null> {
  return tx.manager.findOne(ReportScheduleEntity, {
    where: { organizationId: tx.organizationId, id },
    lock: { mode: 'pessimistic_write' },
  });
}

export function keyOf({ organizationId, id }: ReportScheduleEntity) {
  return { organizationId, id };
}

export function subjectOfSchedule(schedule: ReportScheduleEntity): ScheduledSubject {
  const { kind, projectId, useCase, assetId, listingId } = schedule;
  switch (kind) {
    case 'asset':
      return { kind, assetId: assetId ?? '' };
    case 'campaign':
      return { kind, projectId: projectId ?? '', useCase: useCase ?? undefined };
    case 'model':
      return { kind, listingId: listingId ?? '' };
    case 'period':
      return { kind };
  }
}

/** As {@link RequestReport} wants it. */
export function requestedOf(subject: ScheduledSubject) {
  const { kind } = subject;
  if (kind === 'asset') return { kind, subjectId: subject.assetId };
  if (kind === 'campaign') return { kind, subjectId: subject.projectId };
  return { kind };
}

function columnsOf(subject: ScheduledSubject) {
  return {
    projectId: subject.kind === 'campaign' ? subject.projectId : null,
    useCase: subject.kind === 'campaign' ? (subject.useCase ?? null) : null,
    assetId: subject.kind === 'asset' ? subject.assetId : null,
    listingId: subject.kind === 'model' ? subject.listingId : null,
  };
}

function loggedSubject(subject: ScheduledSubject) {
  switch (subject.kind) {
    case 'asset':
      return { assetId: publicId('asset', subject.assetId) };
    case 'campaign':
      return {
        projectId: publicId('project', subject.projectId),
        ...(subject.useCase !== undefined && { useCase: subject.useCase }),
      };
    case 'model':
      return { listingId: subject.listingId };
    case 'period':
      return {};
  }
}

async function stateOf(tx: Tx, schedule: ReportScheduleEntity): Promise<ScheduleState> {
  const [state] = await withLastReports(tx, [schedule]);
  return state ?? { schedule, lastReport: undefined };
}

async function withLastReports(tx: Tx, schedules: readonly ReportScheduleEntity[]): Promise<ScheduleState[]> {
  const reports = await lastReports(
    tx,
    schedules.flatMap(({ lastReportId }) => lastReportId ?? []),
  );
  return schedules.map((schedule) => ({ schedule, lastReport: reports.get(schedule.lastReportId ?? '') }));
}

function missing(): ColophonError {
  return new ColophonError('not_found', 'There is no report schedule with this id.');
}
