import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { Audited } from '../../http/audited.js';
import { Public } from '../../http/authentication.guard.js';
import { ReceiveFalWebhook } from '../application/receive-fal-webhook.js';

/** Filled by the content type parser in src/http/create-application.ts: signatures are over the raw bytes. */
interface RawBodyRequest extends FastifyRequest {
  rawBody?: Buffer;
}

@ApiExcludeController()
@Controller('v1/webhooks/fal')
export class FalWebhookController {
  constructor(private readonly receive: ReceiveFalWebhook) {}

  @Post(':address')
  @Audited('step.reconciled')
  @Public()
  @HttpCode(200)
  async deliver(
    @Param('address') address: string,
    @Req() request: RawBodyRequest,
  ): Promise<{ received: true }> {
    await this.receive.receive(address, {
      headers: request.headers,
      rawBody: request.rawBody ?? Buffer.alloc(0),
    });
    return { received: true };
  }
}
