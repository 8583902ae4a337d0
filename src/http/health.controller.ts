import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { Unaudited } from './audited.js';
import { Public } from './authentication.guard.js';
import { Health } from './health.js';
import { Metrics } from './metrics.js';

@ApiExcludeController()
@Controller()
@Public()
export class HealthController {
  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
  ) {}

  /** The process answers. */
  @Get('healthz')
  @Unaudited('Says that the process answers, and nothing else.')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The log can be written and a signature can be made: otherwise nothing could be released. */
  @Get('readyz')
  @Unaudited(
    'Says whether the log can be written, anchored and a signature made; nothing that an organization made. It must answer when the log cannot be written.',
  )
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const report = await this.health.check();
    await reply
      .status(report.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(report);
  }

  @Get('metrics')
  @Unaudited(
    'Counters and times of the installation; nothing that an organization made. It must answer when the log cannot be written.',
  )
  async prometheus(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', this.metrics.contentType).send(await this.metrics.text());
  }
}
