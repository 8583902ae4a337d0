import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { RunRepository } from '../adapters/run.repository.js';
import { progressOfRun } from '../application/progress-of-run.js';
import { MAX_EVENTS_PER_READ, RunEvents } from '../application/run-events.js';
import { TERMINAL_RUN_STATES } from '../domain/run.js';

const POLL_INTERVAL_MS = 200;
/** Proxies close silent connections. */
const KEEP_ALIVE_EVERY_POLLS = 50;
const MAX_POLLS = (60 * 60 * 1000) / POLL_INTERVAL_MS;

/** Server-sent events. A client that reconnects with Last-Event-ID misses nothing and sees nothing twice. */
@ApiTags('Runs')
@ApiBearerAuth()
@Controller('v1/runs')
export class RunEventsController {
  constructor(
    private readonly events: RunEvents,
    private readonly runs: RunRepository,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get(':id/events')
  @Unaudited('States of a run as they change. Prompts and other inputs are sealed and not shown.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Follow a run (text/event-stream)' })
  async follow(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('run')) runId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.organizationTx.run(organizationId, (tx) => this.runs.get(tx, runId));
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    let last = /^\d{1,18}$/.test(lastEventId ?? '') ? (lastEventId ?? '0') : '0';
    let told = '';
    for (let poll = 0; poll < MAX_POLLS && !reply.raw.destroyed; poll++) {
      const { stored, finished, progress } = await this.organizationTx.run(organizationId, async (tx) => ({
        // The state is read first: events that come with the final state are then never missed.
        finished: TERMINAL_RUN_STATES.includes((await this.runs.get(tx, runId)).state),
        stored: await this.events.after(tx, runId, last),
        progress: await progressOfRun(tx, runId),
      }));
      for (const { ordinal, at, event } of stored) {
        reply.raw.write(
          `id: ${ordinal}\nevent: ${event.type}\ndata: ${JSON.stringify({ at: at.toISOString(), ...event })}\n\n`,
        );
        last = ordinal;
      }
      // Numbers alone, however many steps there are; without an id of its own, so that a client resumes at the last change.
      const summary = JSON.stringify(progress);
      if (summary !== told) reply.raw.write(`event: progress\ndata: ${summary}\n\n`);
      told = summary;
      if (finished && stored.length < MAX_EVENTS_PER_READ) break;
      if (poll % KEEP_ALIVE_EVERY_POLLS === 0) reply.raw.write(': keep-alive\n\n');
      if (stored.length === 0) await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
    reply.raw.end();
  }
}
