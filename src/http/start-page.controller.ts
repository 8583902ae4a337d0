import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { readFileSync } from 'node:fs';
import { Unaudited } from './audited.js';
import { Public } from './authentication.guard.js';
import { packageFile } from '../config/package-root.js';

/** Nothing from elsewhere, nothing inline: a file's text that slipped into the page could not run. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function page(name: string): Buffer {
  return readFileSync(packageFile(`src/http/start-page/${name}`));
}

@ApiExcludeController()
@Controller()
@Public()
export class StartPageController {
  private readonly html = page('index.html');
  private readonly css = page('start-page.css');
  private readonly script = page('start-page.js');

  @Get()
  @Unaudited(
    'A page of the program, the same for everybody. What it shows it asks from the routes below, with the key of its user.',
  )
  async index(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': CONTENT_SECURITY_POLICY,
      })
      .send(this.html);
  }

  @Get('start-page.css')
  @Unaudited('A file of the program, the same for everybody.')
  async styles(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', 'text/css; charset=utf-8').send(this.css);
  }

  @Get('start-page.js')
  @Unaudited('A file of the program, the same for everybody.')
  async code(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', 'text/javascript; charset=utf-8').send(this.script);
  }
}
